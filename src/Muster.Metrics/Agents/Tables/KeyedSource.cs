using System.Text;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Tables;

/// <summary>A source of one sheet without instances whose columns are the keys of a text: <c>key number</c> or <c>key: number</c> on each line.</summary>
internal class KeyedSource(ContainerScope scope, KernelFile file, IReadOnlyList<MetricLine> lines)
    : Source(scope, new SheetShape(InstanceDomainId.None, MetricTable.Columns(lines)))
{
    private readonly NameTable _columns = new(MetricTable.Columns(lines));

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = file.Read(context.Pid);
        if (text.Error != 0)
        {
            sheets[0].Fail(text.Error);
            return;
        }

        Parse(text.Bytes, sheets[0], _columns);
        Complete(context, sheets[0]);
    }

    /// <summary>Fills the cells of the keys that are columns; lines that are not of this form are passed over.</summary>
    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet, NameTable columns)
    {
        var row = sheet.AddRow(-1);
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (fields.TryNext(out var key) && columns.Find(key.TrimEnd((byte)':')) is >= 0 and var column && fields.TryNumber(out var value))
            {
                sheet.Set(row, column, value);
            }
        }
    }

    /// <summary>Computes what the text does not say.</summary>
    protected virtual void Complete(ReadContext context, Sheet sheet)
    {
    }

    /// <summary>The column of a name that a computed value goes to, or -1 when no metric wants it.</summary>
    protected int Column(string name) => _columns.Find(Encoding.ASCII.GetBytes(name));

    /// <summary>Sets a computed value where there is a column for it.</summary>
    protected static void Put(Sheet sheet, int column, long value)
    {
        if (column >= 0)
        {
            sheet.Set(0, column, value);
        }
    }
}
