using System.Runtime.InteropServices;
using Muster.Core;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>A value at a time; not a number where nothing is known from then on (a gap).</summary>
internal readonly record struct SeriesPoint(long Ticks, double Value)
{
    public DateTimeOffset Time => new(Ticks, TimeSpan.Zero);
}

/// <summary>A value that held until a time, or of a counter its rate over that time.</summary>
/// <param name="Ticks">When it was recorded: of a rate its end, of other values their beginning.</param>
/// <param name="Value">The value.</param>
/// <param name="Span">For how long it stands, in ticks: what it weighs; 0 where that is not known.</param>
internal readonly record struct SpanPoint(long Ticks, double Value, long Span)
{
    public DateTimeOffset Time => new(Ticks, TimeSpan.Zero);
}

/// <summary>The values of one instance of one metric over time, as they were recorded.</summary>
internal sealed class ValueSeries(string metric, MetricDescriptor descriptor, string? instance)
{
    /// <summary>An interval so many times as long as those beside it is a gap.</summary>
    private const int LeastGap = 5;

    private readonly List<SeriesPoint> _points = [];
    private long _stretch;

    public string Metric => metric;

    public MetricDescriptor Descriptor => descriptor;

    /// <summary>The instance's name; null for a metric without instances.</summary>
    public string? Instance => instance;

    public ReadOnlySpan<SeriesPoint> Points => CollectionsMarshal.AsSpan(_points);

    public void Add(DateTimeOffset time, double value) => _points.Add(new SeriesPoint(time.UtcTicks, value));

    /// <summary>
    /// Adds a value, or joins it with the last one when both lie in one stretch of time: of a counter the later one is kept,
    /// which leaves its mean rate as it is, of other values the higher one. Stretches lie on a grid of time, so that series that
    /// began at different times are joined at the same ones. True when there is one point more.
    /// </summary>
    public bool Add(DateTimeOffset time, double value, TimeSpan stretch)
    {
        var isCounter = descriptor.Semantics == MetricSemantics.Counter;
        var own = stretch.Ticks > 0 ? time.UtcTicks / stretch.Ticks : time.UtcTicks;
        if (_points.Count < 2 || own != _stretch || double.IsNaN(_points[^1].Value) || (isCounter && (value < _points[^1].Value || double.IsNaN(_points[^2].Value))))
        {
            _stretch = own;
            Add(time, value);
            return true;
        }

        if (isCounter || value > _points[^1].Value)
        {
            _points[^1] = new SeriesPoint(time.UtcTicks, value);
        }

        return false;
    }

    /// <summary>Forgets what was before, but for this value: what is told at a time is of the last one before it. True when there is one point more.</summary>
    public bool Restart(DateTimeOffset time, double value)
    {
        var isFirst = _points.Count == 0;
        _points.Clear();
        Add(time, value);
        return isFirst;
    }

    public void AddGap(DateTimeOffset time)
    {
        if (_points.Count > 0 && !double.IsNaN(_points[^1].Value))
        {
            Add(time, double.NaN);
        }
    }

    /// <summary>
    /// The value at a time as PCP interpolates it: of a counter on a straight line between two records, of an instantaneous
    /// value the one before where another follows, of a discrete value the one before, which holds until another follows; not a
    /// number outside of what was recorded, or in a gap.
    /// </summary>
    public double At(DateTimeOffset time)
    {
        var points = Points;
        var after = UpperBound(points, time.UtcTicks);
        if (after == 0 || double.IsNaN(points[after - 1].Value))
        {
            return double.NaN;
        }

        var before = points[after - 1];
        if (before.Ticks == time.UtcTicks || descriptor.Semantics == MetricSemantics.Discrete)
        {
            return before.Value;
        }

        if (after == points.Length || double.IsNaN(points[after].Value))
        {
            return double.NaN;
        }

        if (descriptor.Semantics != MetricSemantics.Counter)
        {
            return before.Value;
        }

        // A counter that went backwards began anew: nothing is known of what lies between.
        var next = points[after];
        return next.Value < before.Value
            ? double.NaN
            : before.Value + ((next.Value - before.Value) * (time.UtcTicks - before.Ticks) / (next.Ticks - before.Ticks));
    }

