using Muster.Linux;

namespace Muster.Metrics.Containers;

/// <summary>LXC's containers: a folder with a configuration each; one runs when it has a control group with processes.</summary>
internal sealed class LxcContainers(TimeProvider time, CgroupHierarchies hierarchies, string folder = "/var/lib/lxc") : PolledContainers(time)
{
    /// <inheritdoc/>
    public override string Name => "lxc";

    /// <inheritdoc/>
    protected override IEnumerable<ContainerDescription> List()
    {
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        foreach (var path in Directory.EnumerateDirectories(folder).Take(MaxContainers))
        {
            var name = Path.GetFileName(path);
            if (!ForeignJson.IsName(name) || !File.Exists(Path.Combine(path, "config")))
            {
                continue;
            }

            // Its monitor names the group lxc.payload.NAME; before LXC 4 it was lxc/NAME.
            var groups = new Dictionary<string, string>(StringComparer.Ordinal);
            var pid = 0;
            foreach (var hierarchy in hierarchies.All)
            {
                foreach (var group in new[] { $"/lxc.payload.{name}", $"/lxc/{name}" })
                {
                    if (Directory.Exists(hierarchy.MountPoint + group))
                    {
                        groups[hierarchy.MountPoint] = group;
                        pid = pid > 0 ? pid : FirstProcess(hierarchy.MountPoint + group);
                        break;
                    }
                }
            }

            yield return new ContainerDescription
            {
                Name = name,
                Id = name,
                Kind = ContainerKind.Lxc,
                State = pid <= 0 ? ContainerState.Exited : groups.Values.Distinct(StringComparer.Ordinal).Any(hierarchies.IsFrozen) ? ContainerState.Paused : ContainerState.Running,
                InitPid = pid,
                StartedAt = StartOf(pid),
                HasOwnNetwork = HasOwnNetwork(pid),
                Cgroups = groups,
            };
        }
    }

    // The lowest pid of the group is the container's init, unless pids have wrapped; any process has its namespaces.
    private static int FirstProcess(string folder)
    {
        try
        {
            var direct = File.ReadLines(Path.Combine(folder, "cgroup.procs")).Select(l => int.TryParse(l, out var pid) ? pid : 0).Where(p => p > 0).DefaultIfEmpty(0).Min();
            return direct > 0 ? direct : Directory.EnumerateDirectories(folder).Select(FirstProcess).FirstOrDefault(p => p > 0);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
