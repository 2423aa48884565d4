using Muster.Core;
using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Agents.Processes.Accounting;
using Muster.Metrics.Agents.Processes.Hot;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Collecting;

/// <summary>The one list of a node's agents: the door, the exporters, the logger and <c>muster pmda</c> all start from it.</summary>
public static class MetricAgents
{
    /// <summary>New agents for a root. Whoever asks owns them, and disposes those that are <see cref="IDisposable"/>.</summary>
    /// <param name="root">Where the counters of containers are kept.</param>
    /// <param name="time">The clock.</param>
    /// <param name="pods">Muster's own containers; null where only the host's other engines are to be measured.</param>
    /// <param name="names">Names, or beginnings of names, that are all that is going to be asked for; null for anything.</param>
    public static IReadOnlyList<IMetricAgent> For(MusterRoot root, TimeProvider time, IContainerSource? pods = null, IReadOnlyList<string>? names = null)
    {
        Func<string, bool>? wanted = names is null ? null : name => names.Any(n => name.StartsWith(n, StringComparison.Ordinal) && (name.Length == n.Length || n.Length == 0 || name[n.Length] == '.'));
        var containers = new ContainerCatalog(pods is null ? HostContainers.All(time) : [pods, .. HostContainers.All(time)]);

        // One tree for both: its kept descriptors and watches are a budget of the process.
        var hierarchies = CgroupHierarchies.Load();
        var tree = new CgroupTree(hierarchies);
        return
        [
            ContainerListAgent.Create(containers, hierarchies),
            KernelAgent.Create(containers, typeof(MetricAgents).Assembly.GetName().Version?.ToString(3) ?? "0", wanted),
            ProcessAgent.Create(containers, tree, new HotProcesses(time, Path.Combine(root.Etc, "hotproc.conf")), new ProcessAccounts(time, Path.Combine(root.Run, "process-accounting")), wanted),
            new ContainerAgent(containers, tree, Path.Combine(root.Run, "metrics-counters.json"), time),
        ];
    }
}
