using Muster.Core;
using Muster.Metrics.Archive;

namespace Muster.Metrics.Reporting;

/// <summary>The part of archives that is looked at.</summary>
public readonly record struct TimeWindow(DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>
    /// Reads the ends of a window (<see cref="ArchiveTime"/>). Null stands for the beginning and the end themselves.
    /// </summary>
    public static TimeWindow Parse(string? from, string? to, ArchiveSet archives)
    {
        var start = from is null ? archives.Start : ArchiveTime.Parse(from, "start", archives.Start, () => archives.Start, () => archives.End, TimeProvider.System);
        var window = new TimeWindow(start, to is null ? archives.End : ArchiveTime.Parse(to, "end", start, () => archives.Start, () => archives.End, TimeProvider.System));
        return window.From <= window.To ? window : throw new MusterException(ErrorKind.Usage, $"The start {window.From:u} lies after the end {window.To:u}");
    }
}
