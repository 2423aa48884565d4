using System.Collections.Concurrent;
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

    /// <summary>The events that are kept, the oldest first; those lost before them as one record.</summary>
    public IReadOnlyList<MetricEvent> Events(string container, string kind) => _rings.TryGetValue((container, kind), out var ring) ? ring.Events(time) : [];

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

    private sealed class Ring
    {
        private readonly Lock _gate = new();
        private readonly Queue<MetricEvent> _events = new();
        private long? _last;
        private int _missed;

        public void Note(long value, TimeProvider time, MetricId countParameter)
        {
            lock (_gate)
            {
                if (_last is { } last && value > last)
                {
                    if (_events.Count >= MaxEvents)
                    {
                        _events.Dequeue();
                        _missed++;
                    }

                    _events.Enqueue(new MetricEvent(time.GetUtcNow(), Point, [new MetricEventParameter(countParameter, MetricType.UInt64, MetricValue.From(value - last))]));
                }

                _last = Math.Max(value, _last ?? value);
            }
        }

        public IReadOnlyList<MetricEvent> Events(TimeProvider time)
        {
            lock (_gate)
            {
                return _missed == 0 ? _events.Count == 0 ? [] : [.. _events] : [new MetricEvent(_events.Count > 0 ? _events.Peek().Time : time.GetUtcNow(), MissedFlag, [], _missed), .. _events];
            }
        }
    }
}
