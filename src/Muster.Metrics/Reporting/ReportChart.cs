using System.Globalization;
using System.Net;
using System.Text;

namespace Muster.Metrics.Reporting;

/// <summary>One resource over time as SVG: means as a line, peaks as a lighter area, the limit, the 95th percentile and the trend as lines. Each stretch says its figures where the pointer rests.</summary>
internal static class ReportChart
{
    private const double Width = 640;
    private const double Height = 220;
    private const double Left = 66;
    private const double Right = 14;
    private const double Top = 14;
    private const double Bottom = 28;

    public static void Write(StringBuilder to, ResourceUse use, DateTimeOffset from, DateTimeOffset until, string title)
    {
        var chart = new Frame(use, from, until);
        to.Append(CultureInfo.InvariantCulture, $"<svg class=\"c-{Class(use)}\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">\n");
        Axes(to, chart);
        Curves(to, chart);
        Lines(to, chart);
        Stretches(to, chart);
        to.Append("</svg>\n");
    }

    /// <summary>The colour of a resource.</summary>
    public static string Class(ResourceUse use) => use.Unit == "share" ? "stalled" : use.Resource.Split(' ')[0];

    /// <summary>A curve without axes, as large as a word or as its frame; its limit where that is near. Three stretches are one.</summary>
    public static string Spark(ResourceUse use, DateTimeOffset from, DateTimeOffset until)
    {
        const double width = 200;
        const double height = 54;
        var span = Math.Max(1, (until - from).Ticks);
        var top = Math.Max(use.Peak, use.Limit <= 2 * use.Peak ? use.Limit.Value : 0) is > 0 and var most ? most : 1;
        var to = new StringBuilder();
        to.Append(CultureInfo.InvariantCulture, $"<svg class=\"spark c-{Class(use)}\" viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(ReportFigures.Name(use))} over time\">");
        foreach (var part in Parts(use))
        {
            var means = string.Join(' ', part.Chunk(3).Select(c => Place(c[0].Time, c.Average(p => p.Mean))));
            var peaks = string.Join(' ', part.Chunk(3).Select(c => Place(c[0].Time, c.Max(p => p.Peak))));
            to.Append(CultureInfo.InvariantCulture, $"<polygon class=\"peak\" points=\"{Place(part[0].Time, 0)} {peaks} {Place(part.Chunk(3).Last()[0].Time, 0)}\"/><polyline class=\"mean\" vector-effect=\"non-scaling-stroke\" points=\"{means}\"/>");
        }

        if (use.Limit <= top)
        {
            to.Append(CultureInfo.InvariantCulture, $"<line class=\"limit\" vector-effect=\"non-scaling-stroke\" x1=\"0\" x2=\"{width}\" y1=\"{Y(use.Limit.Value):0.#}\" y2=\"{Y(use.Limit.Value):0.#}\"/>");
        }

        return to.Append("</svg>").ToString();

        double Y(double value) => 2 + ((height - 4) * (1 - (value / top)));

        string Place(DateTimeOffset time, double value) => string.Create(CultureInfo.InvariantCulture, $"{width * (time - from).Ticks / span:0.#},{Y(value):0.#}");
    }

    private static void Axes(StringBuilder to, Frame chart)
    {
        to.Append("<g class=\"axis\">");
        foreach (var value in chart.Ticks())
        {
            var y = chart.Y(value);
            to.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:0.#}\" y2=\"{y:0.#}\"/><text x=\"{Left - 8}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{WebUtility.HtmlEncode(ReportFigures.Value(value, chart.Use.Unit))}</text>");
        }

        foreach (var (time, text) in chart.Times())
        {
            var x = chart.X(time);
            to.Append(CultureInfo.InvariantCulture, $"<line class=\"tick\" x1=\"{x:0.#}\" x2=\"{x:0.#}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom + 4}\"/><text x=\"{x:0.#}\" y=\"{Height - 8}\" text-anchor=\"{(x > Width - 24 ? "end" : "middle")}\">{text}</text>");
        }

        to.Append(CultureInfo.InvariantCulture, $"<line class=\"base\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom}\"/></g>\n");
    }

    // A gap is a place where the pen is lifted.
    private static List<List<ChartPoint>> Parts(ResourceUse use)
    {
        var parts = new List<List<ChartPoint>> { new() };
        foreach (var point in use.Chart)
        {
            if (double.IsNaN(point.Mean))
            {
                parts.Add([]);
            }
            else
            {
                parts[^1].Add(point);
            }
        }

        return [.. parts.Where(p => p.Count > 0)];
    }

    private static void Curves(StringBuilder to, Frame chart)
    {
        foreach (var part in Parts(chart.Use))
        {
            var peaks = string.Join(' ', part.Select(p => chart.Place(p.Time, p.Peak)));
            var means = string.Join(' ', part.Select(p => chart.Place(p.Time, p.Mean)));
            to.Append(CultureInfo.InvariantCulture, $"<polygon class=\"peak\" points=\"{chart.Place(part[0].Time, 0)} {peaks} {chart.Place(part[^1].Time, 0)}\"/><polygon class=\"area\" points=\"{chart.Place(part[0].Time, 0)} {means} {chart.Place(part[^1].Time, 0)}\"/><polyline class=\"mean\" points=\"{means}\"/>\n");
        }
    }

    private static void Lines(StringBuilder to, Frame chart)
    {
        var use = chart.Use;
        if (use.Limit is { } limit && limit <= chart.Top)
        {
            Level("limit", limit, "limit " + ReportFigures.Value(limit, use.Unit));
        }

        Level("p95", use.Percentile95, "p95 " + ReportFigures.Value(use.Percentile95, use.Unit));
        var drawn = use.Chart.Where(p => !double.IsNaN(p.Mean) && p.Time >= use.TrendSince).ToList();
        if (use.TrendPerDay is { } slope && use.Fit >= UseStatistics.LeastFit && drawn.Count > 2)
        {
            // The line goes through the middle of the values.
            var middle = drawn.Average(p => (p.Time - chart.From).TotalDays);
            var mean = drawn.Average(p => p.Mean);
            double At(DateTimeOffset time) => Math.Clamp(mean + (slope * ((time - chart.From).TotalDays - middle)), 0, chart.Top);
            to.Append(CultureInfo.InvariantCulture, $"<line class=\"trend\" x1=\"{chart.X(drawn[0].Time):0.#}\" y1=\"{chart.Y(At(drawn[0].Time)):0.#}\" x2=\"{chart.X(drawn[^1].Time):0.#}\" y2=\"{chart.Y(At(drawn[^1].Time)):0.#}\"/>");
        }

        void Level(string kind, double value, string text)
        {
            var y = chart.Y(value);
            var label = y < Top + 14 ? y + 13 : y - 5;
            to.Append(CultureInfo.InvariantCulture, $"<line class=\"{kind}\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:0.#}\" y2=\"{y:0.#}\"/><text class=\"{kind}\" x=\"{(kind == "limit" ? Width - Right - 4 : Left + 6)}\" y=\"{label:0.#}\" text-anchor=\"{(kind == "limit" ? "end" : "start")}\">{WebUtility.HtmlEncode(text)}</text>\n");
        }
    }

    private static void Stretches(StringBuilder to, Frame chart)
    {
        var points = chart.Use.Chart;
        to.Append("<g class=\"hit\">");
        for (var i = 0; i < points.Count; i++)
        {
            if (double.IsNaN(points[i].Mean))
            {
                continue;
            }

            var x = chart.X(points[i].Time);
            var left = i == 0 ? x - 2 : (x + chart.X(points[i - 1].Time)) / 2;
            var right = i == points.Count - 1 ? x + 2 : (x + chart.X(points[i + 1].Time)) / 2;
            to.Append(CultureInfo.InvariantCulture, $"<rect x=\"{left:0.#}\" y=\"{Top}\" width=\"{Math.Max(1, right - left):0.#}\" height=\"{Height - Top - Bottom}\"><title>{points[i].Time:yyyy-MM-dd HH:mm:ss} UTC&#10;mean {WebUtility.HtmlEncode(ReportFigures.Value(points[i].Mean, chart.Use.Unit))}&#10;peak {WebUtility.HtmlEncode(ReportFigures.Value(points[i].Peak, chart.Use.Unit))}</title></rect>");
        }

        to.Append("</g>\n");
    }

    /// <summary>The scales of a chart: round steps up to what must be seen.</summary>
    private sealed class Frame
    {
        private static readonly int[] Minutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 10080, 20160, 43200, 86400];
        private readonly double _step;

        public Frame(ResourceUse use, DateTimeOffset from, DateTimeOffset until)
        {
            (Use, From, Until) = (use, from, until > from ? until : from.AddSeconds(1));

            // A limit far above the use would press the curve flat; the table names it.
            var highest = Math.Max(Math.Max(use.Peak, use.Percentile95), use.Limit is { } limit && limit <= 4 * use.Peak ? limit * 1.04 : 0);
            highest = highest > 0 ? highest : 1;
            var scale = 1.0;
            while (use.Unit.StartsWith("bytes", StringComparison.Ordinal) && highest / scale >= 1000)
            {
                scale *= 1024;
            }

            var rough = highest / scale / 4;
            var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            _step = scale * power * ((rough / power) switch { <= 1 => 1, <= 2 => 2, <= 2.5 => 2.5, <= 5 => 5, _ => 10 });
            Top = Math.Ceiling((highest / _step) - 1e-9) * _step;
        }

        public ResourceUse Use { get; }

        public DateTimeOffset From { get; }

        public DateTimeOffset Until { get; }

        /// <summary>The value at the upper edge.</summary>
        public double Top { get; }

        public double X(DateTimeOffset time) => Left + ((Width - Left - Right) * ((time - From) / (Until - From)));

        public double Y(double value) => Height - Bottom - ((Height - ReportChart.Top - Bottom) * (value / Top));

        public string Place(DateTimeOffset time, double value) => string.Create(CultureInfo.InvariantCulture, $"{X(time):0.#},{Y(value):0.#}");

        public IEnumerable<double> Ticks()
        {
            for (var i = 0; i * _step <= Top * 1.0001; i++)
            {
                yield return i * _step;
            }
        }

        public IEnumerable<(DateTimeOffset Time, string Text)> Times()
        {
            var span = Until - From;
            if (span < TimeSpan.FromMinutes(3))
            {
                yield return (From, From.ToString("HH:mm:ss", CultureInfo.InvariantCulture));
                yield return (From + (span / 2), (From + (span / 2)).ToString("HH:mm:ss", CultureInfo.InvariantCulture));
                yield break;
            }

            var minutes = Minutes.FirstOrDefault(m => span.TotalMinutes / m <= 7, (int)(span.TotalMinutes / 6));
            var step = TimeSpan.FromMinutes(minutes).Ticks;
            for (var ticks = (From.UtcTicks + step - 1) / step * step; ticks <= Until.UtcTicks; ticks += step)
            {
                var time = new DateTimeOffset(ticks, TimeSpan.Zero);
                yield return (time, time.ToString(minutes >= 1440 ? "d MMM" : time.TimeOfDay == TimeSpan.Zero ? "d MMM" : "HH:mm", CultureInfo.InvariantCulture));
            }
        }
    }
}
