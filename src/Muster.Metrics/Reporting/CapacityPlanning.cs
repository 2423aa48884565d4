using Muster.Core;
using Muster.Metrics.Archive;

namespace Muster.Metrics.Reporting;

/// <summary>Makes a report of what archives hold of the host and of its containers.</summary>
public static class CapacityPlanning
{
    /// <summary>What proposals add when nothing else is said.</summary>
    public const double DefaultMargin = 0.2;

    // Nobody reads more; the report says that there are.
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

    // All but idle and waiting for I/O, as pmstat(1) and mpstat count: guests' time is part of user and nice.
    private static readonly string[] BusyMetrics = ["kernel.all.cpu.user", "kernel.all.cpu.nice", "kernel.all.cpu.sys", "kernel.all.cpu.steal", "kernel.all.cpu.irq.hard", "kernel.all.cpu.irq.soft"];

    // Both interrupts together: what pmstat needs is recorded without the two.
    private const string Interrupts = "kernel.all.cpu.intr";

    private static readonly string[] HostMetrics =
    [
        .. BusyMetrics, Interrupts, "hinv.ncpu", "mem.physmem", "mem.util.available", "filesys.used", "filesys.capacity",
        "network.all.in.bytes", "network.all.out.bytes", "network.interface.in.bytes", "network.interface.out.bytes",
    ];

    // Bridges, ends of pairs, tunnels, and links upon links: what goes over them is counted once more on the link below, or never leaves the host.
    private static readonly string[] Virtual =
        ["lo", "veth", "br-", "br", "docker", "virbr", "cni", "podman", "lxcbr", "lxdbr", "lxc", "tap", "tun", "vnet", "dummy", "ifb", "bond", "team", "vlan", "vxlan", "flannel", "cali", "kube-", "cilium", "wg", "gre", "sit", "ip6tnl", "tunl", "macvlan", "ipvlan", "mst"];

    /// <summary>Reads the archives and computes. Refused when they hold nothing that a report is made of.</summary>
    public static CapacityReport Of(ArchiveSet archives, TimeWindow window, double margin)
    {
        var metrics = HostMetrics.Concat(ContainerMetrics).Where(m => archives.Names.Find(m) is not null).ToList();
        var series = SeriesReading.Read(archives, metrics, window.From, window.To, (window.To - window.From) / Stretches);
        var table = series.ToLookup(s => s.Metric, StringComparer.Ordinal);
        var host = new CapacitySubject(archives.HostName, "host", [.. Host(table, window.From, margin)]);
        var instances = table.Where(g => g.Key.StartsWith("container.", StringComparison.Ordinal)).SelectMany(g => g).Where(s => s.Instance is not null)
            .GroupBy(s => s.Instance!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToDictionary(s => s.Metric, StringComparer.Ordinal), StringComparer.Ordinal);
        var all = ContainerRows.Join(instances).Select(c => Container(c.Key, c.Value, window.From, margin)).Where(s => s.Resources.Count > 0).ToList();
        var (cores, memory) = (all.Sum(s => Most(s, "cpu")), all.Sum(s => Most(s, "memory")));
        var containers = all.OrderBy(Urgency).ThenByDescending(s => (cores > 0 ? Most(s, "cpu") / cores : 0) + (memory > 0 ? Most(s, "memory") / memory : 0)).ThenBy(s => s.Name, StringComparer.Ordinal).Take(MaxContainers).ToList();
        var subjects = host.Resources.Count > 0 ? [host, .. containers] : containers;
        if (subjects.Count == 0)
        {
            throw new MusterException(ErrorKind.NotFound, "The archive holds no values that a report is made of: record container, kernel.all.cpu, mem, hinv.ncpu, filesys and network.all, for ten minutes at least");
        }

        var points = series.Where(s => s.Points.Length > 0).Select(s => (First: s.Points[0].Time, Last: s.Points[^1].Time)).ToList();

        // The last value before the window serves rates alone.
        var from = points.Min(p => p.First);
        return new CapacityReport(archives.HostName, from < window.From ? window.From : from, points.Max(p => p.Last), margin, subjects, all.Count - containers.Count);
    }

    private static double Most(CapacitySubject subject, string resource) => subject.Find(resource)?.Percentile95 ?? 0;

    // What suffers first, then what is full within two months, then the least headroom.
    private static double Urgency(CapacitySubject subject) =>
        subject.Strain is { OomKills: > 0 } ? -2 : subject.Resources.Any(r => r.Reason is not null) ? -1 : subject.Resources.Min(r => Math.Min(r.DaysToFull is < 60 and var days ? days : 100_000, 100 + (1000 * (r.Headroom ?? 10))));

