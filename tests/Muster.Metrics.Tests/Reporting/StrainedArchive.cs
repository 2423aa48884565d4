using Muster.Metrics.Archive;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Reporting;

/// <summary>Some days of containers that differ in what they suffer: every fourth is throttled, every fifth short of memory, every seventh was killed for it.</summary>
internal static class StrainedArchive
{
    private const double Mega = 1048576;

    private static readonly (string Name, int Item, MetricSemantics Semantics, MetricUnits Units, Func<int, double, double> Value)[] Metrics =
    [
        ("container.cpu.usage", 0, MetricSemantics.Counter, MetricUnits.Microsecond, (c, s) => s * 1e6 * Cores(c)),
        ("container.cpu.limit", 1, MetricSemantics.Instant, MetricUnits.None, (c, _) => c % 3 == 2 ? 0 : 1),
        ("container.cpu.periods", 2, MetricSemantics.Counter, MetricUnits.Count, (_, s) => s * 10),
        ("container.cpu.throttled", 3, MetricSemantics.Counter, MetricUnits.Count, (c, s) => IsThrottled(c) ? s * 4 : 0),
        ("container.memory.working_set", 4, MetricSemantics.Instant, MetricUnits.Byte, (c, s) => (100 + (c * 7 % 60) + (c % 6 == 1 ? s / 86400 * 20 : 10 * Math.Sin(s / 9000))) * Mega),
        ("container.memory.limit", 5, MetricSemantics.Instant, MetricUnits.Byte, (c, _) => c % 3 == 2 ? ulong.MaxValue : (c % 2 == 0 ? 256 : 1024) * Mega),
        ("container.memory.oom_kills", 6, MetricSemantics.Counter, MetricUnits.Count, (c, s) => IsKilled(c) ? 3 + Math.Floor(s / 86400) : 3),
        ("container.io.read_bytes", 7, MetricSemantics.Counter, MetricUnits.Byte, (c, s) => c % 2 == 0 ? s * 2 * Mega : 0),
        ("container.io.write_bytes", 8, MetricSemantics.Counter, MetricUnits.Byte, (c, s) => c % 2 == 0 ? (s * Mega) + (Mega * 3000 * Math.Sin(s / 7200)) + (Mega * 3000) : 0),
        ("container.io.reads", 9, MetricSemantics.Counter, MetricUnits.Count, (c, s) => c % 2 == 0 ? s * 120 : 0),
        ("container.io.writes", 10, MetricSemantics.Counter, MetricUnits.Count, (c, s) => c % 2 == 0 ? s * 30 : 0),
        ("container.pressure.cpu.some.time", 11, MetricSemantics.Counter, MetricUnits.Microsecond, (c, s) => c % 8 == 3 ? s * 250_000 : 0),
        ("container.pressure.memory.some.time", 12, MetricSemantics.Counter, MetricUnits.Microsecond, (c, s) => IsShort(c) ? s * 150_000 : 0),
        ("container.pressure.io.some.time", 13, MetricSemantics.Counter, MetricUnits.Microsecond, (c, s) => c % 2 == 0 ? s * 40_000 : 0),
        ("container.network.all.in.bytes", 14, MetricSemantics.Counter, MetricUnits.Byte, (c, s) => (s * 1000 * c) + (c * 9e6 * Math.Cos(s / 14000)) + (c * 9e6)),
        ("container.network.all.out.bytes", 15, MetricSemantics.Counter, MetricUnits.Byte, (c, s) => s * 400 * c),
    ];

    public static bool IsThrottled(int container) => container % 12 == 4;

    public static bool IsShort(int container) => container % 15 == 6;

    public static bool IsKilled(int container) => container % 21 == 9;

    /// <summary>Writes hourly values of some days.</summary>
    public static void Write(string path, int days, params string[] names)
    {
        using var writer = new ArchiveWriter(path, new ArchiveLabel(ArchiveVersion.V3, 4711, TestArchive.Start, "tester", "UTC0", ":Etc/UTC"));
        var metrics = Metrics.Select(m => new MetricDescriptor(m.Name, MetricId.Of(450, 9, m.Item), m.Name == "container.cpu.limit" ? MetricType.Double : MetricType.UInt64, TestArchive.Containers, m.Semantics, m.Units, m.Name)).ToList();
        foreach (var metric in metrics)
        {
            writer.AddDescriptor(metric, [metric.Name]);
        }

        writer.AddInstances(TestArchive.Start.AddSeconds(1), TestArchive.Containers, [.. names.Select((n, i) => new MetricInstance(i, n))]);
        for (var hour = 0; hour <= days * 24; hour++)
        {
            var seconds = (hour * 3600) + 1;
            writer.Write(TestArchive.Start.AddSeconds(seconds), TestArchive.Sets([.. metrics.Select((m, i) => (m, Enumerable.Range(0, names.Length).Select(c => Metrics[i].Value(c, seconds)).ToArray()))]));
        }
    }

    private static double Cores(int container) => IsThrottled(container) ? 0.6 : 0.05 + (container % 9 * 0.03);
}
