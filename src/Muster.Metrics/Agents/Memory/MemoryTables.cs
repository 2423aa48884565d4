namespace Muster.Metrics.Agents.Memory;

/// <summary>The metrics of memory. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class MemoryTables
{
    public const string MemInfo = """
        mem.physmem                  1.0  - u64 discrete KiB   MemTotal          | Memory that the kernel manages
        mem.freemem                  1.10 - u64 instant  KiB   MemFree           | Memory that nothing uses
        mem.util.used                1.1  - u64 instant  KiB   =                 | Memory in use, caches included: all but what is free
        mem.util.free                1.2  - u64 instant  KiB   MemFree           | Memory that nothing uses
        mem.util.bufmem              1.4  - u64 instant  KiB   Buffers           | Cache of raw block devices
        mem.util.cached              1.5  - u64 instant  KiB   Cached            | Page cache of files, tmpfs included, without what is in swap
        mem.util.other               1.12 - u64 instant  KiB   =                 | Memory in use that is neither free, nor buffers, nor page cache
        mem.util.swapCached          1.13 - u64 instant  KiB   SwapCached        | Memory whose copy in swap is still valid
        mem.util.active              1.14 - u64 instant  KiB   Active            | Pages used lately: kept as long as possible
        mem.util.inactive            1.15 - u64 instant  KiB   Inactive          | Pages not used lately: the first to be reclaimed
        mem.util.active_anon         1.36 - u64 instant  KiB   Active(anon)      | Anonymous pages used lately
        mem.util.inactive_anon       1.37 - u64 instant  KiB   Inactive(anon)    | Anonymous pages not used lately
        mem.util.active_file         1.38 - u64 instant  KiB   Active(file)      | File pages used lately
        mem.util.inactive_file       1.39 - u64 instant  KiB   Inactive(file)    | File pages not used lately
        mem.util.highTotal           1.16 - u64 instant  KiB   HighTotal         | High memory of 32-bit kernels
        mem.util.highFree            1.17 - u64 instant  KiB   HighFree          | Free high memory of 32-bit kernels
        mem.util.lowTotal            1.18 - u64 instant  KiB   LowTotal          | Low memory of 32-bit kernels
        mem.util.lowFree             1.19 - u64 instant  KiB   LowFree           | Free low memory of 32-bit kernels
        mem.util.swapTotal           1.20 - u64 instant  KiB   SwapTotal         | Swap space
        mem.util.swapFree            1.21 - u64 instant  KiB   SwapFree          | Swap space that nothing uses
        mem.util.dirty               1.22 - u64 instant  KiB   Dirty             | Changed pages that wait to be written to disk
        mem.util.writeback           1.23 - u64 instant  KiB   Writeback         | Pages that are being written to disk
        mem.util.mapped              1.24 - u64 instant  KiB   Mapped            | File pages mapped into processes
        mem.util.slab                1.25 - u64 instant  KiB   Slab              | The kernel's own caches of objects
        mem.util.committed_AS        1.26 - u64 instant  KiB   Committed_AS      | Memory that processes were promised
        mem.util.pageTables          1.27 - u64 instant  KiB   PageTables        | Memory of the lowest level of page tables
        mem.util.cache_clean         1.29 - u64 instant  KiB   =                 | Page cache that can be dropped without writing: cached without dirty and writeback
        mem.util.anonpages           1.30 - u64 instant  KiB   AnonPages         | Anonymous pages mapped into processes
        mem.util.commitLimit         1.31 - u64 instant  KiB   CommitLimit       | What may be promised at most under strict overcommit
        mem.util.bounce              1.32 - u64 instant  KiB   Bounce            | Bounce buffers of block devices
        mem.util.NFS_Unstable        1.33 - u64 instant  KiB   =                 | Pages sent to an NFS server that are not yet on its disk
        mem.util.slabReclaimable     1.34 - u64 instant  KiB   SReclaimable      | Kernel caches that can be reclaimed, such as dentries and inodes
        mem.util.slabUnreclaimable   1.35 - u64 instant  KiB   SUnreclaim        | Kernel caches that cannot be reclaimed
        mem.util.unevictable         1.40 - u64 instant  KiB   Unevictable       | Pages that are never reclaimed
        mem.util.mlocked             1.41 - u64 instant  KiB   Mlocked           | Pages locked by mlock(2)
        mem.util.shmem               1.42 - u64 instant  KiB   Shmem             | tmpfs and shared memory
        mem.util.kernelStack         1.43 - u64 instant  KiB   KernelStack       | Kernel stacks of tasks
        mem.util.hugepagesTotal      1.44 - u64 instant  count HugePages_Total   | Huge pages in the pool
        mem.util.hugepagesFree       1.45 - u64 instant  count HugePages_Free    | Huge pages in the pool that nothing uses
        mem.util.hugepagesRsvd       1.46 - u64 instant  count HugePages_Rsvd    | Huge pages promised but not yet allocated
        mem.util.hugepagesSurp       1.47 - u64 instant  count HugePages_Surp    | Huge pages above the size of the pool
        mem.util.hugepagesTotalBytes 1.60 - u64 instant  B     =                 | Bytes in the pool of huge pages
        mem.util.hugepagesFreeBytes  1.61 - u64 instant  B     =                 | Bytes of huge pages that nothing uses
        mem.util.hugepagesRsvdBytes  1.62 - u64 instant  B     =                 | Bytes of huge pages promised but not yet allocated
        mem.util.hugepagesSurpBytes  1.63 - u64 instant  B     =                 | Bytes of huge pages above the size of the pool
        mem.util.directMap4k         1.48 - u64 instant  KiB   DirectMap4k       | Kernel memory mapped by 4 KiB pages
        mem.util.directMap2M         1.49 - u64 instant  KiB   DirectMap2M       | Kernel memory mapped by 2 MiB pages
        mem.util.directMap1G         1.57 - u64 instant  KiB   DirectMap1G       | Kernel memory mapped by 1 GiB pages
        mem.util.vmallocTotal        1.50 - u64 instant  KiB   VmallocTotal      | Address space for vmalloc
        mem.util.vmallocUsed         1.51 - u64 instant  KiB   VmallocUsed       | Address space that vmalloc uses
        mem.util.vmallocChunk        1.52 - u64 instant  KiB   VmallocChunk      | Largest free chunk of vmalloc's address space
        mem.util.corrupthardware     1.55 - u64 instant  KiB   HardwareCorrupted | Memory that the hardware reported as broken
        mem.util.anonhugepages       1.56 - u64 instant  KiB   AnonHugePages     | Anonymous huge pages mapped into processes
        mem.util.available           1.58 - u64 instant  KiB   MemAvailable      | What new programs could get without swapping
        swap.length                  1.6  - u64 instant  B     swapLength        | Swap space
        swap.used                    1.7  - u64 instant  B     swapUsed          | Swap space in use
        swap.free                    1.8  - u64 instant  B     swapFreeBytes     | Swap space that nothing uses
        hinv.physmem                 1.9  - u32 discrete MiB   physmemMiB        | Memory that the kernel manages
        hinv.hugepagesize            1.59 - u32 discrete B     hugepageBytes     | Size of a huge page
        """;

    public const string Numa = """
        mem.numa.util.total               36.0  19 u64 instant KiB   MemTotal        | Memory of the node
        mem.numa.util.free                36.1  19 u64 instant KiB   MemFree         | Memory of the node that nothing uses
        mem.numa.util.used                36.2  19 u64 instant KiB   MemUsed         | Memory of the node in use
        mem.numa.util.active              36.3  19 u64 instant KiB   Active          | Pages used lately on the node
        mem.numa.util.inactive            36.4  19 u64 instant KiB   Inactive        | Pages not used lately on the node
        mem.numa.util.active_anon         36.5  19 u64 instant KiB   Active(anon)    | Anonymous pages used lately on the node
        mem.numa.util.inactive_anon       36.6  19 u64 instant KiB   Inactive(anon)  | Anonymous pages not used lately on the node
        mem.numa.util.active_file         36.7  19 u64 instant KiB   Active(file)    | File pages used lately on the node
        mem.numa.util.inactive_file       36.8  19 u64 instant KiB   Inactive(file)  | File pages not used lately on the node
        mem.numa.util.unevictable         36.13 19 u64 instant KiB   Unevictable     | Pages of the node that are never reclaimed
        mem.numa.util.mlocked             36.14 19 u64 instant KiB   Mlocked         | Locked pages of the node
        mem.numa.util.dirty               36.15 19 u64 instant KiB   Dirty           | Changed pages of the node that wait to be written
        mem.numa.util.writeback           36.16 19 u64 instant KiB   Writeback       | Pages of the node that are being written
        mem.numa.util.filePages           36.17 19 u64 instant KiB   FilePages       | Page cache of the node
        mem.numa.util.mapped              36.18 19 u64 instant KiB   Mapped          | Mapped file pages of the node
        mem.numa.util.anonpages           36.19 19 u64 instant KiB   AnonPages       | Mapped anonymous pages of the node
        mem.numa.util.shmem               36.20 19 u64 instant KiB   Shmem           | tmpfs and shared memory of the node
        mem.numa.util.kernelStack         36.21 19 u64 instant KiB   KernelStack     | Kernel stacks of the node
        mem.numa.util.pageTables          36.22 19 u64 instant KiB   PageTables      | Page tables of the node
        mem.numa.util.NFS_Unstable        36.23 19 u64 instant KiB   =               | Pages of the node not yet on an NFS server's disk
        mem.numa.util.bounce              36.24 19 u64 instant KiB   Bounce          | Bounce buffers of the node
        mem.numa.util.writebackTmp        36.25 19 u64 instant KiB   WritebackTmp    | Temporary pages of FUSE writing on the node
        mem.numa.util.slab                36.26 19 u64 instant KiB   Slab            | Kernel caches of the node
        mem.numa.util.slabReclaimable     36.27 19 u64 instant KiB   SReclaimable    | Kernel caches of the node that can be reclaimed
        mem.numa.util.slabUnreclaimable   36.28 19 u64 instant KiB   SUnreclaim      | Kernel caches of the node that cannot be reclaimed
        mem.numa.util.hugepagesTotal      36.29 19 u64 instant count HugePages_Total | Huge pages in the node's pool
        mem.numa.util.hugepagesFree       36.30 19 u64 instant count HugePages_Free  | Huge pages of the node that nothing uses
        mem.numa.util.hugepagesSurp       36.31 19 u64 instant count HugePages_Surp  | Huge pages of the node above its pool
        mem.numa.util.hugepagesTotalBytes 36.39 19 u64 instant B     =               | Bytes in the node's pool of huge pages
        mem.numa.util.hugepagesFreeBytes  36.40 19 u64 instant B     =               | Bytes of the node's huge pages that nothing uses
        mem.numa.util.hugepagesSurpBytes  36.41 19 u64 instant B     =               | Bytes of the node's huge pages above its pool
        mem.numa.alloc.hit                36.32 19 u64 counter count numa_hit        | Pages given on this node as meant
        mem.numa.alloc.miss               36.33 19 u64 counter count numa_miss       | Pages given on this node though another was meant
        mem.numa.alloc.foreign            36.34 19 u64 counter count numa_foreign    | Pages meant for this node but given on another
        mem.numa.alloc.interleave_hit     36.35 19 u64 counter count =               | Interleaved pages given on this node as meant
        mem.numa.alloc.local_node         36.36 19 u64 counter count =               | Pages given on this node to its own CPUs
        mem.numa.alloc.other_node         36.37 19 u64 counter count =               | Pages given on this node to CPUs of others
        hinv.node.online                  55.1  19 u32 instant none  =               | 1 when the node is online
        """;

    public const string Buddy = """
        mem.buddyinfo.pages 67.0 31 u64 instant none pages | Free blocks of an order in a zone
        mem.buddyinfo.total 67.1 31 u64 instant KiB  total | Memory in the free blocks of an order in a zone
        """;

    public const string Slab = """
        mem.slabinfo.objects.active         20.0 12 u64 instant none objects_active | Objects of the cache in use
        mem.slabinfo.objects.total          20.1 12 u64 instant none objects_total  | Objects of the cache
        mem.slabinfo.objects.size           20.2 12 u32 instant B    objects_size   | Size of an object of the cache
        mem.slabinfo.slabs.active           20.3 12 u32 instant none slabs_active   | Slabs of the cache in use
        mem.slabinfo.slabs.total            20.4 12 u32 instant none slabs_total    | Slabs of the cache
        mem.slabinfo.slabs.pages_per_slab   20.5 12 u32 instant none =              | Pages in a slab of the cache
        mem.slabinfo.slabs.objects_per_slab 20.6 12 u32 instant none =              | Objects in a slab of the cache
        mem.slabinfo.slabs.total_size       20.7 12 u64 instant B    =              | Memory of the cache
        """;

    public const string Ksm = """
        mem.ksm.full_scans         69.0 - u64 instant count =               | Times that all mergeable memory was scanned
        mem.ksm.merge_across_nodes 69.1 - u64 instant none  =               | 1 when pages of different nodes may be merged
        mem.ksm.pages_shared       69.2 - u64 instant none  =               | Merged pages
        mem.ksm.pages_sharing      69.3 - u64 instant none  =               | Places that use a merged page: how much is saved
        mem.ksm.pages_to_scan      69.4 - u64 instant none  =               | Pages looked at before each sleep
        mem.ksm.pages_unshared     69.5 - u64 instant count =               | Pages looked at again and again that are unique
        mem.ksm.pages_volatile     69.6 - u64 instant none  =               | Pages that change too fast to be merged
        mem.ksm.run_state          69.7 - u64 instant none  run             | 0 stopped, 1 merging, 2 unmerging
        mem.ksm.sleep_time         69.8 - u64 instant ms    sleep_millisecs | Sleep between two scans
        """;

    public const string Swaps = """
        swapdev.free     6.0 6 u32 instant  KiB  = | Free space of the swap device
        swapdev.length   6.1 6 u32 discrete KiB  = | Size of the swap device
        swapdev.maxswap  6.2 6 u32 discrete KiB  = | Largest size of the swap device
        swapdev.vlength  6.3 6 u32 discrete KiB  = | Size of the swap device as promised
        swapdev.priority 6.4 6 i32 instant  none = | Priority of the swap device: higher ones are used first
        """;
}
