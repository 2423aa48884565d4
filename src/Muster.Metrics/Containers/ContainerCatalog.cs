using System.Collections.Frozen;

namespace Muster.Metrics.Containers;

/// <summary>All containers of the host, of every engine, by name. Made anew when an engine's list has changed.</summary>
public sealed class ContainerCatalog : IDisposable
{
    /// <summary>Containers beyond this are not measured: ten times what one host is known to run.</summary>
    public const int MaxContainers = 20_000;

    private readonly IReadOnlyList<IContainerSource> _sources;
    private readonly Lock _gate = new();
    private Snapshot _snapshot = new([], [], FrozenDictionary<string, ContainerDescription>.Empty);

    public ContainerCatalog(IReadOnlyList<IContainerSource> sources) => _sources = sources;

    /// <summary>No container at all.</summary>
    public static ContainerCatalog Empty { get; } = new([]);

    /// <summary>Every container, in the order of the engines; the same object while nothing changes.</summary>
    public IReadOnlyList<ContainerDescription> All => Refresh().All;

    /// <summary>The container of a name, or by its engine's identification (12 characters of it at least); null when there is none.</summary>
    public ContainerDescription? Find(string name)
    {
        var snapshot = Refresh();
        if (snapshot.ByName.TryGetValue(name, out var found))
        {
            return found;
        }

        // As engines abbreviate identifications; a shorter text could mean several.
        return name.Length < 12 ? null : snapshot.All.FirstOrDefault(c => c.Kind != ContainerKind.App && c.Id.StartsWith(name, StringComparison.OrdinalIgnoreCase));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var source in _sources)
        {
            source.Dispose();
        }
    }

    private Snapshot Refresh()
    {
        lock (_gate)
        {
            var lists = new IReadOnlyList<ContainerDescription>[_sources.Count];
            var same = lists.Length == _snapshot.Lists.Count;
            for (var i = 0; i < lists.Length; i++)
            {
                lists[i] = _sources[i].Current;
                same = same && ReferenceEquals(lists[i], _snapshot.Lists[i]);
            }

            if (!same)
            {
                _snapshot = Join(lists);
            }

            return _snapshot;
        }
    }

    // Two engines may have a container of the same name: the later engine's gets the engine before its name.
    private Snapshot Join(IReadOnlyList<ContainerDescription>[] lists)
    {
        var all = new List<ContainerDescription>();
        var byName = new Dictionary<string, ContainerDescription>(StringComparer.Ordinal);
        for (var i = 0; i < lists.Length; i++)
        {
            foreach (var container in lists[i])
            {
                if (all.Count >= MaxContainers)
                {
                    break;
                }

                var named = byName.ContainsKey(container.Name) ? container with { Name = $"{_sources[i].Name}:{container.Name}" } : container;
                if (byName.TryAdd(named.Name, named))
                {
                    all.Add(named);
                }
            }
        }

        return new Snapshot(lists, all, byName.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private sealed record Snapshot(IReadOnlyList<IReadOnlyList<ContainerDescription>> Lists, IReadOnlyList<ContainerDescription> All, FrozenDictionary<string, ContainerDescription> ByName);
}
