using System.Buffers.Binary;
using System.Text;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Wire;

/// <summary>
/// Writes units into one pooled buffer, which is sent with one write and then used again. Not for several threads.
/// </summary>
public sealed class PduWriter : IDisposable
{
    /// <summary>Most answers fit; what does not grows by doubling.</summary>
    private const int FirstSize = 2048;

    // A buffer that one large answer needed is not kept for the small ones.
    private const int KeptSize = 64 * 1024;

    private byte[] _buffer = LentBytes.Rent(FirstSize);
    private int _length;
    private int _start;

    /// <summary>The finished units.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>Bytes of the unit that is being written, its header included.</summary>
    public int UnitLength => _length - _start;

    /// <summary>Begins a unit; its length is set by <see cref="End"/>.</summary>
    public void Begin(PduType type, int from = 0)
    {
        _start = _length;
        UInt32(0);
        Int32((int)type);
        Int32(from);
    }

    public void End() => BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_start), _length - _start);

    /// <summary>Takes back the unit that was begun, as if nothing had been written.</summary>
    public void Abandon() => _length = _start;

    public void Int32(int value) => UInt32((uint)value);

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Room(4), value);
        _length += 4;
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Room(8), value);
        _length += 8;
    }

    public void Byte(byte value)
    {
        Room(1)[0] = value;
        _length++;
    }

    public void UInt16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Room(2), (ushort)value);
        _length += 2;
    }

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Sets four bytes of the current unit that were left open.</summary>
    public void Patch(int at, int value) => BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_start + at, 4), value);

    /// <summary>A text with its length before it and <c>~</c> behind it up to four bytes.</summary>
    public void Text(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Int32(length);
        Encoding.UTF8.GetBytes(text, Room(length));
        _length += length;
        Pad(length);
    }

    /// <summary>UTF-8 bytes alone; returns how many.</summary>
    public int RawText(string text)
    {
        var length = Encoding.UTF8.GetBytes(text, Room(Encoding.UTF8.GetByteCount(text)));
        _length += length;
        return length;
    }

    /// <summary><c>~</c> up to the next multiple of four.</summary>
    public void Pad(int length)
    {
        for (var i = -length & 3; i > 0; i--)
        {
            Byte((byte)'~');
        }
    }

    public void Id(MetricId id) => UInt32(id.Value);

    /// <summary>Forgets what was written; the buffer is kept if it is small.</summary>
    public void Reset()
    {
        _length = 0;
        _start = 0;
        if (_buffer.Length > KeptSize)
        {
            LentBytes.Return(_buffer);
            _buffer = LentBytes.Rent(FirstSize);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        LentBytes.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    private Span<byte> Room(int count)
    {
        if (_buffer.Length - _length < count)
        {
            var larger = LentBytes.Rent(Math.Max(_buffer.Length * 2, _length + count));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            LentBytes.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsSpan(_length, count);
    }
}
