using System.Collections.Concurrent;

namespace Muster.Metrics.Collecting;

/// <summary>What agents remember of one client between its requests: what it has chosen for itself, what it has been told. It goes with the client.</summary>
public sealed class ClientMemory
{
    private readonly ConcurrentDictionary<Type, object> _parts = new();

    /// <summary>An agent's own part, made when it is asked for first.</summary>
    public T Get<T>(Func<T> make)
        where T : class => (T)_parts.GetOrAdd(typeof(T), static (_, how) => how(), make);

    /// <summary>An agent's own part, or null when nothing has been remembered yet.</summary>
    public T? Find<T>()
        where T : class => _parts.TryGetValue(typeof(T), out var part) ? (T)part : null;
}
