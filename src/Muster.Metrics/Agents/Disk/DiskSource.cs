using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Disk;

/// <summary>The domains of instances of block devices.</summary>
internal sealed record DiskDomains(InstanceDomainId Disks, InstanceDomainId Partitions, InstanceDomainId Mapped, InstanceDomainId Multiple, InstanceDomainId WorldWide, InstanceDomainId Compressed);

/// <summary>
/// /proc/diskstats (Documentation/admin-guide/iostats.rst): each disk, each partition, each device of the device mapper and of
/// md, each device of zram, and all disks together; and the paths to one disk (of one worldwide identification) added up.
/// </summary>
internal sealed class DiskSource : Source
{
    /// <summary>The sheets, one for all disks together and one for each of <see cref="DiskDomains"/>.</summary>
    internal const int Single = 0;

    internal const int Disks = 1;
    internal const int Partitions = 2;
    internal const int Mapped = 3;
    internal const int Multiple = 4;
    internal const int WorldWide = 5;
    internal const int Compressed = 6;

    private static readonly string[] Columns =
    [
        "read", "read_merge", "blkread", "read_rawactive", "write", "write_merge", "blkwrite", "write_rawactive", "inflight", "avactive", "aveq",
        "discard", "discard_merge", "blkdiscard", "discard_rawactive", "flush", "flush_rawactive",
        "total", "blktotal", "total_rawactive", "read_bytes", "write_bytes", "total_bytes", "discard_bytes", "capacity", "scheduler", "name", "wwid", "status", "paths",
    ];

    private const int Fields = 17;
    private const int Total = 17;
    private const int Capacity = 24;
    private const int Scheduler = 25;
    private const int Name = 26;
    private const int Identification = 27;
    private const int Status = 28;
    private const int Paths = 29;

    // What a label says of each sheet's instances.
    private static readonly string[] Each = ["", "per disk", "per partition", "per dm device", "per md device", "", ""];

    private readonly KernelFile _file;
    private readonly DiskDevices _devices;
    private readonly DiskDomains _domains;
    private readonly InstanceNames[] _names = [.. Enumerable.Range(0, Compressed + 1).Select(_ => new InstanceNames())];

    /// <param name="domains">The domains of instances.</param>
    /// <param name="root">The folder that /proc, /sys and /dev are in; empty for the host's own.</param>
    public DiskSource(DiskDomains domains, string root = "")
        : base(
            ContainerScope.Host,
            new SheetShape(InstanceDomainId.None, [.. Columns, "ndisk"]),
            new SheetShape(domains.Disks, Columns),
            new SheetShape(domains.Partitions, Columns),
            new SheetShape(domains.Mapped, Columns),
            new SheetShape(domains.Multiple, Columns),
            new SheetShape(domains.WorldWide, Columns),
            new SheetShape(domains.Compressed, [.. Columns, .. ZramFiles.Columns]))
    {
        _domains = domains;
        _file = new KernelFile(root + "/proc/diskstats");
        _devices = new DiskDevices(root);
    }

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

