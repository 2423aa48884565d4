using System.Text;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>
/// Block I/O of groups, version 1: files of lines such as <c>8:0 Read 4096</c>, each device and all together. What a
/// scheduler counts is taken from the one that counts (the generic files, or BFQ's).
/// </summary>
internal sealed class BlockIoSource(CgroupTree tree, MeasuredHierarchy hierarchy, InstanceDomainId groups, InstanceDomainId devices) : Source(
    ContainerScope.Container, new SheetShape(groups, [.. Columns, "container"]), new SheetShape(devices, Columns))
{
    // Columns: what, then read, write, sync, async, total of it.
    private static readonly string[] Operations = ["read", "write", "sync", "async", "total"];
    private static readonly string[] Counted = ["io_merged", "io_queued", "io_service_bytes", "io_serviced", "io_service_time", "io_wait_time", "throttle.io_service_bytes", "throttle.io_serviced"];
    private static readonly string[] Columns = [.. Counted.SelectMany(c => Operations.Select(o => $"{c}.{o}")), "sectors", "time"];
    private static readonly NameTable Words = new(["Read", "Write", "Sync", "Async", "Total"]);
    private static readonly int Sectors = Counted.Length * Operations.Length;

    private readonly (GroupFile File, GroupFile? Other, int First, int Count)[] _files =
    [
        .. Counted.Select((c, i) => (tree.File("blkio." + c), c.StartsWith("throttle", StringComparison.Ordinal) ? null : tree.File("blkio.bfq." + c), i * Operations.Length, Operations.Length)),
        (tree.File("blkio.sectors"), tree.File("blkio.bfq.sectors"), Sectors, 1),
        (tree.File("blkio.time"), tree.File("blkio.bfq.time"), Sectors + 1, 1),
    ];

    private readonly InstanceNames _names = new();

    /// <inheritdoc/>
    public override bool IsLong => tree.Known(hierarchy).All.Length >= CgroupTree.Many;

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var (all, each) = (sheets[0], sheets[1]);
        var prefix = context.Container is { } container ? ContainerGroups.Path(container, hierarchy.Hierarchy) : null;
        if (context.Container is not null && prefix is null)
        {
            return;
        }

        foreach (var group in tree.Groups(hierarchy).All)
        {
            if ((prefix is not null && !ContainerGroups.IsWithin(group.Path, prefix)) || (!each.WantsAny && !each.WantsNames && !all.Selection.Wants(group.Instance.Id)))
            {
                continue;
            }

            var row = all.AddRow(group.Instance.Id, group.Instance.Name);
            var firstDevice = each.Rows;
            all.Set(row, Columns.Length, group.ContainerId);
            foreach (var file in _files)
            {
                if (all.WantsAnyOf(file.First, file.First + file.Count) || each.WantsAnyOf(file.First, file.First + file.Count) || each.WantsNames)
                {
                    ReadFile(group, file, sheets, row, firstDevice);
                }
            }
        }
    }

    /// <inheritdoc/>
    public override string? NameOf(InstanceDomainId domain, int instance) => domain == devices ? _names.NameOf(instance) : null;

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 ? [new("device_type", "block")]
        : domain == devices ? DeviceNames.Labels(_names.NameOf(instance))
        : domain == Shapes[0].Domain && tree.Groups(hierarchy).Find(instance) is { } group ? [new("cgroup", group.Instance.Name)] : [];

    /// <summary>Adds a file's lines to the group's row and to those of its devices, which <paramref name="deviceRow"/> finds or makes (-1: not wanted).</summary>
    internal static void Parse(ReadOnlySpan<byte> text, ReadOnlySpan<Sheet> sheets, int row, int first, int count, DeviceRowOf deviceRow)
    {
        for (var column = first; column < first + count; column++)
        {
            sheets[0].Set(row, column, 0L);
        }

        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            // "8:0 Read 4096", "8:0 4096"; "Total 4096" is the sum that we make ourselves.
            var fields = new TextFields(line);
            if (!fields.TryNext(out var device) || !device.Contains((byte)':') || !fields.TryNext(out var word))
            {
                continue;
            }

            var operation = count == 1 ? 0 : Words.Find(word);
            if (operation >= 0 && operation < count && (count == 1 ? TextNumbers.TryParse(word, out var value) : fields.TryNumber(out value)))
            {
                // The metric is in KiB, the file in sectors of 512 bytes.
                value = first == Sectors ? value / 2 : value;
                sheets[0].Add(row, first + operation, value);
                var at = deviceRow(device);
                if (at >= 0)
                {
                    sheets[1].Set(at, first + operation, value);
                }
            }
        }
    }

    private void ReadFile(CgroupNode group, (GroupFile File, GroupFile? Other, int First, int Count) file, ReadOnlySpan<Sheet> sheets, int row, int firstDevice)
    {
        using var text = group.Read(file.File, tree.Budget);
        var each = sheets[1];
        if (text.Error == 0)
        {
            Parse(text.Bytes, sheets, row, file.First, file.Count, DeviceRow);
        }
        else if (file.Other is { } other)
        {
            using var instead = group.Read(other, tree.Budget);
            if (instead.Error == 0)
            {
                Parse(instead.Bytes, sheets, row, file.First, file.Count, DeviceRow);
            }
        }

        int DeviceRow(ReadOnlySpan<byte> device) => each.WantsAny || each.WantsNames ? RowOf(each, group.Instance.Name, device, firstDevice) : -1;
    }

    private int RowOf(Sheet sheet, string group, ReadOnlySpan<byte> device, int firstDevice)
    {
        Span<byte> name = stackalloc byte[DeviceNames.MaxName];
        var instance = _names.Find(name[..DeviceNames.Compose(name, group, BlockDevices.Name(device))]);
        for (var row = firstDevice; row < sheet.Rows; row++)
        {
            if (sheet.Instance(row) == instance.Id)
            {
                return row;
            }
        }

        return sheet.AddRow(instance.Id, instance.Name);
    }
}

/// <summary>The row of a group's device, -1 for none.</summary>
internal delegate int DeviceRowOf(ReadOnlySpan<byte> device);

/// <summary>Names of block devices by their numbers.</summary>
internal static class BlockDevices
{
    // Far more than the block devices of a machine; then it is emptied.
    private const int MaxDevices = 4096;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<byte[], byte[]> Names = new(ByteNames.Comparer);

    /// <summary>The name of a device given as <c>8:0</c>; the numbers themselves when there is none.</summary>
    public static byte[] Name(ReadOnlySpan<byte> numbers)
    {
        lock (Gate)
        {
            var lookup = Names.GetAlternateLookup<ReadOnlySpan<byte>>();
            if (lookup.TryGetValue(numbers, out var name))
            {
                return name;
            }

            if (Names.Count >= MaxDevices)
            {
                Names.Clear();
            }

            // The device may be gone: its group's counts stay.
            var link = numbers.Length <= 32 && !numbers.ContainsAnyExcept("0123456789:"u8) ? new FileInfo($"/sys/dev/block/{Encoding.ASCII.GetString(numbers)}").LinkTarget : null;
            return lookup[numbers] = link is null ? numbers.ToArray() : Encoding.UTF8.GetBytes(Path.GetFileName(link));
        }
    }
}
