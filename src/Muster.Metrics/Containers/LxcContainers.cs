using Muster.Linux;

namespace Muster.Metrics.Containers;

/// <summary>
/// LXC's containers, root's and those of users whose files can be read: a folder with a configuration each; one runs when it has a
/// control group with processes. A user's is told as <c>USER:NAME</c>.
/// </summary>
internal sealed class LxcContainers(TimeProvider time, CgroupHierarchies hierarchies, string folder = "/var/lib/lxc", string homes = "/home") : PolledContainers(time)
{
    /// <summary>Homes that are looked into; hosts with more have theirs behind a name service that no listing should wait for.</summary>
    private const int MaxHomes = 1000;

    /// <summary>Containers of one user: nobody fills the list for the others.</summary>
    private const int MaxOfUser = 100;

    /// <summary>Groups of a user that are looked through: those of a session, of services, of what each started.</summary>
    private const int MaxGroups = 4096;

    /// <summary>user-1000.slice, user@1000.service, app.slice, a scope, and what a shell made there.</summary>
    private const int MaxDepth = 6;

    /// <inheritdoc/>
    public override string Name => "lxc";

    /// <inheritdoc/>
    protected override IEnumerable<ContainerDescription> List()
    {
        // Its monitor names the group lxc.payload.NAME; before LXC 4 it was lxc/NAME.
        var own = Names(folder, MaxContainers).Select(name => Describe(name, "", hierarchies.All.Select(h => (h.MountPoint, new[] { $"/lxc.payload.{name}", $"/lxc/{name}" }.FirstOrDefault(g => Directory.Exists(h.MountPoint + g))))));
        return own.Concat(Directory.Exists(homes) ? Directory.EnumerateDirectories(homes).Take(MaxHomes).SelectMany(OfUser) : []);
    }

    private static IEnumerable<string> Names(string folder, int most) => !Directory.Exists(folder) ? [] :
        Directory.EnumerateDirectories(folder).Take(most).Select(p => Path.GetFileName(p)).Where(n => ForeignJson.IsName(n) && File.Exists(Path.Combine(folder, n, "config")));

    // A user's containers are wherever his session or his service manager has put what started them.
    private IEnumerable<ContainerDescription> OfUser(string home)
    {
        List<string> names;
        try
        {
            names = [.. Names(Path.Combine(home, ".local/share/lxc"), MaxOfUser)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is wrong in one home hides nothing of the others.
            yield break;
        }

        if (names.Count == 0 || FileStatus.Find(home) is not { } owner)
        {
            yield break;
        }

        var user = Path.GetFileName(home);
        var groups = hierarchies.All.Select(h => (h.MountPoint, Payloads: new[] { $"/user.slice/user-{owner.Uid}.slice", $"/user/{user}" }.SelectMany(top => Payloads(h.MountPoint, top)).ToList())).ToList();
        foreach (var name in names)
        {
            yield return Describe(name, user, groups.Select(g => (g.MountPoint, g.Payloads.Find(p => p.EndsWith("/lxc.payload." + name, StringComparison.Ordinal)))));
        }
    }

    private static IEnumerable<string> Payloads(string mountPoint, string top)
    {
        if (!Directory.Exists(mountPoint + top))
        {
            return [];
        }

        return Directory.EnumerateDirectories(mountPoint + top, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = MaxDepth, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Take(MaxGroups).Where(p => Path.GetFileName(p).StartsWith("lxc.payload.", StringComparison.Ordinal)).Select(p => p[mountPoint.Length..]);
    }

    private ContainerDescription Describe(string name, string user, IEnumerable<(string MountPoint, string? Group)> found)
    {
        var groups = found.Where(g => g.Group is not null).ToDictionary(g => g.MountPoint, g => g.Group!, StringComparer.Ordinal);
        var pid = groups.Select(g => FirstProcess(g.Key + g.Value)).FirstOrDefault(p => p > 0);
        var shown = user.Length == 0 ? name : $"{user}:{name}";
        return new ContainerDescription
        {
            Name = shown,
            Id = shown,
            Kind = ContainerKind.Lxc,
            State = pid <= 0 ? ContainerState.Exited : groups.Values.Distinct(StringComparer.Ordinal).Any(hierarchies.IsFrozen) ? ContainerState.Paused : ContainerState.Running,
            InitPid = pid,
            StartedAt = StartOf(pid),
            HasOwnNetwork = HasOwnNetwork(pid),
            Cgroups = groups,
            Labels = user.Length == 0 ? [] : [new("owner", user)],
        };
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
