using System.Buffers.Text;
using System.Text;
using Muster.Core;

namespace Muster.Images.Archives;

/// <summary>
/// Extended header records of POSIX.1-2001 pax: <c>LENGTH KEY=VALUE\n</c>, the length counting itself. Global records stand
/// under a file's own; an empty value takes back a global one.
/// </summary>
internal sealed class PaxHeader
{
    /// <summary>Records of one header and of all global headers together.</summary>
    private const int MaxRecords = 300_000;

    /// <summary>Keys and values of one header, or of all global headers together: real ones have some KiB.</summary>
    private const int MaxBytes = 4 << 20;

    private readonly List<(string Key, byte[] Value)> _records = [];

    // Where each key stands last: an archive may have as many keys as entries, and every entry asks for several.
    private readonly Dictionary<string, int> _last = new(StringComparer.Ordinal);
    private int _bytes;

    /// <summary>All records in their order (GNU sparse 0.0 repeats keys).</summary>
    public IReadOnlyList<(string Key, byte[] Value)> Records => _records;

    public bool IsEmpty => _records.Count == 0;

    public void Clear()
    {
        if (_records.Count > 0)
        {
            _records.Clear();
            _last.Clear();
            _bytes = 0;
        }
    }

    /// <summary>Adds the records of one header; global ones replace older ones of the same key.</summary>
    public void Add(ReadOnlySpan<byte> data, bool replace)
    {
        while (data.Length > 0)
        {
            // Some writers fill the header up with zeros.
            if (data[0] == 0 && data.IndexOfAnyExcept((byte)0) < 0)
            {
                return;
            }

            if (!Utf8Parser.TryParse(data, out int length, out var digits) || digits > 9 || length <= digits || length > data.Length
                || data[digits] != ' ' || data[length - 1] != '\n')
            {
                throw Damaged();
            }

            var record = data[(digits + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals < 1)
            {
                throw Damaged();
            }

            var key = Encoding.UTF8.GetString(record[..equals]);
            Keep(key, record[(equals + 1)..].ToArray(), replace);
            data = data[length..];
        }
    }

    private void Keep(string key, byte[] value, bool replace)
    {
        _bytes += key.Length + value.Length;
        var known = _last.TryGetValue(key, out var at);
        if (replace && known)
        {
            _bytes -= key.Length + _records[at].Value.Length;
            _records[at] = (key, value);
        }
        else
        {
            _last[key] = _records.Count;
            _records.Add((key, value));
        }

        if (_records.Count > MaxRecords || _bytes > MaxBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The archive has extended headers of more than {MaxRecords} records or {Quantity.FormatBytes(MaxBytes)} for one file");
        }
    }

    /// <summary>The last value of a key; null when absent or taken back.</summary>
    public static byte[]? Find(PaxHeader own, PaxHeader global, string key)
    {
        if (own._last.TryGetValue(key, out var at))
        {
            return own._records[at].Value is { Length: > 0 } value ? value : null;
        }

        return ReferenceEquals(own, global) ? null : Find(global, global, key);
    }

    /// <summary>A decimal whole number that is not negative.</summary>
    public static long ParseNumber(ReadOnlySpan<byte> value, string key) =>
        value.Length is > 0 and <= 19 && Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length && number >= 0 && value[0] != '+'
            ? number
            : throw new MusterException(ErrorKind.Corrupt, $"The archive is damaged: the extended header \"{key}\" is not a number that fits");

    /// <summary>Seconds since 1970 with an optional fraction, negative before it.</summary>
    public static (long Seconds, uint Nanoseconds) ParseTime(ReadOnlySpan<byte> value)
    {
        var negative = value.Length > 0 && value[0] == '-';
        var digits = negative ? value[1..] : value;
        var dot = digits.IndexOf((byte)'.');
        var seconds = ParseNumber(dot < 0 ? digits : digits[..dot], "mtime");
        uint nanoseconds = 0;
        if (dot >= 0)
        {
            var fraction = digits[(dot + 1)..];
            for (var i = 0; i < 9; i++)
            {
                var digit = i < fraction.Length ? fraction[i] - '0' : 0;
                if (digit is < 0 or > 9)
                {
                    throw new MusterException(ErrorKind.Corrupt, "The archive is damaged: the extended header \"mtime\" is not a time");
                }

                nanoseconds = (nanoseconds * 10) + (uint)digit;
            }
        }

        if (!negative)
        {
            return (seconds, nanoseconds);
        }

        return nanoseconds == 0 ? (-seconds, 0) : (-seconds - 1, 1_000_000_000 - nanoseconds);
    }

    /// <summary>The extended attributes, in the forms of star (SCHILY.xattr, raw) and libarchive (LIBARCHIVE.xattr, base64, URL-encoded name).</summary>
    public IReadOnlyList<KeyValuePair<byte[], byte[]>> Xattrs(TarLimits limits)
    {
        List<KeyValuePair<byte[], byte[]>>? found = null;
        foreach (var (key, raw) in _records)
        {
            byte[] name;
            var value = raw;
            if (key.StartsWith("SCHILY.xattr.", StringComparison.Ordinal))
            {
                name = Encoding.UTF8.GetBytes(key["SCHILY.xattr.".Length..]);
            }
            else if (key.StartsWith("LIBARCHIVE.xattr.", StringComparison.Ordinal))
            {
                name = Encoding.UTF8.GetBytes(Uri.UnescapeDataString(key["LIBARCHIVE.xattr.".Length..]));
                value = FromBase64(raw);
            }
            else
            {
                continue;
            }

            found ??= [];
            if (name.Length is 0 or > 255 || name.Contains((byte)0) || value.Length > limits.MaxXattrBytes || found.Count >= limits.MaxXattrs)
            {
                throw new MusterException(ErrorKind.Invalid, $"The archive has an extended attribute that no file system takes: names have 1 to 255 bytes, values at most {limits.MaxXattrBytes}, a file at most {limits.MaxXattrs}");
            }

            // Writers that emit both forms say the same thing twice.
            if (!found.Exists(x => x.Key.AsSpan().SequenceEqual(name)))
            {
                found.Add(new(name, value));
            }
        }

        return found is null ? [] : found;
    }

    private static byte[] FromBase64(byte[] text)
    {
        // libarchive writes no padding.
        var padded = Encoding.ASCII.GetString(text).TrimEnd('=');
        padded = padded.PadRight((padded.Length + 3) / 4 * 4, '=');
        try
        {
            return Convert.FromBase64String(padded);
        }
        catch (FormatException)
        {
            throw Damaged();
        }
    }

    private static MusterException Damaged() => new(ErrorKind.Corrupt, "The archive is damaged: an extended tar header cannot be read; fetch or make the archive again");
}
