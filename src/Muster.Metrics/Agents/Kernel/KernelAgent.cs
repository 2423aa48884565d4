using Muster.Metrics.Agents.Disk;
using Muster.Metrics.Agents.FileSystems;
using Muster.Metrics.Agents.Memory;
using Muster.Metrics.Agents.Network;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>The kernel's metrics, with the names and numbers of PCP's agent <c>linux</c>.</summary>
public static class KernelAgent
{
    /// <summary>The agent's number in PCP's registry (stdpmid).</summary>
    public const int Number = 60;

    private static readonly InstanceDomainId Cpus = InstanceDomainId.Of(Number, 0);
    private static readonly InstanceDomainId Disks = InstanceDomainId.Of(Number, 1);
    private static readonly InstanceDomainId LoadAverages = InstanceDomainId.Of(Number, 2);
    private static readonly InstanceDomainId Interfaces = InstanceDomainId.Of(Number, 3);
    private static readonly InstanceDomainId InterruptLines = InstanceDomainId.Of(Number, 4);
    private static readonly InstanceDomainId MountedFileSystems = InstanceDomainId.Of(Number, 5);
    private static readonly InstanceDomainId SwapDevices = InstanceDomainId.Of(Number, 6);
    private static readonly InstanceDomainId Partitions = InstanceDomainId.Of(Number, 10);
    private static readonly InstanceDomainId Slabs = InstanceDomainId.Of(Number, 12);
    private static readonly InstanceDomainId Addresses = InstanceDomainId.Of(Number, 17);
    private static readonly InstanceDomainId Tmpfs = InstanceDomainId.Of(Number, 18);
    private static readonly InstanceDomainId Nodes = InstanceDomainId.Of(Number, 19);
    private static readonly InstanceDomainId IcmpTypes = InstanceDomainId.Of(Number, 23);
    private static readonly InstanceDomainId MappedDevices = InstanceDomainId.Of(Number, 24);
    private static readonly InstanceDomainId MultipleDevices = InstanceDomainId.Of(Number, 25);
    private static readonly InstanceDomainId SharedMemorySegments = InstanceDomainId.Of(Number, 28);
    private static readonly InstanceDomainId MessageQueues = InstanceDomainId.Of(Number, 29);
    private static readonly InstanceDomainId SemaphoreSets = InstanceDomainId.Of(Number, 30);
    private static readonly InstanceDomainId BuddyOrders = InstanceDomainId.Of(Number, 31);
    private static readonly InstanceDomainId Zones = InstanceDomainId.Of(Number, 32);
    private static readonly InstanceDomainId ZoneProtections = InstanceDomainId.Of(Number, 33);
    private static readonly InstanceDomainId SoftInterruptKinds = InstanceDomainId.Of(Number, 36);
    private static readonly InstanceDomainId PressureAverages = InstanceDomainId.Of(Number, 37);
    private static readonly InstanceDomainId CompressedDevices = InstanceDomainId.Of(Number, 38);
    private static readonly InstanceDomainId InterruptLinesAndCpus = InstanceDomainId.Of(Number, 40);
    private static readonly InstanceDomainId SoftInterruptKindsAndCpus = InstanceDomainId.Of(Number, 41);
    private static readonly InstanceDomainId WorldWideNames = InstanceDomainId.Of(Number, 42);

