using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Tests;

/// <summary>An agent whose one metric takes as long as a test wants.</summary>
internal sealed class SlowAgent(Action wait) : IMetricAgent
{
    public string Name => "slow";

    public int Domain => 79;

    public int Generation => 0;

    public IReadOnlyList<MetricDescriptor> Metrics { get; } = [new("slow.one", MetricId.Of(79, 1, 0), MetricType.Int32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "slow")];

    public IReadOnlyList<InstanceDomain> InstanceDomains => [];

    public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view) => [];

    public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values)
    {
        wait();
        values[0].Add(MetricValue.From(1L));
    }

    public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view) => [];
}
