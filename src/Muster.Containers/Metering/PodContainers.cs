using Muster.Containers.Pods;
using Muster.Core;
using Muster.Linux;
using Muster.Metrics.Containers;

namespace Muster.Containers.Metering;

/// <summary>
/// Muster's pods and their apps as containers. The pods' folders are followed by inotify, so that a pod is known when it is
/// made; what gives no event (a supervisor that was killed, a pause) is looked at from time to time.
/// </summary>
public sealed class PodContainers : IContainerSource
{
    /// <summary>How long a supervisor's death or a pause may go unseen.</summary>
    private static readonly TimeSpan RecheckInterval = TimeSpan.FromSeconds(5);

    private const uint Watched = Inotify.Create | Inotify.Delete | Inotify.MovedFrom | Inotify.MovedTo | Inotify.OnlyDirectory;

    private static readonly string[] States = [PodStore.Prepare, PodStore.Prepared, PodStore.Run, PodStore.Exited];

    private readonly PodStore _store;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<Guid, KnownPod> _pods = [];
    private readonly Dictionary<int, Guid> _watches = [];
    private readonly List<InotifyEvent> _events = [];
    private Inotify? _inotify;
    private IReadOnlyList<ContainerDescription> _current = [];
    private DateTimeOffset _recheckAt;
    private bool _isFollowed;

    public PodContainers(MusterRoot root, TimeProvider time)
    {
        _store = new PodStore(root);
        _time = time;
    }

    /// <inheritdoc/>
    public string Name => "muster";

    /// <inheritdoc/>
    public IReadOnlyList<ContainerDescription> Current
    {
        get
        {
            lock (_gate)
            {
                try
                {
                    if (_isFollowed ? Follow() : ListAll())
                    {
                        _current = [.. _pods.Values.SelectMany(p => p.Containers)];
                    }
                }
                catch (UnauthorizedAccessException)
                {
                    // Another user's pods: the rest of the host is measured without them.
                    _isFollowed = false;
                }

                return _current;
            }
        }
    }

    /// <summary>
    /// A pod and its apps as they were while they ran, even if it is being removed at this moment: of one whose supervisor tells
    /// that something of it has ended (<see cref="PodEndListener"/>). Empty when there is no such pod, or it never ran.
    /// </summary>
    public IReadOnlyList<ContainerDescription> Ending(Guid uuid)
    {
        using var pod = _store.TryFind(uuid);
        return pod is null ? [] : PodDescriptions.OfEnding(_store, pod);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _inotify?.Dispose();
            _inotify = null;
            _isFollowed = false;
        }
    }

    private bool ListAll()
    {
        _inotify?.Dispose();
        _watches.Clear();
        _pods.Clear();
        _inotify = Inotify.TryOpen();
        _isFollowed = _inotify is not null;
        foreach (var state in States)
        {
            var folder = Path.Combine(_store.Root.Pods, state);
            // 0711, as the store makes them: there may not have been a pod yet.
            Directory.CreateDirectory(folder, (UnixFileMode)0b111_001_001);
            _isFollowed &= _inotify?.Add(folder, Watched) >= 0;
        }

        foreach (var pod in _store.All())
        {
            using (pod)
            {
                Refresh(pod.Uuid);
            }
        }

        _recheckAt = _time.GetUtcNow() + RecheckInterval;
        return true;
    }

    private bool Follow()
    {
        _events.Clear();
        _inotify!.ReadAvailable(_events);
        var changed = new HashSet<Guid>();
        foreach (var e in _events)
        {
            if ((e.Mask & Inotify.Overflow) != 0)
            {
                return ListAll();
            }

            if (_watches.TryGetValue(e.Watch, out var inside))
            {
                changed.Add(inside);
            }
            else if (Guid.TryParseExact(e.Name, "D", out var uuid))
            {
                changed.Add(uuid);
            }
        }

        if (_time.GetUtcNow() >= _recheckAt)
        {
            _recheckAt = _time.GetUtcNow() + RecheckInterval;
            foreach (var (uuid, pod) in _pods)
            {
                if (pod.StateFolder == PodStore.Run)
                {
                    changed.Add(uuid);
                }
            }
        }

        var any = false;
        foreach (var uuid in changed)
        {
            any |= Refresh(uuid);
        }

        return any;
    }

    // True when what is known of the pod has changed.
    private bool Refresh(Guid uuid)
    {
        var old = _pods.GetValueOrDefault(uuid);
        KnownPod? known = null;
        try
        {
            using var pod = _store.TryFind(uuid);
            if (pod is not null && pod.StateFolder != PodStore.Garbage)
            {
                // First the watch, then the files, so that no change falls between. A rename keeps the watch.
                var watch = pod.StateFolder == PodStore.Run && _inotify is not null ? _inotify.Add(pod.Path, Watched) : -1;
                if (watch >= 0)
                {
                    _watches[watch] = uuid;
                }

                known = new KnownPod(pod.StateFolder, watch, PodDescriptions.Of(_store, pod));
            }
        }
        catch (Exception e) when (e is MusterException or IOException or LinuxException)
        {
            // It is being made or removed at this moment: the next event tells.
        }

        if (old is not null && old.Watch >= 0 && old.Watch != known?.Watch)
        {
            _inotify?.Remove(old.Watch);
            _watches.Remove(old.Watch);
        }

        if (known is null)
        {
            return _pods.Remove(uuid);
        }

        // Records compare by value but their lists do not: the same text is the same pod.
        if (old is not null && old.StateFolder == known.StateFolder && old.Containers.Select(PodDescriptions.Key).SequenceEqual(known.Containers.Select(PodDescriptions.Key)))
        {
            _pods[uuid] = old with { Watch = known.Watch };
            return false;
        }

        _pods[uuid] = known;
        return true;
    }

    private sealed record KnownPod(string StateFolder, int Watch, IReadOnlyList<ContainerDescription> Containers);
}
