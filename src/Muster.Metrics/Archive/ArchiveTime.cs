using System.Globalization;
using Muster.Core;

namespace Muster.Metrics.Archive;

/// <summary>
/// Times as they are written for the ends of a window: ISO 8601 (UTC without a zone), and what PCPIntro(1) has: <c>5m</c> or
/// <c>+5m</c> after the beginning, <c>-5m</c> before the end, and behind <c>@</c> a date and time of this host's zone, of which
/// the higher parts may be missing: <c>@ 2026-01-31 12:00</c>, <c>@12:30</c>, <c>@ Jan 31</c>, <c>@yesterday</c>, <c>now</c>.
/// </summary>
public static class ArchiveTime
{
    private static readonly string[] Dates = ["yyyy-M-d", "yy-M-d", "M/d/yy", "M/d/yyyy", "d MMM yyyy", "d MMMM yyyy", "MMM d yyyy", "MMMM d yyyy", "MMM yyyy", "MMMM yyyy"];
    private static readonly string[] DaysOfAYear = ["MMM d", "MMMM d", "d MMM", "d MMMM"];
    private static readonly string[] Times = ["H:m", "H:m:s", "H:m:s.FFFFFFF", "h:m tt", "h:mtt", "h:m:s tt", "h:m:stt"];

    /// <summary>Reads a time.</summary>
    /// <param name="text">As it was written.</param>
    /// <param name="what">Which time it is.</param>
    /// <param name="origin">What an interval without a sign counts from: the beginning of the archives for a start, the start for an end.</param>
    /// <param name="beginning">When the archives begin.</param>
    /// <param name="end">When they end.</param>
    /// <param name="time">For now, and the zone.</param>
    public static DateTimeOffset Parse(string text, string what, DateTimeOffset origin, Func<DateTimeOffset> beginning, Func<DateTimeOffset> end, TimeProvider time)
    {
        var said = text.Trim();
        switch (said)
        {
            case ['+', ..]:
                return Within(beginning(), Durations.Parse(said[1..].Trim(), what));
            case ['-', ..]:
                return Within(end(), -Durations.Parse(said[1..].Trim(), what));
            case ['@', ..] when Calendar(said[1..].Trim(), beginning(), time) is { } date:
                return date;
        }

        if (Word(said, time) is { } word)
        {
            return word;
        }

        if (DateTimeOffset.TryParse(said, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var iso))
        {
            return iso;
        }

        return said is [>= '0' and <= '9', ..] && TryDuration(said, what) is { } interval
            ? Within(origin, interval)
            : throw new MusterException(ErrorKind.Usage, $"The {what} \"{text}\" is no time: write 2026-01-31T12:00:00, \"@ 2026-01-31 12:00\" (of this host's zone), now, +5m after the archive's beginning, or -5m before its end");
    }

    private static TimeSpan? TryDuration(string text, string what)
    {
        try
        {
            return Durations.Parse(text, what);
        }
        catch (MusterException)
        {
            return null;
        }
    }

    private static DateTimeOffset Within(DateTimeOffset time, TimeSpan by)
    {
        try
        {
            return time + by;
        }
        catch (ArgumentOutOfRangeException)
        {
            return by > TimeSpan.Zero ? DateTimeOffset.MaxValue : DateTimeOffset.MinValue;
        }
    }

    private static DateTimeOffset? Word(string text, TimeProvider time)
    {
        var today = time.GetLocalNow().DateTime.Date;
        return text.ToLowerInvariant() switch
        {
            "now" => time.GetUtcNow(),
            "today" => Local(today, time),
            "yesterday" => Local(today.AddDays(-1), time),
            "tomorrow" => Local(today.AddDays(1), time),
            _ => null,
        };
    }

    private static DateTimeOffset? Calendar(string text, DateTimeOffset beginning, TimeProvider time)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToList();
        if (words is [var only] && Word(only, time) is { } word)
        {
            return word;
        }

        // A zone that is said: a letter Z, UTC or an offset.
        TimeSpan? zone = null;
        if (words.Count > 1 && words[^1].ToUpperInvariant() is "Z" or "UTC" or "GMT")
        {
            zone = TimeSpan.Zero;
            words.RemoveAt(words.Count - 1);
        }

        var clock = words.FindIndex(w => w.Contains(':', StringComparison.Ordinal));
        var at = TimeSpan.Zero;
        if (clock >= 0)
        {
            var half = clock + 1 < words.Count && words[clock + 1].ToUpperInvariant() is "AM" or "PM" ? " " + words[clock + 1] : "";
            if (!DateTime.TryParseExact(words[clock] + half, Times, CultureInfo.InvariantCulture, DateTimeStyles.NoCurrentDateDefault, out var found))
            {
                return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal | DateTimeStyles.AdjustToUniversal, out var iso) ? iso : null;
            }

            at = found.TimeOfDay;
            words.RemoveRange(clock, half.Length > 0 ? 2 : 1);
        }

        // A day of the week says nothing that the date does not.
        words.RemoveAll(w => words.Count > 1 && Array.Exists(CultureInfo.InvariantCulture.DateTimeFormat.AbbreviatedDayNames, d => w.StartsWith(d, StringComparison.OrdinalIgnoreCase)));
        var date = string.Join(' ', words);
        if (DateTime.TryParseExact(date, Dates, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            return At(day);
        }

        // Higher parts that are missing are those of the archives' beginning, or of what comes next after it.
        var local = zone is null ? TimeZoneInfo.ConvertTime(beginning, time.LocalTimeZone).DateTime : beginning.UtcDateTime;
        if (date.Length == 0 && clock >= 0)
        {
            return local.Date + at >= local ? At(local.Date) : At(local.Date.AddDays(1));
        }

        for (var year = local.Year; year < Math.Min(local.Year + 9, 9999); year++)
        {
            if (DateTime.TryParseExact($"{date} {year}", [.. DaysOfAYear.Select(d => d + " yyyy"), "MMM yyyy", "MMMM yyyy"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var found) && (found + at >= local || year > local.Year))
            {
                return At(found);
            }
        }

        return null;

        DateTimeOffset At(DateTime of) => zone is { } said ? new DateTimeOffset(of.Date + at, said) : Local(of.Date + at, time);
    }

    private static DateTimeOffset Local(DateTime local, TimeProvider time) => new DateTimeOffset(DateTime.SpecifyKind(local, DateTimeKind.Unspecified), time.LocalTimeZone.GetUtcOffset(local)).ToUniversalTime();
}
