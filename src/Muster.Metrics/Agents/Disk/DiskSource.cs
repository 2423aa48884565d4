using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Disk;

/// <summary>/proc/diskstats (Documentation/admin-guide/iostats.rst): each disk, each partition, and all disks together.</summary>
internal sealed class DiskSource(InstanceDomainId disks, InstanceDomainId partitions)
    : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, [.. Columns, "ndisk"]), new SheetShape(disks, Columns), new SheetShape(partitions, Columns))
{
    private static readonly string[] Columns =
    [
        "read", "read_merge", "blkread", "read_rawactive", "write", "write_merge", "blkwrite", "write_rawactive", "inflight", "avactive", "aveq",
        "discard", "discard_merge", "blkdiscard", "discard_rawactive", "flush", "flush_rawactive",
        "total", "blktotal", "total_rawactive", "read_bytes", "write_bytes", "total_bytes", "discard_bytes", "capacity", "scheduler",
    ];

    private const int Fields = 17;
    private const int Total = 17;
    private const int Capacity = 24;
    private const int Scheduler = 25;

    private readonly KernelFile _file = new("/proc/diskstats");
    private readonly DeviceKinds _kinds = new();
    private readonly InstanceNames _disks = new();
    private readonly InstanceNames _partitions = new();

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        if (text.Error != 0)
        {
            foreach (var sheet in sheets)
            {
                sheet.Fail(text.Error);
            }

            return;
        }

        Parse(text.Bytes, sheets, _kinds.Find, _disks, _partitions);
        for (var i = 1; i < 3; i++)
        {
            for (var row = 0; row < sheets[i].Rows; row++)
            {
                AddAttributes(sheets[i], row, i == 2);
            }
        }
    }

    /// <inheritdoc/>
    public override bool Supports(Sheet probe, int column) => probe.Error == 0 && (probe.Rows == 0 || base.Supports(probe, column));

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 ? [new("device_type", "block"), new("indom_name", domain == disks ? "per disk" : "per partition")] : [];

    internal static void Parse(ReadOnlySpan<byte> text, ReadOnlySpan<Sheet> sheets, DeviceKindOf kindOf, InstanceNames disks, InstanceNames partitions)
    {
        var all = sheets[0].AddRow(-1);
        for (var column = 0; column < Capacity; column++)
        {
            sheets[0].Set(all, column, 0L);
        }

        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (!fields.TryNumber(out var major) || !fields.TryNumber(out _) || !fields.TryNext(out var name))
            {
                continue;
            }

            var kind = kindOf(name, major);
            if (kind == DeviceKind.Other)
            {
                continue;
            }

            var sheet = sheets[kind == DeviceKind.Disk ? 1 : 2];
            var instance = (kind == DeviceKind.Disk ? disks : partitions).Find(name);
            var row = sheet.AddRow(instance.Id, instance.Name);
            for (var column = 0; column < Fields && fields.TryNumber(out var value); column++)
            {
                sheet.Set(row, column, value);
            }

            Complete(sheet, row);
            for (var column = 0; kind == DeviceKind.Disk && column < Capacity; column++)
            {
                sheets[0].Add(all, column, sheet.Number(row, column));
            }
        }

        sheets[0].Set(all, Columns.Length, sheets[1].Rows);
    }

    private static void Complete(Sheet sheet, int row)
    {
        sheet.Set(row, Total, sheet.Number(row, 0) + sheet.Number(row, 4));
        sheet.Set(row, Total + 1, sheet.Number(row, 2) + sheet.Number(row, 6));
        sheet.Set(row, Total + 2, sheet.Number(row, 3) + sheet.Number(row, 7));
        sheet.Set(row, Total + 3, sheet.Number(row, 2) / 2);
        sheet.Set(row, Total + 4, sheet.Number(row, 6) / 2);
        sheet.Set(row, Total + 5, sheet.Number(row, Total + 1) / 2);
        sheet.Set(row, Total + 6, sheet.Number(row, 13) / 2);
    }

    private static void AddAttributes(Sheet sheet, int row, bool isPartition)
    {
        var name = sheet.Name(row)!;
        if (sheet.Wants(Capacity))
        {
            using var size = KernelText.ReadFile($"/sys/class/block/{name}/size");
            if (new TextFields(size.Bytes.TrimEnd((byte)'\n')).TryNumber(out var sectors))
            {
                sheet.Set(row, Capacity, sectors / 2);
            }
        }

        if (!isPartition && sheet.Wants(Scheduler))
        {
            using var schedulers = KernelText.ReadFile($"/sys/class/block/{name}/queue/scheduler");
            sheet.Set(row, Scheduler, CurrentScheduler(schedulers.Bytes));
        }
    }

    /// <summary>The one in brackets of <c>none [mq-deadline] kyber</c>.</summary>
    internal static string CurrentScheduler(ReadOnlySpan<byte> text)
    {
        var open = text.IndexOf((byte)'[');
        var close = text.IndexOf((byte)']');
        return open >= 0 && close > open ? Encoding.UTF8.GetString(text[(open + 1)..close]) : "unknown";
    }
}

/// <summary>What a line of diskstats is about.</summary>
internal enum DeviceKind
{
    /// <summary>Loop and RAM devices, optical and floppy drives, mapped and multiple devices, which stand on disks.</summary>
    Other,
    Disk,
    Partition,
}

/// <summary>Tells what a block device is.</summary>
internal delegate DeviceKind DeviceKindOf(ReadOnlySpan<byte> name, long major);

/// <summary>What block devices are, asked of /sys once for each name.</summary>
internal sealed class DeviceKinds
{
    // Documentation/admin-guide/devices.txt
    private const int Ram = 1;
    private const int Floppy = 2;
    private const int Loop = 7;
    private const int MultipleDevices = 9;
    private const int Optical = 11;

    private readonly Lock _gate = new();
    private readonly Dictionary<byte[], DeviceKind> _kinds = new(ByteNames.Comparer);

    public DeviceKind Find(ReadOnlySpan<byte> name, long major)
    {
        if (major is Ram or Floppy or Loop or MultipleDevices or Optical || name.StartsWith("dm-"u8) || name.StartsWith("zram"u8))
        {
            return DeviceKind.Other;
        }

        lock (_gate)
        {
            var lookup = _kinds.GetAlternateLookup<ReadOnlySpan<byte>>();
            if (!lookup.TryGetValue(name, out var kind))
            {
                // Names of devices that went away are forgotten all at once; a machine has far fewer disks.
                if (_kinds.Count >= InstanceNames.MaxNames)
                {
                    _kinds.Clear();
                }

                kind = File.Exists($"/sys/class/block/{Encoding.UTF8.GetString(name)}/partition") ? DeviceKind.Partition : DeviceKind.Disk;
                lookup[name] = kind;
            }

            return kind;
        }
    }
}
