using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Muster.Metrics.Collecting;

namespace Muster.Metrics.Export;

/// <summary>UTF-8 text in one pooled buffer that grows.</summary>
internal sealed class TextBuffer : IDisposable, IBufferWriter<byte>
{
    private byte[] _bytes = LentBytes.Rent(64 * 1024);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Add(ReadOnlySpan<byte> text)
    {
        text.CopyTo(GetSpan(text.Length));
        Length += text.Length;
    }

    public void Add(byte character) => Add([character]);

    public void Add(string text) => Length += Encoding.UTF8.GetBytes(text, GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length)));

    public void Add(long number)
    {
        Utf8Formatter.TryFormat(number, GetSpan(24), out var written);
        Length += written;
    }

    public void Add(ulong number)
    {
        Utf8Formatter.TryFormat(number, GetSpan(24), out var written);
        Length += written;
    }

    /// <summary>The shortest digits that give the number back; <c>NaN</c>, <c>+Inf</c>, <c>-Inf</c>.</summary>
    public void Add(double number)
    {
        if (double.IsFinite(number))
        {
            number.TryFormat(GetSpan(32), out var written);
            Length += written;
        }
        else
        {
            Add(double.IsNaN(number) ? "NaN"u8 : number > 0 ? "+Inf"u8 : "-Inf"u8);
        }
    }

    /// <summary>A number in groups of seven bits, the lowest first (protobuf's varint).</summary>
    public void AddVarint(ulong number)
    {
        for (; number >= 0x80; number >>= 7)
        {
            Add((byte)(number | 0x80));
        }

        Add((byte)number);
    }

    /// <summary>Writes a length as a varint into the room before what begins at <paramref name="start"/>, and closes the gap.</summary>
    public void CloseUp(int start, int room, int length)
    {
        Span<byte> digits = stackalloc byte[room];
        var used = 0;
        for (var rest = (uint)length; ; rest >>= 7)
        {
            digits[used++] = (byte)(rest < 0x80 ? rest : rest | 0x80);
            if (rest < 0x80)
            {
                break;
            }
        }

        digits[..used].CopyTo(_bytes.AsSpan(start - room));
        _bytes.AsSpan(start, length).CopyTo(_bytes.AsSpan(start - room + used));
        Length -= room - used;
    }

    /// <summary>Forgets the text and keeps the room.</summary>
    public void Clear() => Length = 0;

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(Length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        LentBytes.Return(_bytes);
        _bytes = [];
        Length = 0;
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - Length < Math.Max(count, 1))
        {
            var larger = LentBytes.Rent(Math.Max(_bytes.Length * 2, Length + count));
            _bytes.AsSpan(0, Length).CopyTo(larger);
            LentBytes.Return(_bytes);
            _bytes = larger;
        }
    }
}
