using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Containers;

/// <summary>What happened to containers lately, a bounded ring for each container and kind: what grows is an event with how much.</summary>
internal sealed class EventJournal(TimeProvider time, MetricId countParameter)
{
    /// <summary>Events kept of a container and kind; older ones are told as missed.</summary>
    public const int MaxEvents = 32;

    private const uint Point = 1;
    private const uint MissedFlag = 0x80000000;

    private readonly ConcurrentDictionary<(string Container, string Kind), Ring> _rings = new();

    /// <summary>Notes a counter's value: an event when it grew since the last note.</summary>
    public void Note(string container, string kind, long value) =>
        _rings.GetOrAdd((container, kind), static _ => new Ring()).Note(value, time, countParameter);

    /// <summary>
    /// The events that the client has not been given yet, the oldest first; those lost before them as one record. A client sees
    /// what is kept when it asks first, then each event once; a view that is no client's sees all that are kept.
    /// </summary>
    public IReadOnlyList<MetricEvent> Events(string container, string kind, ClientMemory? client)
    {
        if (!_rings.TryGetValue((container, kind), out var ring))
        {
            return [];
        }

        return client is null ? ring.After(0, time, out _) : client.Get(static () => new SeenEvents()).Take(ring, time);
    }

    /// <summary>Forgets containers that nobody knows any more.</summary>
    public void Retain(IReadOnlySet<string> containers)
    {
        foreach (var key in _rings.Keys)
        {
            if (!containers.Contains(key.Container))
            {
                _rings.TryRemove(key, out _);
            }
        }
    }

    /// <summary>Up to which event of each ring one client has been told.</summary>
    private sealed class SeenEvents
    {
        private readonly Lock _gate = new();

        // A ring that its container's end has removed takes its entry along.
        private readonly ConditionalWeakTable<Ring, StrongBox<long>> _seen = [];

        public IReadOnlyList<MetricEvent> Take(Ring ring, TimeProvider time)
        {
            lock (_gate)
            {
                var seen = _seen.GetOrCreateValue(ring);
                return ring.After(seen.Value, time, out seen.Value);
            }
        }
    }

    private sealed class Ring
    {
        private readonly Lock _gate = new();
        private readonly Queue<MetricEvent> _events = new();
        private long? _last;
        private long _noted;

        public void Note(long value, TimeProvider time, MetricId countParameter)
        {
            lock (_gate)
            {
                if (_last is { } last && value > last)
                {
                    if (_events.Count >= MaxEvents)
                    {
                        _events.Dequeue();
                    }

                    _noted++;
                    _events.Enqueue(new MetricEvent(time.GetUtcNow(), Point, [new MetricEventParameter(countParameter, MetricType.UInt64, MetricValue.From(value - last))]));
                }

                _last = Math.Max(value, _last ?? value);
            }
        }

        /// <summary>The events noted after the first so many, and how many have been noted in all.</summary>
        public IReadOnlyList<MetricEvent> After(long seen, TimeProvider time, out long noted)
        {
            lock (_gate)
            {
                noted = _noted;
                var missed = _noted - _events.Count - seen;
                IEnumerable<MetricEvent> fresh = missed >= 0 ? _events : _events.Skip((int)-missed);
                return missed <= 0 ? [.. fresh] : [new MetricEvent(_events.Count > 0 ? _events.Peek().Time : time.GetUtcNow(), MissedFlag, [], (int)Math.Min(missed, int.MaxValue)), .. fresh];
            }
        }
    }
}
