using System.Text.RegularExpressions;
using Muster.Linux;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>Which control groups are a container's.</summary>
internal static partial class ContainerGroups
{
    /// <summary>The container's group in a hierarchy, with a slash in front; null when it has none of its own there.</summary>
    public static string? Path(ContainerDescription container, CgroupHierarchy hierarchy)
    {
        var path = container.Cgroup ?? (container.Cgroups.TryGetValue(hierarchy.MountPoint, out var known) ? known : OfProcess(container.InitPid, hierarchy));
        return path is null or "/" or "" ? null : path;
    }

    /// <summary>Whether a group is the other or below it.</summary>
    public static bool IsWithin(string path, string group) =>
        path.StartsWith(group, StringComparison.Ordinal) && (path.Length == group.Length || path[group.Length] == '/');

    /// <summary>The identification of the container that a path names: 64 hexadecimal digits (docker, podman), a UUID (a pod of Muster), or the name of an LXC payload; empty for none.</summary>
    public static string Identification(string path)
    {
        var found = EngineIdentification().Match(path);
        if (!found.Success)
        {
            return "";
        }

        return found.Groups["lxc"] is { Success: true } lxc ? lxc.Value : found.Groups["id"].Value;
    }

    /// <summary>The group of a process in a hierarchy as a text of /proc/PID/cgroup says (cgroups(7)).</summary>
    internal static string? Find(string text, CgroupHierarchy hierarchy)
    {
        foreach (var line in text.Split('\n'))
        {
            var parts = line.Split(':', 3);
            if (parts.Length == 3 && (hierarchy.IsV2 ? parts[1].Length == 0 && parts[0] == "0" : parts[1].Split(',').Any(c => hierarchy.Controllers.Contains(c))))
            {
                return parts[2];
            }
        }

        return null;
    }

    private static string? OfProcess(int pid, CgroupHierarchy hierarchy)
    {
        if (pid <= 0)
        {
            return null;
        }

        try
        {
            return Find(File.ReadAllText($"/proc/{pid}/cgroup"), hierarchy);
        }
        catch (IOException)
        {
            return null;
        }
    }

    [GeneratedRegex("/muster[^/]*/(?<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|(?<![0-9a-f])(?<id>[0-9a-f]{64})(?![0-9a-f])|/lxc(\\.payload\\.|/)(?<lxc>[^/]+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex EngineIdentification();
}
