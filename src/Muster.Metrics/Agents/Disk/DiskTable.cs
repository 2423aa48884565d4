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
}
