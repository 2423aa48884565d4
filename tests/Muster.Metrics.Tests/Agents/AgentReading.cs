using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Tests.Agents;

/// <summary>What a client of an agent sees, by names.</summary>
internal static class AgentReading
{
    public static ValueSet[] Fetch(this IMetricAgent agent, MetricView view, params IReadOnlyList<MetricDescriptor> metrics)
    {
        var sets = metrics.Select(_ => new ValueSet()).ToArray();
        agent.Collect(metrics.ToArray(), view, sets);
        return sets;
    }

    public static MetricDescriptor Metric(this IMetricAgent agent, string name) => agent.Metrics.Single(m => m.Name == name);

    public static MetricValue Single(this IMetricAgent agent, string name, MetricView? view = null) => agent.Fetch(view ?? MetricView.Host, agent.Metric(name))[0].Values[0].Value;

    public static Dictionary<string, MetricValue> ByInstance(this IMetricAgent agent, string name, MetricView? view = null)
    {
        var metric = agent.Metric(name);
        var names = agent.GetInstances(metric.Instances, view ?? MetricView.Host).ToDictionary(i => i.Id, i => i.Name);
        var found = new Dictionary<string, MetricValue>(StringComparer.Ordinal);
        foreach (var value in agent.Fetch(view ?? MetricView.Host, metric)[0].Values)
        {
            found[names.GetValueOrDefault(value.Instance, "?" + value.Instance)] = value.Value;
        }

        return found;
    }
}
