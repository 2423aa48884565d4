namespace Muster.Metrics.Agents.Cgroups;

/// <summary>The metrics of control groups that PCP has. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class CgroupTables
{
    public const string Cpuset = """
        cgroup.cpuset.cpus         39.0 20 string instant  none cpuset.cpus | CPUs that the group may use
        cgroup.cpuset.mems         39.1 20 string instant  none cpuset.mems | Memory nodes that the group may use
        cgroup.cpuset.id.container 39.2 20 string discrete none container   | Identification of the container that the group is of
        """;

    public const string CpuAccounting = """
        cgroup.cpuacct.usage        41.2 21 u64    counter  ns   cpuacct.usage  | CPU time of the group
        cgroup.cpuacct.stat.user    41.0 21 u64    counter  ms   cpuacct.user   | CPU time of the group in user mode
        cgroup.cpuacct.stat.system  41.1 21 u64    counter  ms   cpuacct.system | CPU time of the group in the kernel
        cgroup.cpuacct.id.container 41.4 21 string discrete none container      | Identification of the container that the group is of
        """;

    public const string PerCpu = """
        cgroup.cpuacct.usage_percpu 41.3 22 u64 counter ns = | CPU time of the group on each CPU
        """;

    public const string CpuScheduling = """
        cgroup.cpusched.shares         43.0 23 u64    instant  none cpu.shares        | Weight of the group against its neighbours
        cgroup.cpusched.periods        43.1 23 u64    instant  none nr_periods        | Periods of the CPU limit in which the group ran
        cgroup.cpusched.throttled      43.2 23 u64    instant  none nr_throttled      | Periods in which the group used up its limit
        cgroup.cpusched.throttled_time 43.3 23 u64    counter  ns   throttled_time    | Time that the group was held back by its limit
        cgroup.cpusched.cfs_period     43.4 23 u64    instant  us   cpu.cfs_period_us | Length of a period of the limit
        cgroup.cpusched.cfs_quota      43.5 23 i64    instant  us   cpu.cfs_quota_us  | CPU time in a period; -1 for no limit
        cgroup.cpusched.id.container   43.6 23 string discrete none container         | Identification of the container that the group is of
        """;

    public const string Memory = """
        cgroup.memory.current                     45.90 24 u64    instant  B     memory.current         | Memory that the group uses, caches included
        cgroup.memory.failcnt                     45.82 24 u64    counter  count memory.failcnt         | Times that the group met its limit
        cgroup.memory.id.container                45.29 24 string discrete none  container              | Identification of the container that the group is of
        cgroup.memory.limit                       45.81 24 u64    instant  B     memory.limit_in_bytes  | Memory that the group may use
        cgroup.memory.stat.active_anon            45.11 24 u64    instant  B     active_anon            | Anonymous memory used lately, of the group
        cgroup.memory.stat.active_file            45.13 24 u64    instant  B     active_file            | File memory used lately, of the group
        cgroup.memory.stat.anon                   45.17 24 u64    instant  B     anon                   | Anonymous memory, of the group
        cgroup.memory.stat.anon_thp               45.18 24 u64    instant  B     anon_thp               | Anonymous huge pages, of the group
        cgroup.memory.stat.cache                  45.0  24 u64    instant  B     cache                  | Page cache, of the group
        cgroup.memory.stat.file                   45.19 24 u64    instant  B     file                   | Page cache, of the group
        cgroup.memory.stat.file_dirty             45.20 24 u64    instant  B     file_dirty             | Page cache that waits to be written, of the group
        cgroup.memory.stat.file_mapped            45.21 24 u64    instant  B     file_mapped            | Page cache mapped into processes, of the group
        cgroup.memory.stat.file_writeback         45.22 24 u64    instant  B     file_writeback         | Page cache that is being written, of the group
        cgroup.memory.stat.inactive_anon          45.10 24 u64    instant  B     inactive_anon          | Anonymous memory not used lately, of the group
        cgroup.memory.stat.inactive_file          45.12 24 u64    instant  B     inactive_file          | File memory not used lately, of the group
        cgroup.memory.stat.kernel_stack           45.25 24 u64    instant  B     kernel_stack           | Kernel stacks, of the group
        cgroup.memory.stat.mapped_file            45.3  24 u64    instant  B     mapped_file            | Page cache mapped into processes, of the group
        cgroup.memory.stat.pgactivate             45.26 24 u64    instant  B     pgactivate             | Pages moved to the active list, of the group
        cgroup.memory.stat.pgdeactivate           45.27 24 u64    instant  B     pgdeactivate           | Pages moved to the inactive list, of the group
        cgroup.memory.stat.pgfault                45.8  24 u64    counter  count pgfault                | Page faults, of the group
        cgroup.memory.stat.pglazyfree             45.28 24 u64    instant  B     pglazyfree             | Pages marked to be freed lazily, of the group
        cgroup.memory.stat.pglazyfreed            45.50 24 u64    instant  B     pglazyfreed            | Lazily freed pages that were reclaimed, of the group
        cgroup.memory.stat.pgmajfault             45.9  24 u64    counter  count pgmajfault             | Page faults that read from disk, of the group
        cgroup.memory.stat.pgpgin                 45.6  24 u64    counter  count pgpgin                 | Pages charged, of the group
        cgroup.memory.stat.pgpgout                45.7  24 u64    counter  count pgpgout                | Pages uncharged, of the group
        cgroup.memory.stat.pgrefill               45.51 24 u64    instant  B     pgrefill               | Pages looked at on the active list, of the group
        cgroup.memory.stat.pgscan                 45.52 24 u64    instant  B     pgscan                 | Pages looked at for reclaim, of the group
        cgroup.memory.stat.pgsteal                45.53 24 u64    instant  B     pgsteal                | Pages reclaimed, of the group
        cgroup.memory.stat.recent.rotated_anon    45.60 24 u64    counter  B     recent_rotated_anon    | Anonymous pages kept by reclaim, of the group
        cgroup.memory.stat.recent.rotated_file    45.61 24 u64    counter  B     recent_rotated_file    | File pages kept by reclaim, of the group
        cgroup.memory.stat.recent.scanned_anon    45.62 24 u64    counter  B     recent_scanned_anon    | Anonymous pages looked at by reclaim, of the group
        cgroup.memory.stat.recent.scanned_file    45.63 24 u64    counter  B     recent_scanned_file    | File pages looked at by reclaim, of the group
        cgroup.memory.stat.rss                    45.1  24 u64    instant  B     rss                    | Anonymous memory, of the group
        cgroup.memory.stat.rss_huge               45.2  24 u64    instant  B     rss_huge               | Anonymous huge pages, of the group
        cgroup.memory.stat.shmem                  45.64 24 u64    instant  B     shmem                  | tmpfs and shared memory, of the group
        cgroup.memory.stat.slab                   45.65 24 u64    instant  B     slab                   | Kernel caches, of the group
        cgroup.memory.stat.slab_reclaimable       45.66 24 u64    instant  B     slab_reclaimable       | Kernel caches that can be reclaimed, of the group
        cgroup.memory.stat.slab_unreclaimable     45.67 24 u64    instant  B     slab_unreclaimable     | Kernel caches that cannot be reclaimed, of the group
        cgroup.memory.stat.sock                   45.68 24 u64    instant  B     sock                   | Buffers of sockets, of the group
        cgroup.memory.stat.swap                   45.5  24 u64    instant  B     swap                   | Memory in swap, of the group
        cgroup.memory.stat.thp_collapse_alloc     45.70 24 u64    instant  B     thp_collapse_alloc     | Huge pages allocated to join small ones, of the group
        cgroup.memory.stat.thp_fault_alloc        45.71 24 u64    instant  B     thp_fault_alloc        | Huge pages allocated at a fault, of the group
        cgroup.memory.stat.total.active_anon      45.41 24 u64    instant  B     total_active_anon      | Anonymous memory used lately, of the group and those below
        cgroup.memory.stat.total.active_file      45.43 24 u64    instant  B     total_active_file      | File memory used lately, of the group and those below
        cgroup.memory.stat.total.cache            45.30 24 u64    instant  B     total_cache            | Page cache, of the group and those below
        cgroup.memory.stat.total.inactive_anon    45.40 24 u64    instant  B     total_inactive_anon    | Anonymous memory not used lately, of the group and those below
        cgroup.memory.stat.total.inactive_file    45.42 24 u64    instant  B     total_inactive_file    | File memory not used lately, of the group and those below
        cgroup.memory.stat.total.mapped_file      45.33 24 u64    instant  B     total_mapped_file      | Page cache mapped into processes, of the group and those below
        cgroup.memory.stat.total.pgfault          45.38 24 u64    counter  count total_pgfault          | Page faults, of the group and those below
        cgroup.memory.stat.total.pgmajfault       45.39 24 u64    counter  count total_pgmajfault       | Page faults that read from disk, of the group and those below
        cgroup.memory.stat.total.pgpgin           45.36 24 u64    counter  count total_pgpgin           | Pages charged, of the group and those below
        cgroup.memory.stat.total.pgpgout          45.37 24 u64    counter  count total_pgpgout          | Pages uncharged, of the group and those below
        cgroup.memory.stat.total.rss              45.31 24 u64    instant  B     total_rss              | Anonymous memory, of the group and those below
        cgroup.memory.stat.total.rss_huge         45.32 24 u64    instant  B     total_rss_huge         | Anonymous huge pages, of the group and those below
        cgroup.memory.stat.total.swap             45.35 24 u64    instant  B     total_swap             | Memory in swap, of the group and those below
        cgroup.memory.stat.total.unevictable      45.44 24 u64    instant  B     total_unevictable      | Memory that is never reclaimed, of the group and those below
        cgroup.memory.stat.total.writeback        45.34 24 u64    instant  B     total_writeback        | Page cache that is being written, of the group and those below
        cgroup.memory.stat.unevictable            45.14 24 u64    instant  B     unevictable            | Memory that is never reclaimed, of the group
        cgroup.memory.stat.workingset.activate    45.72 24 u64    instant  B     workingset_activate    | Returned pages that went to the active list, of the group
        cgroup.memory.stat.workingset.nodereclaim 45.73 24 u64    instant  B     workingset_nodereclaim | Shadow nodes reclaimed, of the group
        cgroup.memory.stat.workingset.refault     45.74 24 u64    instant  B     workingset_refault     | Reclaimed pages that were needed again, of the group
        cgroup.memory.stat.writeback              45.4  24 u64    instant  B     writeback              | Page cache that is being written, of the group
        cgroup.memory.usage                       45.80 24 u64    instant  B     memory.usage_in_bytes  | Memory that the group uses, caches included
        """;

    public const string NetworkClass = """
        cgroup.netclass.classid      47.0 25 u64    instant  none net_cls.classid | Class that the group's packets carry
        cgroup.netclass.id.container 47.1 25 string discrete none container       | Identification of the container that the group is of
        """;

    public const string Version2 = """
        cgroup.cpu.stat.user                 67.0 16 u64   counter us   user_usec            | CPU time of the group in user mode
        cgroup.cpu.stat.system               67.1 16 u64   counter us   system_usec          | CPU time of the group in the kernel
        cgroup.cpu.stat.usage                67.2 16 u64   counter us   usage_usec           | CPU time of the group
        cgroup.pressure.cpu.some.avg10sec    64.0 16 float instant none cpu.some.avg10sec    | Percent of time in which some task of the group waited for a CPU, averaged over the last 10 seconds
        cgroup.pressure.cpu.some.avg1min     64.1 16 float instant none cpu.some.avg1min     | Percent of time in which some task of the group waited for a CPU, averaged over the last minute
        cgroup.pressure.cpu.some.avg5min     64.2 16 float instant none cpu.some.avg5min     | Percent of time in which some task of the group waited for a CPU, averaged over the last 5 minutes
        cgroup.pressure.cpu.some.total       64.3 16 u64   instant us   cpu.some.total       | Time in which some task of the group waited for a CPU
        cgroup.pressure.memory.some.avg10sec 66.0 16 float instant none memory.some.avg10sec | Percent of time in which some task of the group waited for memory, averaged over the last 10 seconds
        cgroup.pressure.memory.some.avg1min  66.1 16 float instant none memory.some.avg1min  | Percent of time in which some task of the group waited for memory, averaged over the last minute
        cgroup.pressure.memory.some.avg5min  66.2 16 float instant none memory.some.avg5min  | Percent of time in which some task of the group waited for memory, averaged over the last 5 minutes
        cgroup.pressure.memory.some.total    66.3 16 u64   instant us   memory.some.total    | Time in which some task of the group waited for memory
        cgroup.pressure.memory.full.avg10sec 66.4 16 float instant none memory.full.avg10sec | Percent of time in which all tasks of the group at once waited for memory, averaged over the last 10 seconds
        cgroup.pressure.memory.full.avg1min  66.5 16 float instant none memory.full.avg1min  | Percent of time in which all tasks of the group at once waited for memory, averaged over the last minute
        cgroup.pressure.memory.full.avg5min  66.6 16 float instant none memory.full.avg5min  | Percent of time in which all tasks of the group at once waited for memory, averaged over the last 5 minutes
        cgroup.pressure.memory.full.total    66.7 16 u64   instant us   memory.full.total    | Time in which all tasks of the group at once waited for memory
        cgroup.pressure.io.some.avg10sec     65.0 16 float instant none io.some.avg10sec     | Percent of time in which some task of the group waited for I/O, averaged over the last 10 seconds
        cgroup.pressure.io.some.avg1min      65.1 16 float instant none io.some.avg1min      | Percent of time in which some task of the group waited for I/O, averaged over the last minute
        cgroup.pressure.io.some.avg5min      65.2 16 float instant none io.some.avg5min      | Percent of time in which some task of the group waited for I/O, averaged over the last 5 minutes
        cgroup.pressure.io.some.total        65.3 16 u64   instant us   io.some.total        | Time in which some task of the group waited for I/O
        cgroup.pressure.io.full.avg10sec     65.4 16 float instant none io.full.avg10sec     | Percent of time in which all tasks of the group at once waited for I/O, averaged over the last 10 seconds
        cgroup.pressure.io.full.avg1min      65.5 16 float instant none io.full.avg1min      | Percent of time in which all tasks of the group at once waited for I/O, averaged over the last minute
        cgroup.pressure.io.full.avg5min      65.6 16 float instant none io.full.avg5min      | Percent of time in which all tasks of the group at once waited for I/O, averaged over the last 5 minutes
        cgroup.pressure.io.full.total        65.7 16 u64   instant us   io.full.total        | Time in which all tasks of the group at once waited for I/O
        cgroup.pressure.irq.full.avg10sec    76.0 16 float instant none irq.full.avg10sec    | Percent of time in which all tasks of the group at once waited for interrupts, averaged over the last 10 seconds
        cgroup.pressure.irq.full.avg1min     76.1 16 float instant none irq.full.avg1min     | Percent of time in which all tasks of the group at once waited for interrupts, averaged over the last minute
        cgroup.pressure.irq.full.avg5min     76.2 16 float instant none irq.full.avg5min     | Percent of time in which all tasks of the group at once waited for interrupts, averaged over the last 5 minutes
        cgroup.pressure.irq.full.total       76.3 16 u64   instant us   irq.full.total       | Time in which all tasks of the group at once waited for interrupts
        """;

    public const string IoDevices = """
        cgroup.io.stat.rbytes 68.0 17 u64 counter B     = | Bytes that the group read from the device
        cgroup.io.stat.wbytes 68.1 17 u64 counter B     = | Bytes that the group wrote to the device
        cgroup.io.stat.rios   68.2 17 u64 counter count = | Reads of the group from the device
        cgroup.io.stat.wios   68.3 17 u64 counter count = | Writes of the group to the device
        cgroup.io.stat.dbytes 68.4 17 u64 counter B     = | Bytes that the group discarded on the device
        cgroup.io.stat.dios   68.5 17 u64 counter count = | Discards of the group on the device
        """;

    public const string Mounts = """
        cgroup.mounts.subsys 38.0 38 string instant none  controllers | Controllers of the hierarchy mounted there
        cgroup.mounts.count  38.1 -  u32    instant count count       | Mounted hierarchies of control groups
        """;
}
