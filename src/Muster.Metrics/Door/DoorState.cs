using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;

namespace Muster.Metrics.Door;

/// <summary>What all connections of a node's doors share: the catalogue, who is there, what was counted.</summary>
public sealed class DoorState
{
    // One line in this time about failing agents and hostile clients: a client must not be able to fill the log.
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    private readonly Action<string> _log;
    private long _nextLog = long.MinValue;
    private int _suppressed;
    private MetricCatalog? _exported;

    /// <param name="agents">The node's agents; <c>pmcd.*</c> is added.</param>
    /// <param name="time">The clock of results.</param>
    /// <param name="log">Takes one line for the node's log.</param>
    public DoorState(IEnumerable<IMetricAgent> agents, TimeProvider time, Action<string> log)
    {
        Time = time;
        _log = log;
        Started = time.GetUtcNow();
        Catalog = new MetricCatalog([new PmcdAgent(this), .. agents]);
    }

    /// <summary>A door over a catalogue as it is, without <c>pmcd.*</c>.</summary>
    internal DoorState(MetricCatalog catalog, TimeProvider time, Action<string> log)
    {
        (Catalog, Time, _log, Started) = (catalog, time, log, time.GetUtcNow());
    }

    public MetricCatalog Catalog { get; }

    /// <summary>The same with the node's derived metrics: for all that is not PCP's own door, whose clients derive for themselves.</summary>
    public MetricCatalog Exported => _exported ??= Derived is null ? Catalog : Catalog.With(Derived);

    /// <summary>The node's derived metrics, all of them; null for none.</summary>
    public DerivedDefinitions? Derived { get; init; }

    public TimeProvider Time { get; }

    public DateTimeOffset Started { get; }

    public ClientTable Clients { get; } = new();

    public PduCounters Counters { get; } = new();

    /// <summary>Whether a certificate is configured, so that clients may ask for TLS.</summary>
    public bool IsTlsOffered { get; init; }

    /// <summary>The archive that the node's own logger writes now; null while there is no logger.</summary>
    public Func<string?>? LogArchive { get; set; }

    /// <summary>What the node's own rules have done; null while there are none.</summary>
    public Rules.RuleProgress? Rules { get; set; }

    /// <summary>Where PCP's own loggers and rule engines register.</summary>
    internal string RegisterFolder { get; init; } = RegisteredMonitors.Folder();

    /// <summary>Logs a line, but not more than one in ten seconds; the next one says how many were left out.</summary>
    public void Log(string line)
    {
        var now = Time.GetTimestamp();
        var next = Interlocked.Read(ref _nextLog);
        if (now < next || Interlocked.CompareExchange(ref _nextLog, now + (long)(LogInterval.TotalSeconds * Time.TimestampFrequency), next) != next)
        {
            Interlocked.Increment(ref _suppressed);
            return;
        }

        var suppressed = Interlocked.Exchange(ref _suppressed, 0);
        _log(suppressed == 0 ? line : $"{line} ({suppressed} more lines were left out)");
    }

    internal void AgentFailed(IMetricAgent agent, Exception error) => Log($"Agent {agent.Name} failed: {error.GetType().Name}: {error.Message}");
}
