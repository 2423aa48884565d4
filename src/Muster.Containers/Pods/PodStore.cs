using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Pods;

/// <summary>
/// The pods of a root: <c>pods/{prepare,prepared,run,exited,garbage}/UUID</c> and the names in <c>pods/names</c>. A pod's
/// state is its folder together with whether its lock is held or its cgroup has processes.
/// </summary>
public sealed class PodStore
{
    public const string Prepare = "prepare";
    public const string Prepared = "prepared";
    public const string Run = "run";
    public const string Exited = "exited";
    public const string Garbage = "garbage";

    /// <summary>The folders of the states, in the order in which a pod comes through them.</summary>
    internal static IReadOnlyList<string> States { get; } = [Prepare, Prepared, Run, Exited, Garbage];

    private CgroupHierarchies? _hierarchies;

    public PodStore(MusterRoot root) => Root = root;

    public MusterRoot Root { get; }

    private string NameFolder => Path.Combine(Root.Pods, "names");

    private CgroupHierarchies Hierarchies => _hierarchies ??= CgroupHierarchies.Load();

    /// <summary>The cgroup of a pod below every hierarchy.</summary>
    public string Cgroup(Guid uuid) => $"{Root.Cgroup}/{uuid}";

    /// <summary>Makes a new pod directory, locked, in <c>prepare</c>.</summary>
    public PodDirectory Create(Guid uuid)
    {
        EnsureFolders();
        var path = Path.Combine(Root.Pods, Prepare, uuid.ToString());
        // Closed to the host's other users: what an app writes may be setuid, and names a user of the image's, not of theirs.
        Directory.CreateDirectory(path, (UnixFileMode)0b111_000_000);
        var descriptor = DescriptorLock.Open(path);
        DescriptorLock.Acquire(descriptor);
        return new PodDirectory(uuid, Prepare, path, descriptor);
    }

    /// <summary>Claims a name for a pod; a name in use is a conflict that says who has it, one whose pod is gone is free.</summary>
    public void ClaimName(string name, Guid uuid)
    {
        if (!AcName.IsName(name))
        {
            throw new MusterException(ErrorKind.Usage, $"\"{name}\" cannot be a pod's name: use lower-case letters, digits and single dashes");
        }

        // One claim after the other: of two that find the same pod gone, the second must see the first.
        using var held = FileLock.WaitDirectory(NameFolder);
        if (OwnerOf(name) is { } owner && TryFind(owner) is { } pod)
        {
            pod.Dispose();
            throw new MusterException(ErrorKind.Conflict, $"The name \"{name}\" belongs to pod {owner}: choose another, or remove that pod with \"muster rm {name}\"");
        }

        // Beside and renamed: on a full disk, or after a kill, there is no file that names nobody. No name begins with a dot.
        var beside = NamePath(".new");
        File.WriteAllText(beside, uuid.ToString());
        File.Move(beside, NamePath(name), overwrite: true);
    }

    /// <summary>Frees a name if it is still this pod's.</summary>
    public void ReleaseName(string? name, Guid uuid)
    {
        if (name is not null && OwnerOf(name) == uuid)
        {
            File.Delete(NamePath(name));
        }
    }

    public string NamePath(string name) => Path.Combine(NameFolder, name);

