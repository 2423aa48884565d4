using Muster.Core;
using Muster.Metrics.Archive;

namespace Muster.Metrics.Reporting;

/// <summary>Makes a report of what archives hold of the host and of its containers.</summary>
public static class CapacityPlanning
{
    /// <summary>What proposals add when nothing else is said.</summary>
    public const double DefaultMargin = 0.2;

    // Those with the largest use of memory or CPU: nobody reads more.
    private const int MaxContainers = 500;

    // Values of a long time are joined, so that memory depends on the number of containers alone: of a month, nine minutes.
    private const int Stretches = 5000;

    private static readonly string[] ContainerMetrics =
    [
        "container.cpu.usage", "container.cpu.limit", "container.memory.working_set", "container.memory.usage", "container.memory.limit",
        "container.filesystem.used", "container.filesystem.capacity", "container.network.all.in.bytes", "container.network.all.out.bytes",
        "container.io.read_bytes", "container.io.write_bytes", "container.io.reads", "container.io.writes",
        "container.pressure.cpu.some.time", "container.pressure.memory.some.time", "container.pressure.io.some.time",
        "container.cpu.periods", "container.cpu.throttled", "container.memory.oom_kills",
    ];

    private static readonly string[] BusyMetrics = ["kernel.all.cpu.user", "kernel.all.cpu.sys", "kernel.all.cpu.steal", "kernel.all.cpu.irq.hard", "kernel.all.cpu.irq.soft"];

    private static readonly string[] HostMetrics =
    [
        .. BusyMetrics, "hinv.ncpu", "mem.physmem", "mem.util.available", "filesys.used", "filesys.capacity", "network.interface.in.bytes", "network.interface.out.bytes",
    ];

    /// <summary>Reads the archives and computes. Refused when they hold nothing that a report is made of.</summary>
    public static CapacityReport Of(ArchiveSet archives, TimeWindow window, double margin)
    {
        var metrics = HostMetrics.Concat(ContainerMetrics).Where(m => archives.Names.Find(m) is not null).ToList();
        var series = SeriesReading.Read(archives, metrics, window.From, window.To, (window.To - window.From) / Stretches);
        var table = series.ToLookup(s => s.Metric, StringComparer.Ordinal);
        var host = new CapacitySubject(archives.HostName, "host", [.. Host(table, margin)]);
        var containers = table.Where(g => g.Key.StartsWith("container.", StringComparison.Ordinal)).SelectMany(g => g).Where(s => s.Instance is not null)
            .GroupBy(s => s.Instance!, StringComparer.Ordinal)
            .Select(g => Container(g.Key, g.ToDictionary(s => s.Metric, StringComparer.Ordinal), margin))
            .Where(s => s.Resources.Count > 0)
            .OrderBy(Urgency).ThenBy(s => s.Name, StringComparer.Ordinal).Take(MaxContainers).ToList();
        var subjects = host.Resources.Count > 0 ? [host, .. containers] : containers;
        if (subjects.Count == 0)
        {
            throw new MusterException(ErrorKind.NotFound, "The archive holds no values that a report is made of: record container, kernel.all.cpu, mem, hinv.ncpu, filesys and network.interface, for ten minutes at least");
        }

        var points = series.Where(s => s.Points.Length > 0).Select(s => (First: s.Points[0].Time, Last: s.Points[^1].Time)).ToList();
        return new CapacityReport(archives.HostName, points.Min(p => p.First), points.Max(p => p.Last), margin, subjects);
    }

    // What suffers first, then what is full within two months, then the least headroom.
    private static double Urgency(CapacitySubject subject) =>
        subject.Strain is { OomKills: > 0 } ? -2 : subject.Resources.Any(r => r.Reason is not null) ? -1 : subject.Resources.Min(r => Math.Min(r.DaysToFull is < 60 and var days ? days : 100_000, 100 + (1000 * (r.Headroom ?? 10))));

