using System.Text;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Memory;

/// <summary>The memory nodes: <c>meminfo</c> and <c>numastat</c> below /sys/devices/system/node/nodeN.</summary>
internal sealed class NumaSource : Source
{
    private readonly NameTable _columns;
    private readonly IReadOnlyList<(int Node, KernelFile MemInfo, KernelFile Allocations)> _nodes;
    private readonly int _online;
    private readonly (int Count, int Bytes)[] _hugepages;
    private readonly int _hugepageSize;

    public NumaSource(InstanceDomainId domain, IReadOnlyList<MetricLine> lines, IReadOnlyList<int> nodes, int hugepageSize)
        : base(ContainerScope.Host, new SheetShape(domain, MetricTable.Columns(lines, domain.Serial)))
    {
        _columns = new NameTable(Shapes[0].Columns);
        _nodes = [.. nodes.Select(n => (n, new KernelFile($"/sys/devices/system/node/node{n}/meminfo"), new KernelFile($"/sys/devices/system/node/node{n}/numastat")))];
        _online = _columns.Find("online"u8);
        _hugepageSize = hugepageSize;
        _hugepages = [.. new[] { "Total", "Free", "Surp" }.Select(n => (_columns.Find(Encoding.ASCII.GetBytes("HugePages_" + n)), _columns.Find(Encoding.ASCII.GetBytes($"hugepages{n}Bytes"))))];
    }

    /// <summary>The numbers of the nodes that this machine has.</summary>
    public static IReadOnlyList<int> Nodes()
    {
        const string folder = "/sys/devices/system/node";
        return !Directory.Exists(folder)
            ? []
            : [.. Directory.EnumerateDirectories(folder, "node*").Select(p => int.TryParse(Path.GetFileName(p).AsSpan(4), out var n) ? n : -1).Where(n => n >= 0).Order()];
    }

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var sheet = sheets[0];
        foreach (var (node, memory, allocations) in _nodes)
        {
            var row = sheet.AddRow(node, sheet.WantsNames ? $"node{node}" : null);
            using (var text = memory.Read())
            {
                Parse(text.Bytes, sheet, row, _columns);
            }

            using (var text = allocations.Read())
            {
                Parse(text.Bytes, sheet, row, _columns);
            }

            sheet.Set(row, _online, 1L);
            foreach (var (count, bytes) in _hugepages)
            {
                sheet.Set(row, bytes, sheet.Number(row, count) * _hugepageSize);
            }
        }
    }

    /// <summary>Fills a row from lines of <c>Node 0 key: number</c> or <c>key number</c>.</summary>
    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet, int row, NameTable columns)
    {
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (!fields.TryNext(out var key))
            {
                continue;
            }

            if (key.SequenceEqual("Node"u8) && !(fields.TryNext(out _) && fields.TryNext(out key)))
            {
                continue;
            }

            if (columns.Find(key.TrimEnd((byte)':')) is >= 0 and var column && fields.TryNumber(out var value))
            {
                sheet.Set(row, column, value);
            }
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 ? [new("device_type", "numa_node"), new("indom_name", "per numa_node")] : [new("numa_node", instance.ToString())];
}
