using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Memory;

/// <summary>/proc/slabinfo (slabinfo(5), version 2.x; readable by root): the kernel's caches of objects.</summary>
internal sealed class SlabSource(InstanceDomainId domain)
    : Source(ContainerScope.Host, new SheetShape(domain, ["objects_active", "objects_total", "objects_size", "objects_per_slab", "pages_per_slab", "slabs_active", "slabs_total", "total_size"]))
{
    private readonly KernelFile _file = new("/proc/slabinfo");
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
            var fields = new TextFields(line);
            if (!fields.TryNext(out var name) || name[0] == '#' || !fields.TryNumber(out var active))
            {
                continue;
            }

            var instance = names.Find(name);
            var row = sheet.AddRow(instance.Id, instance.Name);
            sheet.Set(row, 0, active);
            for (var column = 1; column < 5 && fields.TryNumber(out var value); column++)
            {
                sheet.Set(row, column, value);
            }

            // ": tunables 0 0 0 : slabdata active total shared"
            fields.Skip(7);
            if (fields.TryNumber(out var slabs) && fields.TryNumber(out var total))
            {
                sheet.Set(row, 5, slabs);
                sheet.Set(row, 6, total);
                sheet.Set(row, 7, total * sheet.Number(row, 4) * Environment.SystemPageSize);
            }
        }
    }

    /// <inheritdoc/>
    public override string? NameOf(InstanceDomainId domain, int instance) => _names.NameOf(instance);

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 ? [new("device_type", "memory"), new("indom_name", "per slab")] : [];
}
