using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Processes.Accounting;
using Muster.Metrics.Agents.Processes.Hot;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Processes;

/// <summary>The metrics of processes and control groups, with the names and numbers of PCP's agent <c>proc</c>.</summary>
public static class ProcessAgent
{
    /// <summary>The agent's number in PCP's registry (stdpmid).</summary>
    public const int Number = 3;

    private static readonly InstanceDomainId Processes = InstanceDomainId.Of(Number, 9);
    private static readonly InstanceDomainId Version2Groups = InstanceDomainId.Of(Number, 16);
    private static readonly InstanceDomainId Version2Devices = InstanceDomainId.Of(Number, 17);
    private static readonly InstanceDomainId CpusetGroups = InstanceDomainId.Of(Number, 20);
    private static readonly InstanceDomainId AccountingGroups = InstanceDomainId.Of(Number, 21);
    private static readonly InstanceDomainId AccountingCpus = InstanceDomainId.Of(Number, 22);
    private static readonly InstanceDomainId SchedulingGroups = InstanceDomainId.Of(Number, 23);
    private static readonly InstanceDomainId MemoryGroups = InstanceDomainId.Of(Number, 24);
    private static readonly InstanceDomainId NetworkGroups = InstanceDomainId.Of(Number, 25);
    private static readonly InstanceDomainId BlockGroups = InstanceDomainId.Of(Number, 26);
    private static readonly InstanceDomainId BlockDevices = InstanceDomainId.Of(Number, 27);
    private static readonly InstanceDomainId Subsystems = InstanceDomainId.Of(Number, 37);
    private static readonly InstanceDomainId Mounts = InstanceDomainId.Of(Number, 38);
    private static readonly InstanceDomainId HotOnes = InstanceDomainId.Of(Number, HotMetrics.Domain);
    private static readonly InstanceDomainId EndedOnes = InstanceDomainId.Of(Number, AccountingSource.Domain);
    private static readonly InstanceDomainId PidsGroups = InstanceDomainId.Of(Number, 100);

    private static readonly InstanceDomain[] Domains =
    [
        new(Processes, "Processes"),
        new(Version2Groups, "Control groups, version 2"),
        new(Version2Devices, "Control groups, version 2, by block device"),
        new(CpusetGroups, "Control groups of controller cpuset"),
        new(AccountingGroups, "Control groups of controller cpuacct"),
        new(AccountingCpus, "Control groups of controller cpuacct, by CPU"),
        new(SchedulingGroups, "Control groups of controller cpu"),
        new(MemoryGroups, "Control groups of controller memory"),
        new(NetworkGroups, "Control groups of controller net_cls"),
        new(BlockGroups, "Control groups of controller blkio"),
        new(BlockDevices, "Control groups of controller blkio, by block device"),
        new(Subsystems, "Controllers of control groups"),
        new(Mounts, "Mounted hierarchies of control groups"),
        new(EndedOnes, "Processes that ended lately"),
        new(HotOnes, "Processes that the predicate of hotproc chose"),
        new(PidsGroups, "Control groups of controller pids"),
    ];

    /// <summary>Makes the agent for the hierarchies that are mounted now.</summary>
    public static IMetricAgent Create(ContainerCatalog containers) => Create(containers, new CgroupTree(CgroupHierarchies.Load()));

    /// <param name="containers">Where the container that a client names is looked up.</param>
    /// <param name="tree">The control groups.</param>
    /// <param name="hot">The predicate of hotproc; null for one of its own, without a file.</param>
    /// <param name="accounts">Processes that ended; null for one that cannot be switched on.</param>
    /// <param name="wanted">Which names are going to be asked for; null for any.</param>
    internal static IMetricAgent Create(ContainerCatalog containers, CgroupTree tree, HotProcesses? hot = null, ProcessAccounts? accounts = null, Func<string, bool>? wanted = null) =>
        new OwningTableAgent("proc", Number, SourceTable.For([.. ProcessTablesOf(tree), .. HotTablesOf(hot ?? new HotProcesses(TimeProvider.System, null)), .. AccountingOf(accounts ?? new ProcessAccounts(TimeProvider.System, null)), .. Version1(tree), .. Version2(tree), .. Either(tree)], wanted), Domains, containers);

    private static IEnumerable<SourceTable> ProcessTablesOf(CgroupTree tree)
    {
        var choice = new ProcessChoice(tree);
        yield return new SourceTable(new ProcessSource(choice, Processes), Lines(ProcessTables.Processes));
        yield return new SourceTable(new RunQueueSource(choice), Lines(ProcessTables.Queue));
        yield return new SourceTable(new ProcessControlSource(choice), Lines(ProcessControlSource.Table));
        yield return new SourceTable(Autogroup(), Lines(AutogroupLine));
        yield return new SourceTable(new SubsystemSource(Subsystems), Lines(SubsystemSource.Table));
        yield return new SourceTable(new MountedHierarchySource(tree.All, Mounts), Lines(CgroupTables.Mounts));
    }

    private static IEnumerable<SourceTable> HotTablesOf(HotProcesses hot)
    {
        yield return new SourceTable(new ProcessSource(hot, HotOnes), HotMetrics.Of(Lines(ProcessTables.Processes)));
        yield return new SourceTable(new HotControlSource(hot), Lines(HotControlSource.Table));
        yield return new SourceTable(new HotPredicateSource(hot, HotOnes), Lines(HotPredicateSource.Table));
        yield return new SourceTable(Autogroup(), HotMetrics.Of(Lines(AutogroupLine)));
    }

