using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>One mounted cgroup hierarchy: its folder, and its controllers (empty for cgroup2).</summary>
public sealed record CgroupHierarchy(string MountPoint, bool IsV2, IReadOnlyList<string> Controllers);

/// <summary>
/// The cgroup hierarchies of this host, v1 and v2 behind one face: a cgroup is a path such as <c>/muster/UUID</c> that may
/// exist in any of them (cgroups(7)).
/// </summary>
public sealed partial class CgroupHierarchies
{
    private CgroupHierarchies(IReadOnlyList<CgroupHierarchy> all) => All = all;

    public IReadOnlyList<CgroupHierarchy> All { get; }

    /// <summary>True when the host has only the one v2 hierarchy.</summary>
    public bool IsUnified => All.Count == 1 && All[0].IsV2;

    /// <summary>Reads /proc/self/mountinfo.</summary>
    public static CgroupHierarchies Load() => Parse(File.ReadAllText("/proc/self/mountinfo"));

    /// <summary>Reads a mountinfo text (proc_pid_mountinfo(5)).</summary>
    public static CgroupHierarchies Parse(string mountinfo)
    {
        var found = new List<CgroupHierarchy>();
        foreach (var line in mountinfo.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var dash = line.IndexOf(" - cgroup", StringComparison.Ordinal);
            if (dash < 0)
            {
                continue;
            }

            var fields = line[..dash].Split(' ');
            var tail = line[(dash + 3)..].Split(' ');
            if (fields.Length < 6 || tail.Length < 3 || fields[3] != "/" || found.Exists(h => h.MountPoint == fields[4]))
            {
                continue;
            }

            var v2 = tail[0] == "cgroup2";
            string[] controllers = v2 ? [] : [.. tail[2].Split(',').Where(o => o is not ("rw" or "ro" or "xattr" or "clone_children" or "noprefix") && !o.StartsWith("release_agent", StringComparison.Ordinal))];
            found.Add(new CgroupHierarchy(fields[4], v2, controllers));
        }

        return new CgroupHierarchies(found);
    }

    /// <summary>Whether any process lives in the cgroup or below it, in any hierarchy.</summary>
    public bool IsPopulated(string cgroup) => Processes(cgroup).Any();

    /// <summary>Whether the processes of the cgroup are stopped by the freezer, or are being stopped (freezer.state, cgroup.events).</summary>
    public bool IsFrozen(string cgroup)
    {
        foreach (var hierarchy in All)
        {
            if ((hierarchy.IsV2 ? "cgroup.events" : hierarchy.Controllers.Contains("freezer") ? "freezer.state" : null) is not { } file)
            {
                continue;
            }

            try
            {
                var text = File.ReadAllText(Path.Join(hierarchy.MountPoint, cgroup, file));
                // FREEZING: the last process has not stopped yet.
                if (text.Contains("frozen 1", StringComparison.Ordinal) || text.StartsWith("FR", StringComparison.Ordinal))
                {
                    return true;
                }
            }
            catch (IOException)
            {
                // It is not in this hierarchy, or ended while we looked.
            }
        }

        return false;
    }

    /// <summary>
    /// Lets the processes of the cgroup and of those below it go on. With v1's freezer nothing ends before that, SIGKILL included; what
    /// was killed meanwhile runs no instruction more.
    /// </summary>
    public void Thaw(string cgroup)
    {
        foreach (var hierarchy in All)
        {
            if (hierarchy.IsV2 || hierarchy.Controllers.Contains("freezer"))
            {
                ThawFolder(Path.Join(hierarchy.MountPoint, cgroup), hierarchy.IsV2);
            }
        }
    }

    private static void ThawFolder(string folder, bool isV2)
    {
        try
        {
            foreach (var child in Directory.EnumerateDirectories(folder))
            {
                ThawFolder(child, isV2);
            }

            File.WriteAllText(Path.Join(folder, isV2 ? "cgroup.freeze" : "freezer.state"), isV2 ? "0" : "THAWED");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is not in this hierarchy, or ended while we looked.
        }
    }

