using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Derived;

/// <summary>An archive with a metric of each type that expressions can be made of: four records, one second and a half apart at last.</summary>
internal static class OperandArchive
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly InstanceDomainId Links = InstanceDomainId.Of(450, 1);
    public static readonly InstanceDomainId Loads = InstanceDomainId.Of(450, 2);

    private static readonly (string Name, MetricType Type, InstanceDomainId Domain, MetricSemantics Semantics, MetricUnits Units, double[][] Records)[] Metrics =
    [
        ("b.queue", MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Count, [[3], [5], [0], [4_000_000_000]]),
        ("b.neg", MetricType.Int32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, [[-7], [8], [0], [-2_000_000_000]]),
        ("b.wide", MetricType.Int64, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Kibibyte, [[-9_000_000_000], [9_000_000_000], [1], [0]]),
        ("b.free", MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Kibibyte, [[1000], [2000], [1500], [1023]]),
        ("b.used", MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Byte, [[1_024_001], [5], [3_000_000_000], [700]]),
        ("b.also", MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Kibibyte, [[1500], [1500], [1500], [1500]]),
        ("b.ops", MetricType.UInt64, Links, MetricSemantics.Counter, MetricUnits.Count, [[10, 20, 30], [15, 20, 36], [25, 20, 40], [27, 60, 41]]),
        ("b.bytes", MetricType.UInt64, Links, MetricSemantics.Counter, MetricUnits.Byte, [[1000, 5000, 0], [2500, 5000, 100], [9000, 5000, 300], [9001, 90_000, 1000]]),
        ("b.busy", MetricType.UInt32, Links, MetricSemantics.Counter, MetricUnits.Millisecond, [[100, 200, 300], [300, 250, 300], [900, 260, 400], [901, 270, 1400]]),
        ("b.depth", MetricType.Int32, Links, MetricSemantics.Instant, MetricUnits.None, [[1, -2, 3], [0, 5, -6], [7, 0, 9], [2, 2, 2]]),
        ("b.load", MetricType.Float, Loads, MetricSemantics.Instant, MetricUnits.None, [[0.5, 1.25], [0.75, 1.5], [3.1, 2.2], [0, 4.4]]),
        ("b.real", MetricType.Double, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Second, [[0.125], [2.5], [-1.5], [0]]),
        ("b.cpu", MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Counter, MetricUnits.Nanosecond, [[1e9], [1.5e9], [1.75e9], [3e9]]),
        ("b.cpus", MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.None, [[2], [2], [4], [4]]),
        ("b.flips", MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Counter, MetricUnits.Count, [[100], [4_294_967_000], [4_294_967_200], [4_294_967_201]]),
        ("b.speed", MetricType.Float, Links, MetricSemantics.Instant, MetricUnits.Of(space: 1, time: -1, spaceScale: 2, timeScale: 3), [[10, 100, 0.5], [10, 100, 0.5], [10, 100, 0.5], [10, 100, 0.5]]),
    ];

    public static readonly TimeSpan[] Times = [TimeSpan.FromTicks(1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4.5)];

    public static void Write(string path)
    {
        using var writer = new ArchiveWriter(path, new ArchiveLabel(ArchiveVersion.V3, 4711, Start, "tester", "UTC0", ":Etc/UTC"));
        var descriptors = Metrics.Select((m, i) => new MetricDescriptor(m.Name, MetricId.Of(450, 1, i + 1), m.Type, m.Domain, m.Semantics, m.Units, "")).ToList();
        descriptors.ForEach(d => writer.AddDescriptor(d, [d.Name]));
        var name = new MetricDescriptor("b.name", MetricId.Of(450, 2, 1), MetricType.String, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.None, "");
        writer.AddDescriptor(name, [name.Name]);
        writer.AddInstances(Start, Links, [new(0, "lo"), new(1, "eth0"), new(2, "eth1 second")]);
        writer.AddInstances(Start, Loads, [new(1, "1 minute"), new(5, "5 minute")]);
        for (var record = 0; record < Times.Length; record++)
        {
            var text = new ValueSet();
            text.Add(MetricValue.From("box" + record));
            writer.Write(Start + Times[record], [.. descriptors.Select((d, i) => Set(d, Metrics[i].Records[record])), new ResultSet(name.Id, name.Type, text, InstanceSelection.Everything)]);
        }
    }

    private static ResultSet Set(MetricDescriptor metric, double[] numbers)
    {
        var values = new ValueSet();
        for (var i = 0; i < numbers.Length; i++)
        {
            var value = metric.Type switch
            {
                MetricType.Float or MetricType.Double => MetricValue.From(metric.Type == MetricType.Float ? (float)numbers[i] : numbers[i]),
                MetricType.UInt32 or MetricType.UInt64 => MetricValue.From((ulong)numbers[i]),
                _ => MetricValue.From((long)numbers[i]),
            };
            values.Add(metric.Instances == InstanceDomainId.None ? -1 : metric.Instances == Loads ? 1 + (i * 4) : i, value);
        }

        return new ResultSet(metric.Id, metric.Type, values, InstanceSelection.Everything);
    }
}
