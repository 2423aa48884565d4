using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Muster.Network;

/// <summary>An IPv4 or IPv6 prefix in CIDR form, host bits zero.</summary>
public readonly record struct Subnet
{
    private readonly UInt128 _base;

    private Subnet(bool v6, UInt128 first, int prefixLength)
    {
        IsV6 = v6;
        _base = first;
        PrefixLength = prefixLength;
    }

    /// <summary>True for IPv6.</summary>
    public bool IsV6 { get; }

    /// <summary>The number of leading bits that all addresses share.</summary>
    public int PrefixLength { get; }

    /// <summary>The first address, which names the prefix.</summary>
    public IPAddress Network => this[0];

    /// <summary>The bridge's own address: the first that a host may have.</summary>
    public IPAddress Gateway => this[1];

    /// <summary>How many addresses there are.</summary>
    public UInt128 Size => UInt128.One << (Bits - PrefixLength);

    private int Bits => IsV6 ? 128 : 32;

    /// <summary>The address at a distance from the first.</summary>
    public IPAddress this[UInt128 index] => ToAddress(_base + index);

    /// <summary>The prefix that holds <paramref name="address"/>.</summary>
    public static Subnet Of(IPAddress address, int prefixLength)
    {
        var v6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        var bits = v6 ? 128 : 32;
        ArgumentOutOfRangeException.ThrowIfNegative(prefixLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefixLength, bits);
        var mask = prefixLength == 0 ? UInt128.Zero : ~UInt128.Zero << (bits - prefixLength);
        return new Subnet(v6, ToNumber(address) & mask, prefixLength);
    }

    /// <summary>Reads <c>10.209.0.0/24</c> or <c>fd00:1::/64</c>; host bits must be zero, so that a typing error is seen.</summary>
    public static bool TryParse(string? text, out Subnet subnet)
    {
        subnet = default;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 1 || text!.Length > 49
            || !IPAddress.TryParse(text.AsSpan(0, slash), out var address)
            || address.ToString() is var plain && address.AddressFamily == AddressFamily.InterNetwork && !plain.AsSpan().SequenceEqual(text.AsSpan(0, slash))
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || length > (address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32)
            || text.Contains('%', StringComparison.Ordinal))
        {
            return false;
        }

        subnet = Of(address, length);
        return subnet._base == ToNumber(address);
    }

    /// <summary>Whether the address is in it.</summary>
    public bool Contains(IPAddress address) => IndexOf(address) is not null;

    /// <summary>The distance of an address from the first one; null when it is outside.</summary>
    public UInt128? IndexOf(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6 != IsV6)
        {
            return null;
        }

        var number = ToNumber(address);
        return number >= _base && number - _base < Size ? number - _base : null;
    }

    /// <summary>Whether any address is in both.</summary>
    public bool Overlaps(Subnet other) => IsV6 == other.IsV6 && (Contains(other.Network) || other.Contains(Network));

    /// <summary>CIDR form.</summary>
    public override string ToString() => $"{Network}/{PrefixLength}";

    private static UInt128 ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        address.TryWriteBytes(bytes, out var length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private IPAddress ToAddress(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (IsV6)
        {
            BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
            return new IPAddress(bytes);
        }

        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)number);
        return new IPAddress(bytes[..4]);
    }
}
