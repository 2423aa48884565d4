namespace Muster.Containers.Runtime;

/// <summary>Names of system calls on all architectures (syscalls(2)), as the default seccomp profile sorts them.</summary>
internal static class SystemCalls
{
    /// <summary>Known, and refused with EPERM rather than ENOSYS: old, or able to leave the container.</summary>
    public const string Refused =
        "bdflush io_pgetevents kexec_file_load kexec_load migrate_pages move_pages nfsservctl nice oldfstat oldlstat " +
        "oldolduname oldstat olduname pciconfig_iobase pciconfig_read pciconfig_write sgetmask ssetmask swapcontext swapoff " +
        "swapon sysfs uselib userfaultfd ustat vm86 vm86old vmsplice";

    /// <summary>Allowed to every app.</summary>
    public const string Plain =
        // Files and folders.
        "access arm_fadvise64_64 arm_sync_file_range chdir chmod chown chown32 creat epoll_create epoll_create1 faccessat " +
        "faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchown fchown32 fchownat fdatasync " +
        "fgetxattr flistxattr flock fremovexattr fsconfig fsetxattr fsmount fsopen fspick fstat fstat64 fstatat64 fstatfs " +
        "fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getxattr inotify_add_watch inotify_init inotify_init1 " +
        "inotify_rm_watch landlock_create_ruleset lchown lchown32 lgetxattr link linkat listxattr llistxattr lremovexattr " +
        "lsetxattr lstat lstat64 memfd_create mkdir mkdirat mknod mknodat mount mount_setattr move_mount mq_open mq_unlink " +
        "msync name_to_handle_at newfstatat open open_tree openat openat2 pidfd_open pivot_root readdir readlink readlinkat " +
        "removexattr rename renameat renameat2 rmdir setxattr stat stat64 statfs statfs64 statx symlink symlinkat sync " +
        "sync_file_range sync_file_range2 syncfs timer_create timerfd_create truncate truncate64 umask umount umount2 unlink " +
        "unlinkat utime utimensat utimensat_time64 utimes " +
        // Reading and writing.
        "_llseek _newselect close close_range copy_file_range dup dup2 dup3 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 " +
        "epoll_wait epoll_wait_old eventfd eventfd2 fcntl fcntl64 get_thread_area io_cancel io_destroy io_getevents io_setup " +
        "io_submit ioctl ioprio_get ioprio_set lseek pipe pipe2 poll ppoll ppoll_time64 pread64 preadv preadv2 process_vm_readv " +
        "process_vm_writev pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readv s390_pci_mmio_read " +
        "s390_pci_mmio_write select sendfile sendfile64 set_thread_area signalfd signalfd4 splice tee timerfd timerfd_gettime " +
        "timerfd_gettime64 timerfd_settime timerfd_settime64 write writev " +
        // Sockets.
        "accept accept4 bind connect getpeername getsockname getsockopt listen mbind mq_timedsend mq_timedsend_time64 " +
        "pidfd_send_signal recv recvfrom recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown " +
        "socketcall socketpair " +
        // Memory.
        "brk get_mempolicy madvise membarrier memfd_secret mincore mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect " +
        "mq_getsetattr mq_notify mq_timedreceive mq_timedreceive_time64 mremap msgctl msgget msgrcv msgsnd munlock munlockall " +
        "munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages set_mempolicy " +
        // Time.
        "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 " +
        "clock_nanosleep clock_nanosleep_time64 futex_time64 getitimer gettimeofday nanosleep rt_sigtimedwait " +
        "rt_sigtimedwait_time64 s390_runtime_instr sched_rr_get_interval_time64 semtimedop semtimedop_time64 setitimer time " +
        "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 times " +
        // Processes, users and signals.
        "arch_prctl breakpoint cacheflush capget capset clone clone3 execve execveat exit exit_group fork futex get_robust_list " +
        "getcpu getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid getpgrp " +
        "getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid " +
        "getuid getuid32 ipc keyctl kill landlock_add_rule landlock_restrict_self pause pidfd_getfd prctl prlimit64 " +
        "process_mrelease ptrace reboot restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo " +
        "rt_sigreturn rt_sigsuspend rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity " +
        "sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam " +
        "sched_setscheduler sched_yield seccomp semctl semget semop set_robust_list set_tid_address set_tls setfsgid setfsgid32 " +
        "setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setns setpgid setpriority setregid setregid32 setresgid " +
        "setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32 shmat shmctl shmdt shmget " +
        "sigaction sigaltstack signal sigpending sigprocmask sigreturn sigsuspend syscall sysinfo syslog tgkill tkill " +
        "ugetrlimit uname unshare vfork wait4 waitid waitpid";
}
