using System.Globalization;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Linux;
using Muster.Metrics.Archive;
using Muster.Metrics.Reporting;

namespace Muster.Cli.Commands.Metrics;

internal static class ReportCommand
{
    private static readonly IReadOnlyList<Column<CapacitySubject>> Columns =
    [
        new("name", s => s.Name),
        new("resource", s => ReportFigures.Name(s.Resources[0])),
        new("mean", s => ReportFigures.Value(s.Resources[0].Mean, s.Resources[0].Unit)),
        new("p95", s => ReportFigures.Value(s.Resources[0].Percentile95, s.Resources[0].Unit)),
        new("peak", s => ReportFigures.Value(s.Resources[0].Peak, s.Resources[0].Unit)),
        new("limit", s => ReportFigures.Limit(s.Resources[0])),
        new("headroom", s => ReportFigures.Headroom(s.Resources[0])),
        new("trend", s => ReportFigures.Trend(s.Resources[0])),
        new("full-in", s => ReportFigures.DaysToFull(s.Resources[0])),
        new("proposed", s => ReportFigures.Proposal(s.Resources[0])),
        new("why", s => s.Resources[0].Reason ?? ""),
    ];

    public static readonly Command Command = new()
    {
        Words = ["metric", "report"],
        Lists = true,
        Summary = "Plan capacity from archives: peaks, trends, headroom, days to full, proposed limits",
        Usage = "[OPTION…] ARCHIVE…",
        Description = """
            Reads archives of one or more hosts (names, files or folders) and tells for each host and each container how much CPU, memory, disk, network and block I/O it used, and for what share of the time it was stalled for want of CPU, memory or I/O: mean, 95th percentile and peak, the trend per day, the headroom below its limit, when it will be full, and a limit that would suit; one that is throttled, stalled or out of memory is not proposed less than it has. --html writes one page with charts that needs nothing else. Those that need attention come first.

            Record container, kernel.all.cpu, mem, hinv.ncpu, filesys and network.all, one minute apart and for a week or more, for proposals to rely on.
            """,
        Example = """
            muster metric report /var/lib/muster/metrics
            muster metric report --html capacity.html -S -7d /var/lib/muster/metrics
            """,
        Options =
        [
            new("html", "Write a page with charts into FILE; - for standard output", "FILE"),
            new("start", "Look at values from this time on", "TIME") { Short = 'S' },
            new("end", "Look at values up to this time", "TIME") { Short = 'T' },
            new("margin", "Per cent that proposed limits add to the 95th percentile", "PERCENT") { Default = "20" },
            new("no-legend", "No line with the columns' names"),
        ],
        Arguments = (1, int.MaxValue),
        Run = (call, _) =>
        {
            var archives = ArchiveSet.OpenHosts(call.Arguments);
            var window = TimeWindow.Parse(call.Value("start"), call.Value("end"), archives);
            var report = CapacityPlanning.Of(archives, window, call.Number("margin", (long)(CapacityPlanning.DefaultMargin * 100), 0, 1000) / 100.0);
            if (call.Value("html") is { } file)
            {
                Write(call, file, ReportPage.Render(report));
                if (!call.Quiet && !OutputFile.IsStandardOutput(file))
                {
                    call.Terminal.Say($"{file}: {Quantity.Counted(report.Subjects.Count, "subject")}, {report.From.ToString("u", CultureInfo.InvariantCulture)} to {report.To.ToString("u", CultureInfo.InvariantCulture)}");
                }
            }

            if (call.Json)
            {
                Listing.WriteJson(call, report, CapacityJson.Default.CapacityReport);
            }
            else if (call.Value("html") is null)
            {
                Listing.Write(call, report.Subjects.SelectMany(s => s.Resources.Where(IsTold).Select(r => s with { Resources = [r] })), report.Hosts is null ? Columns : [new("host", s => s.Host ?? ""), .. Columns], CapacityJson.Default.CapacitySubject, legend: !call.Has("no-legend"));
            }

            foreach (var note in archives.SelectMany(a => a.Notes).Concat(report.OmittedText is { } omitted ? [omitted] : []))
            {
                call.Warn(note);
            }

            if (archives.Any(a => a.IsTorn))
            {
                call.Warn("an archive ends inside of a record: its logger was killed or is still writing; what was whole is counted");
            }

            return Task.FromResult(0);
        },
    };

    // Most containers do no I/O and wait for nothing: the table leaves out what never was.
    private static bool IsTold(ResourceUse use) => use.Peak > 0 || !(use.Unit is "share" || use.Resource.StartsWith("io ", StringComparison.Ordinal));

    private static void Write(Invocation call, string file, string page)
    {
        if (!OutputFile.IsStandardOutput(file))
        {
            OutputFile.Write(file, page);
        }
        else if (call.Json)
        {
            throw new MusterException(ErrorKind.Usage, "--html - and JSON would both be written to standard output: give the page a file");
        }
        else
        {
            call.Terminal.Out.Write(page);
        }
    }
}
