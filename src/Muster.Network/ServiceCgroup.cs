using Muster.Core;
using Muster.Linux;

namespace Muster.Network;

/// <summary>
/// Where programs live that serve several pods (dnsmasq, the metadata service): a cgroup of the root's own. In the cgroup of
/// the pod that happened to start them, they would end with that pod's unit, as systemd kills by cgroup.
/// </summary>
public static class ServiceCgroup
{
    /// <summary>The cgroup's path below every hierarchy.</summary>
    public static string PathOf(MusterRoot root) => root.Cgroup + "-services";

    /// <summary>Moves a process out of the unit it was started in; does nothing where it is in none. A host that forbids it is no failure: the program works all the same.</summary>
    public static void MoveOut(int pid, MusterRoot root)
    {
        try
        {
            var inside = Units(File.ReadAllText($"/proc/{pid}/cgroup"), PathOf(root));
            if (inside.Count == 0)
            {
                return;
            }

            foreach (var hierarchy in CgroupHierarchies.Load().All)
            {
                if (inside.Contains(hierarchy.IsV2 ? "" : string.Join(',', hierarchy.Controllers)))
                {
                    var folder = hierarchy.MountPoint + PathOf(root);
                    Directory.CreateDirectory(folder);
                    File.WriteAllText(Path.Combine(folder, "cgroup.procs"), pid.ToString(System.Globalization.CultureInfo.InvariantCulture));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A delegated or read-only hierarchy, or the process has ended.
        }
    }

    /// <summary>Removes the cgroup when nothing lives in it.</summary>
    public static void Remove(MusterRoot root) => CgroupHierarchies.Load().Remove(PathOf(root));

    /// <summary>Which of the hierarchies that systemd kills by (cgroup2, <c>name=systemd</c>) have the process in a cgroup other than the top or ours (cgroups(7), /proc/[pid]/cgroup).</summary>
    internal static HashSet<string> Units(string text, string own)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            var first = line.IndexOf(':', StringComparison.Ordinal);
            var second = first < 0 ? -1 : line.IndexOf(':', first + 1);
            if (second < 0 || line[(second + 1)..] is var path && (path == "/" || path == own))
            {
                continue;
            }

            if (line[(first + 1)..second] is var hierarchy && hierarchy is "" or "name=systemd")
            {
                found.Add(hierarchy);
            }
        }

        return found;
    }
}
