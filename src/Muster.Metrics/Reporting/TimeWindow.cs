using Muster.Core;
using Muster.Metrics.Archive;

namespace Muster.Metrics.Reporting;

/// <summary>The part of archives that is looked at.</summary>
public readonly record struct TimeWindow(DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>
    /// Reads the ends of a window (<see cref="ArchiveTime"/>). Null stands for the beginning and the end themselves.
    /// </summary>
    public static TimeWindow Parse(string? from, string? to, ArchiveSet archives) => Parse(from, to, [archives]);

    /// <summary>The same over the archives of several hosts: from the first value of any to the last.</summary>
    public static TimeWindow Parse(string? from, string? to, IReadOnlyList<ArchiveSet> hosts)
    {
        var first = hosts.Min(h => h.Start);
        var start = from is null ? first : ArchiveTime.Parse(from, "start", first, () => first, End, TimeProvider.System);
        var window = new TimeWindow(start, to is null ? End() : ArchiveTime.Parse(to, "end", start, () => first, End, TimeProvider.System));
        return window.From <= window.To ? window : throw new MusterException(ErrorKind.Usage, $"The start {window.From:u} lies after the end {window.To:u}");

        DateTimeOffset End() => hosts.Max(h => h.End);
    }
}
