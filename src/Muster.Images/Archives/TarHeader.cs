using Muster.Core;

namespace Muster.Images.Archives;

/// <summary>One 512-byte header block as POSIX.1-1988 ustar and GNU tar lay it out; pure reading, no state.</summary>
internal readonly ref struct TarHeader
{
    public const int BlockSize = 512;

    private readonly ReadOnlySpan<byte> _block;

    public TarHeader(ReadOnlySpan<byte> block) => _block = block;

    public byte TypeFlag => _block[156];

    public ReadOnlySpan<byte> LinkName => Text(157, 100);

    public uint Mode => (uint)(Number(100, 8, "mode") & 0xfff);

    public long Uid => Number(108, 8, "user id");

    public long Gid => Number(116, 8, "group id");

    public long Size => Number(124, 12, "size");

    public long ModifiedSeconds => Number(136, 12, "modification time");

    public long DeviceMajor => IsUstar || IsGnu ? Number(329, 8, "device number") : 0;

    public long DeviceMinor => IsUstar || IsGnu ? Number(337, 8, "device number") : 0;

    public bool IsUstar => _block.Slice(257, 6).SequenceEqual("ustar\0"u8);

    public bool IsGnu => _block.Slice(257, 8).SequenceEqual("ustar  \0"u8);

    public static bool IsZero(ReadOnlySpan<byte> block) => block.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>The name, with ustar's prefix where it has one.</summary>
    public byte[] Name()
    {
        var name = Text(0, 100);
        var prefix = IsUstar ? Text(345, 155) : [];
        if (prefix.Length == 0)
        {
            return name.ToArray();
        }

        var joined = new byte[prefix.Length + 1 + name.Length];
        prefix.CopyTo(joined);
        joined[prefix.Length] = (byte)'/';
        name.CopyTo(joined.AsSpan(prefix.Length + 1));
        return joined;
    }

    /// <summary>Refuses a block whose sum does not match. Old tars summed signed bytes: taken as well, as every reader does.</summary>
    public void CheckSum()
    {
        long unsigned = 0;
        long signed = 0;
        for (var i = 0; i < BlockSize; i++)
        {
            var b = i is >= 148 and < 156 ? (byte)' ' : _block[i];
            unsigned += b;
            signed += (sbyte)b;
        }

        if (!TryNumber(_block.Slice(148, 8), out var stated) || (stated != unsigned && stated != signed))
        {
            throw new MusterException(ErrorKind.Corrupt, "The archive is damaged: the checksum of a tar header is wrong; fetch or make the archive again");
        }
    }

    /// <summary>A number: octal text between blanks, or GNU's base 256 (first bit set, two's complement, most significant byte first).</summary>
    public static bool TryNumber(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        if ((field[0] & 0x80) != 0)
        {
            return TryBase256(field, out value);
        }

        field = field.TrimStart(" \0"u8);
        var end = field.IndexOfAny((byte)' ', (byte)0);
        if (end >= 0)
        {
            if (field[end..].IndexOfAnyExcept((byte)' ', (byte)0) >= 0)
            {
                return false;
            }

            field = field[..end];
        }

        foreach (var digit in field)
        {
            if (digit is < (byte)'0' or > (byte)'7' || value > (long.MaxValue >> 3))
            {
                return false;
            }

            value = (value << 3) | (uint)(digit - '0');
        }

        return true;
    }

    /// <summary>The number in a field of the block, refused by name when it is none.</summary>
    public long Number(int offset, int length, string what) => TryNumber(_block.Slice(offset, length), out var value)
        ? value
        : throw new MusterException(ErrorKind.Corrupt, $"The archive is damaged: the {what} in a tar header is not a number that fits; fetch or make the archive again");

    private static bool TryBase256(ReadOnlySpan<byte> field, out long value)
    {
        var negative = (field[0] & 0x40) != 0;
        value = negative ? -1 : 0;
        for (var i = 0; i < field.Length; i++)
        {
            // Bit 7 of the first byte is the mark, not part of the number.
            var b = i == 0 ? (negative ? field[0] | 0x80 : field[0] & 0x7f) : field[i];
            if (value > (long.MaxValue >> 8) || value < (long.MinValue >> 8))
            {
                return false;
            }

            value = (value << 8) | (uint)b;
        }

        return true;
    }

    private ReadOnlySpan<byte> Text(int offset, int length)
    {
        var field = _block.Slice(offset, length);
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
