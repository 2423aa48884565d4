using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Network;

/// <summary>/proc/net/softnet_stat: packets that each CPU took from the devices, in hexadecimal.</summary>
internal sealed class PacketSource(InstanceDomainId cpus)
    : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, Columns), new SheetShape(cpus, Columns))
{
    private static readonly string[] Columns = ["processed", "dropped", "time_squeeze", "cpu_collision", "received_rps", "flow_limit_count"];

    // Where the columns are in a line; the CPU's number is behind them on newer kernels.
    private static readonly int[] Places = [0, 1, 2, 8, 9, 10];

    private const int CpuPlace = 12;

    private readonly KernelFile _file = new("/proc/net/softnet_stat");

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

        Parse(text.Bytes, sheets);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) => CpuTopology.Labels(instance);

    internal static void Parse(ReadOnlySpan<byte> text, ReadOnlySpan<Sheet> sheets)
    {
        var all = sheets[0].AddRow(-1);
        Span<long> numbers = stackalloc long[CpuPlace + 1];
        var lines = new TextLines(text);
        for (var order = 0; lines.TryNext(out var line); order++)
        {
            var fields = new TextFields(line);
            var count = 0;
            while (count < numbers.Length && fields.TryNext(out var field) && TextNumbers.TryParseHex(field, out numbers[count]))
            {
                count++;
            }

            var cpu = count > CpuPlace && numbers[CpuPlace] is >= 0 and < 65536 ? (int)numbers[CpuPlace] : order;
            var row = sheets[1].AddRow(cpu, sheets[1].WantsNames ? $"cpu{cpu}" : null);
            for (var column = 0; column < Places.Length && Places[column] < count; column++)
            {
                sheets[1].Set(row, column, numbers[Places[column]]);
                sheets[0].Add(all, column, numbers[Places[column]]);
            }
        }
    }
}
