using System.Globalization;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Rules;

namespace Muster.Metrics.Door;

/// <summary>
/// <c>pmcd.pmlogger.*</c> and <c>pmcd.pmie.*</c>: the node's own logger and rules, and the pmlogger and pmie processes of the
/// host. The node's logger is the primary one where no pmlogger is.
/// </summary>
internal sealed class MonitorMetrics(DoorState door)
{
    public const int LoggerCluster = 3;
    public const int RuleCluster = 5;

    public static readonly InstanceDomainId Loggers = InstanceDomainId.Of(PmcdAgent.DomainNumber, 1);
    public static readonly InstanceDomainId RuleEngines = InstanceDomainId.Of(PmcdAgent.DomainNumber, 4);

    private static readonly MetricUnits PerSecond = MetricUnits.Of(time: -1, count: 1, timeScale: 3);

    // Asked when it is needed: the door is made with its catalogue, of which this is a part.
    private RegisteredMonitors Registered => new(door.RegisterFolder);

    public static IReadOnlyList<InstanceDomain> Domains { get; } =
    [
        new(Loggers, "loggers", "One instance for each process that logs metrics on this host, the node itself among them; the primary one has 0."),
        new(RuleEngines, "processes that evaluate rules", "One instance for each process that evaluates rules on this host, the node itself among them."),
    ];

    public static IReadOnlyList<MetricDescriptor> Metrics { get; } =
    [
        Logger("port", 0, MetricType.UInt32, "port where pmlc(1) reaches the logger", "The node's own logger has none."),
        Logger("pmcd_host", 1, MetricType.String, "host whose metrics the logger writes"),
        Logger("archive", 2, MetricType.String, "archive that the logger writes"),
        Logger("host", 3, MetricType.String, "host that the logger runs on"),
        Engine("configfile", 0, MetricType.String, "file of the rules"),
        Engine("logfile", 1, MetricType.String, "log of the process that evaluates the rules", "The node itself writes to its standard error and has none."),
        Engine("pmcd_host", 2, MetricType.String, "host whose metrics the rules look at"),
        Engine("numrules", 3, MetricType.UInt32, "number of rules"),
        Engine("actions", 4, MetricType.UInt32, "actions carried out", counts: true),
        Engine("eval.true", 5, MetricType.UInt32, "evaluations whose condition held", counts: true),
        Engine("eval.false", 6, MetricType.UInt32, "evaluations whose condition did not hold", counts: true),
        Engine("eval.unknown", 7, MetricType.UInt32, "evaluations that lacked a value", counts: true),
        Engine("eval.expected", 8, MetricType.Float, "evaluations a second that the rules' intervals make", units: PerSecond),
        Engine("eval.actual", 9, MetricType.UInt32, "evaluations", counts: true),
    ];

    public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain) => domain == Loggers
        ? [.. AllLoggers().Select(l => new MetricInstance(l.Id, l.Name)).OrderBy(i => i.Id)]
        : [.. AllRuleEngines().Select(e => new MetricInstance(e.Id, e.Id.ToString(CultureInfo.InvariantCulture))).OrderBy(i => i.Id)];

    public void Collect(MetricId id, ValueSet values)
    {
        if (id.Cluster == LoggerCluster)
        {
            foreach (var logger in AllLoggers())
            {
                Add(values, logger.Id, id.Item switch
                {
                    0 => logger.Port is { } port ? MetricValue.From((ulong)port) : null,
                    1 => MetricValue.From(logger.PmcdHost),
                    2 => MetricValue.From(logger.Archive),
                    _ => MetricValue.From(HostFacts.HostName),
                });
            }

            return;
        }

        foreach (var engine in AllRuleEngines())
        {
            Add(values, engine.Id, id.Item switch
            {
                0 => MetricValue.From(engine.ConfigFile),
                1 => engine.LogFile.Length > 0 ? MetricValue.From(engine.LogFile) : null,
                2 => MetricValue.From(engine.PmcdHost),
                3 => MetricValue.From((ulong)engine.Rules),
                4 => MetricValue.From((ulong)engine.Actions),
                5 => MetricValue.From((ulong)engine.True),
                6 => MetricValue.From((ulong)engine.False),
                7 => MetricValue.From((ulong)engine.Unknown),
                8 => MetricValue.From((double)engine.Expected),
                _ => MetricValue.From((ulong)engine.Actual),
            });
        }
    }

    private static void Add(ValueSet values, int instance, MetricValue? value)
    {
        if (value is { } some)
        {
            values.Add(instance, some);
        }
    }

    private static MetricDescriptor Logger(string name, int item, MetricType type, string oneLine, string help = "") =>
        new("pmcd.pmlogger." + name, MetricId.Of(PmcdAgent.DomainNumber, LoggerCluster, item), type, Loggers, MetricSemantics.Discrete, MetricUnits.None, oneLine, help);

    private static MetricDescriptor Engine(string name, int item, MetricType type, string oneLine, string help = "", bool counts = false, MetricUnits? units = null) =>
        new("pmcd.pmie." + name, MetricId.Of(PmcdAgent.DomainNumber, RuleCluster, item), type, RuleEngines, counts ? MetricSemantics.Counter : MetricSemantics.Discrete, counts ? MetricUnits.Count : units ?? MetricUnits.None, oneLine, help);

    private List<LoggerRecord> AllLoggers()
    {
        var all = Registered.Loggers().ToList();
        if (door.LogArchive?.Invoke() is { } archive)
        {
            var own = new LoggerRecord(Environment.ProcessId, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), null, HostFacts.HostName, archive);
            all.Add(own);
            if (all.TrueForAll(l => l.Id != 0))
            {
                all.Add(own with { Id = 0, Name = "primary" });
            }
        }

        return all;
    }

    private List<RuleEngineRecord> AllRuleEngines()
    {
        var all = Registered.RuleEngines().ToList();
        if (door.Rules is { } own)
        {
            var (yes, no, unknown) = ((uint)own.True, (uint)own.False, (uint)own.Unknown);
            all.Add(new RuleEngineRecord(Environment.ProcessId, own.File, "", HostFacts.HostName, (float)own.Expected, (uint)own.Rules, (uint)own.Actions, yes, no, unknown, yes + no + unknown));
        }

        return all;
    }
}
