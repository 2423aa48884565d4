using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Names;

namespace Muster.Metrics.Reporting;

/// <summary>Makes a report of what archives hold of the host and of its containers.</summary>
public static class CapacityPlanning
{
    /// <summary>What proposals add when nothing else is said.</summary>
    public const double DefaultMargin = 0.2;

    // Nobody reads more; the report says that there are.
    private const int MaxContainers = 500;

    // Values of a long time are joined: of a month, those of nine minutes, and of more where there are so many containers that memory
    // would not hold as much.
    private const int Stretches = 5000;

    // 32 bytes each, of one host at a time.
    private const int MaxSpans = 8 * 1024 * 1024;

    // Of these the last value, or by how much they grew, is all that is told.
    private static readonly string[] Summed = ["container.cpu.limit", "container.memory.limit", "container.filesystem.capacity", "container.cpu.periods", "container.cpu.throttled", "container.memory.oom_kills", "hinv.ncpu", "mem.physmem", "filesys.capacity"];

    private static readonly string[] ContainerMetrics =
    [
        "container.cpu.usage", "container.cpu.limit", "container.memory.working_set", "container.memory.usage", "container.memory.limit",
        "container.filesystem.used", "container.filesystem.capacity", "container.network.all.in.bytes", "container.network.all.out.bytes",
        "container.io.read_bytes", "container.io.write_bytes", "container.io.reads", "container.io.writes",
        "container.pressure.cpu.some.time", "container.pressure.memory.some.time", "container.pressure.io.some.time",
        "container.cpu.periods", "container.cpu.throttled", "container.memory.oom_kills",
    ];

    // All but idle and waiting for I/O, as pmstat(1) and mpstat count: guests' time is part of user and nice.
    private static readonly string[] Kinds = ["kernel.all.cpu.irq.hard", "kernel.all.cpu.irq.soft"];
    private static readonly string[] BusyMetrics = ["kernel.all.cpu.user", "kernel.all.cpu.nice", "kernel.all.cpu.sys", "kernel.all.cpu.steal", .. Kinds];

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

    /// <summary>Reads the archives of one or more hosts and computes. Refused when they hold nothing that a report is made of.</summary>
    public static CapacityReport Of(IReadOnlyList<ArchiveSet> hosts, TimeWindow window, double margin)
    {
        var all = hosts.Select(h => HostUse(h, window, margin)).Where(h => h.Subjects.Count > 0).ToList();
        if (all.Count == 0)
        {
            throw new MusterException(ErrorKind.NotFound, "The archive holds no values that a report is made of: record container, kernel.all.cpu, mem, hinv.ncpu, filesys and network.all, for ten minutes at least");
        }

        if (all.Count > 1)
        {
            all = Qualified(all);
        }

        var containers = all.SelectMany(h => h.Subjects).Where(s => s.Kind != "host").ToList();
        var told = MostTelling(containers).ToHashSet();
        var subjects = all.SelectMany(h => h.Subjects.Where(s => s.Kind == "host").Concat(MostTelling([.. h.Subjects.Where(told.Contains)]))).ToList();

        // The last value before the window serves rates alone.
        var from = all.Min(h => h.First);
        return new CapacityReport(all.Count == 1 ? all[0].Host : $"{all.Count} hosts", from < window.From ? window.From : from, all.Max(h => h.Last), margin, subjects, containers.Count - told.Count)
        {
            Hosts = all.Count == 1 ? null : [.. all.Select(h => h.Host)],
        };
    }

