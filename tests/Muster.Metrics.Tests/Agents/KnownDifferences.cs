namespace Muster.Metrics.Tests.Agents;

/// <summary>A difference from pmcd that is meant, and why.</summary>
internal sealed record KnownDifference(string Prefix, string Reason, string Contains = "")
{
    public bool Matches(string difference) => difference.StartsWith(Prefix, StringComparison.Ordinal) && difference.Contains(Contains, StringComparison.Ordinal);
}

/// <summary>Every difference from pmcd 6.0.3 that is meant.</summary>
internal static class KnownDifferences
{
    public static readonly IReadOnlyList<KnownDifference> Kernel =
    [
        new("mem.numa.util.mapped", "pmcd 6.0.3 gives 0, the node's meminfo says otherwise", "pmcd had 0"),
        new("mem.numa.util.pageTables", "pmcd 6.0.3 gives 0, the node's meminfo says otherwise", "pmcd had 0"),
        new("mem.vmstat.pgsteal_total", "pmcd takes pgsteal_anon and pgsteal_file, which count khugepaged's twice"),
        new("mem.vmstat.workingset_nodes", "pmcd calls it a counter, but it is a number of nodes that falls as well, which pmlogcheck takes for a wrap"),
        new("mem.slabinfo.slabs.total_size", "pmcd multiplies by the objects of a slab in place of its pages"),
        new("mem.buddyinfo.", "free blocks come and go while they are read", " in between"),
        new("mem.slabinfo.", "caches grow and shrink while they are read", " in between"),
        new("mem.slabinfo.", "caches come and go while they are read"),
        new("mem.zoneinfo.", "zones without memory are listed as the kernel lists them", "pmcd has no value"),
        new("mem.zoneinfo.nr_", "the kernel's own numbers move while they are read"),
        new("hinv.cpu.thermal_throttle", "this kernel has no such files; pmcd says 0"),
        new("network.all.", "pmcd adds links without hardware, so that a container's packet counts more than once"),
        new("network.interface.speed", "pmcd takes the kernel's -1 (unknown) for a speed"),
        new("network.interface.baudrate", "pmcd takes the kernel's -1 (unknown) for a speed"),
        new("network.interface.type", "pmcd 6.0.3 gives 0; the kernel says otherwise", "pmcd had 0"),
        new("network.interface.virtual", "pmcd 6.0.3 gives 0; there is no device behind it", "pmcd had 0"),
        new("network.interface.ipv6_", "an interface with several addresses: we give the first, pmcd the last"),
        new("network.interface.", "other tests on this host make and remove links"),
        new("network.interface.hw_addr", "other tests on this host make and remove links"),
        new("pmda.version", "it is our version"),
        new("filesys.", "other tests on this host mount and unmount"),
        new("tmpfs.", "other tests on this host mount and unmount"),
        new("kernel.all.lastpid", "it moves with every process"),
        new("kernel.all.run", "it moves with every switch"),
    ];

    public static readonly IReadOnlyList<KnownDifference> Devices =
    [
        new("disk.md.status", "pmcd asks mdadm, which is not there; we ask the kernel", "pmcd had -1"),
        new("disk.", "pmcd asks the host's own files for the capacity", "pmcd has no value"),
        new("zram.capacity", "pmcd asks the host's own files for the capacity", "pmcd had 0"),
        new("disk.wwid.", "a blank in an identification is a line below here, as udev writes it: tools match instances up to a blank", "1ATA"),
        new("hinv.map.scsi_id", "a blank in an identification is a line below here, as udev writes it: tools match instances up to a blank", "1ATA"),
    ];

    public static readonly IReadOnlyList<KnownDifference> Pmcd =
    [
        new("pmcd.agent.", "other agents run there"),
        new("pmcd.client.", "other clients are there"),
        new("pmcd.build", "it is our build"),
        new("pmcd.version", "it is our version"),
        new("pmcd.buf.", "a pool of buffers of PCP's library, which is not here", "not listed"),
        new("pmcd.control.", "steers pmcd's own tracing, its dumps and the reading of its configuration, which are not here", "not listed"),
        new("pmcd.control.timeout", "agents are in the server, which gives none up"),
        new("pmcd.sighups", "there is no configuration that a signal would have read again", "not listed"),
        new("pmcd.cputime.", "it is another process"),
        new("pmcd.datasize", "it is another process"),
        new("pmcd.openfds", "it is another process"),
        new("pmcd.pid", "it is another process"),
        new("pmcd.pdu_", "other clients are there"),
        new("pmcd.seqnum", "other agents run there"),
    ];

