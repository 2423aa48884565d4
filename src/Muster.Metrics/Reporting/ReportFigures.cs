using System.Globalization;

namespace Muster.Metrics.Reporting;

/// <summary>Figures of reports as people read them.</summary>
public static class ReportFigures
{
    private static readonly string[] Powers = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>A value in its unit: <c>1.25 cores</c>, <c>512 MiB</c>, <c>3.2 KiB/s</c>, <c>120 /s</c>, <c>4.5 %</c>.</summary>
    public static string Value(double value, string unit) => unit switch
    {
        "cores" => value.ToString(Math.Abs(value) >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture),
        "ops/s" => value.ToString(Math.Abs(value) >= 10 ? "0" : "0.#", CultureInfo.InvariantCulture) + " /s",
        "share" => (value * 100).ToString(Math.Abs(value) >= 0.1 ? "0" : "0.#", CultureInfo.InvariantCulture) + " %",
        "bytes/s" => Bytes(value) + "/s",
        _ => Bytes(value),
    };

    public static string Proposal(ResourceUse use) => use.Proposal is { } proposal ? Value(proposal, use.Unit) : "–";

    public static string Trend(ResourceUse use) => use.TrendPerDay is not { } trend ? "–" : use.Fit < UseStatistics.LeastFit ? "steady" : (trend >= 0 ? "+" : "−") + Value(Math.Abs(trend), use.Unit) + "/day";

    public static string Limit(ResourceUse use) => use.Limit is { } limit ? Value(limit, use.Unit) : "none";

    public static string Headroom(ResourceUse use) => use.Headroom is { } headroom ? (Math.Round(headroom * 100) + 0.0).ToString("0", CultureInfo.InvariantCulture) + " %" : "–";

    public static string DaysToFull(ResourceUse use) => use.DaysToFull is not { } days ? "–" : use.IsOver ? "over" : days < 1 ? "today" : days < 100 ? days.ToString("0.0", CultureInfo.InvariantCulture) + " days" : days.ToString("0", CultureInfo.InvariantCulture) + " days";

    public static string Name(ResourceUse use) => use.Detail is null ? use.Resource : $"{use.Resource} {use.Detail}";

    private static string Bytes(double value)
    {
        var power = 0;
        while (Math.Abs(value) >= 1000 && power < Powers.Length - 1)
        {
            value /= 1024;
            power++;
        }

        var format = power == 0 || Math.Abs(value) >= 100 ? "0" : Math.Abs(value) >= 10 ? "0.#" : "0.##";
        return value.ToString(format, CultureInfo.InvariantCulture) + " " + Powers[power];
    }
}
