using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Processes;

/// <summary>Which processes are a container's: those in its control groups, of whatever hierarchy it has groups in.</summary>
internal static class ContainerProcesses
{
    public static List<int> Of(ContainerDescription container, CgroupTree tree)
    {
        tree.Refresh();
        var found = new List<int>();
        Find(container, tree, found);
        return found;
    }

    /// <summary>The same in a list of the caller's, which is emptied, with the groups of the tree's last <see cref="CgroupTree.Refresh"/>.</summary>
    public static void Find(ContainerDescription container, CgroupTree tree, List<int> found)
    {
        found.Clear();
        foreach (var hierarchy in tree.Hierarchies)
        {
            if (ContainerGroups.Path(container, hierarchy.Hierarchy) is not { } path)
            {
                continue;
            }

            if (tree.Known(hierarchy).Find(path) is { } group)
            {
                AddBelow(group, tree, found);
            }

            if (found.Count > 0)
            {
                break;
            }
        }

        if (found.Count == 0 && container.InitPid > 0)
        {
            found.Add(container.InitPid);
        }

        found.Sort();
    }

    private static void AddBelow(CgroupNode group, CgroupTree tree, List<int> pids)
    {
        using (var text = group.Read(tree.File("cgroup.procs"), tree.Budget))
        {
            Add(text.Bytes, pids);
        }

        foreach (var child in group.ChildList)
        {
            AddBelow(child, tree, pids);
        }
    }

    private static void Add(ReadOnlySpan<byte> text, List<int> pids)
    {
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            if (TextNumbers.TryParse(line, out var pid) && pid is > 0 and <= int.MaxValue)
            {
                pids.Add((int)pid);
            }
        }
    }
}
