namespace Muster.Metrics.Tests.Agents;

/// <summary>
/// A folder with the files of /proc, /sys and /dev that tell of disks: LVM and encryption on a SCSI disk, a disk on two paths,
/// a disk whose identification has blanks, an NVMe disk, an array that lost a disk and one with a name, and two of zram, one with a backing device.
/// </summary>
internal sealed class DeviceFiles : IDisposable
{
    private static readonly (string Device, string Numbers, string File, string Text)[] Devices =
    [
        ("   8       0 sda", "347 4 18726 32 408 299 283102 237 0 152 332 1 2 3 4 61 62", "device/wwid", "naa.5000c500a1b2c3d4"),
        ("   8       1 sda1", "300 4 18000 30 400 299 283102 237 0 152 332 1 2 3 4 0 0", "partition", "1"),
        ("   8      16 sdb", "447 4 28726 42 508 399 383102 337 1 252 432 0 0 0 0 71 72", "device/wwid", "naa.6005076801"),
        ("   8      32 sdc", "47 4 8726 12 58 39 38302 33 1 25 43 0 0 0 0 7 7", "device/wwid", "naa.6005076801"),
        ("   8      48 sdd", "48 4 8726 12 58 39 38302 33 1 25 43 0 0 0 0 7 7", "device/wwid", "t10.ATA     QEMU HARDDISK    QM00001"),
        (" 252       0 dm-0", "100 1 800 10 200 2 1600 20 3 30 40 5 6 7 8 9 10", "dm/name", "vg-root"),
        (" 252       1 dm-1", "1000 1 8000 10 2000 2 16000 20 3 30 40 5 6 7 8 9 10", "dm/name", "crypt_home"),
        ("   9       0 md0", "10 1 80 2 20 3 160 4 5 6 7 8 9 10 11 12 13", "md/array_state", "clean"),
        ("   9     127 md127", "11 0 88 0 21 0 168 0 0 0 0 0 0 0 0 0 0", "md/array_state", "active"),
        (" 251       0 zram0", "4 1 8192 4 8 2 16384 24 3 28 29 5 6 7 8 9 10", "mm_stat", " 8388608  6052360  6942720        5000000  6942721        11       12       37       38"),
        (" 251       1 zram1", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", "mm_stat", "0 0 0 0 0 0 0 0 0"),
        (" 259       0 nvme0n1", "17 0 88 0 21 0 168 0 0 0 0 0 0 0 0 0 0", "wwid", "eui.0025385b"),
    ];

    public DeviceFiles()
    {
        Write("proc/diskstats", string.Join('\n', Devices.Select(d => $"{d.Device} {d.Numbers}")));
        Directory.CreateDirectory(Path.Combine(Folder, "sys/class"));
        foreach (var (device, _, file, text) in Devices)
        {
            var name = device.Split(' ')[^1];
            Write($"sys/block/{name}/{file}", text);
            Write($"sys/block/{name}/size", "204800");
            Write($"sys/block/{name}/queue/scheduler", "none [mq-deadline] kyber");
        }

        Write("sys/block/zram0/io_stat", "       1        2 3        4");
        Write("sys/block/zram0/bd_stat", "       5        6        7");
        Write("sys/block/zram1/io_stat", "       0        0 0        0");
        Write("sys/block/md0/md/degraded", "1");
        Write("sys/block/md127/md/degraded", "0");
        Directory.CreateSymbolicLink(Path.Combine(Folder, "sys/class/block"), "../block");
        Directory.CreateDirectory(Path.Combine(Folder, "dev/md"));
        File.CreateSymbolicLink(Path.Combine(Folder, "dev/md/backup"), "../md127");
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("muster-devices-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private void Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text + "\n");
    }
}