    private static HostSubjects HostUse(ArchiveSet archives, TimeWindow window, double margin)
    {
        var metrics = HostMetrics.Concat(ContainerMetrics).Where(m => archives.Names.Find(m) is not null).ToList();
        var grid = new UseGrid((window.To - window.From) / Stretches, MaxSpans);
        var sums = new HostSums(new UseSum(grid), new UseSum(grid), new UseSum(grid), new UseSum(grid));
        var series = SeriesReading.Read(archives, metrics, window.From, window.To, Create, []);
        var table = series.ToLookup(s => s.Metric, StringComparer.Ordinal);
        var host = new CapacitySubject(archives.HostName, "host", [.. Host(table, sums, margin)]);
        var instances = table.Where(g => g.Key.StartsWith("container.", StringComparison.Ordinal)).SelectMany(g => g).Where(s => s.Instance is not null)
            .GroupBy(s => s.Instance!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToDictionary(s => s.Metric, StringComparer.Ordinal), StringComparer.Ordinal);
        var containers = ContainerRows.Join(instances).Select(c => Container(c.Key, c.Value, margin)).Where(s => s.Resources.Count > 0);
        List<CapacitySubject> subjects = [.. host.Resources.Count > 0 ? [host] : Array.Empty<CapacitySubject>(), .. containers];
        return new HostSubjects(archives.HostName, subjects, series.Select(s => s.Times.First).DefaultIfEmpty().Min(), series.Select(s => s.Times.Last).DefaultIfEmpty().Max());

        UseSeries Create(string name, MetricDescriptor metric, string? instance) => new(name, metric, instance, window.From, Summed.Contains(name) ? null : grid)
        {
            Sums = sums.For(name, instance),
            IsTurned = name == "mem.util.available",
        };
    }

    // What suffers, fills up, or uses the most comes first.
    private static List<CapacitySubject> MostTelling(IReadOnlyList<CapacitySubject> containers)
    {
        var (cores, memory) = (containers.Sum(s => Most(s, "cpu")), containers.Sum(s => Most(s, "memory")));
        return [.. containers.OrderBy(Urgency).ThenByDescending(s => (cores > 0 ? Most(s, "cpu") / cores : 0) + (memory > 0 ? Most(s, "memory") / memory : 0)).ThenBy(s => s.Name, StringComparer.Ordinal).Take(MaxContainers)];
    }

    // A name says of which host's container it is where another host has a pod of that name.
    private static List<HostSubjects> Qualified(List<HostSubjects> hosts)
    {
        var taken = hosts.SelectMany(h => h.Subjects.Where(s => s.Kind != "host").Select(Pod).Distinct(StringComparer.Ordinal)).GroupBy(n => n, StringComparer.Ordinal).Where(g => g.Skip(1).Any()).Select(g => g.Key).ToHashSet(StringComparer.Ordinal);
        return [.. hosts.Select(h => h with { Subjects = [.. h.Subjects.Select(s => s with { Host = h.Host, Name = s.Kind != "host" && taken.Contains(Pod(s)) ? $"{h.Host}:{s.Name}" : s.Name })] })];

        static string Pod(CapacitySubject subject) => subject.Name.Split('/')[0];
    }

    private static double Most(CapacitySubject subject, string resource) => subject.Find(resource)?.Percentile95 ?? 0;

    // What suffers first, then what is full within two months, then the least headroom.
    internal static double Urgency(CapacitySubject subject) =>
        subject.Strain is { OomKills: > 0 } ? -2 : subject.Resources.Any(r => r.Reason is not null) ? -1 : subject.Resources.Min(r => Math.Min(r.DaysToFull is < 60 and var days ? days : 100_000, 100 + (1000 * (r.Headroom ?? 10))));

    private static CapacitySubject Container(string name, IReadOnlyDictionary<string, UseSeries> series, double margin)
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
            series.TryGetValue(metric, out var one) ? [.. one.Spans().Select(p => p.Scaled(factor))] : [];

        double? Last(string metric) => series.TryGetValue(metric, out var one) ? LastLimit(one) : null;

