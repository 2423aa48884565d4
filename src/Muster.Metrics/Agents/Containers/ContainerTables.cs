namespace Muster.Metrics.Agents.Containers;

/// <summary>
/// The metrics of containers, the same on hosts with control groups of either version. One metric a line, as
/// <see cref="Tables.MetricTable"/> reads them. Domain 0 is containers, 1 is their network interfaces.
/// </summary>
internal static class ContainerTables
{
    public const string Containers = """
        container.state               0.0  0 u32    instant  none  =                 | 0 prepared, 1 running, 2 paused, 3 restarting, 4 exited, 5 orphaned
        container.start_time          0.1  0 u64    discrete s     =                 | When it was started last, in seconds since 1970
        container.restarts            0.2  0 u64    counter  count =                 | Times that it was started again
        container.kind                0.3  0 string discrete none  =                 | pod, app, docker, podman or lxc
        container.id                  0.4  0 string discrete none  =                 | Its engine's identification
        container.pid                 0.5  0 u32    discrete none  =                 | A process of it on the host; 0 when it does not run
        container.cpu.usage           1.0  0 u64    counter  us    cpu.usage         | CPU time
        container.cpu.user            1.1  0 u64    counter  us    cpu.user          | CPU time in user mode
        container.cpu.system          1.2  0 u64    counter  us    cpu.system        | CPU time in the kernel
        container.cpu.periods         1.3  0 u64    counter  count cpu.periods       | Periods of the CPU limit in which it ran
        container.cpu.throttled       1.4  0 u64    counter  count cpu.throttled     | Periods in which it used up its CPU limit
        container.cpu.throttled_time  1.5  0 u64    counter  us    cpu.throttled_time | Time that it was held back by its CPU limit
        container.cpu.limit           1.6  0 double instant  none  cpu.limit         | CPUs that it may use; 0 for no limit
        container.memory.usage        2.0  0 u64    instant  B     memory.usage      | Memory in use, caches included
        container.memory.working_set  2.1  0 u64    instant  B     memory.working_set | Memory in use without file pages not used lately
        container.memory.anon         2.2  0 u64    instant  B     memory.anon       | Anonymous memory
        container.memory.file         2.3  0 u64    instant  B     memory.file       | Page cache, tmpfs included
        container.memory.kernel       2.4  0 u64    instant  B     memory.kernel     | Memory of the kernel for it
        container.memory.swap         2.5  0 u64    instant  B     memory.swap       | Memory in swap
        container.memory.limit        2.6  0 u64    instant  B     memory.limit      | Memory that it may use; 2^64-1 for no limit
        container.memory.limit_hits   2.7  0 u64    counter  count memory.limit_hits | Times that it met its memory limit
        container.memory.oom_kills    2.8  0 u64    counter  count memory.oom_kills  | Processes killed because memory ran out
        container.memory.major_faults 2.9  0 u64    counter  count memory.major_faults | Page faults that read from disk
        container.io.read_bytes       3.0  0 u64    counter  B     io.read_bytes     | Bytes read from block devices
        container.io.write_bytes      3.1  0 u64    counter  B     io.write_bytes    | Bytes written to block devices; with control groups of version 1 only those that did not wait in the page cache
        container.io.reads            3.2  0 u64    counter  count io.reads          | Reads from block devices
        container.io.writes           3.3  0 u64    counter  count io.writes         | Writes to block devices; with control groups of version 1 only those that did not wait in the page cache
        container.pids.current        4.0  0 u64    instant  count pids.current      | Processes and threads
        container.pids.limit          4.1  0 u64    instant  count pids.limit        | Processes and threads that it may have; 2^64-1 for no limit
        container.pids.refused        4.2  0 u64    counter  count pids.refused      | Forks refused because of that limit
        container.processes           4.3  0 u64    instant  count processes         | Processes
        container.open_files          4.4  0 u64    instant  count open_files        | Open files of its processes
        container.network.all.in.bytes    6.0 0 u64 counter B     network.in.bytes    | Bytes received on all its interfaces but loopback
        container.network.all.in.packets  6.1 0 u64 counter count network.in.packets  | Packets received on all its interfaces but loopback
        container.network.all.in.errors   6.2 0 u64 counter count network.in.errors   | Receive errors on all its interfaces but loopback
        container.network.all.in.drops    6.3 0 u64 counter count network.in.drops    | Packets dropped on receipt on all its interfaces but loopback
        container.network.all.out.bytes   6.4 0 u64 counter B     network.out.bytes   | Bytes sent on all its interfaces but loopback
        container.network.all.out.packets 6.5 0 u64 counter count network.out.packets | Packets sent on all its interfaces but loopback
        container.network.all.out.errors  6.6 0 u64 counter count network.out.errors  | Send errors on all its interfaces but loopback
        container.network.all.out.drops   6.7 0 u64 counter count network.out.drops   | Packets dropped before sending on all its interfaces but loopback
        container.filesystem.capacity 7.0  0 u64    instant  B     filesystem.capacity | Size of the file system that its root is on
        container.filesystem.used     7.1  0 u64    instant  B     filesystem.used   | Space of what it has written over its image, looked at once a minute; in use on that file system, by others too, when its root is no overlay
        container.filesystem.available 7.2 0 u64    instant  B     filesystem.available | Space that is left for it there
        container.pressure.cpu.some.time    8.0 0 u64 counter us  pressure.cpu.some    | Time in which some task waited for a CPU
        container.pressure.memory.some.time 8.1 0 u64 counter us  pressure.memory.some | Time in which some task waited for memory
        container.pressure.memory.full.time 8.2 0 u64 counter us  pressure.memory.full | Time in which all tasks waited for memory at once
        container.pressure.io.some.time     8.3 0 u64 counter us  pressure.io.some     | Time in which some task waited for I/O
        container.pressure.io.full.time     8.4 0 u64 counter us  pressure.io.full     | Time in which all tasks waited for I/O at once
        """;

    public const string Interfaces = """
        container.network.in.bytes    5.0  1 u64 counter B     in.bytes    | Bytes received on the interface
        container.network.in.packets  5.1  1 u64 counter count in.packets  | Packets received on the interface
        container.network.in.errors   5.2  1 u64 counter count in.errors   | Receive errors on the interface
        container.network.in.drops    5.3  1 u64 counter count in.drops    | Packets dropped on receipt on the interface
        container.network.out.bytes   5.4  1 u64 counter B     out.bytes   | Bytes sent on the interface
        container.network.out.packets 5.5  1 u64 counter count out.packets | Packets sent on the interface
        container.network.out.errors  5.6  1 u64 counter count out.errors  | Send errors on the interface
        container.network.out.drops   5.7  1 u64 counter count out.drops   | Packets dropped before sending on the interface
        """;

    public const string Events = """
        container.events.oom_kill     9.0  0 events instant none oom_kill  | Processes killed because memory ran out, with when it was seen and how many
        container.events.throttled    9.1  0 events instant none throttled | Times that the CPU limit held it back, with when it was seen and how many periods
        container.events.restart      9.2  0 events instant none restart   | Restarts, with when each was seen
        """;

    // It stands in the records of events alone.
    public const string EventParameters = """
        container.events.count        9.3  - u64    instant count count    | How many times, as a parameter of the events
        """;
}
