using System.Buffers.Binary;
using System.Text;

namespace Muster.Linux.Netlink;

/// <summary>Walks the attributes (struct nlattr) of a received message; a length that does not fit ends the walk.</summary>
public ref struct NetlinkAttributes
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>A walk over <paramref name="bytes"/>, which begins with an attribute.</summary>
    public NetlinkAttributes(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>The attribute's number without the nested and byte-order bits.</summary>
    public ushort Type { get; private set; }

    /// <summary>The attribute's content.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Goes to the next attribute; false at the end or where the rest is damaged.</summary>
    public bool Next()
    {
        if (_rest.Length < 4)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (length < 4 || length > _rest.Length)
        {
            _rest = default;
            return false;
        }

        Type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & 0x3fff);
        Value = _rest[4..length];
        _rest = _rest[Math.Min(NetlinkBatch.Align(length), _rest.Length)..];
        return true;
    }

    /// <summary>The content as a string up to its NUL.</summary>
    public readonly string Text()
    {
        var end = Value.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? Value : Value[..end]);
    }

    /// <summary>The content as a 32-bit number in host order; 0 when it is shorter.</summary>
    public readonly uint Number() => Value.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(Value) : 0;

    /// <summary>The content as a 32-bit number in network order, as nftables writes them; 0 when it is shorter.</summary>
    public readonly uint BigEndianNumber() => Value.Length >= 4 ? BinaryPrimitives.ReadUInt32BigEndian(Value) : 0;

    /// <summary>The first attribute of a number, or an empty span.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> bytes, ushort type)
    {
        var walk = new NetlinkAttributes(bytes);
        while (walk.Next())
        {
            if (walk.Type == type)
            {
                return walk.Value;
            }
        }

        return default;
    }
}