    /// <summary>The last value before a time; null in a gap.</summary>
    public SeriesPoint? LastBefore(DateTimeOffset time) => UpperBound(Points, time.UtcTicks - 1) is > 0 and var end && !double.IsNaN(_points[end - 1].Value) ? _points[end - 1] : null;

    /// <summary>By how much a counter grew between two times; not a number when either is unknown, or it began anew between them.</summary>
    public double Growth(DateTimeOffset from, DateTimeOffset to)
    {
        var growth = At(to) - At(from);
        return growth < 0 ? double.NaN : growth;
    }

    /// <summary>By how much a counter grew altogether, however often it began anew.</summary>
    public double WholeGrowth()
    {
        var (growth, before) = (0.0, double.NaN);
        foreach (var point in _points)
        {
            growth += point.Value > before ? point.Value - before : 0;
            before = double.IsNaN(point.Value) ? before : point.Value;
        }

        return growth;
    }

    /// <summary>
    /// From a time on, the counter's change per second, each over the time since the point before; other values as they are, each
    /// with the time until the next. No value reaches into a gap: a mark, or an interval many times as long as those beside it.
    /// </summary>
    public IReadOnlyList<SpanPoint> Rates(DateTimeOffset from = default) => descriptor.Semantics == MetricSemantics.Counter ? Changes(from) : Levels(from);

    private List<SpanPoint> Changes(DateTimeOffset from)
    {
        var rates = new List<SpanPoint>();
        for (var i = 1; i < _points.Count; i++)
        {
            var (before, now) = (_points[i - 1], _points[i]);
            if (now.Value >= before.Value && now.Ticks > before.Ticks && now.Ticks > from.UtcTicks)
            {
                rates.Add(new SpanPoint(now.Ticks, (now.Value - before.Value) * TimeSpan.TicksPerSecond / (now.Ticks - before.Ticks), now.Ticks - Math.Max(before.Ticks, from.UtcTicks)));
            }
        }

        return rates;
    }

    private List<SpanPoint> Levels(DateTimeOffset from)
    {
        var levels = new List<SpanPoint>();
        for (var i = 0; i < _points.Count; i++)
        {
            if (double.IsNaN(_points[i].Value) || _points[i].Ticks < from.UtcTicks)
            {
                continue;
            }

            var (before, until, after) = (Interval(i - 1), Interval(i), Interval(i + 1));
            var isGap = until > LeastGap * before && before > 0 && until > LeastGap * after;
            levels.Add(new SpanPoint(_points[i].Ticks, _points[i].Value, until == 0 || isGap ? before : until));
        }

        return levels;
    }

    // From one point to the next; none where either is no value.
    private long Interval(int point) =>
        point >= 0 && point + 1 < _points.Count && !double.IsNaN(_points[point].Value) && !double.IsNaN(_points[point + 1].Value) ? _points[point + 1].Ticks - _points[point].Ticks : 0;

