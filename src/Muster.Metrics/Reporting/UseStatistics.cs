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

    /// <summary>A line is a trend when each half of its time has so much of its slope: a step has it in one half, or in none.</summary>
    private const double LeastAgreement = 0.25;

    /// <summary>What began to grow late is looked for in the last half, quarter and eighth of the time.</summary>
    private const int Tails = 4;

    /// <summary>As many as a chart of 600 pixels shows.</summary>
    private const int ChartPoints = 180;

    /// <summary>The figures of a resource; null without values.</summary>
    /// <param name="name">The resource, which one of several, and its unit.</param>
    /// <param name="points">Its values in order of time.</param>
    /// <param name="limit">What it may use; null or 0 for no limit.</param>
    /// <param name="margin">The share that the proposal adds.</param>
    public static ResourceUse? Of((string Resource, string? Detail, string Unit) name, IReadOnlyList<SpanPoint> points, double? limit, double margin)
    {
        if (points.Count == 0)
        {
            return null;
        }

        var percentile = Percentile(points, 0.95);
        var peak = points.MaxBy(p => p.High);
        var (slope, end, fit, since) = Forecast(points);
        var bound = limit is > 0 ? limit : null;
        double? days = null;
        if (slope is > 0 && fit >= LeastFit && bound is { } full)
        {
            // From where the line stands at the end, not from the last value, which may be a peak.
            var left = Math.Max(0, full - end);
            days = left / slope.Value is var d && d <= FarthestDays ? d : null;
        }

        // What is refused beyond its limit must hold the peak; what is only slowed down need not.
        var isHard = name.Resource is "memory" or "disk";
        var isOver = isHard && points[^1].Value > bound;
        days = isOver ? 0 : days;
        
        // Nothing is proposed to what was never used in a direction, and shares of time have no limit.
        double? proposal = name.Unit == "share" || (peak.High <= 0 && name.Unit is "bytes/s" or "ops/s") ? null : RoundUp(Math.Max(percentile * (1 + margin), isHard ? peak.High : 0), name.Unit);
        return new ResourceUse(name.Resource, name.Detail, name.Unit, points.Count, Mean(points), percentile, peak.High, peak.Time, points[^1].Value, slope, fit, bound, bound is { } b ? (b - percentile) / b : null, days, proposal)
        {
            Reason = isOver ? "it uses more than its limit" : null,
            TrendSince = since,
            Chart = Condense(points),
        };
    }

    /// <summary>The value that was not exceeded for a share of the time.</summary>
    public static double Percentile(IReadOnlyList<SpanPoint> points, double share)
    {
        var sorted = points.OrderBy(p => p.Value).ToList();
        var weighs = Weights(points);
        var left = share * sorted.Sum(weighs);
        foreach (var point in sorted)
        {
            left -= weighs(point);
            if (left <= 1e-6)
            {
                return point.Value;
            }
        }

        return sorted[^1].Value;
    }

    /// <summary>Change per day, the line's value at the first point, and how much of the variation it explains; each value counts by its time.</summary>
    public static (double? Slope, double Intercept, double Fit) Trend(IReadOnlyList<SpanPoint> points)
    {
        if (points.Count < 3)
        {
            return (null, 0, 0);
        }

        var first = points[0].Ticks;
        var weighs = Weights(points);
        var all = points.Sum(weighs);
        var (meanX, meanY) = (points.Sum(p => weighs(p) * Days(p.Ticks - first)) / all, points.Sum(p => weighs(p) * p.Value) / all);
        double xx = 0, xy = 0, yy = 0;
        foreach (var point in points)
        {
            var (x, y, weight) = (Days(point.Ticks - first) - meanX, point.Value - meanY, weighs(point) / all);
            (xx, xy, yy) = (xx + (weight * x * x), xy + (weight * x * y), yy + (weight * y * y));
        }

        return xx <= 0 ? (null, 0, 0) : (xy / xx, meanY - (xy / xx * meanX), yy <= 0 ? 0 : xy * xy / (xx * yy));
    }

    /// <summary>
    /// The slope of the longest time up to the end whose halves both have it, where its line ends, and how much that explains; of
    /// nothing but steps and waves, the slope of the whole, which explains nothing.
    /// </summary>
    private static (double? Slope, double End, double Fit, DateTimeOffset Since) Forecast(IReadOnlyList<SpanPoint> points)
    {
        var tail = points;
        for (var i = 0; i < Tails && tail.Count > 0 && tail[^1].Ticks - tail[0].Ticks >= LeastSpan.Ticks; i++)
        {
            var (slope, intercept, fit) = Trend(tail);
            var middle = tail[0].Ticks + ((tail[^1].Ticks - tail[0].Ticks) / 2);
            var late = tail.Where(p => p.Ticks >= middle).ToList();
            if (fit >= LeastFit && Agrees(Trend([.. tail.Where(p => p.Ticks < middle)]).Slope, slope) && Agrees(Trend(late).Slope, slope))
            {
                return (slope, intercept + (slope!.Value * Days(tail[^1].Ticks - tail[0].Ticks)), fit, tail[0].Time);
            }

            tail = late;
        }

        return (points[^1].Ticks - points[0].Ticks >= LeastSpan.Ticks ? Trend(points).Slope : null, 0, 0, points[0].Time);

        static bool Agrees(double? half, double? whole) => half / whole >= LeastAgreement;
    }

    private static double Mean(IReadOnlyList<SpanPoint> points) => Weights(points) is var weighs && points.Sum(weighs) is var all ? points.Sum(p => p.Value * weighs(p)) / all : 0;

    // In seconds; one value alone has no time, and is all there is.
    private static Func<SpanPoint, double> Weights(IReadOnlyList<SpanPoint> points) => points.Any(p => p.Span > 0) ? p => (double)p.Span / TimeSpan.TicksPerSecond : _ => 1;

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

    private static List<ChartPoint> Condense(IReadOnlyList<SpanPoint> points)
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
            result.Add(new ChartPoint(new DateTimeOffset((long)bucket.Average(p => (double)p.Ticks - first) + first, TimeSpan.Zero), Mean([.. bucket]), bucket.Max(p => p.High)));
        }

        return result;
    }
}