    private static readonly InstanceDomain[] Domains =
    [
        new(Cpus, "CPUs"),
        new(Disks, "Disks, without loop and RAM devices"),
        new(LoadAverages, "Load averages over 1, 5 and 15 minutes"),
        new(Interfaces, "Network interfaces"),
        new(InterruptLines, "Lines of interrupts"),
        new(MountedFileSystems, "Mounted file systems on block devices"),
        new(SwapDevices, "Swap devices"),
        new(Partitions, "Partitions of disks"),
        new(Slabs, "Caches of kernel objects"),
        new(Addresses, "Network interfaces, as addresses are listed"),
        new(Tmpfs, "Mounted tmpfs"),
        new(Nodes, "Memory nodes"),
        new(IcmpTypes, "Types of ICMP messages"),
        new(MappedDevices, "Devices of the device mapper"),
        new(MultipleDevices, "Arrays of the md driver"),
        new(SharedMemorySegments, "System V shared memory segments, by id"),
        new(MessageQueues, "System V message queues, by id"),
        new(SemaphoreSets, "System V semaphore sets, by id"),
        new(BuddyOrders, "Orders of free blocks in the zones of memory"),
        new(Zones, "Zones of memory, and the nodes that they are in"),
        new(ZoneProtections, "Reserves of the zones of memory"),
        new(SoftInterruptKinds, "Kinds of software interrupts"),
        new(PressureAverages, "Averages of pressure over 10 seconds, 1 and 5 minutes"),
        new(CompressedDevices, "Devices of the zram driver, which keep their blocks compressed in memory"),
        new(InterruptLinesAndCpus, "Lines of interrupts, by CPU"),
        new(SoftInterruptKindsAndCpus, "Kinds of software interrupts, by CPU"),
        new(WorldWideNames, "Disks by their worldwide identification, all paths to one together"),
    ];

    /// <summary>Makes the agent: every table whose source this kernel has.</summary>
    /// <param name="containers">Where the container that a client names is looked up.</param>
    /// <param name="version">Muster's version, for <c>pmda.version</c>.</param>
    /// <param name="wanted">Which names are going to be asked for; null for any. What none of them needs is not even looked at.</param>
    public static IMetricAgent Create(ContainerCatalog containers, string version, Func<string, bool>? wanted = null) =>
        new TableAgent("linux", Number, SourceTable.For([.. CpuTables(version), .. MemoryTablesOf(), .. DeviceTables(""), .. NetworkTablesOf()], wanted), Domains, containers);

    /// <summary>The metrics of disks alone, of what stands in a folder in place of the host's /proc, /sys and /dev.</summary>
    internal static IMetricAgent DisksOf(string root) => new TableAgent("linux", Number, [DeviceTables(root).First()], Domains, ContainerCatalog.Empty);

    private static IEnumerable<SourceTable> CpuTables(string version)
    {
        var nodes = NumaSource.Nodes();
        yield return Of(new StatSource(Cpus, Nodes, nodes), KernelTables.Stat);
        yield return Of(new LoadSource(LoadAverages), KernelTables.Load);
        yield return Of(new UptimeSource(), KernelTables.Uptime);
        yield return Of(new SessionSource(), KernelTables.Sessions);
        yield return Of(new SystemSource(version), KernelTables.System);
        yield return Of(new CpuInfoSource(Cpus, nodes), KernelTables.Cpus);
        yield return Of(new InterruptSource("/proc/interrupts", "irq", "intr", new InterruptDomains(InterruptLines, InterruptLinesAndCpus, Cpus)), KernelTables.Interrupts);
        yield return Of(new InterruptSource("/proc/softirqs", "softirq", "sirq", new InterruptDomains(SoftInterruptKinds, SoftInterruptKindsAndCpus, Cpus)), KernelTables.SoftInterrupts);
        foreach (var resource in new[] { "cpu", "memory", "io", "irq" })
        {
            var lines = Lines(KernelTables.Pressure).Where(l => l.Metric.Name.StartsWith($"kernel.all.pressure.{resource}.", StringComparison.Ordinal));
            yield return new SourceTable(new PressureSource(PressureAverages, resource), [.. lines]);
        }

        yield return Of(
            new NumberFiles(
            [
                new("avail", "/proc/sys/kernel/random/entropy_avail"),
                new("poolsize", "/proc/sys/kernel/random/poolsize"),
                new("pid_max", "/proc/sys/kernel/pid_max"),
                new("nptys", "/proc/sys/kernel/pty/nr"),
                new("uevent_seqnum", "/sys/kernel/uevent_seqnum"),
            ]),
            KernelTables.Counters);
        yield return Of(new LockSource(), KernelTables.Locks);
        yield return Of(new IpcSource(), KernelTables.Ipc);
        var accounts = new Processes.AccountNames();
        yield return Of(IpcTableSource.SharedMemory(SharedMemorySegments, accounts), IpcTableSource.SharedMemoryTable);
        yield return Of(IpcTableSource.Messages(MessageQueues, accounts), IpcTableSource.MessageTable);
        yield return Of(IpcTableSource.Semaphores(SemaphoreSets, accounts), IpcTableSource.SemaphoreTable);
        yield return Of(
            new NumberFiles(
            [
                new("files_count", "/proc/sys/fs/file-nr"), new("files_free", "/proc/sys/fs/file-nr", 1), new("files_max", "/proc/sys/fs/file-nr", 2),
                new("inodes_count", "/proc/sys/fs/inode-state"), new("inodes_free", "/proc/sys/fs/inode-state", 1),
                new("dentry_count", "/proc/sys/fs/dentry-state"), new("dentry_free", "/proc/sys/fs/dentry-state", 1),
                new("aio_count", "/proc/sys/fs/aio-nr"), new("aio_max", "/proc/sys/fs/aio-max-nr"),
            ]),
            KernelTables.Vfs);
    }

