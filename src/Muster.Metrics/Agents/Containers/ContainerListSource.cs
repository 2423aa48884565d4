using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Containers;

/// <summary>
/// The containers as PCP's agent <c>root</c> lists them, for tools that offer them to be chosen: the instance is the engine's
/// identification (an app has its pod's and its own name), the name is what <c>--container</c> takes.
/// </summary>
internal sealed class ContainerListSource : Source
{
    public const string Table = """
        containers.engine           0.0 0 string discrete none engine     | Engine of the container: muster, docker, podman or lxc
        containers.name             0.1 0 string instant  none name       | Name of the container, as --container takes it
        containers.pid              0.2 0 u32    instant  none pid        | A process of the container on the host; no value when it does not run
        containers.state.running    0.3 0 u32    instant  none running    | 1 when the container has been started and has not ended
        containers.state.paused     0.4 0 u32    instant  none paused     | 1 when the container is paused
        containers.state.restarting 0.5 0 u32    instant  none restarting | 1 when the container waits to be started again
        containers.cgroup           0.6 0 string discrete none cgroup     | Control group of the container, below where its hierarchy is mounted
        """;

    private static readonly string[] Columns = ["engine", "name", "pid", "running", "paused", "restarting", "cgroup"];

    private const int Cgroup = 6;

    private readonly ContainerCatalog _containers;
    private readonly CgroupHierarchies _hierarchies;
    private readonly InstanceNames _names = new();

    public ContainerListSource(ContainerCatalog containers, CgroupHierarchies hierarchies, InstanceDomainId domain)
        : base(ContainerScope.Host, new SheetShape(domain, Columns))
    {
        _containers = containers;
        _hierarchies = hierarchies;
    }

    /// <inheritdoc/>
    public override Collecting.InstanceSelection ProbeSelection => Collecting.InstanceSelection.Nothing;

    /// <inheritdoc/>
    public override bool Supports(Sheet probe, int column) => true;

    /// <inheritdoc/>
    public override string? NameOf(InstanceDomainId domain, int instance) => _names.NameOf(instance);

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        // Nothing is wanted at the start, when nobody has asked for a container yet and none is looked for.
        if (sheets[0].Selection.Listed is { Count: 0 })
        {
            return;
        }

        foreach (var container in _containers.All)
        {
            Add(container, sheets[0]);
        }
    }

    private void Add(ContainerDescription container, Sheet sheet)
    {
        var instance = _names.Find(container.Kind == ContainerKind.App ? $"{container.Id}{container.Name[container.Name.LastIndexOf('/')..]}" : container.Id);
        var row = sheet.AddRow(instance.Id, instance.Name);
        sheet.Set(row, 0, Engine(container.Kind));
        sheet.Set(row, 1, container.Name);
        if (container.InitPid > 0)
        {
            sheet.Set(row, 2, container.InitPid);
        }

        // As docker says it: one that is paused or waits for its restart runs too.
        var runs = container.State is ContainerState.Running or ContainerState.Paused or ContainerState.Restarting or ContainerState.Orphaned;
        sheet.Set(row, 3, runs ? 1L : 0L);
        sheet.Set(row, 4, container.State == ContainerState.Paused ? 1L : 0L);
        sheet.Set(row, 5, container.State == ContainerState.Restarting ? 1L : 0L);
        if (runs && sheet.Wants(Cgroup) && FindGroup(container) is { } group)
        {
            sheet.Set(row, Cgroup, group);
        }
    }

    private string? FindGroup(ContainerDescription container)
    {
        // A process is in a group of each hierarchy, but its engine may not have made one in all: the root is none of its own.
        foreach (var hierarchy in _hierarchies.All)
        {
            if (ContainerGroups.Path(container, hierarchy) is { Length: > 1 } path)
            {
                return path;
            }
        }

        return null;
    }

    private static string Engine(ContainerKind kind) => kind switch
    {
        ContainerKind.Docker => "docker",
        ContainerKind.Podman => "podman",
        ContainerKind.Lxc => "lxc",
        _ => "muster",
    };
}

/// <summary>Makes the agent of <c>containers.*</c>.</summary>
internal static class ContainerListAgent
{
    /// <summary>The number of PCP's agent <c>root</c> in its registry (stdpmid).</summary>
    public const int Number = 1;

    private static readonly InstanceDomainId Containers = InstanceDomainId.Of(Number, 0);

    public static Collecting.IMetricAgent Create(ContainerCatalog containers, CgroupHierarchies hierarchies) => new TableAgent(
        "root",
        Number,
        [new SourceTable(new ContainerListSource(containers, hierarchies, Containers), MetricTable.Parse(Number, ContainerListSource.Table))],
        [new(Containers, "Containers of every engine, by its identification")],
        containers);
}
