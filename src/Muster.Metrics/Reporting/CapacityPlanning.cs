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
            .Select(g => new CapacitySubject(g.Key, g.Key.Contains('/', StringComparison.Ordinal) ? "app" : "container", [.. Container(g.ToDictionary(s => s.Metric, StringComparer.Ordinal), margin)]))
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

    // What is full within two months first, then the least headroom.
    private static double Urgency(CapacitySubject subject) =>
        subject.Resources.Min(r => Math.Min(r.DaysToFull is < 60 and var days ? days : 100_000, 100 + (1000 * (r.Headroom ?? 10))));

    private static IEnumerable<ResourceUse> Container(Dictionary<string, ValueSeries> series, double margin)
    {
        ResourceUse?[] uses =
        [
            UseStatistics.Of(("cpu", null, "cores"), Points("container.cpu.usage", 1e-6), Last("container.cpu.limit"), margin),
            UseStatistics.Of(("memory", null, "bytes"), series.ContainsKey("container.memory.working_set") ? Points("container.memory.working_set") : Points("container.memory.usage"), Last("container.memory.limit"), margin),
            UseStatistics.Of(("disk", null, "bytes"), Points("container.filesystem.used"), Last("container.filesystem.capacity"), margin),
            UseStatistics.Of(("network in", null, "bytes/s"), Points("container.network.all.in.bytes"), null, margin),
            UseStatistics.Of(("network out", null, "bytes/s"), Points("container.network.all.out.bytes"), null, margin),
        ];
        return uses.OfType<ResourceUse>();

        IReadOnlyList<SeriesPoint> Points(string metric, double factor = 1) =>
            series.TryGetValue(metric, out var one) ? [.. one.Rates().Select(p => p with { Value = p.Value * factor })] : [];

        // Limits that are none are written as 0 or as the largest number.
        double? Last(string metric) => series.TryGetValue(metric, out var one) && LastValue(one) is > 0 and < 1L << 60 and var value ? value : null;
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
