using System.Globalization;

namespace Muster.Core;

/// <summary>
/// Amounts as isolators and flags write them: a decimal number with a suffix <c>m k K M G T P E</c> (powers of 1000) or
/// <c>Ki Mi Gi Ti Pi Ei</c> (powers of 1024). Source: appc spec/ace.md, Resource Isolators (Kubernetes quantities).
/// </summary>
public static class Quantity
{
    private static readonly (string Suffix, decimal Factor)[] Suffixes =
    [
        ("Ki", 1024m), ("Mi", 1048576m), ("Gi", 1073741824m), ("Ti", 1099511627776m), ("Pi", 1125899906842624m), ("Ei", 1152921504606846976m),
        ("m", 0.001m), ("k", 1000m), ("K", 1000m), ("M", 1000000m), ("G", 1000000000m), ("T", 1000000000000m), ("P", 1000000000000000m), ("E", 1000000000000000000m),
    ];

    /// <summary>Reads an amount; false for anything that is not one, is negative or exceeds 2^63-1.</summary>
    public static bool TryParse(string? text, out decimal value)
    {
        value = 0;
        if (string.IsNullOrEmpty(text) || text.Length > 64)
        {
            return false;
        }

        var factor = 1m;
        var digits = text.AsSpan();
        foreach (var (suffix, f) in Suffixes)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
            {
                factor = f;
                digits = digits[..^suffix.Length];
                break;
            }
        }

        if (!decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number < 0 || number > long.MaxValue / factor)
        {
            return false;
        }

        value = number * factor;
        return true;
    }

    /// <summary>Reads a whole number of bytes, rounded up.</summary>
    public static long ParseBytes(string text, string what) => TryParse(text, out var value)
        ? (long)decimal.Ceiling(value)
        : throw new MusterException(ErrorKind.Usage, $"{what} \"{text}\" is not a size: write a number with an optional suffix, such as 512M or 1Gi");

    /// <summary>Writes a byte count for people: <c>63.1 MB</c> (powers of 1000).</summary>
    public static string FormatBytes(long bytes)
    {
        string[] units = ["B", "kB", "MB", "GB", "TB", "PB"];
        double value = bytes;
        var unit = 0;
        while (value >= 1000 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return unit == 0 ? $"{bytes} B" : value.ToString(value < 10 ? "0.00" : value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    /// <summary>Writes a count for people: <c>1 image</c>, <c>2 images</c>; <paramref name="many"/> is for words that take more than an s.</summary>
    public static string Counted(long number, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {(number == 1 ? one : many ?? one + "s")}");
}