    private static IEnumerable<SourceTable> AccountingOf(ProcessAccounts accounts)
    {
        yield return new SourceTable(new AccountingSource(accounts, EndedOnes), Lines(AccountingSource.Table));
        yield return new SourceTable(new AccountingControlSource(accounts), Lines(AccountingControlSource.Table));
    }

    private static NumberFiles Autogroup() => new([new("enabled", "/proc/sys/kernel/sched_autogroup_enabled")]);

    private static IEnumerable<SourceTable> Version1(CgroupTree tree)
    {
        if (tree.Version1("cpuset") is { } cpuset)
        {
            yield return Groups(tree, cpuset, CpusetGroups, CgroupTables.Cpuset, "cpu", c => [Line(tree, "cpuset.cpus", c), Line(tree, "cpuset.mems", c)]);
        }

        if (tree.Version1("cpuacct") is { } accounting)
        {
            yield return Groups(tree, accounting, AccountingGroups, CgroupTables.CpuAccounting, "cpu", c =>
                [NumberText(tree, "cpuacct.usage", c), new GroupText(tree.File("cpuacct.stat"), GroupTextKind.Keyed, c, "cpuacct.", MillisecondsPerTick)]);
            yield return new SourceTable(new PerCpuSource(tree, accounting, AccountingCpus), Lines(CgroupTables.PerCpu));
        }

        if (tree.Version1("cpu") is { } cpu)
        {
            yield return Groups(tree, cpu, SchedulingGroups, CgroupTables.CpuScheduling + '\n' + CgroupExtraTables.CpuScheduling, "cpu", c =>
                [NumberText(tree, "cpu.shares", c), NumberText(tree, "cpu.cfs_period_us", c), NumberText(tree, "cpu.cfs_quota_us", c), Keyed(tree, "cpu.stat", c)]);
        }

        if (tree.Version1("net_cls") is { } network)
        {
            yield return Groups(tree, network, NetworkGroups, CgroupTables.NetworkClass, "", c => [NumberText(tree, "net_cls.classid", c)]);
        }

        if (tree.Version1("blkio") is { } block)
        {
            yield return new SourceTable(new BlockIoSource(tree, block, BlockGroups, BlockDevices), Lines(BlockIoTable.Lines));
        }
    }

    private static IEnumerable<SourceTable> Version2(CgroupTree tree)
    {
        if (tree.Version2 is not { } unified)
        {
            yield break;
        }

        yield return Groups(tree, unified, Version2Groups, CgroupTables.Version2 + '\n' + CgroupExtraTables.Version2, "", c =>
        [
            Keyed(tree, "cpu.stat", c), NumberText(tree, "cpu.weight", c), Keyed(tree, "cgroup.events", c, "events."),
            .. new[] { "cpu", "memory", "io", "irq" }.Select(r => new GroupText(tree.File(r + ".pressure"), GroupTextKind.Pressure, c, r + ".")),
        ]);
        yield return new SourceTable(new IoDeviceSource(tree, unified, Version2Devices), Lines(CgroupTables.IoDevices));
    }

    // Controllers that are in one hierarchy or the other.
    private static IEnumerable<SourceTable> Either(CgroupTree tree)
    {
        if (tree.Version1("memory") is { } memory)
        {
            yield return Groups(tree, memory, MemoryGroups, CgroupTables.Memory + '\n' + CgroupExtraTables.Memory, "memory", c =>
            [
                NumberText(tree, "memory.usage_in_bytes", c), NumberText(tree, "memory.limit_in_bytes", c), NumberText(tree, "memory.failcnt", c),
                Keyed(tree, "memory.stat", c), Keyed(tree, "memory.oom_control", c, "events."),
            ]);
        }
        else if (tree.Version2 is { } unified)
        {
            yield return Groups(tree, unified, MemoryGroups, CgroupTables.Memory + '\n' + CgroupExtraTables.Memory, "memory", c =>
            [
                NumberText(tree, "memory.current", c), NumberText(tree, "memory.max", c), NumberText(tree, "memory.high", c), NumberText(tree, "memory.swap.current", c),
                Keyed(tree, "memory.stat", c), Keyed(tree, "memory.events", c, "events."),
            ]);
        }

        if ((tree.Version1("pids") ?? tree.Version2) is { } pids)
        {
            yield return Groups(tree, pids, PidsGroups, CgroupExtraTables.Pids, "", c =>
                [NumberText(tree, "pids.current", c), NumberText(tree, "pids.max", c), Keyed(tree, "pids.events", c, "events.")]);
        }
    }

    private const string AutogroupLine = "proc.autogroup.enabled 74.0 - u32 instant none = | 1 when sessions are scheduled as groups";

    private const long MillisecondsPerTick = 1000 / ProcessControl.TicksPerSecond;

    private static SourceTable Groups(CgroupTree tree, MeasuredHierarchy hierarchy, InstanceDomainId domain, string table, string deviceType, Func<IReadOnlyList<string>, IEnumerable<GroupText>> texts)
    {
        var lines = Lines(table);
        return new SourceTable(new GroupSource(tree, hierarchy, domain, lines, deviceType, texts), lines);
    }

    private static GroupText NumberText(CgroupTree tree, string file, IReadOnlyList<string> columns) => new(tree.File(file), GroupTextKind.Number, columns);

    private static GroupText Line(CgroupTree tree, string file, IReadOnlyList<string> columns) => new(tree.File(file), GroupTextKind.Line, columns);

    private static GroupText Keyed(CgroupTree tree, string file, IReadOnlyList<string> columns, string prefix = "") => new(tree.File(file), GroupTextKind.Keyed, columns, prefix);

    private static IReadOnlyList<MetricLine> Lines(string table) => MetricTable.Parse(Number, table);
}
