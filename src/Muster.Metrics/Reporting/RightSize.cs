using System.Globalization;

namespace Muster.Metrics.Reporting;

/// <summary>
/// Corrects what use alone would propose: a container that its limit holds back shows less use than it has need of, and is
/// never proposed less than it has. Pure.
/// </summary>
internal static class RightSize
{
    /// <summary>A limit that is met in one of a hundred periods is met by chance.</summary>
    public const double LeastThrottling = 0.01;

    /// <summary>A process is always waiting somewhere; so much of the time it is slowed down by it (at the 95th percentile).</summary>
    public const double LeastStall = 0.1;

    /// <summary>What the memory that nobody got would have been is not known; half as much again is tried.</summary>
    private const double AfterOomKill = 0.5;

    /// <summary>With less a container cannot start another process.</summary>
    private const double LeastMemory = 8 * 1048576;

    public static CapacitySubject Of(CapacitySubject subject, double margin) =>
        subject with { Resources = [.. subject.Resources.Select(r => r.Resource switch { "cpu" => Cpu(subject, r, margin), "memory" => Memory(subject, r, margin), "disk" => NotLess(r), _ => r })] };

    /// <summary>A host is given whole processors, and more memory or disk, when it needs them; nobody gives it less, and its network has no limit.</summary>
    public static ResourceUse OfHost(ResourceUse use) => use.Resource switch
    {
        "cpu" => NotLess(use with { Proposal = use.Proposal is { } cores ? Math.Ceiling(cores - 1e-9) : null }),
        "memory" or "disk" => NotLess(use),
        _ => use with { Proposal = null },
    };

    // A file system that is hardly used is not made anew in a few kilobytes.
    private static ResourceUse NotLess(ResourceUse use) => use.Limit is null || use.Proposal <= use.Limit ? use with { Proposal = null } : use;

    private static ResourceUse Cpu(CapacitySubject subject, ResourceUse use, double margin)
    {
        if (use.Limit is not { } limit)
        {
            return use;
        }

        if (subject.Strain?.ThrottledPeriods is >= LeastThrottling and { } throttled)
        {
            return AtLeast(use, limit * (1 + Math.Max(margin, throttled)), $"its limit held it back in {Share(throttled)} of the periods");
        }

        return subject.Find("cpu stalled") is { Percentile95: >= LeastStall } stalled ? AtLeast(use, limit, $"it waited for a processor {Share(stalled.Percentile95)} of the time") : use;
    }

    private static ResourceUse Memory(CapacitySubject subject, ResourceUse use, double margin)
    {
        use = use.Proposal < LeastMemory ? use with { Proposal = LeastMemory } : use;
        if (use.Limit is not { } limit)
        {
            return use;
        }

        if (subject.Strain is { OomKills: > 0 and var kills })
        {
            return AtLeast(use, limit * (1 + Math.Max(margin, AfterOomKill)), kills == 1 ? "a process was killed because memory ran out" : string.Create(CultureInfo.InvariantCulture, $"{kills:0} processes were killed because memory ran out"));
        }

        return subject.Find("memory stalled") is { Percentile95: >= LeastStall } stalled ? AtLeast(use, limit * (1 + margin), $"it waited for memory {Share(stalled.Percentile95)} of the time") : use;
    }

    private static ResourceUse AtLeast(ResourceUse use, double least, string why) =>
        use with { Proposal = Math.Max(use.Proposal ?? 0, UseStatistics.RoundUp(least, use.Unit)), Reason = why };

    private static string Share(double share) => ReportFigures.Value(share, "share");
}
