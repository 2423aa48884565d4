using System.Globalization;
using System.Text.Json.Serialization;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Reporting;

namespace Muster.Cli.Commands.Metrics;

internal static class ReplayCommand
{
    // Columns of a CSV table: a spreadsheet takes 16,384.
    private const int MaxColumns = 16_000;

    private static readonly IReadOnlyList<Column<ReplayRow>> Columns =
    [
        new("time", r => Time(r.Time)),
        new("metric", r => r.Metric),
        new("instance", r => r.Instance ?? "-"),
        new("value", Value),
        new("units", r => r.Units.Length == 0 ? "-" : r.Units),
    ];

    public static readonly Command Command = new()
    {
        Words = ["metric", "replay"],
        Lists = true,
        Summary = "Show the values that an archive holds",
        Usage = "[OPTION…] ARCHIVE [METRIC…]",
        Description = """
            ARCHIVE is an archive's name, one of its files, or a folder of archives, which are merged by time (instances are told with their hosts when there are several); version 2 or 3, volumes plain or compressed with xz, zstd, gzip or bzip2. METRIC is a name or the beginning of names, all by default.

            Without an interval the values are those that were recorded; with one they are interpolated at regular times. Counters are shown as rates per second, those of times as the share of the time, unless --raw is given. Times are written as 2026-01-31T12:00:00 (UTC unless a zone is given), as +5m after the archive's beginning or -5m before its end, as now, or as PCPIntro(1) has them: "@ 2026-01-31 12:00" (of this host's zone).
            """,
        Example = """
            muster metric replay /tmp/load kernel.all.load
            muster metric replay --derive 'my.size = delta(disk.dev.total_bytes) / delta(disk.dev.total)' /tmp/load my.size
            muster metric replay -S -1h -t 1m --csv /var/lib/muster/metrics container.cpu.usage
            """,
        Options =
        [
            new("start", "Show values from this time on", "TIME") { Short = 'S' },
            new("end", "Show values up to this time", "TIME") { Short = 'T' },
            new("interval", "Interpolate at times so far apart", "DURATION") { Short = 't' },
            new("raw", "Counters as they are, not as rates"),
            new("csv", "A table for spreadsheets: one row a time, one column an instance"),
            new("no-legend", "No line with the columns' names"),
            DerivedOptions.Derive,
            DerivedOptions.Files,
        ],
        Arguments = (1, int.MaxValue),
        Run = (call, _) =>
        {
            var derived = DerivedOptions.Of(call);
            var archives = ArchiveSet.Open([call.Arguments[0]]).With(derived);
            DerivedOptions.Check(derived, archives.Names);
            var metrics = ArchiveReplay.Metrics(archives, [.. call.Arguments.Skip(1)]);
            var window = TimeWindow.Parse(call.Value("start"), call.Value("end"), archives);
            var rows = Rows(call, archives, metrics, window);
            if (call.Has("csv"))
            {
                WriteTable(call, rows);
            }
            else
            {
                Listing.Write(call, rows, Columns, ReplayJson.Default.ReplayRow, legend: !call.Has("no-legend"));
            }

            foreach (var note in archives.Notes)
            {
                call.Warn(note);
            }

            if (archives.IsTorn)
            {
                call.Warn("the archive ends inside of a record: its logger was killed or is still writing; what was whole is shown");
            }

            return Task.FromResult(0);
        },
    };

    private static IEnumerable<ReplayRow> Rows(Invocation call, ArchiveSet archives, IReadOnlyList<string> metrics, TimeWindow window)
    {
        if (!call.Has("interval"))
        {
            return ArchiveReplay.Recorded(archives, metrics, window, call.Has("raw"));
        }

        var interval = call.Duration("interval", default);
        return interval > TimeSpan.Zero
            ? ArchiveReplay.Interpolated(archives, metrics, window, interval, call.Has("raw"))
            : throw new MusterException(ErrorKind.Usage, "--interval must be longer than nothing");
    }

    private static void WriteTable(Invocation call, IEnumerable<ReplayRow> rows)
    {
        var times = new List<(DateTimeOffset Time, Dictionary<int, string> Cells)>();
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            var name = row.Instance is null ? row.Metric : $"{row.Metric}[{row.Instance}]";
            if (!columns.TryGetValue(name, out var column))
            {
                columns.Add(name, column = columns.Count < MaxColumns ? columns.Count : throw new MusterException(ErrorKind.Exhausted, $"The table would have more than {MaxColumns} columns: name fewer metrics"));
            }

            if (times.Count == 0 || times[^1].Time != row.Time)
            {
                times.Add((row.Time, []));
            }

            times[^1].Cells[column] = Value(row);
        }

        if (!call.Has("no-legend"))
        {
            call.Terminal.Out.WriteLine(string.Join(',', columns.Keys.Prepend("time").Select(Quote)));
        }

        foreach (var (time, cells) in times)
        {
            call.Terminal.Out.WriteLine(string.Join(',', Enumerable.Range(0, columns.Count).Select(i => Quote(cells.GetValueOrDefault(i, ""))).Prepend(Time(time))));
        }
    }

    // RFC 4180; a cell that begins like a formula is text to a spreadsheet with an apostrophe before it.
    private static string Quote(string cell)
    {
        var isFormula = cell is ['=' or '+' or '@', ..] || (cell is ['-', ..] && !double.TryParse(cell, CultureInfo.InvariantCulture, out _));
        var text = isFormula ? "'" + cell : cell;
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Value(ReplayRow row) => row.Value is { } number ? number.ToString(number == Math.Floor(number) && Math.Abs(number) < 1e15 ? "F0" : "G6", CultureInfo.InvariantCulture) : row.Text ?? "";
}

/// <summary>Source-generated JSON of replayed values.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(ReplayRow))]
internal sealed partial class ReplayJson : JsonSerializerContext;
