using System.Diagnostics;
using System.Globalization;
using Muster.Core;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

// Times requests to the agents of control groups and containers: usage ROUNDS GROUP…, a line a request:
// "name<TAB>median ms<TAB>minimum ms<TAB>values<TAB>bytes allocated by one".
var rounds = int.Parse(args[0], CultureInfo.InvariantCulture);
var groups = args[1..];
var agents = MetricAgents.For(new MusterRoot(Path.Combine(Path.GetTempPath(), "muster-bench-metrics")), TimeProvider.System, new Given(groups));
var process = agents.Single(a => a.Domain == ProcessAgent.Number);
var container = agents.Single(a => a.Domain == ContainerAgent.Number);

Measure("all cgroup.*", process, process.Metrics.Where(m => m.Name.StartsWith("cgroup.", StringComparison.Ordinal)), MetricView.Host);
foreach (var tree in new[] { "cgroup.memory", "cgroup.blkio", "cgroup.pressure", "cgroup.cpusched", "cgroup.pids" })
{
    Measure($"{tree}.*", process, process.Metrics.Where(m => m.Name.StartsWith(tree + ".", StringComparison.Ordinal)), MetricView.Host);
}

Measure("cgroup.cpuacct.usage of all", process, process.Metrics.Where(m => m.Name is "cgroup.cpuacct.usage" or "cgroup.cpu.stat.usage").Take(1), MetricView.Host);
Measure("container.cpu.usage of one", container, container.Metrics.Where(m => m.Name == "container.cpu.usage"), OneOf(container, groups[^1]));
Measure("all container.* of all", container, container.Metrics, MetricView.Host);

void Measure(string name, IMetricAgent agent, IEnumerable<MetricDescriptor> metrics, MetricView view)
{
    var asked = metrics.ToArray();
    var sets = asked.Select(_ => new ValueSet()).ToArray();
    var times = new List<double>();
    long allocated = 0;
    for (var i = 0; i < rounds + 3; i++)
    {
        foreach (var set in sets)
        {
            set.Clear();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        agent.Collect(asked, view, sets);
        if (i >= 3)
        {
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    times.Sort();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}\t{times[times.Count / 2]:F3}\t{times[0]:F3}\t{sets.Sum(s => s.Values.Length)}\t{allocated}"));
}

static MetricView OneOf(IMetricAgent agent, string name)
{
    var domain = agent.Metrics.First(m => m.Name == "container.cpu.usage").Instances;
    var id = agent.GetInstances(domain, MetricView.Host).Single(i => i.Name == name.TrimStart('/')).Id;
    return MetricView.Host with { Profile = new InstanceProfile(true, new Dictionary<InstanceDomainId, InstanceSelection> { [domain] = new(true, [id]) }) };
}

// The given groups as running containers.
internal sealed class Given(string[] groups) : IContainerSource
{
    public string Name => "bench";

    public IReadOnlyList<ContainerDescription> Current { get; } =
        [.. groups.Select(g => new ContainerDescription { Name = g.TrimStart('/'), Id = g, Kind = ContainerKind.Pod, State = ContainerState.Running, Cgroup = g })];

    public void Dispose()
    {
    }
}
