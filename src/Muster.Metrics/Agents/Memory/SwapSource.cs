using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Memory;

/// <summary>/proc/swaps: the swap devices, in KiB.</summary>
internal sealed class SwapSource(InstanceDomainId domain) : Source(ContainerScope.Host, new SheetShape(domain, ["free", "length", "maxswap", "vlength", "priority"]))
{
    private readonly KernelFile _file = new("/proc/swaps");
    private readonly InstanceNames _names = new();

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        if (text.Error != 0)
        {
            sheets[0].Fail(text.Error);
            return;
        }

        Parse(text.Bytes, sheets[0], _names);
    }

    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet, InstanceNames names)
    {
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            // Filename Type Size Used Priority
            var fields = new TextFields(line);
            if (!fields.TryNext(out var name) || !fields.TryNext(out _) || !fields.TryNumber(out var size) || !fields.TryNumber(out var used) || !fields.TryNumber(out var priority))
            {
                continue;
            }

            var instance = names.Find(name);
            var row = sheet.AddRow(instance.Id, instance.Name);
            sheet.Set(row, 0, size - used);
            sheet.Set(row, 1, size);
            sheet.Set(row, 2, size);
            sheet.Set(row, 3, size);
            sheet.Set(row, 4, priority);
        }
    }
}
