using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Tests;

/// <summary>Four containers, one of which ends at the third fetch, when a fifth comes.</summary>
public sealed class ContainerSample : IMetricAgent
{
    private static readonly InstanceDomainId Containers = InstanceDomainId.Of(450, 0);
    private int _fetches;

    public string Name => "container";

    public int Domain => 450;

    public int Generation => 0;

    public IReadOnlyList<MetricDescriptor> Metrics { get; } =
    [
        new("container.state", MetricId.Of(450, 0, 0), MetricType.UInt32, Containers, MetricSemantics.Instant, MetricUnits.None, "state"),
        new("container.memory.usage", MetricId.Of(450, 2, 0), MetricType.UInt64, Containers, MetricSemantics.Instant, MetricUnits.Byte, "memory"),
    ];

    public IReadOnlyList<InstanceDomain> InstanceDomains { get; } = [new(Containers, "containers")];

    public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view) =>
        [new(0, "web"), new(1, "db"), new(2, "test-1"), new(3, "gone"), .. _fetches >= 3 ? new MetricInstance[] { new(4, "new") } : []];

    public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values)
    {
        for (var i = 0; i < asked.Length; i++)
        {
            var isState = asked[i].Name == "container.state";
            _fetches += isState ? 0 : 1;
            foreach (var instance in GetInstances(Containers, view))
            {
                var hasEnded = instance.Name == "gone" || (instance.Name == "db" && _fetches >= 3);
                values[i].Add(instance.Id, MetricValue.From(isState ? hasEnded ? 4L : 1L : 1000L));
            }
        }
    }

    public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view) => [];
}