    private static IEnumerable<SourceTable> MemoryTablesOf()
    {
        var memInfo = Lines(MemoryTables.MemInfo);
        var source = new MemInfoSource(memInfo);
        yield return new SourceTable(source, memInfo);
        var vmStat = Lines(VmStatTable.Lines);
        yield return new SourceTable(new VmStatSource(vmStat), vmStat);
        var numa = Lines(MemoryTables.Numa);
        yield return new SourceTable(new NumaSource(Nodes, numa, NumaSource.Nodes(), source.HugePageBytes), numa);
        yield return Of(new BuddySource(BuddyOrders), MemoryTables.Buddy);
        var zones = Lines(ZoneTables.Zones);
        yield return new SourceTable(new ZoneSource(Zones, ZoneProtections, zones), [.. zones, .. Lines(ZoneTables.Protection)]);
        yield return Of(new SlabSource(Slabs), MemoryTables.Slab);
        yield return Of(new SwapSource(SwapDevices), MemoryTables.Swaps);
        var merging = Lines(MemoryTables.Ksm);
        yield return new SourceTable(new NumberFiles([.. merging.Select(l => new NumberFile(l.Column, "/sys/kernel/mm/ksm/" + l.Column))]), merging);
        yield return Of(new PageSource(), PageSource.Table);
    }

    private static IEnumerable<SourceTable> DeviceTables(string root)
    {
        yield return Of(
            new DiskSource(new DiskDomains(Disks, Partitions, MappedDevices, MultipleDevices, WorldWideNames, CompressedDevices), root),
            DiskTable.Lines + '\n' + DiskTable.Mapped + '\n' + DiskTable.Multiple + '\n' + DiskTable.WorldWide + '\n' + DiskTable.Compressed);
        yield return Of(new FolderCounts(), FolderCounts.Table);
        yield return Of(new MountSource(MountedFileSystems, Tmpfs), FileSystemTables.FileSystems + '\n' + FileSystemTables.Tmpfs);
    }

    private static IEnumerable<SourceTable> NetworkTablesOf()
    {
        yield return Of(new InterfaceSource(Interfaces), NetworkTables.Interfaces + '\n' + NetworkTables.All);
        yield return Of(new AddressSource(Addresses), NetworkTables.Addresses);
        var protocols = Lines(ProtocolTables.Version4 + '\n' + ProtocolTables.IcmpTypes);
        yield return new SourceTable(new ProtocolSource(IcmpTypes, protocols), protocols);
        var version6 = Lines(Protocol6Table.Lines);
        yield return new SourceTable(new KeyedSource(ContainerScope.RunningContainer, new KernelFile("/proc/net/snmp6", below: "net/snmp6"), version6), version6);
        var sockets = Lines(NetworkTables.Sockets);
        yield return new SourceTable(new SocketSource(sockets), sockets);
        yield return Of(new PacketSource(Cpus), NetworkTables.Packets);
        yield return Of(new ConnectionSource(), NetworkTables.Connections);
    }

    private static SourceTable Of(Source source, string table) => new(source, Lines(table));

    private static IReadOnlyList<MetricLine> Lines(string table) => MetricTable.Parse(Number, table);
}