    /// <summary>Finds a pod by name, UUID or an unambiguous beginning of one (four characters at least).</summary>
    public PodDirectory Find(string text)
    {
        if (AcName.IsName(text) && OwnerOf(text) is { } named && TryFind(named) is { } byName)
        {
            return byName;
        }

        if (Guid.TryParseExact(text, "D", out var uuid))
        {
            return TryFind(uuid) ?? throw NotFound(text);
        }

        var matches = text.Length >= 4 ? All().Where(p => p.Uuid.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase)).ToList() : [];
        return matches.Count switch
        {
            1 => matches[0],
            0 => throw NotFound(text),
            _ => throw new MusterException(ErrorKind.Usage, $"\"{text}\" is the beginning of {matches.Count} pods' UUIDs: write more of it"),
        };
    }

    /// <summary>The pod's directory wherever it is; null when it is gone.</summary>
    public PodDirectory? TryFind(Guid uuid)
    {
        // A pod may be renamed from one folder to the next while we look: look twice.
        for (var attempt = 0; attempt < 2; attempt++)
        {
            foreach (var state in States)
            {
                var path = Path.Combine(Root.Pods, state, uuid.ToString());
                if (Directory.Exists(path))
                {
                    return new PodDirectory(uuid, state, path, -1);
                }
            }
        }

        return null;
    }

    /// <summary>Every pod, oldest state folder first; one that moves on meanwhile comes once.</summary>
    public IEnumerable<PodDirectory> All()
    {
        var seen = new HashSet<Guid>();
        foreach (var state in States)
        {
            var folder = Path.Combine(Root.Pods, state);
            // Closed to the caller is not the same as empty.
            if (FileStatus.Find(folder) is null)
            {
                continue;
            }

            foreach (var path in Directory.GetDirectories(folder))
            {
                if (Guid.TryParseExact(Path.GetFileName(path), "D", out var uuid) && seen.Add(uuid))
                {
                    yield return new PodDirectory(uuid, state, path, -1);
                }
            }
        }
    }

    /// <summary>What state a pod is in, judged by its folder, its lock and its processes.</summary>
    public PodState StateOf(PodDirectory pod)
    {
        var state = Judge(pod);
        // What was judged may have come into its next state before: of a folder that is gone nobody holds the lock.
        return pod.Relocate() ? Judge(pod) : state;
    }

    private PodState Judge(PodDirectory pod)
    {
        var locked = DescriptorLock.IsHeld(pod.Path);
        return pod.StateFolder switch
        {
            Prepare => locked ? PodState.Preparing : PodState.Aborted,
            Prepared => PodState.Prepared,
            Run when locked => IsFrozen(pod.Uuid) ? PodState.Paused : PodState.Running,
            Run => Hierarchies.IsPopulated(Cgroup(pod.Uuid)) ? PodState.Orphaned : PodState.Exited,
            Exited => locked ? PodState.Deleting : PodState.Exited,
            _ => PodState.Deleting,
        };
    }

    /// <summary>True for an ended pod that was not to be kept and whose rest is being removed this moment: nobody need see it.</summary>
    public static bool IsBeingCleared(PodDirectory pod) => pod.StateFolder == Garbage && DescriptorLock.IsHeld(pod.Path);

    /// <summary>Whether anything of the pod lives: its lock is held or its cgroup has processes.</summary>
    public bool IsAlive(Guid uuid)
    {
        using var pod = TryFind(uuid);
        return pod is not null && (DescriptorLock.IsHeld(pod.Path) || Hierarchies.IsPopulated(Cgroup(uuid)));
    }

    /// <summary>The pod's processes on the host.</summary>
    public IReadOnlySet<int> Processes(Guid uuid) => Hierarchies.Processes(Cgroup(uuid)).ToHashSet();

    /// <summary>Removes the pod's cgroups; false while processes live in them.</summary>
    public bool RemoveCgroups(Guid uuid) => Hierarchies.Remove(Cgroup(uuid));

    /// <summary>Lets the pod's processes go on if they are paused.</summary>
    public void Thaw(Guid uuid) => Hierarchies.Thaw(Cgroup(uuid));

    /// <summary>
    /// Removes the cgroups of pods that no longer exist, in every hierarchy, as long as nothing lives in them. A pod's folder is
    /// made before its cgroups and removed after them, so that what has no folder was not just begun.
    /// </summary>
    public void SweepCgroups()
    {
        foreach (var uuid in Hierarchies.Children(Root.Cgroup).Select(n => Guid.TryParseExact(n, "D", out var uuid) ? uuid : default).Where(u => u != default).ToHashSet())
        {
            using var pod = TryFind(uuid);
            if (pod is null && !Hierarchies.IsPopulated(Cgroup(uuid)))
            {
                _ = RemoveCgroups(uuid);
            }
        }
    }

    /// <summary>Removes the root's own cgroup when no shim of the root lives or starts.</summary>
    public void RemoveRootCgroup()
    {
        Directory.CreateDirectory(Root.Run);
        using var alone = FileLock.TryTake(CgroupLock, exclusive: true);
        if (alone is not null)
        {
            Hierarchies.RemoveIfEmpty(Root.Cgroup);
        }
    }

    /// <summary>See <see cref="Core.Supervision.SupervisionPlan.CgroupLock"/>.</summary>
    public string CgroupLock => Path.Combine(Root.Run, "cgroup.lock");

    /// <summary>Takes the pod's lock, or says who holds it.</summary>
    public PodDirectory Lock(PodDirectory pod)
    {
        int descriptor;
        try
        {
            descriptor = DescriptorLock.Open(pod.Path);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            throw new MusterException(ErrorKind.Busy, $"Pod {pod.Uuid} was moved or removed by another verb this moment: look again with \"muster list\"", e);
        }

        if (!DescriptorLock.TryAcquire(descriptor))
        {
            Descriptors.Close(descriptor);
            throw new MusterException(ErrorKind.Busy, $"Pod {pod.Uuid} is busy: it is running, or another verb is at work on it");
        }

        return new PodDirectory(pod.Uuid, pod.StateFolder, pod.Path, descriptor);
    }

    /// <summary>What list and status show.</summary>
    public PodView View(PodDirectory pod)
    {
        var record = pod.ReadRecord();
        var status = pod.ReadStatus();
        var state = StateOf(pod);
        var alive = state is PodState.Running or PodState.Paused or PodState.Orphaned;
        var network = alive ? pod.ReadNetwork() : null;
        return new PodView
        {
            Uuid = record.Uuid,
            Name = record.Name,
            Owner = record.Owner,
            State = state,
            CreatedAt = record.CreatedAt,
            StartedAt = status?.StartedAt,
            ExitedAt = status?.ExitedAt,
            Pid = alive ? status?.ShimPid : null,
            ExitStatus = state == PodState.Exited ? status?.ExitStatus : null,
            Error = state is PodState.Exited or PodState.Orphaned && status is { ExitedAt: null } ? "supervisor lost" : status?.Error,
            Apps = [.. record.Apps.Select(a => ViewApp(a, status, state))],
            Networks = network?.Interfaces ?? [],
            HostNetwork = record.HostNetwork,
            // What has ended holds no port, and what is prepared will.
            Ports = alive || state is PodState.Preparing or PodState.Prepared ? record.Ports : [],
            InsecureOptions = record.InsecureOptions,
        };
    }

    private static AppView ViewApp(AppRecord app, PodStatus? status, PodState state)
    {
        var found = status?.Apps.GetValueOrDefault(app.Name);
        var alive = state is PodState.Running or PodState.Paused or PodState.Orphaned;
        return new AppView
        {
            Name = app.Name,
            Image = app.Reference,
            ImageId = app.ImageId,
            Trust = app.Trust.Verdict,
            Signer = app.Trust.Signer,
            Phase = found is null ? "prepared" : !alive ? "exited" : found.Phase,
            Pid = alive ? found?.Pid : null,
            StartedAt = found?.StartedAt,
            ExitedAt = found?.ExitedAt,
            ExitStatus = found?.ExitStatus,
            Restarts = found?.Restarts ?? 0,
        };
    }

    // An app is frozen, not the pod's own group: the runtime knows no more than that.
    private bool IsFrozen(Guid uuid) => Hierarchies.Children(Cgroup(uuid)).Distinct().Any(app => Hierarchies.IsFrozen($"{Cgroup(uuid)}/{app}"));

    private Guid? OwnerOf(string name)
    {
        try
        {
            return Guid.TryParse(File.ReadAllText(NamePath(name)), out var uuid) ? uuid : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void EnsureFolders()
    {
        if (Directory.Exists(NameFolder))
        {
            return;
        }

        foreach (var state in States)
        {
            Directory.CreateDirectory(Path.Combine(Root.Pods, state), (UnixFileMode)0b111_001_001);
        }

        // Last: its presence says that the others are there.
        Directory.CreateDirectory(NameFolder, (UnixFileMode)0b111_000_000);
        Directory.CreateDirectory(Root.Run);
    }

    private static MusterException NotFound(string text) =>
        new(ErrorKind.NotFound, $"There is no pod \"{text}\": \"muster list\" shows those there are");
}
