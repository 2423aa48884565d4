using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Network;

/// <summary>/proc/net/sockstat and sockstat6: sockets and the memory of their buffers.</summary>
internal sealed class SocketSource : Source
{
    private readonly KernelFile _version4 = new("/proc/net/sockstat", below: "net/sockstat");
    private readonly KernelFile _version6 = new("/proc/net/sockstat6", below: "net/sockstat6");
    private readonly NameTable _columns;

    public SocketSource(IReadOnlyList<MetricLine> lines)
        : base(ContainerScope.RunningContainer, new SheetShape(InstanceDomainId.None, MetricTable.Columns(lines))) => _columns = new NameTable(Shapes[0].Columns);

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var row = sheets[0].AddRow(-1);
        using (var text = _version4.Read(context.Pid))
        {
            if (text.Error != 0)
            {
                sheets[0].Fail(text.Error);
                return;
            }

            Parse(text.Bytes, sheets[0], row, _columns);
        }

        // Without IPv6 there is no such file, and no values.
        using (var text = _version6.Read(context.Pid))
        {
            Parse(text.Bytes, sheets[0], row, _columns);
        }
    }

    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet, int row, NameTable columns)
    {
        Span<byte> key = stackalloc byte[128];
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            // "TCP: inuse 2 orphan 0"
            var fields = new TextFields(line);
            if (!fields.TryNext(out var kind) || kind.Length > 32)
            {
                continue;
            }

            kind = kind.TrimEnd((byte)':');
            kind.CopyTo(key);
            key[kind.Length] = (byte)'.';
            while (fields.TryNext(out var name) && name.Length <= 32 && fields.TryNumber(out var value))
            {
                name.CopyTo(key[(kind.Length + 1)..]);
                if (columns.Find(key[..(kind.Length + 1 + name.Length)]) is >= 0 and var column)
                {
                    sheet.Set(row, column, value);
                }
            }
        }
    }
}