    /// <summary>The same for the cgroups that a process is in (proc_pid_cgroup(5)).</summary>
    public bool IsFrozen(int pid)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{pid}/cgroup"))
            {
                var fields = line.Split(':', 3);
                if (fields.Length == 3 && (fields[1].Length == 0 || fields[1].Split(',').Contains("freezer")) && IsFrozen(fields[2]))
                {
                    return true;
                }
            }
        }
        catch (IOException)
        {
            // It has ended.
        }

        return false;
    }

    /// <summary>The processes in the cgroup and below it; one may come more than once.</summary>
    public IEnumerable<int> Processes(string cgroup)
    {
        foreach (var hierarchy in All)
        {
            var top = hierarchy.MountPoint + cgroup;
            if (!Directory.Exists(top))
            {
                continue;
            }

            foreach (var pid in ProcessesBelow(top))
            {
                yield return pid;
            }
        }
    }

    /// <summary>The names of the cgroups right below one, each as often as it is in a hierarchy.</summary>
    public IEnumerable<string> Children(string cgroup)
    {
        foreach (var hierarchy in All)
        {
            string[] folders;
            try
            {
                folders = Directory.GetDirectories(hierarchy.MountPoint + cgroup);
            }
            catch (IOException)
            {
                continue;
            }

            foreach (var folder in folders)
            {
                yield return Path.GetFileName(folder);
            }
        }
    }

    /// <summary>Removes the cgroup and everything below it from every hierarchy; what still has processes stays and is told by false.</summary>
    /// <param name="cgroup">Its path in every hierarchy.</param>
    /// <param name="below">The names of cgroups that are known to be right below it; whatever else is there is looked for.</param>
    public bool Remove(string cgroup, params IEnumerable<string> below)
    {
        if (cgroup.Length < 2 || cgroup[0] != '/' || cgroup.Contains("..", StringComparison.Ordinal))
        {
            throw new ArgumentException("Not a cgroup of ours", nameof(cgroup));
        }

        var all = true;
        foreach (var hierarchy in All)
        {
            foreach (var name in below)
            {
                _ = rmdir($"{hierarchy.MountPoint}{cgroup}/{name}");
            }

            all &= RemoveFolder(hierarchy.MountPoint + cgroup);
        }

        return all;
    }

    /// <summary>Removes a cgroup that has neither processes nor children; others are left alone.</summary>
    public void RemoveIfEmpty(string cgroup)
    {
        if (cgroup.Length < 2)
        {
            return;
        }

        foreach (var hierarchy in All)
        {
            _ = rmdir(hierarchy.MountPoint + cgroup);
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int rmdir(string path);

    // To list a cgroup costs more than to remove it, and most have nothing below them.
    private static bool RemoveFolder(string folder)
    {
        if (IsRemoved(folder))
        {
            return true;
        }

        try
        {
            foreach (var child in Directory.EnumerateDirectories(folder))
            {
                RemoveFolder(child);
            }
        }
        catch (IOException)
        {
            // It ended while we looked.
        }

        return IsRemoved(folder);
    }

    private static bool IsRemoved(string folder) => rmdir(folder) == 0 || Marshal.GetLastPInvokeError() is Errno.ENOENT or Errno.ENOTDIR;

    private static IEnumerable<int> ProcessesBelow(string folder)
    {
        string[] lines;
        string[] children;
        try
        {
            lines = File.ReadAllLines(Path.Combine(folder, "cgroup.procs"));
            children = Directory.GetDirectories(folder);
        }
        catch (IOException)
        {
            yield break;
        }

        foreach (var line in lines)
        {
            if (int.TryParse(line, out var pid) && pid > 1)
            {
                yield return pid;
            }
        }

        foreach (var child in children)
        {
            foreach (var pid in ProcessesBelow(child))
            {
                yield return pid;
            }
        }
    }
}
