using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>CPU time of each group on each CPU (v1's cpuacct.usage_percpu).</summary>
internal sealed class PerCpuSource(CgroupTree tree, MeasuredHierarchy hierarchy, InstanceDomainId domain) : Source(ContainerScope.Container, new SheetShape(domain, ["usage_percpu"]))
{
    private const string Separator = "::cpu";

    private readonly GroupFile _file = tree.File("cpuacct.usage_percpu");
    private readonly InstanceNames _names = new();

    /// <inheritdoc/>
    public override bool IsLong => tree.Known(hierarchy).All.Length >= CgroupTree.Many;

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
    public override string? NameOf(InstanceDomainId domain, int instance) => _names.NameOf(instance);

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance)
    {
        if (instance < 0)
        {
            return [new("device_type", "cpu")];
        }

        // As it was composed: GROUP::cpuNUMBER.
        var name = _names.NameOf(instance) ?? "";
        var at = name.LastIndexOf(Separator, StringComparison.Ordinal);
        return at < 0 ? [] : [new("cgroup", name[..at]), new("cpu", name[(at + Separator.Length)..])];
    }

    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet, string group, InstanceNames names)
    {
        var fields = new TextFields(text.TrimEnd("\n "u8));
        Span<byte> name = stackalloc byte[DeviceNames.MaxName];
        for (var cpu = 0; fields.TryNumber(out var time); cpu++)
        {
            var length = DeviceNames.Compose(name, group, "cpu"u8, cpu);
            var instance = names.Find(name[..length]);
            sheet.Set(sheet.AddRow(instance.Id, instance.Name), 0, time);
        }
    }
}
