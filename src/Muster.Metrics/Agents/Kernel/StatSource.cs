using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>/proc/stat (proc_stat(5)): times of all CPUs, of each, and of each memory node's; interrupts, switches, tasks.</summary>
internal sealed class StatSource : Source
{
    private const int MillisecondsPerTick = 1000 / ProcessControl.TicksPerSecond;

    // In the order of the text; the computed ones follow.
    private static readonly string[] Times = ["user", "nice", "sys", "idle", "wait", "hard", "soft", "steal", "guest", "guest_nice", "intr", "vuser", "vnice"];

    private static readonly string[] Counts = ["interrupts", "ctxt", "btime", "processes", "procs_running", "procs_blocked", "hz", "ncpu", "nnode"];

    // Their names in the text: the first six of Counts.
    private static readonly NameTable Keys = new(["intr", "ctxt", "btime", "processes", "procs_running", "procs_blocked"]);

    private static readonly string[] Single = [.. Times, .. Counts];

    private readonly KernelFile _file = new("/proc/stat");
    private readonly ContainerCpu _container = new();
    private readonly IReadOnlyList<int> _nodes;
    private readonly int[] _nodeOfCpu;

    public StatSource(InstanceDomainId cpus, InstanceDomainId nodes, IReadOnlyList<int> nodeNumbers)
        : base(ContainerScope.RunningContainer, new SheetShape(InstanceDomainId.None, Single), new SheetShape(cpus, Times), new SheetShape(nodes, Times))
    {
        _nodes = nodeNumbers;
        _nodeOfCpu = CpuTopology.NodeOfCpu(nodeNumbers);
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

        Parse(text.Bytes, sheets);
        if (context.Container is not { } container)
        {
            return;
        }

        if (sheets[0].WantsAny)
        {
            _container.Overlay(container, sheets[0], name => Array.IndexOf(Single, name));
        }

        if (sheets[1].WantsAny || sheets[2].WantsAny)
        {
            _container.OverlayEach(container, sheets[1], sheets[2], _nodeOfCpu, name => Array.IndexOf(Times, name));
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        domain == Shapes[1].Domain ? CpuTopology.Labels(instance) : instance < 0 ? [new("device_type", "numa_node"), new("indom_name", "per numa_node")] : [new("numa_node", instance.ToString())];

    internal void Parse(ReadOnlySpan<byte> text, ReadOnlySpan<Sheet> sheets)
    {
        var all = sheets[0].AddRow(-1);
        foreach (var node in _nodes)
        {
            sheets[2].AddRow(node, sheets[2].WantsNames ? $"node{node}" : null);
        }

        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (!fields.TryNext(out var key))
            {
                continue;
            }

            if (!key.StartsWith("cpu"u8))
            {
                if (Keys.Find(key) is >= 0 and var count && fields.TryNumber(out var value))
                {
                    sheets[0].Set(all, Times.Length + count, value);
                }

                continue;
            }

            if (key.Length == 3)
            {
                ReadTimes(fields, sheets[0], all);
            }
            else if (TextNumbers.TryParse(key[3..], out var cpu) && cpu is >= 0 and < 65536)
            {
                ReadCpu(fields, sheets, (int)cpu);
            }
        }

        sheets[0].Set(all, Times.Length + 6, ProcessControl.TicksPerSecond);
        sheets[0].Set(all, Times.Length + 7, sheets[1].Rows);
        sheets[0].Set(all, Times.Length + 8, _nodes.Count);
    }

    private void ReadCpu(TextFields fields, ReadOnlySpan<Sheet> sheets, int cpu)
    {
        var row = sheets[1].AddRow(cpu, sheets[1].WantsNames ? $"cpu{cpu}" : null);
        ReadTimes(fields, sheets[1], row);
        var node = cpu < _nodeOfCpu.Length ? _nodeOfCpu[cpu] : -1;
        for (var i = 0; i < sheets[2].Rows; i++)
        {
            for (var column = 0; sheets[2].Instance(i) == node && column < Times.Length; column++)
            {
                sheets[2].Add(i, column, sheets[1].Number(row, column));
            }
        }
    }

    private static void ReadTimes(TextFields fields, Sheet sheet, int row)
    {
        for (var column = 0; column < 10 && fields.TryNumber(out var ticks); column++)
        {
            sheet.Set(row, column, ticks * MillisecondsPerTick);
        }

        sheet.Set(row, 10, sheet.Number(row, 5) + sheet.Number(row, 6));
        sheet.Set(row, 11, sheet.Number(row, 0) - sheet.Number(row, 8));
        sheet.Set(row, 12, sheet.Number(row, 1) - sheet.Number(row, 9));
    }
}
