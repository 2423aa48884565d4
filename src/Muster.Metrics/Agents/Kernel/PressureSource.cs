using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>One file of /proc/pressure.</summary>
internal sealed class PressureSource(InstanceDomainId averages, string resource)
    : Source(ContainerScope.Host, new SheetShape(averages, ["some.avg", "full.avg"]), new SheetShape(InstanceDomainId.None, ["some.total", "full.total"]))
{
    private readonly KernelFile _file = new("/proc/pressure/" + resource);

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

        PressureText.Parse(text.Bytes, out var some, out var full);
        for (var i = 0; i < 3; i++)
        {
            var (id, name) = i switch { 0 => (10, "10 second"), 1 => (60, "1 minute"), _ => (300, "5 minute") };
            var row = sheets[0].AddRow(id, name);
            SetAverage(sheets[0], row, 0, some, i);
            SetAverage(sheets[0], row, 1, full, i);
        }

        var totals = sheets[1].AddRow(-1);
        if (some is { } s)
        {
            sheets[1].Set(totals, 0, s.Total);
        }

        if (full is { } f)
        {
            sheets[1].Set(totals, 1, f.Total);
        }
    }

    private static void SetAverage(Sheet sheet, int row, int column, Pressure? line, int which)
    {
        if (line is { } p)
        {
            sheet.Set(row, column, which switch { 0 => p.Average10, 1 => p.Average60, _ => p.Average300 });
        }
    }
}