        Parse(text.Bytes, sheets, _devices, _names);
    }

    /// <inheritdoc/>
    public override bool Supports(Sheet probe, int column) => probe.Error == 0 && (probe.Rows == 0 || column >= Name || base.Supports(probe, column));

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance)
    {
        if (domain == _domains.WorldWide || domain == _domains.Compressed)
        {
            return [];
        }

        var sheet = domain == _domains.Disks ? Disks : domain == _domains.Partitions ? Partitions : domain == _domains.Mapped ? Mapped : Multiple;
        return instance < 0 ? [new("device_type", "block"), new("indom_name", Each[sheet])] : _names[sheet].NameOf(instance) is { } name ? [new("device_name", name)] : [];
    }

    internal static void Parse(ReadOnlySpan<byte> text, ReadOnlySpan<Sheet> sheets, DiskDevices devices, InstanceNames[] names)
    {
        var all = sheets[Single].AddRow(-1);
        for (var column = 0; column < Capacity; column++)
        {
            sheets[Single].Set(all, column, 0L);
        }

        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (!fields.TryNumber(out var major) || !fields.TryNumber(out _) || !fields.TryNext(out var device))
            {
                continue;
            }

            var sheetOf = devices.Kind(device, major) switch
            {
                DeviceKind.Disk => Disks,
                DeviceKind.Partition => Partitions,
                DeviceKind.Mapped when IsAsked(sheets[Mapped]) => Mapped,
                DeviceKind.Multiple when IsAsked(sheets[Multiple]) => Multiple,
                DeviceKind.Compressed when IsAsked(sheets[Compressed]) => Compressed,
                _ => Single,
            };
            if (sheetOf == Single)
            {
                continue;
            }

            var row = AddDevice(fields, device, sheetOf, sheets[sheetOf], devices, names[sheetOf]);
            if (sheetOf == Disks)
            {
                for (var column = 0; column < Capacity; column++)
                {
                    sheets[Single].Add(all, column, sheets[Disks].Number(row, column));
                }

                if (IsAsked(sheets[WorldWide]))
                {
                    AddPath(device, sheets[Disks], row, sheets[WorldWide], devices, names[WorldWide]);
                }
            }
        }

        sheets[Single].Set(all, Columns.Length, sheets[Disks].Rows);
    }

    private static bool IsAsked(Sheet sheet) => sheet.WantsAny || sheet.WantsNames;

    private static int AddDevice(TextFields fields, ReadOnlySpan<byte> device, int kind, Sheet sheet, DiskDevices devices, InstanceNames names)
    {
        // The kernel's name of a mapped or multiple device is only a number: its own name is the instance.
        var instance = kind is Mapped or Multiple ? names.Find(devices.OwnName(Encoding.UTF8.GetString(device), kind == Mapped)) : names.Find(device);
        var row = sheet.AddRow(instance.Id, instance.Name);
        for (var column = 0; column < Fields && fields.TryNumber(out var value); column++)
        {
            sheet.Set(row, column, value);
        }

        Complete(sheet, row);
        if (sheet.WantsAnyOf(Capacity, Paths))
        {
            AddAttributes(sheet, row, Encoding.UTF8.GetString(device), kind, devices);
        }

        if (kind == Compressed)
        {
            ZramFiles.Add(sheet, row, Columns.Length, Encoding.UTF8.GetString(device), devices);
        }

        return row;
    }

    private static void AddPath(ReadOnlySpan<byte> device, Sheet disks, int disk, Sheet sheet, DiskDevices devices, InstanceNames names)
    {
        var name = Encoding.UTF8.GetString(device);
        if (devices.WorldWideName(name) is not { Length: > 0 } identification)
        {
            return;
        }

        var instance = names.Find(identification);
        var row = 0;
        while (row < sheet.Rows && sheet.Instance(row) != instance.Id)
        {
            row++;
        }

        if (row == sheet.Rows)
        {
            sheet.AddRow(instance.Id, instance.Name);

            // Every path leads to the same disk, of which the first tells as much as the others.
            AddAttributes(sheet, row, name, WorldWide, devices);
            sheet.Set(row, Paths, name);
        }
        else
        {
            sheet.Set(row, Paths, $"{sheet.Value(row, Paths).Text} {name}");
        }

        for (var column = 0; column < Capacity; column++)
        {
            sheet.Add(row, column, disks.Number(disk, column));
        }
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

    private static void AddAttributes(Sheet sheet, int row, string device, int kind, DiskDevices devices)
    {
        if (sheet.Wants(Capacity) && devices.Sectors(device) is { } sectors)
        {
            sheet.Set(row, Capacity, sectors / 2);
        }

        if (kind is Disks or WorldWide && sheet.Wants(Scheduler))
        {
            sheet.Set(row, Scheduler, devices.Scheduler(device));
        }

        if (kind is Mapped or Multiple)
        {
            sheet.Set(row, Name, device);
        }

        if (kind == Disks && sheet.Wants(Identification))
        {
            sheet.Set(row, Identification, devices.WorldWideName(device) is { Length: > 0 } identification ? identification : "unknown");
        }

        if (kind == Multiple && sheet.Wants(Status))
        {
            sheet.Set(row, Status, devices.ArrayStatus(device));
        }
    }
}
