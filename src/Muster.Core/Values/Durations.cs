using System.Globalization;

namespace Muster.Core;

/// <summary>Lengths of time as flags write them.</summary>
public static class Durations
{
    /// <summary>Reads <c>1h30m</c>, <c>90s</c>, <c>250ms</c>, <c>7d</c> or plain seconds; <paramref name="what"/> names the flag in the refusal.</summary>
    public static TimeSpan Parse(string text, string what)
    {
        var total = 0d;
        var rest = text.AsSpan();
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits == 0)
            {
                throw Refused(text, what);
            }

            var number = digits < 0 ? rest : rest[..digits];
            if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
            {
                throw Refused(text, what);
            }

            rest = digits < 0 ? [] : rest[digits..];
            var (length, factor) = rest switch
            {
                [] => (0, 1d),
                ['m', 's', ..] => (2, 0.001),
                ['s', ..] => (1, 1d),
                ['m', ..] => (1, 60d),
                ['h', ..] => (1, 3600d),
                ['d', ..] => (1, 86400d),
                _ => throw Refused(text, what),
            };
            total += value * factor;
            rest = rest[length..];
        }

        return text.Length > 0 && total <= 3.2e9 ? TimeSpan.FromSeconds(total) : throw Refused(text, what);
    }

    private static MusterException Refused(string text, string what) =>
        new(ErrorKind.Usage, $"{what}={text} is not a length of time: write for example 90s, 30m or 24h");
}
