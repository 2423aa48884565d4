using System.Text;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Memory;

/// <summary>/proc/buddyinfo: free blocks by zone and order.</summary>
internal sealed class BuddySource(InstanceDomainId domain) : Source(ContainerScope.Host, new SheetShape(domain, ["pages", "total"]))
{
    private readonly KernelFile _file = new("/proc/buddyinfo");
    private readonly InstanceNames _names = new();
    private readonly long _pageKibibytes = Environment.SystemPageSize / 1024;

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        if (text.Error != 0)
        {
            sheets[0].Fail(text.Error);
            return;
        }

        Parse(text.Bytes, sheets[0], _names, _pageKibibytes);
    }

    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet, InstanceNames names, long pageKibibytes)
    {
        Span<byte> name = stackalloc byte[128];
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            // Node 0, zone   Normal    359   1801 …
            var fields = new TextFields(line);
            if (!fields.TryNext(out _) || !fields.TryNext(out var node) || !fields.TryNext(out _) || !fields.TryNext(out var zone) || node.Length + zone.Length > 64)
            {
                continue;
            }

            for (var order = 0; order < 63 && fields.TryNumber(out var blocks); order++)
            {
                Encoding.UTF8.TryGetBytes($"::order{order}::node", name[zone.Length..], out var length);
                zone.CopyTo(name);
                node = node.TrimEnd((byte)',');
                node.CopyTo(name[(zone.Length + length)..]);
                var instance = names.Find(name[..(zone.Length + length + node.Length)]);
                var row = sheet.AddRow(instance.Id, instance.Name);
                sheet.Set(row, 0, blocks);
                sheet.Set(row, 1, (blocks << order) * pageKibibytes);
            }
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 ? [new("device_type", "memory"), new("indom_name", "per buddy per numa_node")] : [];
}
