using Muster.Core;

namespace Muster.Metrics.Collecting;

/// <summary>The one list of a node's agents: the door, the exporters, the logger and <c>muster pmda</c> all start from it.</summary>
public static class MetricAgents
{
    /// <summary>New agents for a root. Whoever asks owns them, and disposes those that are <see cref="IDisposable"/>.</summary>
    public static IReadOnlyList<IMetricAgent> For(MusterRoot root, TimeProvider time) => [];
}