    private static CapacitySubject Container(string name, Dictionary<string, ValueSeries> series, double margin)
    {
        ResourceUse?[] uses =
        [
            UseStatistics.Of(("cpu", null, "cores"), Points("container.cpu.usage", 1e-6), Last("container.cpu.limit"), margin),
            UseStatistics.Of(("memory", null, "bytes"), series.ContainsKey("container.memory.working_set") ? Points("container.memory.working_set") : Points("container.memory.usage"), Last("container.memory.limit"), margin),
            UseStatistics.Of(("disk", null, "bytes"), Points("container.filesystem.used"), Last("container.filesystem.capacity"), margin),
            UseStatistics.Of(("network in", null, "bytes/s"), Points("container.network.all.in.bytes"), null, margin),
            UseStatistics.Of(("network out", null, "bytes/s"), Points("container.network.all.out.bytes"), null, margin),
            UseStatistics.Of(("io read", null, "bytes/s"), Points("container.io.read_bytes"), null, margin),
            UseStatistics.Of(("io write", null, "bytes/s"), Points("container.io.write_bytes"), null, margin),
            UseStatistics.Of(("io read", "operations", "ops/s"), Points("container.io.reads"), null, margin),
            UseStatistics.Of(("io write", "operations", "ops/s"), Points("container.io.writes"), null, margin),
            UseStatistics.Of(("cpu stalled", null, "share"), Points("container.pressure.cpu.some.time", 1e-6), null, margin),
            UseStatistics.Of(("memory stalled", null, "share"), Points("container.pressure.memory.some.time", 1e-6), null, margin),
            UseStatistics.Of(("io stalled", null, "share"), Points("container.pressure.io.some.time", 1e-6), null, margin),
        ];
        var periods = Growth("container.cpu.periods");
        var strain = new ContainerStrain(periods > 0 ? Math.Clamp(Growth("container.cpu.throttled") / periods, 0, 1) : null, Growth("container.memory.oom_kills"));
        var subject = new CapacitySubject(name, name.Contains('/', StringComparison.Ordinal) ? "app" : "container", [.. uses.OfType<ResourceUse>()], strain);
        return RightSize.Of(subject, margin);

        IReadOnlyList<SeriesPoint> Points(string metric, double factor = 1) =>
            series.TryGetValue(metric, out var one) ? [.. one.Rates().Select(p => p with { Value = p.Value * factor })] : [];

        // Limits that are none are written as 0 or as the largest number.
        double? Last(string metric) => series.TryGetValue(metric, out var one) && LastValue(one) is > 0 and < 1L << 60 and var value ? value : null;

        // By how much a counter grew altogether, however often it began anew.
        double Growth(string metric) => series.TryGetValue(metric, out var one)
            ? one.Points.ToArray().Where(p => !double.IsNaN(p.Value)).Select(p => p.Value).ToList() is var values ? values.Skip(1).Zip(values, (now, before) => Math.Max(0, now - before)).Sum() : 0
            : 0;
    }

    private static IEnumerable<ResourceUse> Host(ILookup<string, ValueSeries> series, double margin)
    {
        var cores = Sum(BusyMetrics.SelectMany(m => series[m]), 1e-3);
        var physical = series["mem.physmem"].Select(LastValue).FirstOrDefault() * 1024;
        List<ResourceUse?> uses =
        [
            UseStatistics.Of(("cpu", null, "cores"), cores, series["hinv.ncpu"].Select(LastValue).FirstOrDefault(), margin),
            UseStatistics.Of(("memory", null, "bytes"), physical > 0 ? [.. series["mem.util.available"].SelectMany(s => s.Rates()).Select(p => p with { Value = physical.Value - (p.Value * 1024) })] : [], physical, margin),
        ];
        foreach (var used in series["filesys.used"])
        {
            var capacity = series["filesys.capacity"].FirstOrDefault(s => s.Instance == used.Instance);
            uses.Add(UseStatistics.Of(("disk", used.Instance, "bytes"), [.. used.Rates().Select(p => p with { Value = p.Value * 1024 })], (capacity is null ? null : LastValue(capacity)) * 1024, margin));
        }

        uses.Add(UseStatistics.Of(("network in", null, "bytes/s"), Sum(series["network.interface.in.bytes"].Where(s => s.Instance != "lo"), 1), null, margin));
        uses.Add(UseStatistics.Of(("network out", null, "bytes/s"), Sum(series["network.interface.out.bytes"].Where(s => s.Instance != "lo"), 1), null, margin));
        return uses.OfType<ResourceUse>();
    }

    private static double? LastValue(ValueSeries series)
    {
        for (var i = series.Points.Length - 1; i >= 0; i--)
        {
            if (!double.IsNaN(series.Points[i].Value))
            {
                return series.Points[i].Value;
            }
        }

        return null;
    }

    // Values of one record have one time.
    private static List<SeriesPoint> Sum(IEnumerable<ValueSeries> series, double factor) =>
        [.. series.SelectMany(s => s.Rates()).GroupBy(p => p.Ticks).OrderBy(g => g.Key).Select(g => new SeriesPoint(g.Key, g.Sum(p => p.Value) * factor))];
}
