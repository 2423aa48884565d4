using Muster.Metrics.Archive;

namespace Muster.Metrics.Reporting;

/// <summary>Figures of a series of values. Pure.</summary>
internal static class UseStatistics
{
    /// <summary>Further away is no forecast.</summary>
    private const double FarthestDays = 3650;

    /// <summary>A trend that explains less of what is seen is no trend.</summary>
    public const double LeastFit = 0.3;

    /// <summary>What a minute did says nothing of a day: a shorter time has no trend.</summary>
    public static readonly TimeSpan LeastSpan = TimeSpan.FromHours(1);

    /// <summary>As many as a chart of 600 pixels shows.</summary>
    private const int ChartPoints = 180;

    /// <summary>The figures of a resource; null without values.</summary>
    /// <param name="name">The resource, which one of several, and its unit.</param>
    /// <param name="points">Its values in order of time.</param>
    /// <param name="limit">What it may use; null or 0 for no limit.</param>
    /// <param name="margin">The share that the proposal adds.</param>
    public static ResourceUse? Of((string Resource, string? Detail, string Unit) name, IReadOnlyList<SeriesPoint> points, double? limit, double margin)
    {
        if (points.Count == 0)
        {
            return null;
        }

        var sorted = points.Select(p => p.Value).Order().ToArray();
        var percentile = Percentile(sorted, 0.95);
        var peak = points.MaxBy(p => p.Value);
        var (slope, intercept, fit) = points[^1].Ticks - points[0].Ticks >= LeastSpan.Ticks ? Trend(points) : (null, 0, 0);
        var bound = limit is > 0 ? limit : null;
        double? days = null;
        if (slope is > 0 && fit >= LeastFit && bound is { } full)
        {
            // From where the line stands at the end, not from the last value, which may be a peak.
            var left = Math.Max(0, full - (intercept + (slope.Value * Days(points[^1].Ticks - points[0].Ticks))));
            days = left / slope.Value is var d && d <= FarthestDays ? d : null;
        }

        // What is refused beyond its limit must hold the peak; what is only slowed down need not.
        var isHard = name.Resource is "memory" or "disk";
        double? proposal = name.Unit == "share" ? null : RoundUp(Math.Max(percentile * (1 + margin), isHard ? peak.Value : 0), name.Unit);
        return new ResourceUse(name.Resource, name.Detail, name.Unit, points.Count, points.Average(p => p.Value), percentile, peak.Value, peak.Time, points[^1].Value, slope, fit, bound, bound is { } b ? (b - percentile) / b : null, days, proposal)
        {
            Chart = Condense(points),
        };
    }

    /// <summary>The value that a share of sorted values does not exceed, between neighbours on a straight line.</summary>
    public static double Percentile(ReadOnlySpan<double> sorted, double share)
    {
        var at = share * (sorted.Length - 1);
        var low = (int)at;
        return low + 1 < sorted.Length ? sorted[low] + ((sorted[low + 1] - sorted[low]) * (at - low)) : sorted[low];
    }

    /// <summary>Change per day, the line's value at the first point, and how much of the variation it explains.</summary>
    public static (double? Slope, double Intercept, double Fit) Trend(IReadOnlyList<SeriesPoint> points)
    {
        if (points.Count < 3)
        {
            return (null, 0, 0);
        }

        var first = points[0].Ticks;
        var (meanX, meanY) = (points.Average(p => Days(p.Ticks - first)), points.Average(p => p.Value));
        double xx = 0, xy = 0, yy = 0;
        foreach (var point in points)
        {
            var (x, y) = (Days(point.Ticks - first) - meanX, point.Value - meanY);
            (xx, xy, yy) = (xx + (x * x), xy + (x * y), yy + (y * y));
        }

        return xx <= 0 ? (null, 0, 0) : (xy / xx, meanY - (xy / xx * meanX), yy <= 0 ? 0 : xy * xy / (xx * yy));
    }

    /// <summary>A limit that a person would write: cores to a twentieth, bytes to two figures of their power of 1024.</summary>
    public static double RoundUp(double value, string unit)
    {
        if (unit == "cores")
        {
            return Math.Max(0.05, Math.Ceiling((value * 20) - 1e-9) / 20);
        }

        var step = 1.0;
        while (value / step > 64)
        {
            step *= 2;
        }

        return Math.Ceiling(value / step) * step;
    }

    private static double Days(long ticks) => (double)ticks / TimeSpan.TicksPerDay;

    private static List<ChartPoint> Condense(IReadOnlyList<SeriesPoint> points)
    {
        var (first, last) = (points[0].Ticks, points[^1].Ticks);
        var width = Math.Max(1, ((last - first) / ChartPoints) + 1);
        var result = new List<ChartPoint>();
        var before = -1L;
        foreach (var bucket in points.GroupBy(p => (p.Ticks - first) / width))
        {
            // Nothing for five stretches is a gap, less is a long interval.
            if (before >= 0 && bucket.Key - before > Math.Max(5, 3 * ChartPoints / points.Count))
            {
                result.Add(new ChartPoint(new DateTimeOffset(first + ((before + 1) * width), TimeSpan.Zero), double.NaN, double.NaN));
            }

            before = bucket.Key;
            result.Add(new ChartPoint(new DateTimeOffset((long)bucket.Average(p => (double)p.Ticks - first) + first, TimeSpan.Zero), bucket.Average(p => p.Value), bucket.Max(p => p.Value)));
        }

        return result;
    }
}
