using System.Buffers.Binary;
using System.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Wire;

/// <summary>
/// Reads the body of a unit from its first byte to its last. Nothing it is told is believed: a number or text that would lie
/// beyond the end sets <see cref="Failed"/>, and from then on everything read is zero or empty.
/// </summary>
public ref struct PduReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    /// <summary>Something lay outside of the unit or could not be what it should be.</summary>
    public bool Failed { get; private set; }

    /// <summary>Bytes not read yet.</summary>
    public readonly int Left => _rest.Length;

    public int Int32() => (int)UInt32();

    public uint UInt32()
    {
        var bytes = Bytes(4);
        return bytes.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;
    }

    public ulong UInt64()
    {
        var bytes = Bytes(8);
        return bytes.Length == 8 ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;
    }

    /// <summary>A count of things of at least <paramref name="size"/> bytes each: more than can follow is a failure.</summary>
    public int Count(int size)
    {
        var count = UInt32();
        if (count <= (uint)(_rest.Length / size))
        {
            return (int)count;
        }

        Fail();
        return 0;
    }

    /// <summary>Exactly <paramref name="count"/> bytes; none after a failure.</summary>
    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (Failed || count < 0 || count > _rest.Length)
        {
            Fail();
            return [];
        }

        var bytes = _rest[..count];
        _rest = _rest[count..];
        return bytes;
    }

    /// <summary>All that is left.</summary>
    public ReadOnlySpan<byte> Remaining() => Bytes(_rest.Length);

    /// <summary>A text with its length before it and padding to four bytes behind it, which may be cut off at the end of the unit.</summary>
    public string Text(int maxLength)
    {
        var length = UInt32();
        if (length > (uint)maxLength)
        {
            Fail();
            return "";
        }

        var bytes = Bytes((int)length);
        _ = Bytes(Math.Min(-(int)length & 3, _rest.Length));
        return Decode(bytes);
    }

    public MetricId Id() => new(UInt32());

    public InstanceDomainId Domain() => new(UInt32());

    /// <summary>Marks the unit as one that cannot be understood.</summary>
    public void Fail()
    {
        Failed = true;
        _rest = [];
    }

    /// <summary>UTF-8, ended by the first NUL; bytes that are none become U+FFFD.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
