using System.Globalization;
using System.Net;
using System.Text;

namespace Muster.Metrics.Reporting;

/// <summary>A report as one HTML page that needs nothing else: no script, font or picture from anywhere; light, dark, and on paper.</summary>
public static class ReportPage
{
    /// <summary>Charts of so many subjects: a page of more is not looked at; their rows stand in the table.</summary>
    private const int MaxDrawn = 100;

    private const string Style = """
        :root{--ground:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5c6879;--line:#e3e7ed;--cpu:#2f6fde;--memory:#8a4fd3;--disk:#c77700;--network:#0f8f6b;--bad:#c8323b;--warn:#b97900;--good:#23803f}
        @media (prefers-color-scheme:dark){:root{--ground:#10141b;--card:#1a202a;--ink:#e8ecf2;--soft:#98a4b5;--line:#2b3441;--cpu:#6ea3ff;--memory:#bb8cf5;--disk:#f0a63c;--network:#41c79c;--bad:#ff7a80;--warn:#f0b64a;--good:#62c981}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
        main{max-width:1180px;margin:0 auto;padding:32px 24px 64px}
        h1{font-size:28px;margin:0 0 4px;letter-spacing:-.01em}
        h2{font-size:20px;margin:40px 0 12px;display:flex;gap:10px;align-items:baseline;overflow-wrap:anywhere}
        h2 small{font-size:13px;font-weight:500;color:var(--soft)}
        p.sub{margin:0;color:var(--soft)}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:14px;margin:24px 0 8px}
        .tile,figure,.sheet{background:var(--card);border:1px solid var(--line);border-radius:12px}
        .tile{padding:14px 18px}
        .tile b{display:block;font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.02em}
        .tile span{color:var(--soft);font-size:13px}
        .sheet{overflow-x:auto;padding:4px 0}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
        th{font-weight:600;color:var(--soft);font-size:12.5px;text-align:right;padding:8px 14px;white-space:nowrap}
        td{padding:7px 14px;text-align:right;border-top:1px solid var(--line);white-space:nowrap}
        th:first-child,td:first-child,.sheet th:nth-child(2),.sheet td:nth-child(2){text-align:left}
        .bar+span{display:inline-block;min-width:3.2em}
        td.name{max-width:280px;overflow:hidden;text-overflow:ellipsis}
        a{color:inherit;text-decoration:none;border-bottom:1px solid var(--line)}
        .bar{display:inline-block;width:84px;height:8px;border-radius:4px;background:var(--line);overflow:hidden;vertical-align:middle;margin-right:8px}
        .bar i{display:block;height:100%;border-radius:4px;background:var(--good)}
        .warn{color:var(--warn)}.bad{color:var(--bad);font-weight:600}.bar.warn i{background:var(--warn)}.bar.bad i{background:var(--bad)}
        figure{margin:0 0 14px;padding:14px 18px 12px;display:grid;grid-template-columns:minmax(0,1fr) 250px;gap:8px 22px;break-inside:avoid}
        figcaption{grid-column:1/-1;font-weight:600;text-transform:capitalize;display:flex;align-items:center;gap:8px}
        figcaption::before{content:"";width:10px;height:10px;border-radius:3px;background:var(--k)}
        figcaption em{font-style:normal;font-weight:400;color:var(--soft);text-transform:none;overflow-wrap:anywhere}
        figure td,figure th{padding:4px 0;font-size:13px}
        figure th{text-align:left;font-weight:400}
        figure tr:first-child td,figure tr:first-child th{border:0}
        figure th{border-top:1px solid var(--line)}
        svg{width:100%;height:auto;display:block}
        .c-cpu{--k:var(--cpu)}.c-memory{--k:var(--memory)}.c-disk{--k:var(--disk)}.c-network{--k:var(--network)}
        svg text{font-size:11px;fill:var(--soft);font-variant-numeric:tabular-nums}
        .axis line{stroke:var(--line)}.axis .base,.axis .tick{stroke:var(--soft);opacity:.6}
        .peak{fill:var(--k);opacity:.14}.area{fill:var(--k);opacity:.16}.mean{fill:none;stroke:var(--k);stroke-width:1.8;stroke-linejoin:round}
        line.limit{stroke:var(--bad);stroke-width:1.4;stroke-dasharray:6 4}svg text.limit{fill:var(--bad)}
        line.p95{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3;opacity:.7}svg text.p95{fill:var(--ink)}
        line.trend{stroke:var(--ink);stroke-width:1.6;opacity:.85}
        .hit rect{fill:transparent}.hit rect:hover{fill:var(--k);opacity:.18}
        footer{color:var(--soft);font-size:13px;margin-top:36px;max-width:80ch}
        @media (max-width:760px){main{padding:20px 12px}figure{grid-template-columns:1fr}}
        @media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--cpu:#2f6fde;--memory:#8a4fd3;--disk:#c77700;--network:#0f8f6b;--bad:#c8323b;--warn:#8f5e00;--good:#23803f}main{max-width:none;padding:0}body{font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}figure{grid-template-columns:minmax(0,1fr) 190px}h2{break-after:avoid}tr{break-inside:avoid}}
        """;

