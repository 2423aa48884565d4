using Muster.Metrics.Archive;
using Muster.Metrics.Names;

namespace Muster.Metrics.Reporting;

/// <summary>
/// What a report needs of an instance's values, in memory that does not grow with their number: how long each held (of a counter,
/// the rate between two), those of one stretch of time joined into their mean and their highest.
/// </summary>
/// <param name="metric">The metric's name.</param>
/// <param name="descriptor">The metric.</param>
/// <param name="instance">The instance's name; null for a metric without instances.</param>
/// <param name="from">What was before serves the first rate alone.</param>
/// <param name="grid">How values are joined; null when the last value and the growth are all that is needed.</param>
internal sealed class UseSeries(string metric, MetricDescriptor descriptor, string? instance, DateTimeOffset from, UseGrid? grid) : InstanceSeries(metric, descriptor, instance)
{
    /// <summary>An interval so many times as long as those beside it is a gap.</summary>
    private const int LeastGap = 5;

    private readonly JoinedSpans? _spans = grid?.New(descriptor.Semantics == MetricSemantics.Counter);

    // Of levels three: how long one held is known by the two after it.
    private readonly List<SeriesPoint> _recent = [];

    /// <summary>What adds this and other counters before values are joined.</summary>
    public IReadOnlyList<UseSum> Sums { get; init; } = [];

    /// <summary>Values are what is left of something: with the sign turned, so that the highest is the highest use.</summary>
    public bool IsTurned { get; init; }

    /// <summary>The last value; null when there never was one.</summary>
    public double? Last { get; private set; }

    /// <summary>By how much a counter grew altogether, however often it began anew.</summary>
    public double Growth { get; private set; }

    /// <summary>The times of the first and the last value.</summary>
    public (DateTimeOffset First, DateTimeOffset Last) Times { get; private set; }

    private bool IsCounter => Descriptor.Semantics == MetricSemantics.Counter;

    /// <summary>
    /// The counter's change per second, each over the time since the value before; other values as they are, each with the time until
    /// the next. No value reaches into a gap: a mark, or an interval many times as long as those beside it.
    /// </summary>
    public IReadOnlyList<SpanPoint> Spans()
    {
        if (_spans is null || IsCounter)
        {
            return _spans?.ToList() ?? [];
        }

        // The last one is told as it is.
        var all = _spans.Copy();
        for (var i = Math.Max(0, _recent.Count - 2); i < _recent.Count; i++)
        {
            Held(i, span => all.Add(span, isApart: i == _recent.Count - 1));
        }

        return all.ToList();
    }

    public override bool Take(DateTimeOffset time, double value)
    {
        value = IsTurned ? -value : value;
        Growth += value > Last ? value - Last.Value : 0;
        Last = value;
        Times = (_recent.Count == 0 && Times.First == default ? time : Times.First, time);
        return Push(new SeriesPoint(time.UtcTicks, value));
    }

    public override bool Restart(DateTimeOffset time, double value)
    {
        var isFirst = _recent.Count == 0;
        value = IsTurned ? -value : value;
        _recent.Clear();
        _recent.Add(new SeriesPoint(time.UtcTicks, value));
        (Last, Times) = (value, (time, time));
        return isFirst;
    }

    public override void AddGap(DateTimeOffset time)
    {
        if (_recent.Count > 0 && !double.IsNaN(_recent[^1].Value))
        {
            Push(new SeriesPoint(time.UtcTicks, double.NaN));
        }
    }

    // The grid bounds what is held: to the reader it is none.
    private bool Push(SeriesPoint now)
    {
        _recent.Add(now);
        if (IsCounter && _recent.Count > 1)
        {
            Change(_recent[0], now);
            _recent.RemoveAt(0);
        }
        else if (!IsCounter && _recent.Count > 2)
        {
            Held(_recent.Count - 3, span => _spans?.Add(span));
            _recent.RemoveRange(0, _recent.Count - 3);
        }

        return false;
    }

    private void Change(SeriesPoint before, SeriesPoint now)
    {
        if (now.Value >= before.Value && now.Ticks > before.Ticks && now.Ticks > from.UtcTicks)
        {
            var span = new SpanPoint(now.Ticks, (now.Value - before.Value) * TimeSpan.TicksPerSecond / (now.Ticks - before.Ticks), now.Ticks - Math.Max(before.Ticks, from.UtcTicks));
            _spans?.Add(span);
            foreach (var sum in Sums)
            {
                sum.Add(span);
            }
        }
    }

    private void Held(int point, Action<SpanPoint> take)
    {
        if (double.IsNaN(_recent[point].Value) || _recent[point].Ticks < from.UtcTicks)
        {
            return;
        }

        var (before, until, after) = (Interval(point - 1), Interval(point), Interval(point + 1));
        var isGap = until > LeastGap * before && before > 0 && until > LeastGap * after;
        take(new SpanPoint(_recent[point].Ticks, _recent[point].Value, until == 0 || isGap ? before : until));
    }

    // From one point to the next; none where either is no value.
    private long Interval(int point) =>
        point >= 0 && point + 1 < _recent.Count && !double.IsNaN(_recent[point].Value) && !double.IsNaN(_recent[point + 1].Value) ? _recent[point + 1].Ticks - _recent[point].Ticks : 0;
}
