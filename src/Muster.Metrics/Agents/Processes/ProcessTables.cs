namespace Muster.Metrics.Agents.Processes;

/// <summary>The metrics of processes. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class ProcessTables
{
    public const string Processes = """
        proc.psinfo.pid                  8.0   9 u32    discrete none  =                          | Process id
        proc.psinfo.cmd                  8.1   9 string discrete none  =                          | Name of the program
        proc.psinfo.sname                8.2   9 string instant  none  =                          | State: R runs, S sleeps, D waits for I/O, T stopped, Z ended, I idle
        proc.psinfo.ppid                 8.3   9 u32    discrete none  =                          | Process id of the parent
        proc.psinfo.pgrp                 8.4   9 u32    discrete none  =                          | Process group
        proc.psinfo.session              8.5   9 u32    discrete none  =                          | Session
        proc.psinfo.tty                  8.6   9 u32    discrete none  =                          | Number of the controlling terminal's device
        proc.psinfo.tty_pgrp             8.7   9 u32    discrete none  =                          | Process group in the terminal's foreground
        proc.psinfo.flags                8.8   9 u32    discrete none  =                          | The kernel's flags of the process
        proc.psinfo.minflt               8.9   9 u32    counter  count =                          | Page faults that needed no disk
        proc.psinfo.cmin_flt             8.10  9 u32    counter  count =                          | Such faults of children that have ended
        proc.psinfo.maj_flt              8.11  9 u32    counter  count =                          | Page faults that read from disk
        proc.psinfo.cmaj_flt             8.12  9 u32    counter  count =                          | Such faults of children that have ended
        proc.psinfo.utime                8.13  9 u64    counter  ms    =                          | CPU time in user mode
        proc.psinfo.stime                8.14  9 u64    counter  ms    =                          | CPU time in the kernel
        proc.psinfo.cutime               8.15  9 u64    counter  ms    =                          | CPU time in user mode of children that have ended
        proc.psinfo.cstime               8.16  9 u64    counter  ms    =                          | CPU time in the kernel of children that have ended
        proc.psinfo.priority             8.17  9 i32    instant  none  =                          | Priority as the scheduler counts it
        proc.psinfo.nice                 8.18  9 i32    instant  none  =                          | Nice value
        proc.psinfo.it_real_value        8.20  9 u32    discrete none  =                          | Time until the next alarm; 0 on every newer kernel
        proc.psinfo.start_time           8.21  9 u64    discrete ms    =                          | When it was started, counted from the start of the machine
        proc.psinfo.vsize                8.22  9 u64    instant  KiB   =                          | Address space
        proc.psinfo.rss                  8.23  9 u64    instant  KiB   =                          | Memory in use
        proc.psinfo.rss_rlim             8.24  9 u64    instant  KiB   =                          | Limit of memory in use
        proc.psinfo.start_code           8.25  9 u32    discrete none  =                          | Where the code begins, or 1 when that is secret
        proc.psinfo.end_code             8.26  9 u32    discrete none  =                          | Where the code ends, or 1 when that is secret
        proc.psinfo.start_stack          8.27  9 u32    discrete none  =                          | Where the stack begins, or 0 when that is secret
        proc.psinfo.esp                  8.28  9 u32    discrete none  =                          | Stack pointer, or 0 when that is secret
        proc.psinfo.eip                  8.29  9 u32    discrete none  =                          | Instruction pointer, or 0 when that is secret
        proc.psinfo.signal               8.30  9 u32    discrete none  =                          | Pending signals, the first 31 of them
        proc.psinfo.blocked              8.31  9 u32    discrete none  =                          | Blocked signals, the first 31 of them
        proc.psinfo.sigignore            8.32  9 u32    discrete none  =                          | Ignored signals, the first 31 of them
        proc.psinfo.sigcatch             8.33  9 u32    discrete none  =                          | Handled signals, the first 31 of them
        proc.psinfo.wchan                8.34  9 u64    discrete none  =                          | Whether it waits in the kernel
        proc.psinfo.nswap                8.35  9 u32    counter  count =                          | Pages swapped; not counted by Linux
        proc.psinfo.cnswap               8.36  9 u32    counter  count =                          | Pages swapped by children; not counted by Linux
        proc.psinfo.exit_signal          8.37  9 u32    discrete none  =                          | Signal that its parent gets when it ends
        proc.psinfo.processor            8.38  9 u32    instant  none  =                          | CPU on which it ran last
        proc.psinfo.ttyname              8.39  9 string discrete none  =                          | Name of the controlling terminal
        proc.psinfo.wchan_s              8.40  9 string instant  none  =                          | Where in the kernel it waits
        proc.psinfo.psargs               8.41  9 string discrete none  =                          | Program and arguments
        proc.psinfo.rt_priority          8.42  9 u32    instant  none  =                          | Real-time priority
        proc.psinfo.policy               8.43  9 u32    instant  none  =                          | Scheduling policy, as a number
        proc.psinfo.policy_s             8.48  9 string instant  none  =                          | Scheduling policy, by name
        proc.psinfo.delayacct_blkio_time 8.44  9 u64    counter  ms    =                          | Time spent waiting for block I/O
        proc.psinfo.guest_time           8.45  9 u64    counter  ms    =                          | Time in which it ran a virtual machine
        proc.psinfo.cguest_time          8.46  9 u64    counter  ms    =                          | Such time of children that have ended
        proc.psinfo.environ              8.47  9 string instant  none  =                          | Environment at the start
        proc.psinfo.cgroups              11.0  9 string instant  none  =                          | Control groups
        proc.psinfo.signal_s             24.16 9 string instant  none  =                          | Pending signals, in hexadecimal
        proc.psinfo.blocked_s            24.17 9 string instant  none  =                          | Blocked signals, in hexadecimal
        proc.psinfo.sigignore_s          24.18 9 string instant  none  =                          | Ignored signals, in hexadecimal
        proc.psinfo.sigcatch_s           24.19 9 string instant  none  =                          | Handled signals, in hexadecimal
        proc.psinfo.threads              24.28 9 u32    instant  none  Threads                    | Threads
        proc.psinfo.vctxsw               24.29 9 u32    instant  none  voluntary_ctxt_switches    | Times that it gave up the CPU
        proc.psinfo.nvctxsw              24.30 9 u32    instant  none  nonvoluntary_ctxt_switches | Times that the CPU was taken from it
        proc.psinfo.cpusallowed          24.31 9 string instant  none  Cpus_allowed_list          | CPUs on which it may run
        proc.psinfo.ngid                 24.32 9 u32    discrete none  Ngid                       | NUMA group
        proc.psinfo.tgid                 24.41 9 u32    discrete none  Tgid                       | Thread group
        proc.psinfo.oom_score            62.0  9 u32    instant  none  =                          | How likely it is killed when memory runs out
        proc.psinfo.exe                  69.0  9 string discrete none  =                          | The program's file
        proc.psinfo.cwd                  72.0  9 string discrete none  =                          | Working directory
        proc.memory.size                 9.0   9 u32    instant  KiB   =                          | Address space
        proc.memory.rss                  9.1   9 u32    instant  KiB   memory_rss                 | Memory in use
        proc.memory.share                9.2   9 u32    instant  KiB   =                          | Memory in use that has a file behind it or is shared
        proc.memory.textrss              9.3   9 u32    instant  KiB   =                          | Size of the code
        proc.memory.librss               9.4   9 u32    instant  KiB   =                          | Size of libraries; 0 on every newer kernel
        proc.memory.datrss               9.5   9 u32    instant  KiB   =                          | Size of data and stack
        proc.memory.dirty                9.6   9 u32    instant  KiB   =                          | Dirty pages; 0 on every newer kernel
        proc.memory.maps                 9.7   9 string instant  none  =                          | What is mapped where
        proc.memory.vmsize               24.20 9 u32    instant  KiB   VmSize                     | Address space
        proc.memory.vmlock               24.21 9 u32    instant  KiB   VmLck                      | Memory locked by mlock(2)
        proc.memory.vmrss                24.22 9 u32    instant  KiB   VmRSS                      | Memory in use
        proc.memory.vmdata               24.23 9 u32    instant  KiB   VmData                     | Size of data
        proc.memory.vmstack              24.24 9 u32    instant  KiB   VmStk                      | Size of the stack
        proc.memory.vmexe                24.25 9 u32    instant  KiB   VmExe                      | Size of the code
        proc.memory.vmlib                24.26 9 u32    instant  KiB   VmLib                      | Size of the libraries' code
        proc.memory.vmswap               24.27 9 u32    instant  KiB   VmSwap                     | Memory in swap
        proc.memory.vmpeak               24.33 9 u32    instant  KiB   VmPeak                     | Largest address space so far
        proc.memory.vmpin                24.34 9 u32    instant  KiB   VmPin                      | Memory that cannot be moved
        proc.memory.vmhwm                24.35 9 u32    instant  KiB   VmHWM                      | Most memory in use so far
        proc.memory.vmpte                24.36 9 u32    instant  KiB   VmPTE                      | Page tables
        proc.memory.vmreal               24.43 9 u64    instant  KiB   =                          | Memory in use and in swap
        proc.memory.vmnonlib             24.44 9 u64    instant  KiB   =                          | Memory in use and in swap without the libraries' code
        proc.id.uid                      24.0  9 u32    discrete none  =                          | User
        proc.id.euid                     24.1  9 u32    discrete none  =                          | Effective user
        proc.id.suid                     24.2  9 u32    discrete none  =                          | Saved user
        proc.id.fsuid                    24.3  9 u32    discrete none  =                          | User for files
        proc.id.gid                      24.4  9 u32    discrete none  =                          | Group
        proc.id.egid                     24.5  9 u32    discrete none  =                          | Effective group
        proc.id.sgid                     24.6  9 u32    discrete none  =                          | Saved group
        proc.id.fsgid                    24.7  9 u32    discrete none  =                          | Group for files
        proc.id.uid_nm                   24.8  9 string discrete none  =                          | Name of the user
        proc.id.euid_nm                  24.9  9 string discrete none  =                          | Name of the effective user
        proc.id.suid_nm                  24.10 9 string discrete none  =                          | Name of the saved user
        proc.id.fsuid_nm                 24.11 9 string discrete none  =                          | Name of the user for files
        proc.id.gid_nm                   24.12 9 string discrete none  =                          | Name of the group
        proc.id.egid_nm                  24.13 9 string discrete none  =                          | Name of the effective group
        proc.id.sgid_nm                  24.14 9 string discrete none  =                          | Name of the saved group
        proc.id.fsgid_nm                 24.15 9 string discrete none  =                          | Name of the group for files
        proc.id.container                11.1  9 string discrete none  =                          | Identification of the container that the process is in
        proc.namespaces.tgid             24.37 9 string discrete none  NStgid                     | Thread group in each pid namespace
        proc.namespaces.pid              24.38 9 string discrete none  NSpid                      | Process id in each pid namespace
        proc.namespaces.pgid             24.39 9 string discrete none  NSpgid                     | Process group in each pid namespace
        proc.namespaces.sid              24.40 9 string discrete none  NSsid                      | Session in each pid namespace
        proc.schedstat.cpu_time          31.0  9 u64    counter  ns    =                          | Time on a CPU
        proc.schedstat.run_delay         31.1  9 u64    counter  ns    =                          | Time waiting for a CPU
        proc.schedstat.pcount            31.2  9 u64    counter  count =                          | Times that it was given a CPU
        proc.io.rchar                    32.0  9 u64    counter  B     =                          | Bytes read by system calls
        proc.io.wchar                    32.1  9 u64    counter  B     =                          | Bytes written by system calls
        proc.io.syscr                    32.2  9 u64    counter  count =                          | System calls that read
        proc.io.syscw                    32.3  9 u64    counter  count =                          | System calls that wrote
        proc.io.read_bytes               32.4  9 u64    counter  B     =                          | Bytes read from disk
        proc.io.write_bytes              32.5  9 u64    counter  B     =                          | Bytes written to disk
        proc.io.cancelled_write_bytes    32.6  9 u64    counter  B     =                          | Bytes that were not written after all, because the file was cut short
        proc.fd.count                    51.0  9 u32    instant  count fd_count                   | Open files
        proc.autogroup.id                74.1  9 u32    discrete none  autogroup_id               | Scheduling group of the session
        proc.autogroup.nice              74.2  9 i32    instant  none  autogroup_nice             | Nice value of that group
        proc.smaps.rss                   33.0  9 u64    instant  KiB   Rss                        | Memory in use
        proc.smaps.pss                   33.1  9 u64    instant  KiB   Pss                        | Memory in use, what is shared divided among its users
        proc.smaps.pss_anon              33.2  9 u64    instant  KiB   Pss_Anon                   | Such anonymous memory
        proc.smaps.pss_file              33.3  9 u64    instant  KiB   Pss_File                   | Such memory of files
        proc.smaps.pss_shmem             33.4  9 u64    instant  KiB   Pss_Shmem                  | Such shared memory
        proc.smaps.shared_clean          33.5  9 u64    instant  KiB   Shared_Clean               | Unchanged memory shared with others
        proc.smaps.shared_dirty          33.6  9 u64    instant  KiB   Shared_Dirty               | Changed memory shared with others
        proc.smaps.private_clean         33.7  9 u64    instant  KiB   Private_Clean              | Unchanged memory of its own
        proc.smaps.private_dirty         33.8  9 u64    instant  KiB   Private_Dirty              | Changed memory of its own
        proc.smaps.referenced            33.9  9 u64    instant  KiB   Referenced                 | Memory used lately
        proc.smaps.anonymous             33.10 9 u64    instant  KiB   Anonymous                  | Memory without a file
        proc.smaps.lazyfree              33.11 9 u64    instant  KiB   LazyFree                   | Memory marked to be freed lazily
        proc.smaps.anonhugepages         33.12 9 u64    instant  KiB   AnonHugePages              | Anonymous huge pages
        proc.smaps.shmempmdmapped        33.13 9 u64    instant  KiB   ShmemPmdMapped             | Shared memory in huge pages
        proc.smaps.filepmdmapped         33.14 9 u64    instant  KiB   FilePmdMapped              | Files in huge pages
        proc.smaps.shared_hugetlb        33.15 9 u64    instant  KiB   Shared_Hugetlb             | Shared pages of hugetlbfs
        proc.smaps.private_hugetlb       33.16 9 u64    instant  KiB   Private_Hugetlb            | Pages of hugetlbfs of its own
        proc.smaps.swap                  33.17 9 u64    instant  KiB   Swap                       | Memory in swap
        proc.smaps.swappss               33.18 9 u64    instant  KiB   SwapPss                    | Memory in swap, what is shared divided among its users
        proc.smaps.locked                33.19 9 u64    instant  KiB   Locked                     | Locked memory
        """;

    public const string Queue = """
        proc.nprocs        8.99 - u32 instant none  nprocs | Processes
        proc.runq.runnable 13.0 - i32 instant count =      | Processes that run or wait for a CPU
        proc.runq.blocked  13.1 - i32 instant count =      | Processes that wait for I/O
        proc.runq.sleeping 13.2 - i32 instant count =      | Processes that sleep
        proc.runq.stopped  13.3 - i32 instant count =      | Processes that are stopped or traced
        proc.runq.swapped  13.4 - i32 instant count =      | Processes without memory in use that are no threads of the kernel
        proc.runq.defunct  13.5 - i32 instant count =      | Processes that have ended and wait for their parent
        proc.runq.unknown  13.6 - i32 instant count =      | Processes in a state that is not known here
        proc.runq.kernel   13.7 - i32 instant count =      | Threads of the kernel
        """;
}