    private static CapacitySubject Container(string name, IReadOnlyDictionary<string, ValueSeries> series, DateTimeOffset from, double margin)
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

        IReadOnlyList<SpanPoint> Points(string metric, double factor = 1) =>
            series.TryGetValue(metric, out var one) ? [.. one.Rates(from).Select(p => p with { Value = p.Value * factor })] : [];

        double? Last(string metric) => series.TryGetValue(metric, out var one) ? LastLimit(one) : null;

        double Growth(string metric) => series.TryGetValue(metric, out var one) ? one.WholeGrowth() : 0;
    }

    private static IEnumerable<ResourceUse> Host(ILookup<string, ValueSeries> series, DateTimeOffset from, double margin)
    {
        // Either all of interrupts together, or the two kinds of them.
        var busy = series["kernel.all.cpu.irq.hard"].Concat(series["kernel.all.cpu.irq.soft"]).Any() ? BusyMetrics : [.. BusyMetrics, Interrupts];
        var physical = series["mem.physmem"].Select(LastValue).FirstOrDefault() * 1024;
        List<ResourceUse?> uses =
        [
            UseStatistics.Of(("cpu", null, "cores"), Sum(busy.SelectMany(m => series[m]), from, 1e-3), series["hinv.ncpu"].Select(LastValue).FirstOrDefault(), margin),
            UseStatistics.Of(("memory", null, "bytes"), physical > 0 ? [.. series["mem.util.available"].SelectMany(s => s.Rates(from)).Select(p => p with { Value = physical.Value - (p.Value * 1024) })] : [], physical, margin),
        ];
        foreach (var used in series["filesys.used"])
        {
            var capacity = series["filesys.capacity"].FirstOrDefault(s => s.Instance == used.Instance);
            uses.Add(UseStatistics.Of(("disk", used.Instance, "bytes"), [.. used.Rates(from).Select(p => p with { Value = p.Value * 1024 })], (capacity is null ? null : LastValue(capacity)) * 1024, margin));
        }

        uses.Add(UseStatistics.Of(("network in", null, "bytes/s"), Sum(Links(series, "in"), from, 1), null, margin));
        uses.Add(UseStatistics.Of(("network out", null, "bytes/s"), Sum(Links(series, "out"), from, 1), null, margin));
        return uses.OfType<ResourceUse>().Select(u => RightSize.OfHost(u));
    }

    // A packet of a container passes its pair, a bridge and the link with hardware: it left or came to the host once.
    private static IEnumerable<ValueSeries> Links(ILookup<string, ValueSeries> series, string direction)
    {
        var all = series[$"network.all.{direction}.bytes"].ToList();
        if (all.Count > 0)
        {
            return all;
        }

        var links = series[$"network.interface.{direction}.bytes"].Where(s => s.Instance != "lo").ToList();
        var own = links.Where(s => !IsVirtual(s.Instance!)).ToList();
        return own.Count > 0 ? own : links;
    }

    // Of hardware have their kernel's name and a number (eth0), or one of the place (enp3s0): "br0", but not "brcm0".
    private static bool IsVirtual(string link) =>
        link.AsSpan().IndexOfAny('.', '@', ':') >= 0 || Array.Exists(Virtual, v => link.StartsWith(v, StringComparison.Ordinal) && (v.EndsWith('-') || v is "veth" or "cali" or "lxc" or "mst" || link.AsSpan(v.Length).IndexOfAnyExceptInRange('0', '9') < 0 || link[v.Length] is '-' or '_'));

    // Limits that are none are written as 0 or as the largest number.
    internal static double? LastLimit(ValueSeries series) => LastValue(series) is > 0 and < 1L << 60 and var value ? value : null;

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

    // Between any two times at which one of them changes, what all are together: not all are recorded at the same times.
    private static List<SpanPoint> Sum(IEnumerable<ValueSeries> series, DateTimeOffset from, double factor)
    {
        var edges = new List<(long Ticks, double Change, int Count)>();
        foreach (var rate in series.SelectMany(s => s.Rates(from)))
        {
            edges.Add((rate.Ticks - rate.Span, rate.Value * factor, 1));
            edges.Add((rate.Ticks, -rate.Value * factor, -1));
        }

        edges.Sort((a, b) => a.Ticks.CompareTo(b.Ticks));
        var sums = new List<SpanPoint>();
        var (sum, count, before) = (0.0, 0, 0L);
        foreach (var (ticks, change, step) in edges)
        {
            if (count > 0 && ticks > before)
            {
                sums.Add(new SpanPoint(ticks, Math.Max(0, sum), ticks - before));
            }

            (count, before) = (count + step, ticks);

            // What adding and taking away has left of nothing is nothing.
            sum = count == 0 ? 0 : sum + change;
        }

        return sums;
    }
}
