using System.Runtime.InteropServices;
using Muster.Cli.CommandLine;
using Muster.Containers.Metering;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Logging;
using Muster.Metrics.Names;

namespace Muster.Cli.Commands.Metrics;

internal static class RecordCommand
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(10);

    public static readonly Command Command = new()
    {
        Words = ["metric", "record"],
        Summary = "Record metrics of this node into an archive",
        Usage = "[OPTION…] DIR|ARCHIVE [METRIC…]",
        Description = """
            Writes PCP archives, which muster metric replay and report read, and PCP's own tools with -a. With a folder, archives are named by the time, a new one is begun every day, ended volumes are compressed with xz and old archives deleted, as the configuration says; what a killed logger left there is put right first. With any other name, that archive is written.

            METRIC is a name or the beginning of names. A configuration is YAML (log, containers, rotate, compress, keep, sync) or pmlogger's own language. Runs in the foreground until it is ended or has what it was to record.
            """,
        Example = """
            muster metric record -t 1s -T 10m /tmp/load kernel.all.load container
            muster metric record -T 1h --derive 'my.share = 100 * container.memory.usage / container.memory.limit' /tmp/share my.share
            muster metric record -c /etc/muster/log.yaml /var/lib/muster/metrics
            """,
        Options =
        [
            new("config", "What to record how often: YAML, or pmlogger's language", "FILE") { Short = 'c' },
            new("interval", "Time between two samples of the metrics that are named", "DURATION") { Short = 't', Default = "10s" },
            new("samples", "End after so many records", "N") { Short = 's' },
            new("duration", "End after this time", "DURATION") { Short = 'T' },
            new("archive-version", "The archive's version", "VERSION") { Choices = ["2", "3"], Default = "3" },
            DerivedOptions.Derive,
            DerivedOptions.Files,
        ],
        Arguments = (1, int.MaxValue),
        Run = RunAsync,
    };

    private static async Task<int> RunAsync(Invocation call, CancellationToken ct)
    {
        var plan = Plan(call);
        var bounds = new LogBounds(call.Has("samples") ? call.Number("samples", 0, 1, long.MaxValue) : null, call.Has("duration") ? call.Duration("duration", default) : null);
        var agents = MetricAgents.For(call.Root, call.Time, new PodContainers(call.Root, call.Time));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        try
        {
            var derived = DerivedOptions.Of(call);
            var catalog = new MetricCatalog(agents).With(derived);
            DerivedOptions.Check(derived, catalog.Current);
            using var logger = new MetricLogger(plan, catalog, call.Time, call.Terminal.Warn);
            var target = call.Arguments[0];
            var summary = target.EndsWith('/') || Directory.Exists(target)
                ? await logger.RunFolderAsync(Path.TrimEndingDirectorySeparator(Path.GetFullPath(target)), bounds, end.Token)
                : await logger.RunArchiveAsync(target, bounds, end.Token);
            if (!call.Quiet)
            {
                call.Terminal.Say($"{summary.Archive}: {Quantity.Counted(summary.Samples, "record")}");
            }

            return 0;
        }
        finally
        {
            foreach (var closing in agents.OfType<IDisposable>())
            {
                closing.Dispose();
            }
        }

        // A logger is ended by a signal and has then done what it was to do: the archive is closed, the status is 0.
        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            end.Cancel();
        }
    }

    private static LogPlan Plan(Invocation call)
    {
        var metrics = call.Arguments.Skip(1).ToList();
        var interval = call.Duration("interval", DefaultInterval);
        if (interval < LogGroup.ShortestInterval)
        {
            throw new MusterException(ErrorKind.Usage, $"--interval={call.Value("interval")} is below {LogGroup.ShortestInterval.TotalMilliseconds} ms");
        }

        if (call.Value("config") is null && metrics.Count == 0)
        {
            throw new MusterException(ErrorKind.Usage, "There is nothing to record: name metrics, or a configuration with -c");
        }

        var plan = call.Value("config") is { } file ? LogPlan.Load(file) : new LogPlan { Groups = [] };
        return plan with
        {
            Groups = metrics.Count == 0 ? plan.Groups : [.. plan.Groups, new LogGroup(interval, metrics, [])],
            Version = call.Value("archive-version") is { } version ? (ArchiveVersion)(version[0] - '0') : plan.Version,
        };
    }
}