    private static int UpperBound(ReadOnlySpan<SeriesPoint> points, long ticks)
    {
        var (low, high) = (0, points.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = points[middle].Ticks <= ticks ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}

/// <summary>Series of chosen metrics out of archives.</summary>
internal static class SeriesReading
{
    /// <summary>16 bytes each: 256 MB.</summary>
    private const int MaxPoints = 16 * 1024 * 1024;

    /// <summary>
    /// Reads what lies between two times, with the last value before, which rates and interpolation need; numbers only, by metric,
    /// then by the order in which instances appear.
    /// </summary>
    /// <param name="archives">Where from.</param>
    /// <param name="metrics">Whole names of metrics.</param>
    /// <param name="from">The first time.</param>
    /// <param name="to">The last time.</param>
    /// <param name="stretch">Values within so long are joined into one; zero for none.</param>
    /// <param name="before">What was read of a time before: the last values of it are carried over.</param>
    /// <param name="onMark">Takes the times between which nobody knows what was.</param>
    public static IReadOnlyList<ValueSeries> Read(ArchiveSet archives, IReadOnlyList<string> metrics, DateTimeOffset from, DateTimeOffset to, TimeSpan stretch, IEnumerable<ValueSeries>? before = null, Action<DateTimeOffset>? onMark = null)
    {
        var wanted = new Dictionary<MetricId, (string Name, MetricDescriptor Descriptor)>();
        foreach (var name in metrics)
        {
            var descriptor = archives.Names.Find(name)?.Descriptor ?? throw new MusterException(ErrorKind.NotFound, $"The archive has no metric {name}");
            wanted.TryAdd(descriptor.Id, (name, descriptor));
        }

        var reading = new Reading(wanted, from, stretch, onMark);

        // What seldom changes is recorded once, at the beginning of the archive: the index leads past it.
        var discrete = wanted.Where(w => w.Value.Descriptor.Semantics == MetricSemantics.Discrete).Select(w => w.Key).ToHashSet();
        if (before?.Any() == true)
        {
            reading.Carry(before);
        }
        else if (from > archives.Start && discrete.Count > 0)
        {
            reading.TakeAll(archives.Read(archives.BeginningAt(from), from.AddTicks(-1), discrete));
        }

        reading.TakeAll(archives.Read(from, to, wanted.Keys.ToHashSet()));
        return [.. reading.Series.OrderBy(s => metrics.ToList().IndexOf(s.Metric))];
    }

    private sealed class Reading(Dictionary<MetricId, (string Name, MetricDescriptor Descriptor)> wanted, DateTimeOffset from, TimeSpan stretch, Action<DateTimeOffset>? onMark)
    {
        private readonly Dictionary<(MetricId, string), ValueSeries> _series = [];
        private int _points;

        public IEnumerable<ValueSeries> Series => _series.Values;

        public void Carry(IEnumerable<ValueSeries> before)
        {
            foreach (var one in before)
            {
                if (one.LastBefore(from) is { } last)
                {
                    var carried = new ValueSeries(one.Metric, one.Descriptor, one.Instance);
                    carried.Restart(last.Time, last.Value);
                    _series[(one.Descriptor.Id, one.Instance ?? "")] = carried;
                }
            }
        }

        public void TakeAll(IEnumerable<(MetricArchive Archive, ArchiveSample Sample)> samples)
        {
            foreach (var (archive, sample) in samples)
            {
                if (sample.IsMark)
                {
                    onMark?.Invoke(sample.Time);
                    foreach (var one in _series.Values)
                    {
                        one.AddGap(sample.Time);
                    }
                }

                foreach (var set in sample.Sets)
                {
                    if (wanted.TryGetValue(set.Id, out var metric))
                    {
                        Take(archive, sample.Time, set, metric.Name, metric.Descriptor);
                    }
                }
            }
        }

        private void Take(MetricArchive archive, DateTimeOffset time, ReceivedSet set, string name, MetricDescriptor metric)
        {
            foreach (var value in set.Values)
            {
                var instance = value.Instance < 0 ? null : archive.Metadata.InstanceName(metric.Instances, value.Instance, time) ?? value.Instance.ToString(System.Globalization.CultureInfo.InvariantCulture);
                var number = value.Value.ToDouble(value.Type ?? metric.Type);
                if (double.IsNaN(number))
                {
                    continue;
                }

                ref var one = ref CollectionsMarshal.GetValueRefOrAddDefault(_series, (set.Id, instance ?? ""), out _);
                one ??= new ValueSeries(name, metric, instance);
                _points += (time < from ? one.Restart(time, number) : one.Add(time, number, stretch)) ? 1 : 0;
                if (_points > MaxPoints)
                {
                    throw new MusterException(ErrorKind.Exhausted, $"More than {MaxPoints} values lie between the two times: choose fewer metrics, or a shorter time");
                }
            }
        }
    }
}