        double Growth(string metric) => series.TryGetValue(metric, out var one) ? one.Growth : 0;
    }

    private static IEnumerable<ResourceUse> Host(ILookup<string, UseSeries> series, HostSums sums, double margin)
    {
        // Either all of interrupts together, or the two kinds of them.
        var busy = Kinds.Any(k => series[k].Any()) ? sums.Busy : sums.BusyTogether;
        var physical = LastOf("mem.physmem") * 1024;
        List<ResourceUse?> uses =
        [
            UseStatistics.Of(("cpu", null, "cores"), [.. busy.Of(BusyMetrics.Append(Interrupts).SelectMany(m => series[m]).Where(s => s.Sums.Contains(busy))).Select(p => p.Scaled(1e-3)).Select(p => AtMost(p, LastOf("hinv.ncpu")))], LastOf("hinv.ncpu"), margin),
            UseStatistics.Of(("memory", null, "bytes"), physical > 0 ? [.. series["mem.util.available"].SelectMany(s => s.Spans()).Select(p => p.Scaled(1024, physical.Value))] : [], physical, margin),
        ];
        foreach (var used in series["filesys.used"])
        {
            var capacity = series["filesys.capacity"].FirstOrDefault(s => s.Instance == used.Instance);
            uses.Add(UseStatistics.Of(("disk", used.Instance, "bytes"), [.. used.Spans().Select(p => p.Scaled(1024))], capacity?.Last * 1024, margin));
        }

        uses.Add(UseStatistics.Of(("network in", null, "bytes/s"), Links(series, "in", sums.In), null, margin));
        uses.Add(UseStatistics.Of(("network out", null, "bytes/s"), Links(series, "out", sums.Out), null, margin));
        return uses.OfType<ResourceUse>().Select(u => RightSize.OfHost(u));

        double? LastOf(string metric) => series[metric].FirstOrDefault()?.Last;
    }

    // More than all processors is no use, but a clock: the kernel counts in ticks, and a record of a busy host may be written late.
    private static SpanPoint AtMost(SpanPoint use, double? processors) =>
        processors > 0 ? use with { Value = Math.Min(use.Value, processors.Value), High = Math.Min(use.High, processors.Value) } : use;

    // A packet of a container passes its pair, a bridge and the link with hardware: it left or came to the host once.
    private static IReadOnlyList<SpanPoint> Links(ILookup<string, UseSeries> series, string direction, UseSum own)
    {
        if (series[$"network.all.{direction}.bytes"].FirstOrDefault() is { } all)
        {
            return all.Spans();
        }

        var links = series[$"network.interface.{direction}.bytes"].Where(s => s.Instance != "lo").ToList();
        return links.Exists(s => s.Sums.Contains(own)) ? own.Of(links.Where(s => s.Sums.Contains(own))) : UseSum.Overlaid(links);
    }

    private static bool IsOwn(string? link) => link is not (null or "lo") && !IsVirtual(link);

    // Of hardware have their kernel's name and a number (eth0), or one of the place (enp3s0): "br0", but not "brcm0".
    private static bool IsVirtual(string link) =>
        link.AsSpan().IndexOfAny('.', '@', ':') >= 0 || Array.Exists(Virtual, v => link.StartsWith(v, StringComparison.Ordinal) && (v.EndsWith('-') || v is "veth" or "cali" or "lxc" or "mst" || link.AsSpan(v.Length).IndexOfAnyExceptInRange('0', '9') < 0 || link[v.Length] is '-' or '_'));

    // Limits that are none are written as 0 or as the largest number.
    internal static double? LastLimit(UseSeries series) => series.Last is > 0 and < 1L << 60 and var value ? value : null;

    /// <summary>One host, the host itself first.</summary>
    private sealed record HostSubjects(string Host, IReadOnlyList<CapacitySubject> Subjects, DateTimeOffset First, DateTimeOffset Last);

    /// <summary>What is added of a host: time on processors, with the two kinds of interrupts or with both together, and bytes over its links.</summary>
    private sealed record HostSums(UseSum Busy, UseSum BusyTogether, UseSum In, UseSum Out)
    {
        public IReadOnlyList<UseSum> For(string metric, string? instance) => metric switch
        {
            Interrupts => [BusyTogether],
            "network.interface.in.bytes" when IsOwn(instance) => [In],
            "network.interface.out.bytes" when IsOwn(instance) => [Out],
            _ when Kinds.Contains(metric) => [Busy],
            _ when BusyMetrics.Contains(metric) => [Busy, BusyTogether],
            _ => [],
        };
    }
}
