using System.Globalization;
using System.Text.Json.Serialization;

namespace Muster.Metrics.Reporting;

/// <summary>Use of a host and its containers over a time, against their limits.</summary>
/// <param name="Host">The host's name; of several, their number (<c>3 hosts</c>).</param>
/// <param name="From">The time of the first value.</param>
/// <param name="To">The time of the last value.</param>
/// <param name="Margin">The share that proposals add to what was needed.</param>
/// <param name="Subjects">Host after host: the host first, then its containers, those that need attention first.</param>
/// <param name="Omitted">So many containers and apps more were recorded, of which nothing is told.</param>
public sealed record CapacityReport(string Host, DateTimeOffset From, DateTimeOffset To, double Margin, IReadOnlyList<CapacitySubject> Subjects, int Omitted = 0)
{
    /// <summary>The names of the hosts where there are several; else null.</summary>
    public IReadOnlyList<string>? Hosts { get; init; }

    /// <summary>A sentence on what is left out; null when nothing is.</summary>
    [JsonIgnore]
    public string? OmittedText => Omitted == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{Subjects.Count(s => s.Kind != "host")} of {Omitted + Subjects.Count(s => s.Kind != "host")} containers and apps are told: those that suffer, fill up, or use the most; {Omitted} are left out");
}

/// <summary>The host or one container.</summary>
/// <param name="Name">Its name, with its host before a colon where containers of several hosts have that name.</param>
/// <param name="Kind">host, container or app.</param>
/// <param name="Resources">What it used.</param>
/// <param name="Strain">What it suffered from its limits; null for the host, and where it was not recorded.</param>
public sealed record CapacitySubject(string Name, string Kind, IReadOnlyList<ResourceUse> Resources, ContainerStrain? Strain = null)
{
    /// <summary>Of which host, where there are several; else null.</summary>
    public string? Host { get; init; }

    /// <summary>The use of a resource, the first where there are several; null when it was not recorded.</summary>
    internal ResourceUse? Find(string resource) => Resources.FirstOrDefault(r => r.Resource == resource);
}

/// <summary>What a container suffered from its limits.</summary>
/// <param name="ThrottledPeriods">The share of the periods of its CPU limit in which it used that up; null without a limit.</param>
/// <param name="OomKills">Processes killed because memory ran out.</param>
public sealed record ContainerStrain(double? ThrottledPeriods, double OomKills);

/// <summary>The use of one resource in the unit that <paramref name="Unit"/> names.</summary>
/// <param name="Resource">cpu, memory, disk, network in, network out; io read, io write (bytes and operations); cpu, memory and io stalled.</param>
/// <param name="Detail">Which one, where there are several: a file system; else null.</param>
/// <param name="Unit">cores, bytes, bytes/s, ops/s, or share (of the time).</param>
/// <param name="Samples">How many values there were.</param>
/// <param name="Mean">Over time: a value counts by how long it held.</param>
/// <param name="Percentile95">What it did not exceed for 95 % of the time.</param>
/// <param name="Peak">The highest value.</param>
/// <param name="PeakAt">When it was.</param>
/// <param name="Last">The last value.</param>
/// <param name="TrendPerDay">Change per day by least squares; null for fewer than three values or less than an hour.</param>
/// <param name="Fit">How much of the variation the trend explains, 0 to 1; 0 for what is a step, or grew in one half of the time alone.</param>
/// <param name="Limit">What it may use; null when nothing limits it.</param>
/// <param name="Headroom">The share of the limit that is free at the 95th percentile; negative beyond it.</param>
/// <param name="DaysToFull">Days from the last value until the trend meets the limit; 0 when it is over it; null when it does not within ten years, or is no trend.</param>
/// <param name="Proposal">A limit that suits: the 95th percentile and the margin; of memory and disk never below the peak, and never below the limit that a container suffers from. Null for shares of the time; for the host and file systems, which are given more and not less, null unless it is more than they have.</param>
public sealed record ResourceUse(
    string Resource,
    string? Detail,
    string Unit,
    int Samples,
    double Mean,
    double Percentile95,
    double Peak,
    DateTimeOffset PeakAt,
    double Last,
    double? TrendPerDay,
    double Fit,
    double? Limit,
    double? Headroom,
    double? DaysToFull,
    double? Proposal)
{
    /// <summary>It is beyond its limit at the end.</summary>
    [JsonIgnore]
    public bool IsOver => Resource is "memory" or "disk" && Last > Limit;

    /// <summary>Why the proposal is higher than use alone would have it; null when it is not.</summary>
    public string? Reason { get; init; }

    /// <summary>From when on the trend is one: it may have begun late.</summary>
    [JsonIgnore]
    public DateTimeOffset TrendSince { get; init; }

    /// <summary>The values over time, condensed for a chart.</summary>
    [JsonIgnore]
    public IReadOnlyList<ChartPoint> Chart { get; init; } = [];
}

/// <summary>A stretch of time of a chart: mean and highest value in it; both not a number where there is no value.</summary>
public readonly record struct ChartPoint(DateTimeOffset Time, double Mean, double Peak);

/// <summary>Source-generated JSON of reports.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(CapacityReport))]
public sealed partial class CapacityJson : JsonSerializerContext;
