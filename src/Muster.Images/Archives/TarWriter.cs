using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Muster.Core;

namespace Muster.Images.Archives;

/// <summary>
/// Writes a tar archive: ustar headers, and pax records exactly where ustar cannot say it. The same entries give the same
/// bytes, on every host and at every time.
/// </summary>
public sealed class TarWriter
{
    private const int Block = TarHeader.BlockSize;
    private const long MaxOctal11 = 0x1_ffff_ffff;
    private const uint MaxOctal7 = 0x1f_ffff;

    private static readonly byte[] Zeros = new byte[64 * 1024];

    private readonly Stream _output;
    private long _left;
    private int _padding;

    /// <summary>A writer onto a stream, which stays the caller's.</summary>
    public TarWriter(Stream output) => _output = output;

    /// <summary>Whether the output is a new file, in which what is passed over reads as zeros.</summary>
    public bool LeavesHoles { get; init; }

    /// <summary>
    /// Begins an entry; exactly <see cref="TarEntry.Size"/> bytes of a file's content must follow by <see cref="WriteData"/> and
    /// <see cref="WriteZeros"/>, of one with <see cref="TarEntry.Sparse"/> only the pieces (GNU tar's format 1.0).
    /// </summary>
    public void Write(TarEntry entry)
    {
        FinishEntry();
        var map = entry.Sparse is { } pieces ? Map(pieces) : [];
        var size = entry.Type != TarEntryType.File ? 0 : entry.Sparse is null ? entry.Size : entry.StoredSize + map.Length;
        var pax = Pax(entry, size);
        if (pax.Length > 0)
        {
            var header = Header("PaxHeaders/pax"u8, [], (byte)'x', 0x1a4, 0, 0, pax.Length, 0, 0, 0);
            _output.Write(header);
            _output.Write(pax);
            Pad(pax.Length);
        }

        _output.Write(Header(entry.Name, entry.LinkName, Flag(entry.Type), entry.Mode, entry.Uid, entry.Gid, size, entry.ModifiedSeconds, entry.DeviceMajor, entry.DeviceMinor));
        _output.Write(map);
        _left = size - map.Length;
        _padding = (int)((Block - (size % Block)) % Block);
    }

    /// <summary>Writes a piece of the current file's content.</summary>
    public void WriteData(ReadOnlySpan<byte> data)
    {
        if (data.Length > _left)
        {
            throw new InvalidOperationException("More content than the entry announced");
        }

        _output.Write(data);
        _left -= data.Length;
    }

    /// <summary>Writes a hole of the current file: nothing where the output keeps holes, else zeros.</summary>
    public void WriteZeros(long count, CancellationToken ct)
    {
        if (LeavesHoles && count > 0)
        {
            _output.Seek(count, SeekOrigin.Current);
            _left -= count;
            return;
        }

        while (count > 0)
        {
            ct.ThrowIfCancellationRequested();
            var piece = (int)Math.Min(count, Zeros.Length);
            WriteData(Zeros.AsSpan(0, piece));
            count -= piece;
        }
    }

    /// <summary>Writes the end mark.</summary>
    public void Finish()
    {
        FinishEntry();
        _output.Write(new byte[2 * Block]);
    }

    private void FinishEntry()
    {
        if (_left != 0)
        {
            throw new MusterException(ErrorKind.Conflict, "A file became shorter while it was archived: keep it still and try again");
        }

        _output.Write(new byte[_padding]);
        _padding = 0;
    }

    private void Pad(long length) => _output.Write(new byte[(Block - (length % Block)) % Block]);

    private static byte Flag(TarEntryType type) => type switch
    {
        TarEntryType.File => (byte)'0',
        TarEntryType.HardLink => (byte)'1',
        TarEntryType.Symlink => (byte)'2',
        TarEntryType.CharacterDevice => (byte)'3',
        TarEntryType.BlockDevice => (byte)'4',
        TarEntryType.Directory => (byte)'5',
        _ => (byte)'6',
    };

