namespace Muster.Metrics.Agents.Text;

/// <summary>The lines of a text, one after the other, without copying; the last one need not end with a line feed.</summary>
internal ref struct TextLines(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;

    public bool TryNext(out ReadOnlySpan<byte> line)
    {
        if (_rest.IsEmpty)
        {
            line = default;
            return false;
        }

        var end = _rest.IndexOf((byte)'\n');
        line = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? default : _rest[(end + 1)..];
        return true;
    }
}

/// <summary>The fields of a line, divided by blanks and tabs, without copying.</summary>
internal ref struct TextFields(ReadOnlySpan<byte> line)
{
    private ReadOnlySpan<byte> _rest = line;

    /// <summary>What has not been read yet, from the next field on.</summary>
    public ReadOnlySpan<byte> Rest => _rest.TrimStart(" \t"u8);

    public bool TryNext(out ReadOnlySpan<byte> field)
    {
        _rest = _rest.TrimStart(" \t"u8);
        if (_rest.IsEmpty)
        {
            field = default;
            return false;
        }

        var end = _rest.IndexOfAny((byte)' ', (byte)'\t');
        field = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? default : _rest[end..];
        return true;
    }

    /// <summary>The next field as a number; false at the end and for anything else.</summary>
    public bool TryNumber(out long value)
    {
        value = 0;
        return TryNext(out var field) && TextNumbers.TryParse(field, out value);
    }

    public void Skip(int count)
    {
        for (var i = 0; i < count && TryNext(out _); i++)
        {
        }
    }
}

/// <summary>Numbers as the kernel writes them.</summary>
internal static class TextNumbers
{
    /// <summary>A decimal number, negative ones too; 2^63 and more come out as the same 64 bits. False for anything that is not wholly a number.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        var negative = text.Length > 1 && text[0] == '-';
        if (negative)
        {
            text = text[1..];
        }

        // 20 digits hold 2^64 - 1.
        if (text.IsEmpty || text.Length > 20)
        {
            return false;
        }

        ulong sum = 0;
        foreach (var c in text)
        {
            var digit = (uint)(c - '0');
            if (digit > 9 || sum > (ulong.MaxValue - digit) / 10)
            {
                return false;
            }

            sum = (sum * 10) + digit;
        }

        value = negative ? -(long)sum : (long)sum;
        return true;
    }

    /// <summary>A hexadecimal number of at most 16 digits.</summary>
    public static bool TryParseHex(ReadOnlySpan<byte> text, out long value)
    {
        ulong sum = 0;
        value = 0;
        if (text.IsEmpty || text.Length > 16)
        {
            return false;
        }

        foreach (var c in text)
        {
            var digit = c switch
            {
                >= (byte)'0' and <= (byte)'9' => c - '0',
                >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
                >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
                _ => -1,
            };
            if (digit < 0)
            {
                return false;
            }

            sum = (sum << 4) | (uint)digit;
        }

        value = (long)sum;
        return true;
    }

    /// <summary>A plain decimal fraction such as <c>12.75</c>; no exponent, no sign.</summary>
    public static bool TryParseFraction(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        var point = text.IndexOf((byte)'.');
        if (!TryParse(point < 0 ? text : text[..point], out var whole) || whole < 0)
        {
            return false;
        }

        value = whole;
        if (point < 0)
        {
            return true;
        }

        var digits = text[(point + 1)..];
        if (digits.Length > 9 || !TryParse(digits, out var part) || part < 0)
        {
            return false;
        }

        double scale = 1;
        for (var i = 0; i < digits.Length; i++)
        {
            scale *= 10;
        }

        value += part / scale;
        return true;
    }
}
