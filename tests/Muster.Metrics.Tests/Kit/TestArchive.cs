using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests;

/// <summary>Writes small archives of containers: CPU time, memory in use and its limit.</summary>
internal sealed class TestArchive : IDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly InstanceDomainId Containers = InstanceDomainId.Of(450, 0);
    public static readonly MetricDescriptor Cpu = new("container.cpu.usage", MetricId.Of(450, 1, 0), MetricType.UInt64, Containers, MetricSemantics.Counter, MetricUnits.Microsecond, "CPU time");
    public static readonly MetricDescriptor Memory = new("container.memory.usage", MetricId.Of(450, 2, 0), MetricType.UInt64, Containers, MetricSemantics.Instant, MetricUnits.Byte, "Memory in use");
    public static readonly MetricDescriptor Limit = new("container.memory.limit", MetricId.Of(450, 2, 6), MetricType.UInt64, Containers, MetricSemantics.Instant, MetricUnits.Byte, "Memory limit");
    public static readonly MetricDescriptor Load = new("sample.load", MetricId.Of(450, 3, 1), MetricType.Double, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "A number");

    public TestArchive(string path, ArchiveVersion version = ArchiveVersion.V3, DateTimeOffset? start = null, string host = "tester")
    {
        Writer = new ArchiveWriter(path, new ArchiveLabel(version, 4711, start ?? Start, host, "UTC0", ":Etc/UTC"));
        foreach (var metric in new[] { Cpu, Memory, Limit, Load })
        {
            Writer.AddDescriptor(metric, [metric.Name]);
            Writer.AddText(5, metric.Id.Value, metric.OneLine);
        }
    }

    public ArchiveWriter Writer { get; }

    public void Instances(TimeSpan at, params string[] names) => Writer.AddInstances(Start + at, Containers, [.. names.Select((n, i) => new MetricInstance(i, n))]);

    public void Write(TimeSpan at, params (MetricDescriptor Metric, double[] Values)[] sets) => Writer.Write(Start + at, Sets(sets));

    public static ResultSet[] Sets(params (MetricDescriptor Metric, double[] Values)[] sets) => [.. sets.Select(s =>
    {
        var values = new ValueSet();
        for (var i = 0; i < s.Values.Length; i++)
        {
            var value = s.Metric.Type == MetricType.Double ? MetricValue.From(s.Values[i]) : MetricValue.From((ulong)s.Values[i]);
            values.Add(s.Metric.Instances == InstanceDomainId.None ? -1 : i, value);
        }

        return new ResultSet(s.Metric.Id, s.Metric.Type, values, InstanceSelection.Everything);
    })];

    public void Dispose() => Writer.Dispose();
}
