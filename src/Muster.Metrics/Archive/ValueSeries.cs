using System.Runtime.InteropServices;
using Muster.Core;
using Muster.Metrics.Names;

namespace Muster.Metrics.Archive;

/// <summary>A value at a time; not a number where nothing is known from then on (a gap).</summary>
internal readonly record struct SeriesPoint(long Ticks, double Value)
{
    public DateTimeOffset Time => new(Ticks, TimeSpan.Zero);
}

/// <summary>The values of one instance of one metric over time, as they were recorded.</summary>
internal sealed class ValueSeries(string metric, MetricDescriptor descriptor, string? instance)
{
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
    /// which leaves its mean rate as it is, of other values the higher one. True when there is one point more.
    /// </summary>
    public bool Add(DateTimeOffset time, double value, TimeSpan stretch)
    {
        var isCounter = descriptor.Semantics == MetricSemantics.Counter;
        if (_points.Count < 2 || time.UtcTicks - _stretch >= stretch.Ticks || double.IsNaN(_points[^1].Value) || (isCounter && (value < _points[^1].Value || double.IsNaN(_points[^2].Value))))
        {
            _stretch = time.UtcTicks;
            Add(time, value);
            return true;
        }

        if (isCounter || value > _points[^1].Value)
        {
            _points[^1] = new SeriesPoint(time.UtcTicks, value);
        }

        return false;
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

    /// <summary>By how much a counter grew between two times; not a number when either is unknown, or it began anew between them.</summary>
    public double Growth(DateTimeOffset from, DateTimeOffset to)
    {
        var growth = At(to) - At(from);
        return growth < 0 ? double.NaN : growth;
    }

    /// <summary>The counter's change per second, each over the time since the point before; other values as they are.</summary>
    public IReadOnlyList<SeriesPoint> Rates()
    {
        if (descriptor.Semantics != MetricSemantics.Counter)
        {
            return [.. _points.Where(p => !double.IsNaN(p.Value))];
        }

        var rates = new List<SeriesPoint>();
        for (var i = 1; i < _points.Count; i++)
        {
            var (before, now) = (_points[i - 1], _points[i]);
            if (now.Value >= before.Value && now.Ticks > before.Ticks)
            {
                rates.Add(new SeriesPoint(now.Ticks, (now.Value - before.Value) * TimeSpan.TicksPerSecond / (now.Ticks - before.Ticks)));
            }
        }

        return rates;
    }

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

    /// <summary>Reads what lies between two times; numbers only, by metric, then by the order in which instances appear.</summary>
    /// <param name="archives">Where from.</param>
    /// <param name="metrics">Whole names of metrics.</param>
    /// <param name="from">The first time.</param>
    /// <param name="to">The last time.</param>
    /// <param name="stretch">Values within so long are joined into one; zero for none.</param>
    public static IReadOnlyList<ValueSeries> Read(ArchiveSet archives, IReadOnlyList<string> metrics, DateTimeOffset from, DateTimeOffset to, TimeSpan stretch)
    {
        var wanted = new Dictionary<MetricId, (string Name, MetricDescriptor Descriptor)>();
        foreach (var name in metrics)
        {
            var descriptor = archives.Names.Find(name)?.Descriptor ?? throw new MusterException(ErrorKind.NotFound, $"The archive has no metric {name}");
            wanted.TryAdd(descriptor.Id, (name, descriptor));
        }

        var series = new Dictionary<(MetricId, string), ValueSeries>();
        var points = 0;
        foreach (var (archive, sample) in archives.Read(from, to, wanted.Keys.ToHashSet()))
        {
            if (sample.IsMark)
            {
                foreach (var one in series.Values)
                {
                    one.AddGap(sample.Time);
                }

                continue;
            }

            foreach (var set in sample.Sets)
            {
                if (!wanted.TryGetValue(set.Id, out var metric))
                {
                    continue;
                }

                foreach (var value in set.Values)
                {
                    var instance = value.Instance < 0 ? null : archive.Metadata.InstanceName(metric.Descriptor.Instances, value.Instance, sample.Time) ?? value.Instance.ToString(System.Globalization.CultureInfo.InvariantCulture);
                    var number = value.Value.ToDouble(value.Type ?? metric.Descriptor.Type);
                    if (double.IsNaN(number))
                    {
                        continue;
                    }

                    ref var one = ref CollectionsMarshal.GetValueRefOrAddDefault(series, (set.Id, instance ?? ""), out _);
                    one ??= new ValueSeries(metric.Name, metric.Descriptor, instance);
                    points += one.Add(sample.Time, number, stretch) ? 1 : 0;
                    if (points > MaxPoints)
                    {
                        throw new MusterException(ErrorKind.Exhausted, $"More than {MaxPoints} values lie between the two times: choose fewer metrics, or a shorter time");
                    }
                }
            }
        }

        return [.. series.Values.OrderBy(s => metrics.ToList().IndexOf(s.Metric))];
    }
}
