using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>/proc/loadavg: <c>0.20 0.18 0.12 1/80 11206</c>.</summary>
internal sealed class LoadSource(InstanceDomainId averages)
    : Source(ContainerScope.Host, new SheetShape(averages, ["load"]), new SheetShape(InstanceDomainId.None, ["runnable", "nprocs", "lastpid"]))
{
    private static readonly (int Id, string Name)[] Averages = [(1, "1 minute"), (5, "5 minute"), (15, "15 minute")];

    private readonly KernelFile _file = new("/proc/loadavg");

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        Parse(text.Bytes, sheets);
    }

    internal static void Parse(ReadOnlySpan<byte> text, ReadOnlySpan<Sheet> sheets)
    {
        var fields = new TextFields(text.TrimEnd((byte)'\n'));
        foreach (var (id, name) in Averages)
        {
            if (fields.TryNext(out var field) && TextNumbers.TryParseFraction(field, out var load))
            {
                sheets[0].Set(sheets[0].AddRow(id, name), 0, load);
            }
        }

        var row = sheets[1].AddRow(-1);
        if (fields.TryNext(out var tasks) && tasks.IndexOf((byte)'/') is > 0 and var slash
            && TextNumbers.TryParse(tasks[..slash], out var runnable) && TextNumbers.TryParse(tasks[(slash + 1)..], out var all) && fields.TryNumber(out var last))
        {
            sheets[1].Set(row, 0, runnable);
            sheets[1].Set(row, 1, all);
            sheets[1].Set(row, 2, last);
        }
    }
}
