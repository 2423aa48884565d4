using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>/proc/uptime: seconds since the start, and idle seconds of all CPUs.</summary>
internal sealed class UptimeSource() : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, ["uptime", "idletime"]))
{
    private readonly KernelFile _file = new("/proc/uptime");

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        Parse(text.Bytes, sheets[0]);
    }

    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet)
    {
        var row = sheet.AddRow(-1);
        var fields = new TextFields(text.TrimEnd((byte)'\n'));
        for (var column = 0; column < 2 && fields.TryNext(out var field) && TextNumbers.TryParseFraction(field, out var seconds); column++)
        {
            sheet.Set(row, column, seconds);
        }
    }
}
