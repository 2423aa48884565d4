using System.Runtime.CompilerServices;
using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Containers;

/// <summary>The control groups of containers: where each is in each hierarchy, and what is below it.</summary>
internal sealed class ContainerCgroups(CgroupTree tree)
{
    // What a process says of its groups holds for as long as its description; it is asked once.
    private readonly ConditionalWeakTable<ContainerDescription, Dictionary<string, string?>> _paths = [];

    public CgroupTree Tree => tree;

    /// <summary>The container's own group, or null when it had none in the hierarchy at the tree's last <see cref="CgroupTree.Refresh"/>.</summary>
    public CgroupNode? Find(ContainerDescription container, MeasuredHierarchy? hierarchy)
    {
        if (hierarchy is null)
        {
            return null;
        }

        var path = container.Cgroup;
        if (path is null)
        {
            var known = _paths.GetOrCreateValue(container);
            lock (known)
            {
                if (!known.TryGetValue(hierarchy.Hierarchy.MountPoint, out path))
                {
                    known[hierarchy.Hierarchy.MountPoint] = path = ContainerGroups.Path(container, hierarchy.Hierarchy);
                }
            }
        }

        return path is null ? null : tree.Known(hierarchy).Find(path);
    }

    /// <summary>Reads the first of the texts that the group has into a new row of the sheet; -1 when there is none.</summary>
    public int Read(CgroupNode group, Sheet sheet, params ReadOnlySpan<GroupText> texts)
    {
        var row = sheet.AddRow(group.Instance.Id);
        foreach (var each in texts)
        {
            using var text = group.Read(each.File, tree.Budget);
            if (text.Error == 0)
            {
                each.Parse(text.Bytes, sheet, row);
            }
        }

        return row;
    }

    /// <summary>What tells this group from an earlier one of the same path.</summary>
    public static ulong Epoch(CgroupNode group) => group.Inode != 0 ? group.Inode : group.Inode = FileStatus.Find(group.Folder)?.Inode ?? 0;
}