    private static byte[] Header(ReadOnlySpan<byte> name, ReadOnlySpan<byte> link, byte flag, uint mode, uint uid, uint gid, long size, long seconds, uint major, uint minor)
    {
        var block = new byte[Block];
        name[..Math.Min(name.Length, 100)].CopyTo(block);
        Octal(block.AsSpan(100, 8), mode);
        Octal(block.AsSpan(108, 8), Math.Min(uid, MaxOctal7));
        Octal(block.AsSpan(116, 8), Math.Min(gid, MaxOctal7));
        Octal(block.AsSpan(124, 12), Math.Min(size, MaxOctal11));
        Octal(block.AsSpan(136, 12), Math.Clamp(seconds, 0, MaxOctal11));
        block[156] = flag;
        link[..Math.Min(link.Length, 100)].CopyTo(block.AsSpan(157));
        "ustar\0"u8.CopyTo(block.AsSpan(257));
        "00"u8.CopyTo(block.AsSpan(263));
        Octal(block.AsSpan(329, 8), Math.Min(major, MaxOctal7));
        Octal(block.AsSpan(337, 8), Math.Min(minor, MaxOctal7));
        block.AsSpan(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var b in block)
        {
            sum += b;
        }

        Octal(block.AsSpan(148, 7), sum);
        return block;
    }

    private static void Octal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--)
        {
            field[i] = (byte)('0' + (value & 7));
            value >>= 3;
        }

        field[^1] = 0;
    }

    private static byte[] Pax(TarEntry entry, long size)
    {
        using var records = new MemoryStream();
        if (entry.Name.Length > 100)
        {
            Record(records, "path", entry.Name);
        }

        if (entry.Sparse is not null)
        {
            Record(records, "GNU.sparse.major", "1"u8);
            Record(records, "GNU.sparse.minor", "0"u8);
            Record(records, "GNU.sparse.name", entry.Name);
            Record(records, "GNU.sparse.realsize", Text(entry.Size));
        }

        if (entry.LinkName.Length > 100)
        {
            Record(records, "linkpath", entry.LinkName);
        }

        if (entry.Uid > MaxOctal7)
        {
            Record(records, "uid", Text(entry.Uid));
        }

        if (entry.Gid > MaxOctal7)
        {
            Record(records, "gid", Text(entry.Gid));
        }

        if (entry.Type == TarEntryType.File && size > MaxOctal11)
        {
            Record(records, "size", Text(size));
        }

        if (entry.ModifiedNanoseconds != 0 || entry.ModifiedSeconds is < 0 or > MaxOctal11)
        {
            Record(records, "mtime", Encoding.ASCII.GetBytes(Time(entry.ModifiedSeconds, entry.ModifiedNanoseconds)));
        }

        foreach (var (name, value) in entry.Xattrs.OrderBy(x => Encoding.Latin1.GetString(x.Key), StringComparer.Ordinal))
        {
            Record(records, "SCHILY.xattr." + Encoding.UTF8.GetString(name), value);
        }

        return records.ToArray();
    }

    // A count, then offset and length of each piece, a decimal line each, filled up to a block.
    private static byte[] Map(IReadOnlyList<SparseSegment> pieces)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{pieces.Count}\n");
        foreach (var (offset, length) in pieces)
        {
            text.Append(CultureInfo.InvariantCulture, $"{offset}\n{length}\n");
        }

        text.Append('\0', (Block - (text.Length % Block)) % Block);
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static byte[] Text(long number)
    {
        var text = new byte[20];
        Utf8Formatter.TryFormat(number, text, out var length);
        return text[..length];
    }

    // Seconds before 1970 with a fraction count from the second below: -1.25 s is -2 s and 750 ms.
    private static string Time(long seconds, uint nanoseconds)
    {
        if (nanoseconds == 0)
        {
            return seconds.ToString(CultureInfo.InvariantCulture);
        }

        var (sign, whole, fraction) = seconds >= 0 ? ("", seconds, nanoseconds) : ("-", -(seconds + 1), 1_000_000_000 - nanoseconds);
        return $"{sign}{whole}.{fraction:D9}".TrimEnd('0');
    }

    // The length counts its own digits.
    private static void Record(MemoryStream to, string key, ReadOnlySpan<byte> value)
    {
        var name = Encoding.UTF8.GetBytes(key);
        var length = name.Length + value.Length + 3;
        var digits = length.ToString(CultureInfo.InvariantCulture).Length;
        var total = length + digits;
        if (total.ToString(CultureInfo.InvariantCulture).Length != digits)
        {
            total++;
        }

        to.Write(Encoding.ASCII.GetBytes(total.ToString(CultureInfo.InvariantCulture)));
        to.WriteByte((byte)' ');
        to.Write(name);
        to.WriteByte((byte)'=');
        to.Write(value);
        to.WriteByte((byte)'\n');
    }
}
