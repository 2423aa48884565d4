namespace Muster.Metrics.Reporting;

/// <summary>How soon something is to be done.</summary>
internal enum AdviceKind
{
    /// <summary>Something suffers already.</summary>
    Now,

    /// <summary>Something will be full.</summary>
    Soon,

    /// <summary>Something is larger than it need be.</summary>
    Saving,
}

/// <summary>One thing to do, as a sentence.</summary>
internal sealed record Advice(AdviceKind Kind, CapacitySubject Subject, string Text);

/// <summary>What follows from a report: what suffers, what fills up, what could be given back. Pure.</summary>
internal static class ReportAdvice
{
    // More nobody does in a day.
    private const int MaxNow = 6;
    private const int MaxLater = 4;

    private const double SoonDays = 60;

    // Less is not worth a change: 64 MiB, a quarter of a core, or a third of the limit.
    private const double LeastBytes = 64 * 1048576;
    private const double LeastCores = 0.25;
    private const double LeastShare = 1 / 3.0;

    public static IReadOnlyList<Advice> Of(CapacityReport report) =>
        [.. Now(report).Take(MaxNow), .. Soon(report).Take(MaxLater), .. Savings(report).Take(MaxLater)];

    private static IEnumerable<Advice> Now(CapacityReport report) =>
        from subject in report.Subjects
        from use in subject.Resources
        where use.Reason is not null && use.Proposal > use.Limit
        orderby subject.Kind == "host" ? double.MinValue : CapacityPlanning.Urgency(subject)
        select new Advice(AdviceKind.Now, subject, $"Raise the {Name(use)} limit from {ReportFigures.Limit(use)} to {ReportFigures.Proposal(use)}: {use.Reason}.");

    private static IEnumerable<Advice> Soon(CapacityReport report) =>
        from subject in report.Subjects
        from use in subject.Resources
        where use.DaysToFull < SoonDays && use.Reason is null
        orderby use.DaysToFull
        select new Advice(AdviceKind.Soon, subject, $"{Capital(ReportFigures.Name(use))} meets its limit of {ReportFigures.Limit(use)} in {ReportFigures.DaysToFull(use)}, growing by {ReportFigures.Value(use.TrendPerDay!.Value, use.Unit)} a day.".Replace("in today", "today", StringComparison.Ordinal));

    private static IEnumerable<Advice> Savings(CapacityReport report) =>
        from subject in report.Subjects
        where subject.Kind == "container" && report.To - report.From >= UseStatistics.LeastSpan
        from use in subject.Resources
        where use is { Resource: "cpu" or "memory", Limit: not null, Proposal: not null, Reason: null, DaysToFull: null }
        let saved = use.Limit!.Value - use.Proposal!.Value
        where saved > (use.Unit == "cores" ? LeastCores : LeastBytes) && saved > use.Limit!.Value * LeastShare
        orderby use.Unit == "cores", saved descending
        select new Advice(AdviceKind.Saving, subject, $"Lower the {Name(use)} limit from {ReportFigures.Limit(use)} to {ReportFigures.Proposal(use)}: the peak was {ReportFigures.Value(use.Peak, use.Unit)}.");

    private static string Name(ResourceUse use) => use.Resource == "cpu" ? "CPU" : use.Resource;

    private static string Capital(string text) => text.StartsWith("cpu", StringComparison.Ordinal) ? "CPU" + text[3..] : char.ToUpperInvariant(text[0]) + text[1..];
}