    /// <summary>The whole page.</summary>
    public static string Render(CapacityReport report)
    {
        var to = new StringBuilder(64 * 1024);
        to.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>Capacity of {Text(report.Host)}</title>\n<style>\n{Style}\n</style></head><body><main>\n");
        to.Append(CultureInfo.InvariantCulture, $"<h1>Capacity of {Text(report.Host)}</h1><p class=\"sub\">{report.From:d MMMM yyyy, HH:mm} to {report.To:d MMMM yyyy, HH:mm} UTC · {Span(report.To - report.From)}</p>\n");
        Tiles(to, report);
        Overview(to, report);
        foreach (var (subject, number) in report.Subjects.Take(MaxDrawn).Select((s, i) => (s, i)))
        {
            to.Append(CultureInfo.InvariantCulture, $"<section id=\"s{number}\"><h2>{Text(subject.Name)} <small>{subject.Kind}</small></h2>\n");
            foreach (var use in subject.Resources)
            {
                Figure(to, report, subject, use);
            }

            to.Append("</section>\n");
        }

        Notes(to, report);
        return to.Append("</main></body></html>\n").ToString();
    }

    private static void Tiles(StringBuilder to, CapacityReport report)
    {
        var uses = report.Subjects.SelectMany(s => s.Resources.Select(r => (Subject: s, Use: r))).ToList();
        to.Append("<div class=\"tiles\">");
        Tile(report.Subjects.Count(s => s.Kind != "host").ToString(CultureInfo.InvariantCulture), "containers and apps measured");
        var tight = uses.Count(u => u.Use.Headroom < 0.1);
        Tile(tight.ToString(CultureInfo.InvariantCulture), tight == 1 ? "resource with less than 10 % headroom" : "resources with less than 10 % headroom", tight > 0 ? "bad" : null);
        var first = uses.Where(u => u.Use.DaysToFull is not null).OrderBy(u => u.Use.DaysToFull).FirstOrDefault();
        Tile(first.Use is null ? "none" : ReportFigures.DaysToFull(first.Use), first.Use is null ? "meets its limit within ten years" : $"until {ReportFigures.Name(first.Use)} of {first.Subject.Name} is full", first.Use?.DaysToFull < 14 ? "bad" : null);
        var idle = uses.Where(u => u.Subject.Kind == "container" && u.Use is { Resource: "memory", Limit: not null }).Sum(u => Math.Max(0, u.Use.Limit!.Value - u.Use.Proposal));
        Tile(ReportFigures.Value(idle, "bytes"), "memory that containers' limits could give back");
        to.Append("</div>\n");

        void Tile(string figure, string text, string? kind = null) =>
            to.Append(CultureInfo.InvariantCulture, $"<div class=\"tile\"><b{(kind is null ? "" : $" class=\"{kind}\"")}>{Text(figure)}</b><span>{Text(text)}</span></div>");
    }

    private static void Overview(StringBuilder to, CapacityReport report)
    {
        to.Append("<h2>Overview</h2><div class=\"sheet\"><table><thead><tr><th>Name</th><th>Resource</th><th>p95</th><th>Peak</th><th>Limit</th><th>In use</th><th>Trend</th><th>Full in</th><th>Proposed limit</th></tr></thead><tbody>\n");
        foreach (var (subject, number) in report.Subjects.Select((s, i) => (s, i)))
        {
            foreach (var (use, row) in subject.Resources.Select((u, i) => (u, i)))
            {
                var name = row > 0 ? "" : number < MaxDrawn ? $"<a href=\"#s{number}\">{Text(subject.Name)}</a>" : Text(subject.Name);
                to.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"name\">{name}</td><td>{Text(ReportFigures.Name(use))}</td><td>{Value(use.Percentile95, use)}</td><td>{Value(use.Peak, use)}</td><td>{Text(ReportFigures.Limit(use))}</td><td>{Bar(use)}</td><td>{Text(ReportFigures.Trend(use))}</td><td class=\"{(use.DaysToFull < 14 ? "bad" : "")}\">{Text(ReportFigures.DaysToFull(use))}</td><td>{Value(use.Proposal, use)}</td></tr>\n");
            }
        }

        to.Append("</tbody></table></div>\n");
    }

    private static string Bar(ResourceUse use)
    {
        if (use.Headroom is not { } headroom)
        {
            return "–";
        }

        var share = 1 - headroom;
        var kind = Severity(headroom);
        return string.Create(CultureInfo.InvariantCulture, $"<span class=\"bar {kind}\"><i style=\"width:{Math.Clamp(share * 100, 1, 100):0}%\"></i></span><span class=\"{kind}\">{Math.Round(share * 100):0} %</span>");
    }

    private static string Severity(double headroom) => headroom < 0.1 ? "bad" : headroom < 0.25 ? "warn" : "";

    private static void Figure(StringBuilder to, CapacityReport report, CapacitySubject subject, ResourceUse use)
    {
        to.Append(CultureInfo.InvariantCulture, $"<figure class=\"c-{ReportChart.Class(use)}\"><figcaption>{Text(use.Resource == "cpu" ? "CPU" : use.Resource)} <em>{Text(use.Detail ?? (use.Unit == "cores" ? "cores" : ""))}</em></figcaption><div>\n");
        ReportChart.Write(to, use, report.From, report.To, $"{ReportFigures.Name(use)} of {subject.Name} over time");
        to.Append("</div><table>");
        Row("Mean", ReportFigures.Value(use.Mean, use.Unit));
        Row("95th percentile", ReportFigures.Value(use.Percentile95, use.Unit));
        Row("Peak", ReportFigures.Value(use.Peak, use.Unit));
        Row("Peak at", use.PeakAt.ToString("d MMM HH:mm", CultureInfo.InvariantCulture));
        Row("Trend", ReportFigures.Trend(use));
        Row("Limit", ReportFigures.Limit(use));
        Row("Headroom", ReportFigures.Headroom(use), use.Headroom is { } headroom ? Severity(headroom) : "");
        Row("Full in", ReportFigures.DaysToFull(use), use.DaysToFull < 14 ? "bad" : "");
        Row("Proposed limit", ReportFigures.Value(use.Proposal, use.Unit));
        to.Append("</table></figure>\n");

        void Row(string name, string value, string kind = "") => to.Append(CultureInfo.InvariantCulture, $"<tr><th>{name}</th><td class=\"{kind}\">{Text(value)}</td></tr>");
    }

    private static void Notes(StringBuilder to, CapacityReport report) => to.Append(CultureInfo.InvariantCulture, $"""
        <footer><p>Lines show means, the lighter area peaks; dotted is the 95th percentile, dashed red the limit, straight the trend (least squares, over an hour at least, drawn where it explains at least 30 % of what is seen). Headroom is the share of the limit that is free at the 95th percentile. “Full in” follows the trend to the limit. A proposed limit is the 95th percentile and {report.Margin * 100:0} %, of memory and disk never below the peak. Times are UTC.</p>{(report.Subjects.Count > MaxDrawn ? $"<p>{report.Subjects.Count - MaxDrawn} more have rows above and no charts.</p>" : "")}</footer>

        """);

    private static string Value(double value, ResourceUse use) => Text(ReportFigures.Value(value, use.Unit));

    private static string Span(TimeSpan span) => span.TotalDays >= 2 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0.#} days") : span.TotalHours >= 2 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0.#} hours") : string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0.#} minutes");

    // Names come from containers: nothing in them is markup.
    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
