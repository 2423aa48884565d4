using System.Text;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>/proc/cpuinfo, and what /sys says of CPUs that are switched off.</summary>
internal sealed class CpuInfoSource(InstanceDomainId domain, IReadOnlyList<int> nodes) : Source(ContainerScope.Host, new SheetShape(domain, Columns))
{
    private static readonly string[] Columns = ["MHz", "vendor_id", "model", "model_name", "stepping", "cache", "bogomips", "flags", "cache_alignment", "online", "cpu_num", "cpu_node"];

    // The keys of the first nine columns.
    private static readonly NameTable Keys = new(["cpu MHz", "vendor_id", "model", "model name", "stepping", "cache size", "bogomips", "flags", "cache_alignment"]);

    private readonly KernelFile _file = new("/proc/cpuinfo");
    private readonly int[] _nodeOfCpu = CpuTopology.NodeOfCpu(nodes);

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        if (text.Error != 0)
        {
            sheets[0].Fail(text.Error);
            return;
        }

        Parse(text.Bytes, sheets[0], _nodeOfCpu);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) => CpuTopology.Labels(instance);

    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet, ReadOnlySpan<int> nodeOfCpu)
    {
        var row = -1;
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var colon = line.IndexOf((byte)':');
            if (colon < 0)
            {
                continue;
            }

            var key = line[..colon].TrimEnd(" \t"u8);
            var value = line[(colon + 1)..].Trim(" \t"u8);
            if (key.SequenceEqual("processor"u8))
            {
                if (!TextNumbers.TryParse(value, out var cpu) || cpu is < 0 or > 65535)
                {
                    row = -1;
                    continue;
                }

                row = sheet.AddRow((int)cpu, $"cpu{cpu}");
                sheet.Set(row, 9, 1L);
                sheet.Set(row, 10, cpu);
                sheet.Set(row, 11, cpu < nodeOfCpu.Length && nodeOfCpu[(int)cpu] >= 0 ? nodeOfCpu[(int)cpu] : 0);
            }
            else if (row >= 0 && Keys.Find(key) is >= 0 and var column && sheet.Wants(column))
            {
                SetValue(sheet, row, column, value);
            }
        }
    }

    private static void SetValue(Sheet sheet, int row, int column, ReadOnlySpan<byte> value)
    {
        switch (column)
        {
            case 0 or 6 when TextNumbers.TryParseFraction(value, out var real):
                sheet.Set(row, column, real);
                break;
            case 5 or 8 when new TextFields(value).TryNumber(out var number):
                sheet.Set(row, column, number);
                break;
            case 1 or 2 or 3 or 4 or 7:
                sheet.Set(row, column, Encoding.UTF8.GetString(value));
                break;
        }
    }
}
