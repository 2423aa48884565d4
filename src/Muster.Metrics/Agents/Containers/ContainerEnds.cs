using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Containers;

/// <summary>
/// Tells when the last process of a container has ended: the kernel notes it in <c>cgroup.events</c> (cgroup-v2.rst) before the
/// engine knows and removes the group, so that the last values can still be read. Nobody waits for that: where the engine is
/// quicker, what was counted since the last sample is lost. Hosts without version 2 of control groups have no such file.
/// </summary>
internal sealed class ContainerEnds(ContainerCgroups groups, ContainerCatalog containers, Action<ContainerDescription> onEnd)
{
    /// <summary>How often new containers are looked for: one that lives shorter ends unseen.</summary>
    private const int LookMilliseconds = 500;

    private readonly Dictionary<int, ContainerDescription> _watched = [];
    private readonly List<InotifyEvent> _events = [];
    private IReadOnlyList<ContainerDescription> _seen = [];
    private int _ends;
    private int _following;

    /// <summary>How many ends were told.</summary>
    public int Count => Volatile.Read(ref _ends);

    /// <summary>Whether any container's end would be told.</summary>
    public bool IsFollowing => Volatile.Read(ref _following) > 0;

    /// <summary>Follows the containers until it is cancelled; blocks its thread.</summary>
    public void Run(CancellationToken ct)
    {
        using var inotify = groups.Tree.Version2 is null ? null : Inotify.TryOpen();
        if (inotify is null)
        {
            return;
        }

        Span<PollFd> waiting = [new() { Descriptor = inotify.Descriptor, Events = PollFd.In }];
        while (!ct.IsCancellationRequested)
        {
            Follow(inotify);
            if (Descriptors.Poll(waiting, LookMilliseconds) > 0)
            {
                _events.Clear();
                inotify.ReadAvailable(_events);
                foreach (var e in _events)
                {
                    Take(e);
                }
            }
        }
    }

    private void Take(InotifyEvent e)
    {
        if ((e.Mask & Inotify.Ignored) != 0)
        {
            _watched.Remove(e.Watch);
        }
        else if (_watched.TryGetValue(e.Watch, out var container) && FileOf(container) is { } file && ContainerFolders.ReadKeyed(file).GetValueOrDefault("populated", 1) == 0)
        {
            onEnd(container);
            Interlocked.Increment(ref _ends);
        }
    }

    private void Follow(Inotify inotify)
    {
        var all = containers.All;
        if (ReferenceEquals(all, _seen))
        {
            return;
        }

        // The same group has the same watch, however often it is asked for; one that is gone has ended by itself.
        _seen = all;
        var wanted = new HashSet<int>();
        foreach (var container in all)
        {
            if (ContainerMetricSource.IsAlive(container) && FileOf(container) is { } file && inotify.Add(file, Inotify.Modify) is >= 0 and var watch)
            {
                _watched[watch] = container;
                wanted.Add(watch);
            }
        }

        foreach (var watch in _watched.Keys.Where(w => !wanted.Contains(w)).ToList())
        {
            inotify.Remove(watch);
            _watched.Remove(watch);
        }

        Volatile.Write(ref _following, _watched.Count);
    }

    private string? FileOf(ContainerDescription container) =>
        groups.Tree.Version2 is { } unified && ContainerGroups.Path(container, unified.Hierarchy) is { } path ? $"{unified.Hierarchy.MountPoint}{path}/cgroup.events" : null;
}
