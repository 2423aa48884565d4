using System.Globalization;
using Muster.Core;
using Muster.Metrics.Archive;

namespace Muster.Metrics.Reporting;

/// <summary>The part of archives that is looked at.</summary>
public readonly record struct TimeWindow(DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>
    /// Reads the ends of a window: a time as ISO 8601 writes it (UTC without a zone), <c>+5m</c> after the beginning of the
    /// archives, <c>-5m</c> before their end. Null stands for the beginning and the end themselves.
    /// </summary>
    public static TimeWindow Parse(string? from, string? to, ArchiveSet archives)
    {
        var window = new TimeWindow(from is null ? archives.Start : At(from, "start", archives), to is null ? archives.End : At(to, "end", archives));
        return window.From <= window.To ? window : throw new MusterException(ErrorKind.Usage, $"The start {window.From:u} lies after the end {window.To:u}");
    }

    private static DateTimeOffset At(string text, string what, ArchiveSet archives) => text switch
    {
        ['+', ..] => archives.Start + Durations.Parse(text[1..], what),
        ['-', ..] => archives.End - Durations.Parse(text[1..], what),
        _ => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw new MusterException(ErrorKind.Usage, $"The {what} \"{text}\" is no time: write 2026-01-31T12:00:00, +5m after the archive's beginning, or -5m before its end"),
    };
}
