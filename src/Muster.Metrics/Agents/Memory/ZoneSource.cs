using System.Text;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Memory;

/// <summary>/proc/zoneinfo: the zones of memory in KiB, and the memory that each keeps from the others.</summary>
internal sealed class ZoneSource : Source
{
    private readonly KernelFile _file = new("/proc/zoneinfo");
    private readonly InstanceNames _zones = new();
    private readonly InstanceNames _reserves = new();
    private readonly NameTable _columns;

    public ZoneSource(InstanceDomainId zones, InstanceDomainId protections, IReadOnlyList<MetricLine> lines)
        : base(ContainerScope.Host, new SheetShape(zones, MetricTable.Columns(lines, zones.Serial)), new SheetShape(protections, ["protection"])) =>
        _columns = new NameTable(Shapes[0].Columns);

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        if (text.Error != 0)
        {
            sheets[0].Fail(text.Error);
            sheets[1].Fail(text.Error);
            return;
        }

        Parse(text.Bytes, sheets[0], sheets[1], _columns, _zones, _reserves);
    }

    internal static void Parse(ReadOnlySpan<byte> text, Sheet zones, Sheet protections, NameTable columns, InstanceNames zoneNames, InstanceNames reserveNames)
    {
        var pageKibibytes = Environment.SystemPageSize / 1024;
        var row = -1;
        var zoneRow = -1;
        var zoneName = "";
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (!fields.TryNext(out var key))
            {
                continue;
            }

            if (key.SequenceEqual("Node"u8) && fields.TryNext(out var node) && fields.TryNext(out _) && fields.TryNext(out var zone) && zone.Length < 64)
            {
                zoneName = $"{Encoding.UTF8.GetString(zone)}::node{Encoding.UTF8.GetString(node.TrimEnd((byte)','))}";
                AddRow(zones, zoneNames, zoneName, out row);
                continue;
            }

            // What is counted for a whole node stands inside its first zone.
            if (key.SequenceEqual("per-node"u8))
            {
                var first = row;
                AddRow(zones, zoneNames, zoneName[(zoneName.LastIndexOf(':') + 1)..], out row);
                zoneRow = first;
                continue;
            }

            if (zoneRow >= 0 && key.SequenceEqual("pages"u8))
            {
                (row, zoneRow) = (zoneRow, -1);
            }

            // "pages free 3840", "nr_dirty 12", "protection: (0, 3019, …)"
            if (row < 0)
            {
                continue;
            }

            if (key.SequenceEqual("protection:"u8))
            {
                ReadProtection(fields.Rest, zoneName, protections, reserveNames, pageKibibytes);
            }
            else if ((!key.SequenceEqual("pages"u8) || fields.TryNext(out key)) && columns.Find(key) is >= 0 and var column && fields.TryNumber(out var value) && !zones.Has(row, column))
            {
                zones.Set(row, column, value * pageKibibytes);
            }
        }
    }

    private static void AddRow(Sheet sheet, InstanceNames names, string name, out int row)
    {
        var instance = names.Find(name);
        row = sheet.AddRow(instance.Id, instance.Name);
    }

    private static void ReadProtection(ReadOnlySpan<byte> list, string zone, Sheet sheet, InstanceNames names, int pageKibibytes)
    {
        // A kernel has at most a handful of zones.
        const int maxZones = 16;
        list = list.Trim("() "u8);
        for (var i = 0; i < maxZones && !list.IsEmpty; i++)
        {
            var comma = list.IndexOf((byte)',');
            var part = comma < 0 ? list : list[..comma];
            list = comma < 0 ? default : list[(comma + 1)..].TrimStart((byte)' ');
            if (TextNumbers.TryParse(part, out var value))
            {
                var instance = names.Find($"{zone}::lowmem_reserved{i}");
                sheet.Set(sheet.AddRow(instance.Id, instance.Name), 0, value * pageKibibytes);
            }
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 && domain == Shapes[0].Domain ? [new("device_type", "memory"), new("indom_name", "per zone per numa_node")] : [];
}
