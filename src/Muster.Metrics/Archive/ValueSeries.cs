using System.Runtime.InteropServices;
using Muster.Metrics.Names;

namespace Muster.Metrics.Archive;

/// <summary>A value at a time; not a number where nothing is known from then on (a gap).</summary>
internal readonly record struct SeriesPoint(long Ticks, double Value)
{
    public DateTimeOffset Time => new(Ticks, TimeSpan.Zero);
}

/// <summary>
/// The values of one instance of one metric, taken in the order of their times: all of them (<see cref="ValueSeries"/>), or what a
/// report needs of them (UseSeries).
/// </summary>
internal abstract class InstanceSeries(string metric, MetricDescriptor descriptor, string? instance)
{
    public string Metric => metric;

    public MetricDescriptor Descriptor => descriptor;

    /// <summary>The instance's name; null for a metric without instances.</summary>
    public string? Instance => instance;

    /// <summary>Which archive the last value is from: where that one has a gap, the series has one.</summary>
    public MetricArchive? Source { get; set; }

    /// <summary>Takes the next value. True when there is one point more to be held.</summary>
    public abstract bool Take(DateTimeOffset time, double value);

    /// <summary>Forgets what was before, but for this value: what is told at a time is of the last one before it. True when there is one point more.</summary>
    public abstract bool Restart(DateTimeOffset time, double value);

    /// <summary>From then on nothing is known until the next value.</summary>
    public abstract void AddGap(DateTimeOffset time);
}

/// <summary>The values of one instance of one metric over time, as they were recorded.</summary>
internal sealed class ValueSeries(string metric, MetricDescriptor descriptor, string? instance) : InstanceSeries(metric, descriptor, instance)
{
    private readonly List<SeriesPoint> _points = [];

    // Few: a gap is where a logger or what it logged began anew.
    private readonly List<long> _gaps = [];

    public ReadOnlySpan<SeriesPoint> Points => CollectionsMarshal.AsSpan(_points);

    public void Add(DateTimeOffset time, double value) => _points.Add(new SeriesPoint(time.UtcTicks, value));

    public override bool Take(DateTimeOffset time, double value)
    {
        Add(time, value);
        return true;
    }

    public override bool Restart(DateTimeOffset time, double value)
    {
        var isFirst = _points.Count == 0;
        _points.Clear();
        Add(time, value);
        return isFirst;
    }

    public override void AddGap(DateTimeOffset time)
    {
        if (_points.Count > 0 && !double.IsNaN(_points[^1].Value))
        {
            Add(time, double.NaN);
            _gaps.Add(time.UtcTicks);
        }
    }

    /// <summary>What is needed of this one by one that goes on at a later time: the last value before it, and when it last had a gap. Null when that is nothing.</summary>
    public ValueSeries? CarriedTo(DateTimeOffset time)
    {
        if (LastBefore(time) is not { } last)
        {
            return null;
        }

        var carried = new ValueSeries(Metric, Descriptor, Instance) { Source = Source };
        carried.Restart(last.Time, last.Value);
        if (LastGap(time) is > 0 and var gap)
        {
            carried._gaps.Add(gap);
        }

        return carried;
    }

    /// <summary>When the last gap up to a time began, in ticks; 0 without one.</summary>
    public long LastGap(DateTimeOffset time) => _gaps.Count == 0 ? 0 : _gaps.Where(g => g <= time.UtcTicks).DefaultIfEmpty().Max();

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
        if (before.Ticks == time.UtcTicks || Descriptor.Semantics == MetricSemantics.Discrete)
        {
            return before.Value;
        }

        if (after == points.Length || double.IsNaN(points[after].Value))
        {
            return double.NaN;
        }

        if (Descriptor.Semantics != MetricSemantics.Counter)
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
