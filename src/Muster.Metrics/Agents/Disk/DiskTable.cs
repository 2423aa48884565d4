namespace Muster.Metrics.Agents.Disk;

/// <summary>The metrics of disks and partitions. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class DiskTable
{
    public const string Lines = """
        disk.all.avactive                 0.44  -  u64    counter  ms    avactive          | Time with requests under way, of all disks
        disk.all.aveq                     0.45  -  u64    counter  ms    aveq              | Time of all requests under way, added up, of all disks
        disk.all.blkdiscard               0.97  -  u64    counter  count blkdiscard        | Blocks of 512 bytes discarded, of all disks
        disk.all.blkread                  0.26  -  u64    counter  count blkread           | Blocks of 512 bytes read, of all disks
        disk.all.blktotal                 0.37  -  u64    counter  count blktotal          | Blocks of 512 bytes read and written, of all disks
        disk.all.blkwrite                 0.27  -  u64    counter  count blkwrite          | Blocks of 512 bytes written, of all disks
        disk.all.discard                  0.96  -  u64    counter  count discard           | Discards done, of all disks
        disk.all.discard_bytes            0.98  -  u64    counter  KiB   discard_bytes     | Data discarded, of all disks
        disk.all.discard_merge            0.99  -  u64    counter  count discard_merge     | Discards merged with others, of all disks
        disk.all.discard_rawactive        0.100 -  u32    counter  ms    discard_rawactive | Time of all discards, added up, of all disks
        disk.all.flush                    0.101 -  u64    counter  count flush             | Flushes done, of all disks
        disk.all.flush_rawactive          0.102 -  u32    counter  ms    flush_rawactive   | Time of all flushes, added up, of all disks
        disk.all.inflight                 0.104 -  u64    instant  none  inflight          | Requests under way now, of all disks
        disk.all.read                     0.24  -  u64    counter  count read              | Reads done, of all disks
        disk.all.read_bytes               0.41  -  u64    counter  KiB   read_bytes        | Data read, of all disks
        disk.all.read_merge               0.51  -  u64    counter  count read_merge        | Reads merged with others before they were done, of all disks
        disk.all.read_rawactive           0.74  -  u64    counter  ms    read_rawactive    | Time of all reads, added up, of all disks
        disk.all.total                    0.29  -  u64    counter  count total             | Reads and writes done, of all disks
        disk.all.total_bytes              0.43  -  u64    counter  KiB   total_bytes       | Data read and written, of all disks
        disk.all.total_rawactive          0.80  -  u64    counter  ms    total_rawactive   | Time of all reads and writes, added up, of all disks
        disk.all.write                    0.25  -  u64    counter  count write             | Writes done, of all disks
        disk.all.write_bytes              0.42  -  u64    counter  KiB   write_bytes       | Data written, of all disks
        disk.all.write_merge              0.52  -  u64    counter  count write_merge       | Writes merged with others before they were done, of all disks
        disk.all.write_rawactive          0.75  -  u64    counter  ms    write_rawactive   | Time of all writes, added up, of all disks
        disk.dev.avactive                 0.46  1  u32    counter  ms    avactive          | Time with requests under way, of the disk
        disk.dev.aveq                     0.47  1  u32    counter  ms    aveq              | Time of all requests under way, added up, of the disk
        disk.dev.blkdiscard               0.89  1  u64    counter  count blkdiscard        | Blocks of 512 bytes discarded, of the disk
        disk.dev.blkread                  0.6   1  u64    counter  count blkread           | Blocks of 512 bytes read, of the disk
        disk.dev.blktotal                 0.36  1  u64    counter  count blktotal          | Blocks of 512 bytes read and written, of the disk
        disk.dev.blkwrite                 0.7   1  u64    counter  count blkwrite          | Blocks of 512 bytes written, of the disk
        disk.dev.capacity                 0.87  1  u64    discrete KiB   capacity          | Size of the disk
        disk.dev.discard                  0.88  1  u64    counter  count discard           | Discards done, of the disk
        disk.dev.discard_bytes            0.90  1  u64    counter  KiB   discard_bytes     | Data discarded, of the disk
        disk.dev.discard_merge            0.91  1  u64    counter  count discard_merge     | Discards merged with others, of the disk
        disk.dev.discard_rawactive        0.92  1  u32    counter  ms    discard_rawactive | Time of all discards, added up, of the disk
        disk.dev.flush                    0.93  1  u64    counter  count flush             | Flushes done, of the disk
        disk.dev.flush_rawactive          0.94  1  u32    counter  ms    flush_rawactive   | Time of all flushes, added up, of the disk
        disk.dev.inflight                 0.95  1  u32    instant  none  inflight          | Requests under way now, of the disk
        disk.dev.read                     0.4   1  u64    counter  count read              | Reads done, of the disk
        disk.dev.read_bytes               0.38  1  u64    counter  KiB   read_bytes        | Data read, of the disk
        disk.dev.read_merge               0.49  1  u64    counter  count read_merge        | Reads merged with others before they were done, of the disk
        disk.dev.read_rawactive           0.72  1  u32    counter  ms    read_rawactive    | Time of all reads, added up, of the disk
        disk.dev.scheduler                0.59  1  string discrete none  scheduler         | Scheduler of requests of the disk
        disk.dev.total                    0.28  1  u64    counter  count total             | Reads and writes done, of the disk
        disk.dev.total_bytes              0.40  1  u64    counter  KiB   total_bytes       | Data read and written, of the disk
        disk.dev.total_rawactive          0.79  1  u32    counter  ms    total_rawactive   | Time of all reads and writes, added up, of the disk
        disk.dev.write                    0.5   1  u64    counter  count write             | Writes done, of the disk
        disk.dev.write_bytes              0.39  1  u64    counter  KiB   write_bytes       | Data written, of the disk
        disk.dev.write_merge              0.50  1  u64    counter  count write_merge       | Writes merged with others before they were done, of the disk
        disk.dev.write_rawactive          0.73  1  u32    counter  ms    write_rawactive   | Time of all writes, added up, of the disk
        disk.partitions.avactive          10.11 10 u32    counter  ms    avactive          | Time with requests under way, of the partition
        disk.partitions.aveq              10.12 10 u32    counter  ms    aveq              | Time of all requests under way, added up, of the partition
        disk.partitions.blkdiscard        10.18 10 u64    counter  count blkdiscard        | Blocks of 512 bytes discarded, of the partition
        disk.partitions.blkread           10.3  10 u64    counter  count blkread           | Blocks of 512 bytes read, of the partition
        disk.partitions.blktotal          10.5  10 u64    counter  count blktotal          | Blocks of 512 bytes read and written, of the partition
        disk.partitions.blkwrite          10.4  10 u64    counter  count blkwrite          | Blocks of 512 bytes written, of the partition
        disk.partitions.capacity          10.16 10 u64    discrete KiB   capacity          | Size of the partition
        disk.partitions.discard           10.17 10 u64    counter  count discard           | Discards done, of the partition
        disk.partitions.discard_bytes     10.19 10 u64    counter  KiB   discard_bytes     | Data discarded, of the partition
        disk.partitions.discard_merge     10.20 10 u64    counter  count discard_merge     | Discards merged with others, of the partition
        disk.partitions.discard_rawactive 10.21 10 u32    counter  ms    discard_rawactive | Time of all discards, added up, of the partition
        disk.partitions.flush             10.22 10 u64    counter  count flush             | Flushes done, of the partition
        disk.partitions.flush_rawactive   10.23 10 u32    counter  ms    flush_rawactive   | Time of all flushes, added up, of the partition
        disk.partitions.inflight          10.24 10 u32    instant  none  inflight          | Requests under way now, of the partition
        disk.partitions.read              10.0  10 u64    counter  count read              | Reads done, of the partition
        disk.partitions.read_bytes        10.6  10 u64    counter  KiB   read_bytes        | Data read, of the partition
        disk.partitions.read_merge        10.9  10 u64    counter  count read_merge        | Reads merged with others before they were done, of the partition
        disk.partitions.read_rawactive    10.13 10 u32    counter  ms    read_rawactive    | Time of all reads, added up, of the partition
        disk.partitions.total             10.2  10 u64    counter  count total             | Reads and writes done, of the partition
        disk.partitions.total_bytes       10.8  10 u64    counter  KiB   total_bytes       | Data read and written, of the partition
        disk.partitions.total_rawactive   10.15 10 u32    counter  ms    total_rawactive   | Time of all reads and writes, added up, of the partition
        disk.partitions.write             10.1  10 u64    counter  count write             | Writes done, of the partition
        disk.partitions.write_bytes       10.7  10 u64    counter  KiB   write_bytes       | Data written, of the partition
        disk.partitions.write_merge       10.10 10 u64    counter  count write_merge       | Writes merged with others before they were done, of the partition
        disk.partitions.write_rawactive   10.14 10 u32    counter  ms    write_rawactive   | Time of all writes, added up, of the partition
        hinv.ndisk                        0.33  -  u32    discrete none  ndisk             | Disks, without loop and RAM disks
        """;

    public const string Mapped = """
        disk.dm.avactive          54.11 24 u32    counter  ms    avactive          | Time with requests under way, of the mapped device
        disk.dm.aveq              54.12 24 u32    counter  ms    aveq              | Time of all requests under way, added up, of the mapped device
        disk.dm.blkdiscard        54.19 24 u64    counter  count blkdiscard        | Blocks of 512 bytes discarded, of the mapped device
        disk.dm.blkread           54.3  24 u64    counter  count blkread           | Blocks of 512 bytes read, of the mapped device
        disk.dm.blktotal          54.5  24 u64    counter  count blktotal          | Blocks of 512 bytes read and written, of the mapped device
        disk.dm.blkwrite          54.4  24 u64    counter  count blkwrite          | Blocks of 512 bytes written, of the mapped device
        disk.dm.capacity          54.17 24 u64    discrete KiB   capacity          | Size of the mapped device
        disk.dm.discard           54.18 24 u64    counter  count discard           | Discards done, of the mapped device
        disk.dm.discard_bytes     54.20 24 u64    counter  KiB   discard_bytes     | Data discarded, of the mapped device
        disk.dm.discard_merge     54.21 24 u64    counter  count discard_merge     | Discards merged with others, of the mapped device
        disk.dm.discard_rawactive 54.22 24 u32    counter  ms    discard_rawactive | Time of all discards, added up, of the mapped device
        disk.dm.flush             54.23 24 u64    counter  count flush             | Flushes done, of the mapped device
        disk.dm.flush_rawactive   54.24 24 u32    counter  ms    flush_rawactive   | Time of all flushes, added up, of the mapped device
        disk.dm.inflight          54.25 24 u32    instant  none  inflight          | Requests under way now, of the mapped device
        disk.dm.read              54.0  24 u64    counter  count read              | Reads done, of the mapped device
        disk.dm.read_bytes        54.6  24 u32    counter  KiB   read_bytes        | Data read, of the mapped device
        disk.dm.read_merge        54.9  24 u64    counter  count read_merge        | Reads merged with others before they were done, of the mapped device
        disk.dm.read_rawactive    54.14 24 u32    counter  ms    read_rawactive    | Time of all reads, added up, of the mapped device
        disk.dm.total             54.2  24 u64    counter  count total             | Reads and writes done, of the mapped device
        disk.dm.total_bytes       54.8  24 u32    counter  KiB   total_bytes       | Data read and written, of the mapped device
        disk.dm.total_rawactive   54.16 24 u32    counter  ms    total_rawactive   | Time of all reads and writes, added up, of the mapped device
        disk.dm.write             54.1  24 u64    counter  count write             | Writes done, of the mapped device
        disk.dm.write_bytes       54.7  24 u32    counter  KiB   write_bytes       | Data written, of the mapped device
        disk.dm.write_merge       54.10 24 u64    counter  count write_merge       | Writes merged with others before they were done, of the mapped device
        disk.dm.write_rawactive   54.15 24 u32    counter  ms    write_rawactive   | Time of all writes, added up, of the mapped device
        hinv.map.dmname           54.13 24 string discrete none  name              | The kernel's name of the mapped device
        """;

    public const string Multiple = """
        disk.md.avactive          59.11 25 u32    counter  ms    avactive          | Time with requests under way, of the array
        disk.md.aveq              59.12 25 u32    counter  ms    aveq              | Time of all requests under way, added up, of the array
        disk.md.blkdiscard        59.19 25 u64    counter  count blkdiscard        | Blocks of 512 bytes discarded, of the array
        disk.md.blkread           59.3  25 u64    counter  count blkread           | Blocks of 512 bytes read, of the array
        disk.md.blktotal          59.5  25 u64    counter  count blktotal          | Blocks of 512 bytes read and written, of the array
        disk.md.blkwrite          59.4  25 u64    counter  count blkwrite          | Blocks of 512 bytes written, of the array
        disk.md.capacity          59.17 25 u64    discrete KiB   capacity          | Size of the array
        disk.md.discard           59.18 25 u64    counter  count discard           | Discards done, of the array
        disk.md.discard_bytes     59.20 25 u64    counter  KiB   discard_bytes     | Data discarded, of the array
        disk.md.discard_merge     59.21 25 u64    counter  count discard_merge     | Discards merged with others, of the array
        disk.md.discard_rawactive 59.22 25 u32    counter  ms    discard_rawactive | Time of all discards, added up, of the array
        disk.md.flush             59.23 25 u64    counter  count flush             | Flushes done, of the array
        disk.md.flush_rawactive   59.24 25 u32    counter  ms    flush_rawactive   | Time of all flushes, added up, of the array
        disk.md.inflight          59.25 25 u32    instant  none  inflight          | Requests under way now, of the array
        disk.md.read              59.0  25 u64    counter  count read              | Reads done, of the array
        disk.md.read_bytes        59.6  25 u32    counter  KiB   read_bytes        | Data read, of the array
        disk.md.read_merge        59.9  25 u64    counter  count read_merge        | Reads merged with others before they were done, of the array
        disk.md.read_rawactive    59.14 25 u32    counter  ms    read_rawactive    | Time of all reads, added up, of the array
        disk.md.status            60.0  25 i32    instant  none  status            | State of the array as mdadm --detail --test exits: 0 well, 1 degraded, 2 not usable, 4 unknown
        disk.md.total             59.2  25 u64    counter  count total             | Reads and writes done, of the array
        disk.md.total_bytes       59.8  25 u32    counter  KiB   total_bytes       | Data read and written, of the array
        disk.md.total_rawactive   59.16 25 u32    counter  ms    total_rawactive   | Time of all reads and writes, added up, of the array
        disk.md.write             59.1  25 u64    counter  count write             | Writes done, of the array
        disk.md.write_bytes       59.7  25 u32    counter  KiB   write_bytes       | Data written, of the array
        disk.md.write_merge       59.10 25 u64    counter  count write_merge       | Writes merged with others before they were done, of the array
        disk.md.write_rawactive   59.15 25 u32    counter  ms    write_rawactive   | Time of all writes, added up, of the array
        hinv.map.mdname           59.13 25 string discrete none  name              | The kernel's name of the array
        """;

    public const string WorldWide = """
        disk.wwid.avactive          92.46 42 u32    counter  ms    avactive          | Time with requests under way, of the disk on all its paths
        disk.wwid.aveq              92.47 42 u32    counter  ms    aveq              | Time of all requests under way, added up, of the disk on all its paths
        disk.wwid.blkdiscard        92.89 42 u64    counter  count blkdiscard        | Blocks of 512 bytes discarded, of the disk on all its paths
        disk.wwid.blkread           92.6  42 u64    counter  count blkread           | Blocks of 512 bytes read, of the disk on all its paths
        disk.wwid.blktotal          92.36 42 u64    counter  count blktotal          | Blocks of 512 bytes read and written, of the disk on all its paths
        disk.wwid.blkwrite          92.7  42 u64    counter  count blkwrite          | Blocks of 512 bytes written, of the disk on all its paths
        disk.wwid.capacity          92.87 42 u64    discrete KiB   capacity          | Size of the disk
        disk.wwid.discard           92.88 42 u64    counter  count discard           | Discards done, of the disk on all its paths
        disk.wwid.discard_bytes     92.90 42 u64    counter  KiB   discard_bytes     | Data discarded, of the disk on all its paths
        disk.wwid.discard_merge     92.91 42 u64    counter  count discard_merge     | Discards merged with others, of the disk on all its paths
        disk.wwid.discard_rawactive 92.92 42 u32    counter  ms    discard_rawactive | Time of all discards, added up, of the disk on all its paths
        disk.wwid.flush             92.93 42 u64    counter  count flush             | Flushes done, of the disk on all its paths
        disk.wwid.flush_rawactive   92.94 42 u32    counter  ms    flush_rawactive   | Time of all flushes, added up, of the disk on all its paths
        disk.wwid.inflight          92.95 42 u64    instant  none  inflight          | Requests under way now, of the disk on all its paths
        disk.wwid.read              92.4  42 u64    counter  count read              | Reads done, of the disk on all its paths
        disk.wwid.read_bytes        92.38 42 u64    counter  KiB   read_bytes        | Data read, of the disk on all its paths
        disk.wwid.read_merge        92.49 42 u64    counter  count read_merge        | Reads merged with others before they were done, of the disk on all its paths
        disk.wwid.read_rawactive    92.72 42 u32    counter  ms    read_rawactive    | Time of all reads, added up, of the disk on all its paths
        disk.wwid.scheduler         92.59 42 string discrete none  scheduler         | Scheduler of requests of the disk
        disk.wwid.scsi_paths        92.3  42 string discrete none  paths             | The disks of the kernel that are paths to this one
        disk.wwid.total             92.28 42 u64    counter  count total             | Reads and writes done, of the disk on all its paths
        disk.wwid.total_bytes       92.40 42 u64    counter  KiB   total_bytes       | Data read and written, of the disk on all its paths
        disk.wwid.total_rawactive   92.79 42 u32    counter  ms    total_rawactive   | Time of all reads and writes, added up, of the disk on all its paths
        disk.wwid.write             92.5  42 u64    counter  count write             | Writes done, of the disk on all its paths
        disk.wwid.write_bytes       92.39 42 u64    counter  KiB   write_bytes       | Data written, of the disk on all its paths
        disk.wwid.write_merge       92.50 42 u64    counter  count write_merge       | Writes merged with others before they were done, of the disk on all its paths
        disk.wwid.write_rawactive   92.73 42 u32    counter  ms    write_rawactive   | Time of all writes, added up, of the disk on all its paths
        hinv.map.scsi_id            0.103 1  string discrete none  wwid              | Worldwide identification of the disk
        """;

    public const string Compressed = """
        zram.avactive                     86.11 38 u32 counter  ms    avactive          | Time with requests under way, of the zram device
        zram.aveq                         86.12 38 u32 counter  ms    aveq              | Time of all requests under way, added up, of the zram device
        zram.bd_stat.count                89.0  38 u64 counter  KiB   bd_count          | Data that is on the backing device, of the zram device
        zram.bd_stat.reads                89.1  38 u64 counter  KiB   bd_reads          | Data read from the backing device, of the zram device
        zram.bd_stat.writes               89.2  38 u64 counter  KiB   bd_writes         | Data written to the backing device, of the zram device
        zram.blkdiscard                   86.18 38 u64 counter  count blkdiscard        | Blocks of 512 bytes discarded, of the zram device
        zram.blkread                      86.3  38 u64 counter  count blkread           | Blocks of 512 bytes read, of the zram device
        zram.blktotal                     86.5  38 u64 counter  count blktotal          | Blocks of 512 bytes read and written, of the zram device
        zram.blkwrite                     86.4  38 u64 counter  count blkwrite          | Blocks of 512 bytes written, of the zram device
        zram.capacity                     86.16 38 u64 discrete KiB   capacity          | Size of the zram device, before compression
        zram.discard                      86.17 38 u64 counter  count discard           | Discards done, of the zram device
        zram.discard_bytes                86.19 38 u64 counter  KiB   discard_bytes     | Data discarded, of the zram device
        zram.discard_merge                86.20 38 u64 counter  count discard_merge     | Discards merged with others, of the zram device
        zram.discard_rawactive            86.21 38 u32 counter  ms    discard_rawactive | Time of all discards, added up, of the zram device
        zram.flush                        86.22 38 u64 counter  count flush             | Flushes done, of the zram device
        zram.flush_rawactive              86.23 38 u32 counter  ms    flush_rawactive   | Time of all flushes, added up, of the zram device
        zram.inflight                     86.24 38 u32 instant  none  inflight          | Requests under way now, of the zram device
        zram.io_stat.failed.reads         87.0  38 u64 counter  count failed_reads      | Reads that failed, of the zram device
        zram.io_stat.failed.writes        87.1  38 u64 counter  count failed_writes     | Writes that failed, of the zram device
        zram.io_stat.invalid              87.2  38 u64 counter  count invalid_io        | Requests that were not of whole pages, of the zram device
        zram.io_stat.notify_free          87.3  38 u64 counter  count notify_free       | Pages that were freed, of the zram device
        zram.mm_stat.data_size.compressed 88.1  38 u64 instant  KiB   compr_data_size   | Size of the compressed data, of the zram device
        zram.mm_stat.data_size.original   88.0  38 u64 instant  KiB   orig_data_size    | Size of the data before it was compressed, of the zram device
        zram.mm_stat.mem.limit            88.3  38 u64 instant  KiB   mem_limit         | Memory that the zram device may use for compressed data; 0 without a limit
        zram.mm_stat.mem.max_used         88.4  38 u64 instant  KiB   mem_used_max      | Memory that the zram device has used at most
        zram.mm_stat.mem.used_total       88.2  38 u64 instant  KiB   mem_used_total    | Memory that the zram device uses, what it loses in gaps and its own accounts too
        zram.mm_stat.pages.compacted      88.6  38 u64 counter  KiB   pages_compacted   | Memory that was freed by moving data together, of the zram device
        zram.mm_stat.pages.huge           88.7  38 u64 counter  KiB   huge_pages        | Data that could not be compressed, of the zram device
        zram.mm_stat.pages.same           88.5  38 u64 counter  KiB   same_pages        | Data of pages filled with one value, which take no memory, of the zram device
        zram.read                         86.0  38 u64 counter  count read              | Reads done, of the zram device
        zram.read_bytes                   86.6  38 u64 counter  KiB   read_bytes        | Data read, of the zram device
        zram.read_merge                   86.9  38 u64 counter  count read_merge        | Reads merged with others, of the zram device
        zram.read_rawactive               86.13 38 u32 counter  ms    read_rawactive    | Time of all reads, added up, of the zram device
        zram.total                        86.2  38 u64 counter  count total             | Reads and writes done, of the zram device
        zram.total_bytes                  86.8  38 u64 counter  KiB   total_bytes       | Data read and written, of the zram device
        zram.total_rawactive              86.15 38 u32 counter  ms    total_rawactive   | Time of all reads and writes, added up, of the zram device
        zram.write                        86.1  38 u64 counter  count write             | Writes done, of the zram device
        zram.write_bytes                  86.7  38 u64 counter  KiB   write_bytes       | Data written, of the zram device
        zram.write_merge                  86.10 38 u64 counter  count write_merge       | Writes merged with others, of the zram device
        zram.write_rawactive              86.14 38 u32 counter  ms    write_rawactive   | Time of all writes, added up, of the zram device
        """;
}
