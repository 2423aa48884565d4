using System.Globalization;
using System.Net;
using System.Text;

namespace Muster.Metrics.Reporting;

/// <summary>A report as one HTML page that needs nothing else: no script, font or picture from anywhere; light, dark, and on paper.</summary>
public static class ReportPage
{
    /// <summary>Charts of so many subjects: a page of more is not looked at; their rows stand in the table.</summary>
    private const int MaxDrawn = 100;

    // The rest is a click away.
    private const int MaxOpen = 6;

    // Hosts below the title; all of them stand in the table.
    private const int MaxNamed = 12;

    private static readonly string[] Large = ["cpu", "memory", "disk"];

    /// <summary>The whole page.</summary>
    public static string Render(CapacityReport report)
    {
        var to = new StringBuilder(64 * 1024);
        to.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>Capacity of {Text(report.Host)}</title>\n<style>\n{ReportStyle.Text}\n</style></head><body><main>\n");
        to.Append(CultureInfo.InvariantCulture, $"<h1>Capacity of {Text(report.Host)}</h1><p class=\"sub\">{(report.Hosts is { } hosts ? Text(Named(hosts)) + "<br>" : "")}{report.From:d MMMM yyyy, HH:mm} to {report.To:d MMMM yyyy, HH:mm} UTC · {Span(report.To - report.From)}</p>\n");
        Tiles(to, report);
        Todo(to, report);
        Overview(to, report);
        to.Append("<h2>In detail</h2>\n");
        foreach (var (number, subject) in report.Subjects.Take(MaxDrawn).Index())
        {
            Section(to, report, subject, number);
        }

        Notes(to, report);
        return to.Append("</main></body></html>\n").ToString();
    }

