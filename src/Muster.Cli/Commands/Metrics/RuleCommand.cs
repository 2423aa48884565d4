using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Muster.Cli.CommandLine;
using Muster.Containers.Metering;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;
using Muster.Metrics.Rules;

namespace Muster.Cli.Commands.Metrics;

internal static class RuleCommand
{
    private static readonly IReadOnlyList<Column<RuleStatus>> Columns =
    [
        new("rule", s => s.Rule),
        new("state", s => s.State.ToString().ToLowerInvariant()),
        new("since", s => Time(s.Since)),
        new("matches", s => s.Matches.Count == 0 ? "-" : string.Join(", ", s.Matches.Take(5).Select(m => (m.Instance is null ? "" : m.Instance + " ") + m.Text))),
        new("condition", s => s.Condition),
    ];

    public static readonly Command Command = new()
    {
        Words = ["metric", "rule"],
        Lists = true,
        Summary = "Evaluate rules over this node's metrics, or over archives",
        Usage = "[OPTION…] FILE",
        Description = """
            FILE is YAML: rules with name, when, for (how long the condition must hold), every, message, repeat and actions (log, syslog, webhook). A condition compares expressions of metrics: container.memory.usage / container.memory.limit > 90%. Counters stand for their rates (instant(METRIC) for what was counted), numbers may have units (100 Mbyte, 5 min, 10 count/sec). Comparisons are joined instance by instance with and, or, not; some_inst, all_inst and 50%_inst make one truth of all instances, #'name' chooses some.

            Over archives, of one or more hosts, each by itself, every event is printed with its time, then where each rule stands, and no action is carried out. Over this node, events are printed and actions carried out until the command is ended; --once evaluates for the longest interval, so that rates are known, prints where each rule stands and leaves with 1 when any fires.
            """,
        Example = """
            muster metric rule --archive /var/lib/muster/metrics rules.yaml
            muster metric rule --once rules.yaml
            """,
        Options =
        [
            new("archive", "Evaluate over this archive or folder of archives, of one or more hosts", "ARCHIVE") { Short = 'a', Repeatable = true },
            new("start", "With --archive: from this time on", "TIME") { Short = 'S' },
            new("end", "With --archive: up to this time", "TIME") { Short = 'T' },
            new("once", "Evaluate for one interval, print where each rule stands, and end"),
            new("check", "Read the file and its conditions, and end"),
            new("no-legend", "No line with the columns' names"),
            DerivedOptions.Derive,
            DerivedOptions.Files,
        ],
        Arguments = (1, 1),
        Run = async (call, ct) =>
        {
            var rules = RuleFile.Load(call.Arguments[0]);
            return call.Has("archive") ? OverArchives(call, rules) : await OverNodeAsync(call, rules, ct);
        },
    };

    private static int OverArchives(Invocation call, IReadOnlyList<Rule> rules)
    {
        var derived = DerivedOptions.Of(call);
        var hosts = ArchiveSet.OpenHosts(call.Values("archive")).Select(h => h.With(derived)).ToList();
        DerivedOptions.Check(derived, [.. hosts.Select(h => h.Names)]);
        if (call.Has("check"))
        {
            return Checked(call, rules, [.. hosts.Select(h => h.Names)]);
        }

        var window = TimeWindow.Parse(call.Value("start"), call.Value("end"), hosts);
        var states = RuleEvaluation.Replay(rules, hosts, window, news => Print(call, news, hosts.Count > 1), call.Warn);
        foreach (var note in hosts.SelectMany(h => h.Notes))
        {
            call.Warn(note);
        }

        if (!call.Json)
        {
            Listing.Write(call, states, hosts.Count > 1 ? [new("host", s => s.Host ?? ""), .. Columns] : Columns, RuleJson.Default.RuleStatus, legend: !call.Has("no-legend"));
        }

        return 0;
    }

    private static int Checked(Invocation call, IReadOnlyList<Rule> rules, IReadOnlyList<MetricNames> names)
    {
        RuleEvaluation.Check(rules, names);
        call.Terminal.Say($"{call.Arguments[0]}: {Quantity.Counted(rules.Count, "rule")}, each of them fits the metrics there are");
        return 0;
    }

    private static async Task<int> OverNodeAsync(Invocation call, IReadOnlyList<Rule> rules, CancellationToken ct)
    {
        var agents = MetricAgents.For(call.Root, call.Time, new PodContainers(call.Root, call.Time));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        IReadOnlyList<RuleStatus> standing = [];
        var start = call.Time.GetUtcNow();
        var longest = rules.Max(r => r.Interval);
        try
        {
            var derived = DerivedOptions.Of(call);
            var catalog = new MetricCatalog(agents).With(derived);
            DerivedOptions.Check(derived, [catalog.Current]);
            if (call.Has("check"))
            {
                return Checked(call, rules, [catalog.Current]);
            }

            await using var delivery = new RuleDelivery(call.Time, call.Terminal.Say);
            await RuleEvaluation.RunAsync(rules, catalog, call.Time, OnEvent, states =>
            {
                standing = states;
                if (call.Has("once") && call.Time.GetUtcNow() - start >= longest)
                {
                    end.Cancel();
                }
            }, progress: null, end.Token);

            void OnEvent(Rule rule, RuleEvent news)
            {
                if (call.Has("once"))
                {
                    return;
                }

                Print(call, news);
                call.Terminal.Flush();
                delivery.Deliver(news, rule.Actions);
            }
        }
        catch (OperationCanceledException)
        {
            // The end that was waited for.
        }
        finally
        {
            foreach (var closing in agents.OfType<IDisposable>())
            {
                closing.Dispose();
            }
        }

        if (!call.Has("once"))
        {
            return 0;
        }

        Listing.Write(call, standing, Columns, RuleJson.Default.RuleStatus, legend: !call.Has("no-legend"));
        return standing.Any(s => s.State == RuleStanding.Firing) ? 1 : 0;

        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            end.Cancel();
        }
    }

    // One event a line, also as JSON: events are followed as they come.
    private static void Print(Invocation call, RuleEvent news, bool withHost = false)
    {
        var line = call.Json
            ? JsonSerializer.Serialize(news, RuleJson.Default.RuleEvent)
            : $"{Time(news.Time)}  {(news.State == RuleStanding.Firing ? "FIRING" : "over  ")}  {(withHost ? news.Host + ": " : "")}{string.Concat(news.Message.Select(c => char.IsControl(c) ? '?' : c))}";
        call.Terminal.Out.WriteLine(line);
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
