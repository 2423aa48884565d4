namespace Muster.Metrics.Agents.Kernel;

/// <summary>The metrics of CPUs, load, interrupts and the system. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class KernelTables
{
    public const string Stat = """
        kernel.all.cpu.user           0.20 -  u64 counter  ms      =             | Time in user mode at normal priority, guests too
        kernel.all.cpu.nice           0.21 -  u64 counter  ms      =             | Time in user mode at a lowered priority
        kernel.all.cpu.sys            0.22 -  u64 counter  ms      =             | Time in the kernel, interrupts not included
        kernel.all.cpu.idle           0.23 -  u64 counter  ms      =             | Time with nothing to do
        kernel.all.cpu.wait.total     0.35 -  u64 counter  ms      wait          | Idle time while I/O was under way
        kernel.all.cpu.intr           0.34 -  u64 counter  ms      =             | Time in interrupts, hard and soft
        kernel.all.cpu.irq.hard       0.54 -  u64 counter  ms      hard          | Time in hardware interrupts
        kernel.all.cpu.irq.soft       0.53 -  u64 counter  ms      soft          | Time in software interrupts
        kernel.all.cpu.steal          0.55 -  u64 counter  ms      =             | Time that the hypervisor gave to others
        kernel.all.cpu.guest          0.60 -  u64 counter  ms      =             | Time that virtual machines ran
        kernel.all.cpu.guest_nice     0.81 -  u64 counter  ms      =             | Time that virtual machines ran at a lowered priority
        kernel.all.cpu.vuser          0.78 -  u64 counter  ms      =             | Time in user mode without virtual machines
        kernel.all.cpu.vnice          0.82 -  u64 counter  ms      =             | Time in user mode at a lowered priority without virtual machines
        kernel.percpu.cpu.user        0.0  0  u64 counter  ms      =             | Time of the CPU in user mode at normal priority, guests too
        kernel.percpu.cpu.nice        0.1  0  u64 counter  ms      =             | Time of the CPU in user mode at a lowered priority
        kernel.percpu.cpu.sys         0.2  0  u64 counter  ms      =             | Time of the CPU in the kernel, interrupts not included
        kernel.percpu.cpu.idle        0.3  0  u64 counter  ms      =             | Time of the CPU with nothing to do
        kernel.percpu.cpu.wait.total  0.30 0  u64 counter  ms      wait          | Idle time of the CPU while I/O was under way
        kernel.percpu.cpu.intr        0.31 0  u64 counter  ms      =             | Time of the CPU in interrupts, hard and soft
        kernel.percpu.cpu.irq.hard    0.57 0  u64 counter  ms      hard          | Time of the CPU in hardware interrupts
        kernel.percpu.cpu.irq.soft    0.56 0  u64 counter  ms      soft          | Time of the CPU in software interrupts
        kernel.percpu.cpu.steal       0.58 0  u64 counter  ms      =             | Time of the CPU that the hypervisor gave to others
        kernel.percpu.cpu.guest       0.61 0  u64 counter  ms      =             | Time that virtual machines ran on the CPU
        kernel.percpu.cpu.guest_nice  0.83 0  u64 counter  ms      =             | Time that virtual machines ran on the CPU at a lowered priority
        kernel.percpu.cpu.vuser       0.76 0  u64 counter  ms      =             | Time of the CPU in user mode without virtual machines
        kernel.percpu.cpu.vnice       0.84 0  u64 counter  ms      =             | Time of the CPU in user mode at a lowered priority without virtual machines
        kernel.pernode.cpu.user       0.62 19 u64 counter  ms      =             | Time of the node's CPUs in user mode at normal priority, guests too
        kernel.pernode.cpu.nice       0.63 19 u64 counter  ms      =             | Time of the node's CPUs in user mode at a lowered priority
        kernel.pernode.cpu.sys        0.64 19 u64 counter  ms      =             | Time of the node's CPUs in the kernel, interrupts not included
        kernel.pernode.cpu.idle       0.65 19 u64 counter  ms      =             | Time of the node's CPUs with nothing to do
        kernel.pernode.cpu.wait.total 0.69 19 u64 counter  ms      wait          | Idle time of the node's CPUs while I/O was under way
        kernel.pernode.cpu.intr       0.66 19 u64 counter  ms      =             | Time of the node's CPUs in interrupts, hard and soft
        kernel.pernode.cpu.irq.hard   0.71 19 u64 counter  ms      hard          | Time of the node's CPUs in hardware interrupts
        kernel.pernode.cpu.irq.soft   0.70 19 u64 counter  ms      soft          | Time of the node's CPUs in software interrupts
        kernel.pernode.cpu.steal      0.67 19 u64 counter  ms      =             | Time of the node's CPUs that the hypervisor gave to others
        kernel.pernode.cpu.guest      0.68 19 u64 counter  ms      =             | Time that virtual machines ran on the node's CPUs
        kernel.pernode.cpu.guest_nice 0.85 19 u64 counter  ms      =             | Time that virtual machines ran on the node's CPUs at a lowered priority
        kernel.pernode.cpu.vuser      0.77 19 u64 counter  ms      =             | Time of the node's CPUs in user mode without virtual machines
        kernel.pernode.cpu.vnice      0.86 19 u64 counter  ms      =             | Time of the node's CPUs in user mode at a lowered priority without virtual machines
        kernel.all.intr               0.12 -  u64 counter  count   interrupts    | Interrupts served
        kernel.all.pswitch            0.13 -  u64 counter  count   ctxt          | Switches between tasks
        kernel.all.sysfork            0.14 -  u64 counter  count   processes     | Tasks created
        kernel.all.running            0.15 -  u64 instant  none    procs_running | Tasks that run or could
        kernel.all.blocked            0.16 -  u64 instant  none    procs_blocked | Tasks blocked by I/O
        kernel.all.boottime           0.17 -  i64 discrete s       btime         | When the machine was started, in seconds since 1970
        kernel.all.hz                 0.48 -  u32 discrete count/s =             | Ticks of the clock in which the kernel accounts time
        hinv.ncpu                     0.32 -  u32 discrete none    =             | CPUs that are online
        hinv.nnode                    0.19 -  u32 discrete none    =             | Memory nodes
        """;

    public const string Load = """
        kernel.all.load     2.0 2 float instant none = | Tasks that ran or waited for CPU or disk, averaged over 1, 5 and 15 minutes
        kernel.all.lastpid  2.1 - u32   instant none = | The process id given last
        kernel.all.runnable 2.2 - u32   instant none = | Tasks that run or wait for a CPU now
        kernel.all.nprocs   2.3 - u32   instant none = | Tasks, threads included
        """;

    public const string Uptime = """
        kernel.all.uptime   26.0 - double instant s = | Seconds since the start of the machine
        kernel.all.idletime 26.1 - double instant s = | Idle seconds of all CPUs since the start
        """;

    public const string Counters = """
        kernel.all.entropy.avail    72.0 - u32 instant  none avail    | Bits of randomness available
        kernel.all.entropy.poolsize 72.1 - u32 instant  none poolsize | Bits that the pool of randomness holds
        kernel.all.pid_max          72.2 - u32 discrete none =        | Process ids are below this
        kernel.all.nptys            72.3 - u32 instant  none =        | Pseudo terminals in use
        sysfs.kernel.uevent_seqnum  35.0 - u64 counter count =        | Messages to udev about devices, since the start
        """;

    public const string Sessions = """
        kernel.all.nusers    25.0 - u32 instant none = | Sessions of users who are logged in
        kernel.all.nroots    25.1 - u32 instant none = | Sessions of root
        kernel.all.nsessions 25.2 - u32 instant none = | Sessions of all kinds that are registered
        """;

    public const string Pressure = """
        kernel.all.pressure.cpu.some.avg      83.0 37 float instant none some.avg   | Percent of time in which some task waited for a CPU, averaged over 10 seconds, 1 and 5 minutes
        kernel.all.pressure.cpu.some.total    83.1 -  u64   counter us   some.total | Time in which some task waited for a CPU
        kernel.all.pressure.memory.some.avg   84.0 37 float instant none some.avg   | Percent of time in which some task waited for memory, averaged over 10 seconds, 1 and 5 minutes
        kernel.all.pressure.memory.some.total 84.1 -  u64   counter us   some.total | Time in which some task waited for memory
        kernel.all.pressure.memory.full.avg   84.2 37 float instant none full.avg   | Percent of time in which all tasks at once waited for memory, averaged over 10 seconds, 1 and 5 minutes
        kernel.all.pressure.memory.full.total 84.3 -  u64   counter us   full.total | Time in which all tasks at once waited for memory
        kernel.all.pressure.io.some.avg       85.0 37 float instant none some.avg   | Percent of time in which some task waited for I/O, averaged over 10 seconds, 1 and 5 minutes
        kernel.all.pressure.io.some.total     85.1 -  u64   counter us   some.total | Time in which some task waited for I/O
        kernel.all.pressure.io.full.avg       85.2 37 float instant none full.avg   | Percent of time in which all tasks at once waited for I/O, averaged over 10 seconds, 1 and 5 minutes
        kernel.all.pressure.io.full.total     85.3 -  u64   counter us   full.total | Time in which all tasks at once waited for I/O
        kernel.all.pressure.irq.full.avg      93.0 37 float instant none full.avg   | Percent of time in which all tasks at once waited for interrupts, averaged over 10 seconds, 1 and 5 minutes
        kernel.all.pressure.irq.full.total    93.1 -  u64   counter us   full.total | Time in which all tasks at once waited for interrupts
        """;

    public const string Interrupts = """
        kernel.all.interrupts.total  4.0 4  u64 counter count total | Interrupts of each line, all CPUs together
        kernel.all.interrupts.errors 4.3 -  u32 counter count ERR   | Spurious interrupts
        kernel.all.interrupts.missed 4.2 -  u32 counter count MIS   | Interrupts that the I/O APIC missed
        kernel.percpu.interrupts     4.1 40 u32 counter count count | Interrupts of each line and CPU
        kernel.percpu.intr           4.4 0  u64 counter count intr  | Interrupts of each CPU, all lines together
        """;

    public const string SoftInterrupts = """
        kernel.all.softirqs.total 82.0 36 u64 counter count total | Software interrupts of each kind, all CPUs together
        kernel.percpu.softirqs    63.0 41 u32 counter count count | Software interrupts of each kind and CPU
        kernel.percpu.sirq        63.1 0  u64 counter count sirq  | Software interrupts of each CPU, all kinds together
        """;

    public const string System = """
        kernel.uname.release  12.0 - string discrete none =       | Release of the kernel
        kernel.uname.version  12.1 - string discrete none =       | Version and build of the kernel
        kernel.uname.sysname  12.2 - string discrete none =       | Name of the operating system
        kernel.uname.machine  12.3 - string discrete none =       | Kind of hardware
        kernel.uname.nodename 12.4 - string discrete none =       | Name of the host
        kernel.uname.distro   12.7 - string discrete none =       | The distribution and its release
        hinv.machine          18.7 - string discrete none machine | Kind of hardware
        pmda.uname            12.5 - string discrete none uname   | Name, release and hardware of the system, as uname(1) gives them
        pmda.version          12.6 - string discrete none version_muster      | Version of Muster
        """;

    public const string Cpus = """
        hinv.cpu.clock           18.0  0 float  discrete 1/us MHz       | Speed of the CPU now
        hinv.cpu.vendor          18.1  0 string discrete none vendor_id | Maker of the CPU
        hinv.cpu.model           18.2  0 string discrete none =         | Model of the CPU, as its maker counts
        hinv.cpu.model_name      18.9  0 string discrete none =         | Name of the CPU
        hinv.cpu.stepping        18.3  0 string discrete none =         | Revision of the CPU
        hinv.cpu.cache           18.4  0 u32    discrete KiB  =         | Size of the CPU's last cache
        hinv.cpu.bogomips        18.5  0 float  discrete none =         | The kernel's own measure of a busy loop
        hinv.cpu.flags           18.10 0 string discrete none =         | What the CPU can do
        hinv.cpu.cache_alignment 18.11 0 u32    discrete none =         | Alignment of cache lines in bytes
        hinv.cpu.online          55.0  0 u32    instant  none =         | 1 when the CPU is online
        hinv.map.cpu_num         18.6  0 u32    discrete none =         | Number of the CPU
        hinv.map.cpu_node        18.8  0 u32    discrete none =         | Memory node of the CPU
        """;

    public const string Locks = """
        vfs.locks.posix.read  75.0 - u32 instant none posix_read  | POSIX locks held for reading
        vfs.locks.posix.write 75.1 - u32 instant none posix_write | POSIX locks held for writing
        vfs.locks.posix.count 75.2 - u32 instant none posix_count | POSIX locks held
        vfs.locks.flock.read  75.3 - u32 instant none flock_read  | flock(2) locks held for reading
        vfs.locks.flock.write 75.4 - u32 instant none flock_write | flock(2) locks held for writing
        vfs.locks.flock.count 75.5 - u32 instant none flock_count | flock(2) locks held
        vfs.locks.lease.read  75.6 - u32 instant none lease_read  | Leases held for reading
        vfs.locks.lease.write 75.7 - u32 instant none lease_write | Leases held for writing
        vfs.locks.lease.count 75.8 - u32 instant none lease_count | Leases held
        """;

    public const string Ipc = """
        ipc.shm.max_segsz   23.0 - u32 discrete B    shmmax       | Largest shared memory segment
        ipc.shm.max_seg     23.2 - u32 discrete none shmmni       | Shared memory segments at most
        ipc.shm.max_shmsys  23.4 - u32 discrete none shmall       | Pages of shared memory at most
        ipc.shm.min_segsz   23.1 - u32 discrete B    shmmin       | Smallest shared memory segment
        ipc.shm.max_segproc 23.3 - u32 discrete none shmseg       | Shared memory segments of a process at most
        ipc.shm.used_ids    56.3 - u32 instant  none shm_used     | Shared memory segments there are
        ipc.shm.tot         56.0 - u32 instant  B    shm_bytes    | Bytes of shared memory segments
        ipc.shm.rss         56.1 - u32 instant  B    shm_rss      | Bytes of shared memory segments that are in memory
        ipc.shm.swp         56.2 - u32 instant  B    shm_swap     | Bytes of shared memory segments that are in swap
        ipc.shm.swap_attempts  56.4 - u32 instant none =          | Attempts to swap a segment out; not counted by today's kernels
        ipc.shm.swap_successes 56.5 - u32 instant none =          | Segments swapped out; not counted by today's kernels
        ipc.sem.max_semid   21.1 - u32 discrete none sem3         | Semaphore sets at most
        ipc.sem.max_sem     21.2 - u32 discrete none sem1         | Semaphores in the system at most
        ipc.sem.max_perid   21.4 - u32 discrete none sem0         | Semaphores in a set at most
        ipc.sem.max_ops     21.5 - u32 discrete none sem2         | Operations in one semop(2) at most
        ipc.sem.max_semmap  21.0 - u32 discrete none semmap       | Entries of the map of semaphores; not used by the kernel
        ipc.sem.num_undo    21.3 - u32 discrete none semmnu       | Undo structures in the system at most; not used by the kernel
        ipc.sem.max_undoent 21.6 - u32 discrete none semume       | Undo entries of a process at most; not used by the kernel
        ipc.sem.sz_semundo  21.7 - u32 discrete none semusz       | Size of an undo structure; not used by the kernel
        ipc.sem.max_semval  21.8 - u32 discrete none semvmx       | Highest value of a semaphore
        ipc.sem.max_exit    21.9 - u32 discrete none semaem       | Highest value that is undone at the exit of a process
        ipc.sem.used_sem    61.0 - u32 instant  none sem_used     | Semaphore sets there are
        ipc.sem.tot_sem     61.1 - u32 instant  none sem_total    | Semaphores in all sets
        ipc.msg.max_msgsz   22.2 - u32 discrete none msgmax       | Longest message
        ipc.msg.max_defmsgq 22.3 - u32 discrete none msgmnb       | Bytes in a message queue at most
        ipc.msg.max_msgqid  22.4 - u32 discrete none msgmni       | Message queues at most
        ipc.msg.sz_pool     22.0 - u32 discrete KiB  msgpool      | Memory of all messages; not used by the kernel
        ipc.msg.mapent      22.1 - u32 discrete none msgmap       | Entries of the map of messages; not used by the kernel
        ipc.msg.max_msgseg  22.5 - u32 discrete none msgssz       | Size of a segment of a message; not used by the kernel
        ipc.msg.num_smsghdr 22.6 - u32 discrete none msgtql       | Headers of messages in the system; not used by the kernel
        ipc.msg.max_seg     22.7 - u32 discrete none msgseg       | Segments of messages at most; not used by the kernel
        ipc.msg.used_queues 62.0 - u32 instant  none msg_used     | Message queues there are
        ipc.msg.tot_msg     62.1 - u32 instant  none msg_messages | Messages in all queues
        ipc.msg.tot_bytes   62.2 - u32 instant  B    msg_bytes    | Bytes in all queues
        """;

    public const string Vfs = """
        vfs.files.count  27.0 - i32 instant none files_count  | Open files
        vfs.files.free   27.1 - i32 instant none files_free   | Open-file records that nothing uses
        vfs.files.max    27.2 - i32 instant none files_max    | Open files that the kernel allows
        vfs.inodes.count 27.3 - i32 instant none inodes_count | Inodes in memory
        vfs.inodes.free  27.4 - i32 instant none inodes_free  | Inodes in memory that nothing uses
        vfs.dentry.count 27.5 - i32 instant none dentry_count | Names in the cache of directory entries
        vfs.dentry.free  27.6 - i32 instant none dentry_free  | Names in the cache that nothing uses
        vfs.aio.count    27.7 - i32 instant none aio_count    | Asynchronous I/O requests reserved
        vfs.aio.max      27.8 - i32 instant none aio_max      | Asynchronous I/O requests that the kernel allows
        """;
}