    private static void Tiles(StringBuilder to, CapacityReport report)
    {
        var uses = report.Subjects.SelectMany(s => s.Resources.Select(r => (Subject: s, Use: r))).ToList();
        to.Append("<div class=\"tiles\">");
        Tile((report.Subjects.Count(s => s.Kind != "host") + report.Omitted).ToString(CultureInfo.InvariantCulture), "containers and apps measured");
        var suffering = report.Subjects.Count(s => s.Resources.Any(r => r.Reason is not null));
        Tile(suffering.ToString(CultureInfo.InvariantCulture), suffering == 1 ? "suffers from its limits" : "suffer from their limits", suffering > 0 ? "bad" : "good");
        var first = uses.Where(u => u.Use.DaysToFull is not null).OrderBy(u => u.Use.DaysToFull).FirstOrDefault();
        Tile(first.Use is null ? "none" : ReportFigures.DaysToFull(first.Use), first.Use is null ? "meets its limit within ten years" : $"until {ReportFigures.Name(first.Use)} of {first.Subject.Name} is full", first.Use?.DaysToFull < 14 ? "bad" : null);
        var idle = uses.Where(u => u.Subject.Kind == "container" && u.Use is { Resource: "memory", Limit: not null, Proposal: not null }).Sum(u => Math.Max(0, u.Use.Limit!.Value - u.Use.Proposal!.Value));
        Tile(IsShort(report) ? "–" : ReportFigures.Value(idle, "bytes"), report.Omitted == 0 ? "memory that containers' limits could give back" : "memory that the limits of those below could give back");
        to.Append("</div>\n");

        void Tile(string figure, string text, string? kind = null) =>
            to.Append(CultureInfo.InvariantCulture, $"<div class=\"tile\"><b{(kind is null ? "" : $" class=\"{kind}\"")}>{Text(figure)}</b><span>{Text(text)}</span></div>");
    }

    private static void Todo(StringBuilder to, CapacityReport report)
    {
        var items = ReportAdvice.Of(report);
        to.Append("<h2>What to do</h2>\n");
        if (report.To - report.From < TimeSpan.FromDays(1))
        {
            to.Append(CultureInfo.InvariantCulture, $"<p class=\"sub\">{Span(report.To - report.From)} say little of what a day or a week needs: proposals of so short a time are not to be relied on{(IsShort(report) ? ", and nothing is said of what could be given back" : "")}.</p>\n");
        }

        if (items.Count == 0)
        {
            to.Append(CultureInfo.InvariantCulture, $"<p class=\"sub\">Nothing: no limit is to be raised{(IsShort(report) ? " and" : ",")} none is met within two months{(IsShort(report) ? "" : ", and none is far above its need")}.</p>\n");
            return;
        }

        to.Append("<ul class=\"advice\">");
        foreach (var item in items)
        {
            var (kind, word) = item.Kind switch { AdviceKind.Now => ("now", "now"), AdviceKind.Soon => ("soon", "soon"), _ => ("saving", "saves") };
            to.Append(CultureInfo.InvariantCulture, $"<li class=\"k-{kind}\"><em>{word}</em><b>{Text(item.Subject.Name)}{Of(item.Subject)}</b><span>{Text(item.Text)}</span></li>\n");
        }

        to.Append("</ul>\n");
    }

    // Of which host a container is, where its name does not say so.
    private static string Of(CapacitySubject subject) =>
        subject.Host is { } host && subject.Name != host && !subject.Name.StartsWith(host + ":", StringComparison.Ordinal) ? $" <small>{Text(host)}</small>" : "";

    // A row a subject: what a glance compares.
    private static void Overview(StringBuilder to, CapacityReport report)
    {
        to.Append("<h2>Overview</h2>");
        to.Append(report.OmittedText is { } omitted ? $"<p class=\"sub\">{Text(omitted)}.</p>" : "");
        to.Append("<div class=\"sheet\"><table><thead><tr><th>Name</th><th>CPU</th><th>Memory</th><th>Network p95</th><th>Block I/O p95</th><th>Stalled p95</th><th>Full in</th></tr></thead><tbody>\n");
        foreach (var (number, subject) in report.Subjects.Index())
        {
            if (IsFirst(report, number))
            {
                to.Append(CultureInfo.InvariantCulture, $"<tr class=\"host\"><th colspan=\"7\">{Text(subject.Host!)}</th></tr>\n");
            }

            var name = number < MaxDrawn ? $"<a href=\"#s{number}\">{Text(subject.Name)}</a>" : Text(subject.Name);
            to.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"name\" title=\"{Text(subject.Name)}\">{name}</td>");
            foreach (var resource in (string[])["cpu", "memory"])
            {
                var use = subject.Find(resource);
                to.Append(CultureInfo.InvariantCulture, $"<td>{(use is null ? "–" : $"<div class=\"look\">{ReportChart.Spark(use, report.From, report.To)}<span>{Value(use.Percentile95, use)}<small>{Bar(use)}</small></span></div>")}</td>");
            }

            var full = subject.Resources.Where(r => r.DaysToFull is not null).MinBy(r => r.DaysToFull);
            to.Append(CultureInfo.InvariantCulture, $"<td>{Pair(subject, "network in", "network out", "↓", "↑")}</td><td>{Pair(subject, "io read", "io write", "r", "w")}</td><td class=\"chips\">{Stalls(subject)}</td><td class=\"{(full?.DaysToFull < 14 ? "bad" : "")}\">{(full is null ? "–" : $"{Text(ReportFigures.DaysToFull(full))}<small>{Text(ReportFigures.Name(full))}</small>")}</td></tr>\n");
        }

        to.Append("</tbody></table></div>\n");
    }

    // Too little to say what could be given back.
    private static bool IsShort(CapacityReport report) => report.To - report.From < UseStatistics.LeastSpan;

    // Of several hosts, each has a heading of its own.
    private static bool IsFirst(CapacityReport report, int number) => report.Subjects[number].Host is { } host && (number == 0 || report.Subjects[number - 1].Host != host);

    private static string Pair(CapacitySubject subject, string left, string right, string leftSign, string rightSign)
    {
        var parts = new[] { (Use: subject.Find(left), Sign: leftSign), (Use: subject.Find(right), Sign: rightSign) }.Where(p => p.Use is { Peak: > 0 }).Select(p => $"<small>{p.Sign} {Value(p.Use!.Percentile95, p.Use)}</small>").ToList();
        return parts.Count == 0 ? "–" : string.Concat(parts);
    }

    private static string Stalls(CapacitySubject subject)
    {
        var chips = new StringBuilder();
        if (subject.Strain is { OomKills: > 0 and var kills })
        {
            chips.Append(CultureInfo.InvariantCulture, $"<span class=\"chip\">{kills:0} OOM</span>");
        }

        if (subject.Strain?.ThrottledPeriods is >= RightSize.LeastThrottling and { } throttled)
        {
            chips.Append(CultureInfo.InvariantCulture, $"<span class=\"chip warn\">throttled {Text(ReportFigures.Value(throttled, "share"))}</span>");
        }

        foreach (var use in subject.Resources.Where(r => r.Unit == "share" && r.Percentile95 >= 0.01))
        {
            chips.Append(CultureInfo.InvariantCulture, $"<span class=\"chip{(use.Percentile95 >= RightSize.LeastStall ? "" : " warn")}\">{Text(use.Resource.Split(' ')[0])} {Value(use.Percentile95, use)}</span>");
        }

        return chips.Length == 0 ? "–" : chips.ToString();
    }

    private static void Section(StringBuilder to, CapacityReport report, CapacitySubject subject, int number)
    {
        to.Append(CultureInfo.InvariantCulture, $"<details id=\"s{number}\"{(number < MaxOpen ? " open=\"open\"" : "")}><summary>{Text(subject.Name)} <small>{subject.Kind}{(subject.Host is { } host && subject.Kind != "host" ? " of " + Text(host) : "")}</small></summary>\n");
        foreach (var use in subject.Resources.Where(r => Large.Contains(r.Resource)))
        {
            Figure(to, report, subject, use);
        }

        to.Append("<div class=\"small\">");
        foreach (var use in subject.Resources.Where(r => !Large.Contains(r.Resource) && r.Peak > 0))
        {
            to.Append(CultureInfo.InvariantCulture, $"<figure class=\"c-{ReportChart.Class(use)}\"><figcaption>{Text(Title(use))}</figcaption>{ReportChart.Spark(use, report.From, report.To)}<p><span>p95 <b>{Value(use.Percentile95, use)}</b></span><span>peak <b>{Value(use.Peak, use)}</b></span></p></figure>\n");
        }

        to.Append("</div></details>\n");
    }

    private static string Title(ResourceUse use) => use.Resource switch
    {
        "cpu" => "CPU",
        "io read" => use.Detail is null ? "Block reads" : "Block read operations",
        "io write" => use.Detail is null ? "Block writes" : "Block write operations",
        "cpu stalled" => "Stalled for CPU",
        "memory stalled" => "Stalled for memory",
        "io stalled" => "Stalled for I/O",
        var other => char.ToUpperInvariant(other[0]) + other[1..],
    };

    private static string Bar(ResourceUse use)
    {
        if (use.Headroom is not { } headroom)
        {
            return "no limit";
        }

        var share = 1 - headroom;
        var kind = Severity(headroom);
        return string.Create(CultureInfo.InvariantCulture, $"<span class=\"bar {kind}\"><i style=\"width:{Math.Clamp(share * 100, 1, 100):0}%\"></i></span><span class=\"{kind}\">{Math.Round(share * 100):0} %</span>");
    }

    private static string Severity(double headroom) => headroom < 0.1 ? "bad" : headroom < 0.25 ? "warn" : "";

    private static void Figure(StringBuilder to, CapacityReport report, CapacitySubject subject, ResourceUse use)
    {
        to.Append(CultureInfo.InvariantCulture, $"<figure class=\"c-{ReportChart.Class(use)}\"><figcaption>{Text(Title(use))} <em>{Text(use.Detail ?? (use.Unit == "cores" ? "cores" : ""))}</em></figcaption><div>\n");
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
        Row("Proposed limit", ReportFigures.Proposal(use));
        to.Append("</table>");
        if (use.Reason is { } reason)
        {
            to.Append(CultureInfo.InvariantCulture, $"<p class=\"why\">Not less than its limit: {Text(reason)}.</p>");
        }

        to.Append("</figure>\n");

        void Row(string name, string value, string kind = "") => to.Append(CultureInfo.InvariantCulture, $"<tr><th>{name}</th><td class=\"{kind}\">{Text(value)}</td></tr>");
    }

    private static void Notes(StringBuilder to, CapacityReport report) => to.Append(CultureInfo.InvariantCulture, $"""
        <footer><p>Lines show means, the lighter area peaks; dotted is the 95th percentile, dashed red the limit, straight the trend (least squares, over an hour at least, drawn where it explains at least 30 % of what is seen and both halves of its time rise or fall with it). Headroom is the share of the limit that is free at the 95th percentile. “Full in” follows the trend to the limit. A proposed limit is the 95th percentile and {report.Margin * 100:0} %, of memory and disk never below the peak, and more than its limit for what is throttled in 1 % of its periods or has lost a process for want of memory; not less for what is stalled. Stalled is the share of the time in which some task of a container waited (pressure stall information). Times are UTC.</p>{(report.Subjects.Count > MaxDrawn ? $"<p>{report.Subjects.Count - MaxDrawn} more have rows above and no charts.</p>" : "")}</footer>

        """);

    private static string Named(IReadOnlyList<string> hosts) => string.Join(", ", hosts.Take(MaxNamed)) + (hosts.Count > MaxNamed ? $" and {hosts.Count - MaxNamed} more" : "");

    private static string Value(double value, ResourceUse use) => Text(ReportFigures.Value(value, use.Unit));

    private static string Span(TimeSpan span) => span.TotalDays >= 2 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0.#} days") : span.TotalHours >= 2 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0.#} hours") : span.TotalMinutes >= 2 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0.#} minutes") : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} seconds");

    // Names come from containers: nothing in them is markup.
    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
