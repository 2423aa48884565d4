using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>/proc/cgroups (cgroups(7)): the controllers that the kernel has.</summary>
internal sealed class SubsystemSource(InstanceDomainId domain)
    : Source(ContainerScope.Host, new SheetShape(domain, ["hierarchy", "num_cgroups", "enabled"]), new SheetShape(InstanceDomainId.None, ["count"]))
{
    public const string Table = """
        cgroup.subsys.hierarchy   37.0 37 u32 instant none  = | Number of the hierarchy that the controller is in; 0 for version 2
        cgroup.subsys.num_cgroups 37.2 37 u32 instant none  = | Groups in that hierarchy
        cgroup.subsys.enabled     37.3 37 u32 instant none  = | 1 when the controller is switched on
        cgroup.subsys.count       37.1 -  u32 instant count = | Controllers that the kernel has
        """;

    private readonly KernelFile _file = new("/proc/cgroups");
    private readonly InstanceNames _names = new();

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

        Parse(text.Bytes, sheets, _names);
    }

    internal static void Parse(ReadOnlySpan<byte> text, ReadOnlySpan<Sheet> sheets, InstanceNames names)
    {
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (!fields.TryNext(out var name) || name[0] == '#' || !fields.TryNumber(out var hierarchy) || !fields.TryNumber(out var groups) || !fields.TryNumber(out var enabled))
            {
                continue;
            }

            var instance = names.Find(name);
            var row = sheets[0].AddRow(instance.Id, instance.Name);
            sheets[0].Set(row, 0, hierarchy);
            sheets[0].Set(row, 1, groups);
            sheets[0].Set(row, 2, enabled);
        }

        sheets[1].Set(sheets[1].AddRow(-1), 0, sheets[0].Rows);
    }
}
