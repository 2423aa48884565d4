using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>Block I/O of groups by device, version 2: <c>8:0 rbytes=… wbytes=… rios=… wios=… dbytes=… dios=…</c>.</summary>
internal sealed class IoDeviceSource(CgroupTree tree, MeasuredHierarchy hierarchy, InstanceDomainId domain) : Source(ContainerScope.Container, new SheetShape(domain, Columns))
{
    private static readonly string[] Columns = ["rbytes", "wbytes", "rios", "wios", "dbytes", "dios"];
    private static readonly NameTable Keys = new(Columns);

    private readonly GroupFile _file = tree.File("io.stat");
    private readonly InstanceNames _names = new();

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var prefix = context.Container is { } container ? ContainerGroups.Path(container, hierarchy.Hierarchy) : null;
        if (context.Container is not null && prefix is null)
        {
            return;
        }

        foreach (var group in tree.Groups(hierarchy).All)
        {
            if (prefix is null || ContainerGroups.IsWithin(group.Path, prefix))
            {
                using var text = group.Read(_file, tree.Budget);
                Parse(text.Bytes, sheets[0], group.Instance.Name, _names);
            }
        }
    }

    /// <inheritdoc/>
    public override bool Supports(Sheet probe, int column) => hierarchy.Hierarchy.IsV2 && File.Exists(hierarchy.Hierarchy.MountPoint + "/io.stat");

    /// <inheritdoc/>
    public override string? NameOf(InstanceDomainId domain, int instance) => _names.NameOf(instance);

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 ? [new("device_type", "block")] : DeviceNames.Labels(_names.NameOf(instance));

    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet, string group, InstanceNames names)
    {
        Span<byte> name = stackalloc byte[DeviceNames.MaxName];
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (!fields.TryNext(out var device) || !device.Contains((byte)':'))
            {
                continue;
            }

            var instance = names.Find(name[..DeviceNames.Compose(name, group, BlockDevices.Name(device))]);
            var row = sheet.AddRow(instance.Id, instance.Name);
            while (fields.TryNext(out var field))
            {
                var equals = field.IndexOf((byte)'=');
                if (equals > 0 && Keys.Find(field[..equals]) is >= 0 and var column && TextNumbers.TryParse(field[(equals + 1)..], out var value))
                {
                    sheet.Set(row, column, value);
                }
            }
        }
    }
}