    /// <summary>Of every comparison.</summary>
    public static readonly IReadOnlyList<KnownDifference> Labels =
    [
        new("label agent of 1.0", "pmcd's agent root alone does not say who it is"),
        new("label cpu of 3.22", "a number like in the other agents; pmcd's agent proc alone writes a text"),
        new("label cpu of 60.40", "parts of an instance's name are not labels too"),
        new("label cpu of 60.41", "parts of an instance's name are not labels too"),
        new("label irq", "parts of an instance's name are not labels too"),
        new("label softirq", "parts of an instance's name are not labels too"),
        new("label numa_node of 60.", "parts of an instance's name are not labels too", "none, pmcd has"),
        new("label zone of 60.", "parts of an instance's name are not labels too"),
        new("label order of 60.", "parts of an instance's name are not labels too"),
        new("label lowmem_reserved of 60.", "parts of an instance's name are not labels too"),
        new("label device_type", "one word says what the instances are; pmcd has a list", "pmcd has ["),
        new("label device_type", "metrics without instances have none, and lines of interrupts neither", "none, pmcd has"),
        new("label indom_name of 60.6", "swap devices are told by their names"),
    ];

    public static readonly IReadOnlyList<KnownDifference> Containers =
    [
        new("containers.cgroup", "pmcd guesses a group that is not there", "/docker/"),
    ];

    public static readonly IReadOnlyList<KnownDifference> Processes =
    [
        new("proc.psinfo.ngid", "pmcd 6.0.3 gives the number of another process; the kernel says otherwise"),
        new("proc.psinfo.policy_s", "pmcd 6.0.3 reads the fields of stat from rt_priority on one too early"),
        new("proc.psinfo.policy", "pmcd 6.0.3 reads the fields of stat from rt_priority on one too early"),
        new("proc.psinfo.rt_priority", "pmcd 6.0.3 reads the fields of stat from rt_priority on one too early"),
        new("proc.psinfo.cguest_time", "pmcd 6.0.3 reads the fields of stat from rt_priority on one too early"),
        new("proc.psinfo.guest_time", "pmcd 6.0.3 reads the fields of stat from rt_priority on one too early"),
        new("proc.psinfo.delayacct_blkio_time", "pmcd 6.0.3 reads the fields of stat from rt_priority on one too early"),
        new("proc.psinfo.priority", "pmcd takes 20 off, and gives 0 for what is below"),
        new("proc.psinfo.", "it moves with every switch", " in between"),
        new("proc.memory.", "memory moves while it is read", " in between"),
        new("proc.smaps.", "memory moves while it is read", " in between"),
        new("proc.io.", "the kernel lets nobody read it of process 1 here; pmcd gives another process's values", "no value here"),
        new("proc.smaps.", "the kernel lets nobody read it of process 1 here; pmcd gives another process's values", "no value here"),
        new("proc.fd.", "files are opened and closed while they are counted", " in between"),
        new("proc.", "processes work while they are read", " in between"),
        new("cgroup.mounts.", "the real pmcd runs where v2 is not mounted, for it gives no values of v1 beside it"),
        new("cgroup.cpuacct.stat.", "pmcd gives ticks of 10 ms and calls them milliseconds"),
        new("cgroup.", "pmcd does not know Muster's pods", ".id.container"),
        new("cgroup.blkio.all.throttle.", "pmcd leaves out loop devices, and counts of the time before it was started", " in between"),
        new("cgroup.blkio.all.", "this kernel has no such file; pmcd says 0", "not listed here"),
        new("cgroup.blkio.dev.throttle.", "pmcd leaves out loop devices", "pmcd has no value"),
        new("cgroup.blkio.dev.throttle.", "it moves while it is read", " in between"),
        new("cgroup.blkio.dev.", "this kernel has no such file; pmcd says 0", "not listed here"),
        new("cgroup.subsys.num_cgroups", "groups come and go while they are counted", " in between"),
        new("cgroup.", "other tests on this host make and remove groups", "/muster-"),
        new("cgroup.", "other tests on this host make and remove groups", "/lxc.payload."),
        new("cgroup.", "other tests on this host make and remove groups", "/muster."),
        new("cgroup.cpusched.cfs_quota", "-1 is no limit; pmcd then gives no value", "-1, pmcd has no value"),
        new("cgroup.memory.", "memory moves while it is read", " in between"),
    ];

    public static readonly IReadOnlyList<KnownDifference> HotProcesses = [.. Processes.Where(k => k.Prefix.StartsWith("proc.", StringComparison.Ordinal)).Select(k => k with { Prefix = "hot" + k.Prefix })];
}
