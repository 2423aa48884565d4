using Muster.Core;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Collecting;

/// <summary>The one list of a node's agents: the door, the exporters, the logger and <c>muster pmda</c> all start from it.</summary>
public static class MetricAgents
{
    /// <summary>New agents for a root. Whoever asks owns them, and disposes those that are <see cref="IDisposable"/>.</summary>
    public static IReadOnlyList<IMetricAgent> For(MusterRoot root, TimeProvider time)
    {
        _ = (root, time);
        var containers = ContainerCatalog.Empty;
        return [KernelAgent.Create(containers, typeof(MetricAgents).Assembly.GetName().Version?.ToString(3) ?? "0"), ProcessAgent.Create(containers)];
    }
}
