namespace Muster.Metrics.Agents.Cgroups;

/// <summary>
/// What PCP lacks of control groups, in clusters from 100 on, which its agent does not use. Some of it PCP has as values
/// that come and go though the kernel only counts up: here they are counters, under names of their own.
/// </summary>
internal static class CgroupExtraTables
{
    public const string Memory = """
        cgroup.memory.events.low      100.0  24 u64 counter count events.low      | Times that memory below the protected amount was reclaimed
        cgroup.memory.events.high     100.1  24 u64 counter count events.high     | Times that the group was slowed down above its high mark
        cgroup.memory.events.max      100.2  24 u64 counter count events.max      | Times that the group met its limit
        cgroup.memory.events.oom      100.3  24 u64 counter count events.oom      | Times that an allocation failed at the limit
        cgroup.memory.events.oom_kill 100.4  24 u64 counter count events.oom_kill | Processes of the group killed because memory ran out
        cgroup.memory.max             100.5  24 u64 instant B     memory.max      | Memory that the group may use; 2^64-1 for no limit
        cgroup.memory.high            100.6  24 u64 instant B     memory.high     | Memory above which the group is slowed down; 2^64-1 for none
        cgroup.memory.swap.current    100.7  24 u64 instant B     memory.swap.current | Swap that the group uses
        cgroup.memory.stat.kernel     100.8  24 u64 instant B     kernel          | Memory of the kernel for the group
        """;

    public const string Pids = """
        cgroup.pids.current           101.0 100 u64 instant count pids.current    | Processes and threads of the group
        cgroup.pids.max               101.1 100 u64 instant count pids.max        | Processes and threads that the group may have; 2^64-1 for no limit
        cgroup.pids.events.max        101.2 100 u64 counter count events.max      | Forks refused because of the limit
        """;

    public const string Version2 = """
        cgroup.cpu.throttling.periods   102.0 16 u64 counter count nr_periods     | Periods of the CPU limit in which the group ran
        cgroup.cpu.throttling.throttled 102.1 16 u64 counter count nr_throttled   | Periods in which the group used up its limit
        cgroup.cpu.throttling.time      102.2 16 u64 counter us    throttled_usec | Time that the group was held back by its limit
        cgroup.cpu.weight               102.3 16 u64 instant none  cpu.weight     | Weight of the group against its neighbours
        cgroup.state.populated          105.0 16 u32 instant none  events.populated | 1 when there are processes in the group or below
        cgroup.state.frozen             105.1 16 u32 instant none  events.frozen  | 1 when the group is frozen
        cgroup.pressure.cpu.some.stalled    104.0 16 u64 counter us cpu.some.total    | Time in which some task of the group waited for a CPU
        cgroup.pressure.memory.some.stalled 104.1 16 u64 counter us memory.some.total | Time in which some task of the group waited for memory
        cgroup.pressure.memory.full.stalled 104.2 16 u64 counter us memory.full.total | Time in which all tasks of the group waited for memory at once
        cgroup.pressure.io.some.stalled     104.3 16 u64 counter us io.some.total     | Time in which some task of the group waited for I/O
        cgroup.pressure.io.full.stalled     104.4 16 u64 counter us io.full.total     | Time in which all tasks of the group waited for I/O at once
        cgroup.pressure.irq.full.stalled    104.5 16 u64 counter us irq.full.total    | Time in which all tasks of the group waited for interrupts at once
        """;

    public const string CpuScheduling = """
        cgroup.cpusched.throttling.periods   103.0 23 u64 counter count nr_periods   | Periods of the CPU limit in which the group ran
        cgroup.cpusched.throttling.throttled 103.1 23 u64 counter count nr_throttled | Periods in which the group used up its limit
        """;
}
