using System.Globalization;
using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>
/// Units as PCP writes and reads them (pmParseUnitsStr(3)): <c>Kbyte / sec</c>, <c>count x 10^3</c>, <c>byte^2</c>; upper and
/// lower case are alike. A multiplier, which PCP reads and derived metrics then ignore, is refused.
/// </summary>
internal static class UnitsText
{
    private static readonly string[] Prefixes = ["", "K", "M", "G", "T", "P", "E"];
    private static readonly string[] BinaryNames = ["", "Kibi", "Mebi", "Gibi", "Tebi", "Pebi", "Exbi"];
    private static readonly string[] DecimalNames = ["", "Kilo", "Mega", "Giga", "Tera", "Peta", "Exa"];

    private static readonly string[][] Times =
    [
        ["nanoseconds", "nanosecond", "nanosec", "ns"],
        ["microseconds", "microsecond", "microsec", "us"],
        ["milliseconds", "millisecond", "millisec", "ms"],
        ["seconds", "second", "sec", "s"],
        ["minutes", "minute", "min"],
        ["hours", "hour", "hr", "h"],
    ];

    /// <summary>Reads units; false with the reason when there are none of that kind.</summary>
    public static bool TryParse(string text, out MetricUnits units, out string why)
    {
        units = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var above = new Part();
        var below = new Part();
        if (!above.TryRead(slash < 0 ? text : text[..slash], out why) || (slash >= 0 && !below.TryRead(text[(slash + 1)..], out why)))
        {
            return false;
        }

        var (space, time, count) = (above.Space.Power - below.Space.Power, above.Time.Power - below.Time.Power, above.Count.Power - below.Count.Power);
        if (space is < -8 or > 7 || time is < -8 or > 7 || count is < -8 or > 7)
        {
            why = "an exponent lies outside of -8 to 7";
            return false;
        }

        units = MetricUnits.Of(space, time, count, Scale(above.Space, below.Space, 0), Scale(above.Time, below.Time, time == 0 ? 0 : 3), Scale(above.Count, below.Count, 0));
        return true;
    }

    // A unit on both sides of the slash is told in its base.
    private static int Scale((int Power, int Scale) above, (int Power, int Scale) below, int otherwise) =>
        above.Power == 0 && below.Power != 0 ? below.Scale : below.Power == 0 && above.Power != 0 ? above.Scale : otherwise;

    /// <summary>What stands before or after the slash.</summary>
    private sealed class Part
    {
        public (int Power, int Scale) Space { get; private set; }

        public (int Power, int Scale) Time { get; private set; }

        public (int Power, int Scale) Count { get; private set; }

        public bool TryRead(string text, out string why)
        {
            why = "";
            var words = text.Split((char[])[' ', '\t', '\n', '\r', '\f', '\v'], StringSplitOptions.RemoveEmptyEntries);
            for (var i = 0; i < words.Length; i++)
            {
                var (word, power) = (words[i], 1);
                var caret = word.IndexOf('^', StringComparison.Ordinal);
                if (caret > 0)
                {
                    if (!int.TryParse(word.AsSpan(caret + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out power) || power is < -8 or > 15)
                    {
                        why = $"{word[caret..]} is no exponent";
                        return false;
                    }

                    word = word[..caret];
                }

                if (char.IsAsciiDigit(word[0]) || word[0] is '-' or '.')
                {
                    why = $"{word} is a multiplier, which would have no effect";
                    return false;
                }

                if (!TryTake(word, power, words, ref i))
                {
                    why = $"{word} is no unit, or stands there twice";
                    return false;
                }
            }

            return true;
        }

        private bool TryTake(string word, int power, string[] words, ref int at)
        {
            if (Time.Power == 0 && TimeScale(word) is { } time)
            {
                Time = (power, time);
                return true;
            }

            if (Space.Power == 0 && SpaceScale(word) is { } space)
            {
                Space = (power, space);
                return true;
            }

            if (Count.Power != 0 || !(Is(word, "count") || Is(word, "counts")))
            {
                return false;
            }

            Count = (power, 0);

            // count x 10^3, and of that another power as in count x 10^3^2.
            if (power == 1 && at + 2 < words.Length && Is(words[at + 1], "x") && words[at + 2].Split('^') is ["10", ..] scale)
            {
                var (exponent, outer) = (1, 1);
                if (scale.Length > 3 || (scale.Length > 1 && (!int.TryParse(scale[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || exponent is < -8 or > 7))
                    || (scale.Length > 2 && (!int.TryParse(scale[2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out outer) || outer is < -8 or > 15)))
                {
                    return false;
                }

                Count = (outer, exponent);
                at += 2;
            }

            return true;
        }

        private static bool Is(string word, string other) => word.Equals(other, StringComparison.OrdinalIgnoreCase);

        private static int? TimeScale(string word) => Index(Times.Length, i => Array.Exists(Times[i], t => Is(word, t)));

        private static int? SpaceScale(string word) => Index(Prefixes.Length, i =>
            Is(word, Prefixes[i] + "byte") || Is(word, Prefixes[i] + "bytes")
            || (i > 0 && (Is(word, Prefixes[i] + "B") || Is(word, Prefixes[i] + "iB")
                || Is(word, BinaryNames[i] + "byte") || Is(word, BinaryNames[i] + "bytes") || Is(word, DecimalNames[i] + "byte") || Is(word, DecimalNames[i] + "bytes"))));

        private static int? Index(int count, Func<int, bool> isFound)
        {
            for (var i = 0; i < count; i++)
            {
                if (isFound(i))
                {
                    return i;
                }
            }

            return null;
        }
    }
}
