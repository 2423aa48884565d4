using Muster.Linux;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>The mounted hierarchies and their controllers.</summary>
internal sealed class MountedHierarchySource(CgroupHierarchies hierarchies, InstanceDomainId domain)
    : Source(ContainerScope.Host, new SheetShape(domain, ["controllers"]), new SheetShape(InstanceDomainId.None, ["count"]))
{
    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        for (var i = 0; i < hierarchies.All.Count; i++)
        {
            var hierarchy = hierarchies.All[i];
            var controllers = hierarchy.Controllers.Where(c => !c.StartsWith("name=", StringComparison.Ordinal)).ToList();
            sheets[0].Set(sheets[0].AddRow(i, hierarchy.MountPoint), 0, controllers.Count > 0 ? string.Join(',', controllers) : "?");
        }

        sheets[1].Set(sheets[1].AddRow(-1), 0, hierarchies.All.Count);
    }
}
