using Muster.Containers.Metering;
using Muster.Linux;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Door;
using Muster.Metrics.Export;
using Muster.Metrics.Logging;
using Muster.Metrics.Rules;

namespace Muster.Daemon.Metrics;

/// <summary>
/// The part <c>metrics</c>: the agents, PCP's door, <c>/metrics</c> and <c>/pmapi</c> on the node's own door and on an
/// address of their own, pushes, the logger and rules. The agents live as long as the daemon; listeners are opened anew when the part is.
/// </summary>
internal sealed class MetricsPart
{
    private readonly DaemonOptions _options;
    private readonly TimeProvider _time;
    private readonly Lazy<PodContainers> _pods;
    private readonly Lazy<MetricsSettings> _settings;
    private readonly Lazy<DoorState> _door;
    private readonly Lazy<PmapiContexts> _contexts;
    private readonly Lazy<PmapiContexts> _networkContexts;
    private volatile IReadOnlyList<RuleStatus> _rules = [];

    public MetricsPart(DaemonOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _pods = new Lazy<PodContainers>(() => new PodContainers(options.Root, time));
        _settings = new Lazy<MetricsSettings>(() => MetricsSettings.Of(_options, SettingsFile.Load(_options.Root)));
        _door = new Lazy<DoorState>(() => new DoorState(MetricAgents.For(_options.Root, _time, _pods.Value), _time, Log) { IsTlsOffered = _settings.Value.Door.Certificate is not null, Derived = Derived() });

        // Apart, so that nobody on the network has a say in what those of this node have open.
        _contexts = new Lazy<PmapiContexts>(() => new PmapiContexts(_door.Value));
        _networkContexts = new Lazy<PmapiContexts>(() => new PmapiContexts(_door.Value));
    }

    public NodePart Part => new()
    {
        Name = "metrics",

        // Whoever passes the main door is root or in the group that equals it.
        Map = routes => MetricsEndpoints.Map(routes, _door, _contexts, MetricView.Host),
        RunAsync = RunAsync,
    };

    /// <summary>The logger, when there is one.</summary>
    public NodePart Logger => new() { Name = "metrics-log", RunAsync = LogAsync };

    /// <summary>The rules, when there are some; <c>/metrics/rules</c> shows where they stand.</summary>
    public NodePart Rules => new() { Name = "metrics-rules", Map = routes => RuleEndpoints.Map(routes, () => _rules), RunAsync = EvaluateAsync };

    private static void Log(string line) => Console.Error.WriteLine("musterd: metrics: " + line);

    // What is wrong in a definition costs that metric: the door opens all the same.
    private DerivedDefinitions? Derived()
    {
        if (_settings.Value.DerivedFiles is not { } files)
        {
            return null;
        }

        var definitions = new DerivedDefinitions(_time);
        foreach (var fault in definitions.AddFiles(files))
        {
            Log("metrics.derived: " + fault);
        }

        return definitions;
    }

    private async Task RunAsync(CancellationToken ct)
    {
        var settings = _settings.Value;
        foreach (var conflict in _door.Value.Exported.Current.Conflicts)
        {
            Log("a metric is left out: " + conflict);
        }

        using var server = new PcpServer(_door.Value, settings.Door);
        if (server.Warning is { } warning)
        {
            Log(warning);
        }

        await using var http = settings.Http is { } address ? await MetricsHttp.StartAsync(address, _door, _networkContexts, ct) : null;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        List<Task> tasks = [server.RunAsync(end.Token), SampleContainersAsync(end.Token), FollowEndsAsync(end.Token), HearEndsAsync(end.Token), IdleMemory.RunAsync(_time, end.Token)];
        if (settings.Otlp is { } otlp)
        {
            tasks.Add(OtlpPush.RunAsync(_door.Value, otlp, end.Token));
        }

        // When one of them fails, the others are ended and the whole part is begun anew.
        await Task.WhenAny(tasks);
        await end.CancelAsync();
        try
        {
            await Task.WhenAll(tasks);
        }
        finally
        {
            if (ct.IsCancellationRequested)
            {
                EndAgents();
            }
        }

        ct.ThrowIfCancellationRequested();
    }

    // At the node's end, not when the part is begun anew: what the kernel does for them goes on until then.
    private void EndAgents()
    {
        foreach (var agent in _door.Value.Catalog.Agents.OfType<IDisposable>())
        {
            agent.Dispose();
        }
    }

    // Counters of a container that ends would be lost with what it did since they were read last.
    private async Task SampleContainersAsync(CancellationToken ct)
    {
        var agent = _door.Value.Catalog.Agents.OfType<ContainerAgent>().Single();
        try
        {
            while (true)
            {
                agent.Sample();
                await Task.Delay(ContainerAgent.SampleInterval, _time, ct);
            }
        }
        finally
        {
            agent.Save();
        }
    }

    // On a host without what it follows it ends at once, which is no end of the part.
    private async Task FollowEndsAsync(CancellationToken ct)
    {
        await _door.Value.Catalog.Agents.OfType<ContainerAgent>().Single().FollowEndsAsync(ct);
        await Task.Delay(Timeout.InfiniteTimeSpan, _time, ct);
    }

    // A supervisor tells before it removes what can be read of its pod.
    private async Task HearEndsAsync(CancellationToken ct)
    {
        var agent = _door.Value.Catalog.Agents.OfType<ContainerAgent>().Single();
        using var listener = new PodEndListener(_options.Root, pod => agent.SampleEnds(_pods.Value.Ending(pod)), _time);
        await listener.RunAsync(ct);
    }

    // What cannot be logged must not close the door: these are parts of their own, begun anew on their own.
    private async Task LogAsync(CancellationToken ct)
    {
        if (_settings.Value.LogFile is not { } file)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, ct);
            return;
        }

        using var logger = new MetricLogger(LogPlan.Load(file), _door.Value.Exported, _time, Log);
        _door.Value.LogArchive = () => logger.Archive;
        try
        {
            await logger.RunFolderAsync(_settings.Value.LogFolder, new LogBounds(), ct);
        }
        finally
        {
            _door.Value.LogArchive = null;
        }
    }

    private async Task EvaluateAsync(CancellationToken ct)
    {
        if (_settings.Value.RuleFile is not { } file)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, ct);
            return;
        }

        await using var delivery = new RuleDelivery(_time, Log);
        var rules = RuleFile.Load(file);
        var progress = _door.Value.Rules = new RuleProgress(file, rules);
        try
        {
            await RuleEvaluation.RunAsync(rules, _door.Value.Exported, _time, (rule, news) => delivery.Deliver(news, rule.Actions), states => _rules = states, progress, ct);
        }
        finally
        {
            _door.Value.Rules = null;
        }
    }
}
