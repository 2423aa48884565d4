using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Containers;

/// <summary>The metrics of containers, Muster's own tree of names.</summary>
public sealed class ContainerAgent : IMetricAgent
{
    /// <summary>From the range that PCP's registry (stdpmid) leaves to others: 385 to 510.</summary>
    public const int Number = 450;

    private static readonly InstanceDomainId Containers = InstanceDomainId.Of(Number, 0);
    private static readonly InstanceDomainId Interfaces = InstanceDomainId.Of(Number, 1);

    private readonly TableAgent _agent;
    private readonly ContainerMetricSource _source;
    private readonly CounterLedger _ledger = new();
    private readonly LedgerFile? _file;

    /// <param name="containers">The host's containers.</param>
    /// <param name="stateFile">Where counters are kept over a restart of the node, or null for nowhere.</param>
    /// <param name="time">The clock.</param>
    public ContainerAgent(ContainerCatalog containers, string? stateFile, TimeProvider time)
        : this(containers, new CgroupTree(CgroupHierarchies.Load()), stateFile, time)
    {
    }

    internal ContainerAgent(ContainerCatalog containers, CgroupTree tree, string? stateFile, TimeProvider time)
    {
        _file = stateFile is null ? null : new LedgerFile(stateFile, time);
        _file?.LoadInto(_ledger);
        var journal = new EventJournal(time, MetricId.Of(Number, 9, 3));
        var groups = new ContainerCgroups(tree);
        _source = new ContainerMetricSource(containers, groups, _ledger, journal, time, Containers, Interfaces);
        Ends = new ContainerEnds(groups, containers, _source.SampleEnd);
        var lines = MetricTable.Parse(Number, ContainerTables.Containers + '\n' + ContainerTables.Interfaces + '\n' + ContainerTables.Events);
        _agent = new TableAgent("container", Number, [new SourceTable(_source, lines), new SourceTable(new EventParameterSource(), MetricTable.Parse(Number, ContainerTables.EventParameters))], [new(Containers, "Containers of every engine, apps of pods as pod/app"), new(Interfaces, "Network interfaces of containers")], containers);
    }

    /// <summary>How often <see cref="Sample"/> is to be called, so that a container that ends takes little uncounted with it.</summary>
    public static TimeSpan SampleInterval { get; } = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public string Name => _agent.Name;

    /// <inheritdoc/>
    public int Domain => Number;

    /// <inheritdoc/>
    public int Generation => _agent.Generation;

    /// <inheritdoc/>
    public int LabelGeneration => _source.LabelGeneration;

    /// <inheritdoc/>
    public IReadOnlyList<MetricDescriptor> Metrics => _agent.Metrics;

    /// <inheritdoc/>
    public IReadOnlyList<InstanceDomain> InstanceDomains => _agent.InstanceDomains;

    /// <inheritdoc/>
    public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view) => _agent.GetInstances(domain, view);

    /// <inheritdoc/>
    public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values) => _agent.Collect(asked, view, values);

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view) => _agent.GetLabels(target, view);

    /// <summary>Reads what becomes events and what must outlive a container, and saves it now and then.</summary>
    /// <param name="isSaved">False for one beside the node's own, to which the file belongs: it takes up what that one has counted.</param>
    public void Sample(bool isSaved = true)
    {
        _source.Sample();
        if (isSaved)
        {
            _file?.Save(_ledger);
        }
        else
        {
            _file?.MergeInto(_ledger);
        }
    }

    /// <summary>Reads what must outlive containers of which their engine says that they have ended and are about to be removed.</summary>
    public void SampleEnds(IReadOnlyList<ContainerDescription> containers)
    {
        foreach (var container in containers)
        {
            _source.SampleEnd(container);
        }
    }

    /// <summary>
    /// Reads a container's counters when its last process ends, until it is cancelled: less is lost then than since the last
    /// sample. One call at a time, on a thread of its own.
    /// </summary>
    public Task FollowEndsAsync(CancellationToken ct) => Task.Factory.StartNew(() => Ends.Run(ct), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>What tells of ends.</summary>
    internal ContainerEnds Ends { get; }

    /// <summary>Saves the counters at once, at the node's end.</summary>
    public void Save() => _file?.Save(_ledger, now: true);
}
