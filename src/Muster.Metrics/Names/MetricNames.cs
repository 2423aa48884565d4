using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;

namespace Muster.Metrics.Names;

/// <summary>One metric of the catalogue: what it is, and whose.</summary>
public sealed class CatalogMetric
{
    internal CatalogMetric(MetricDescriptor descriptor, IMetricAgent agent)
    {
        Descriptor = descriptor;
        Agent = agent;
        Names = [descriptor.Name];
    }

    public MetricDescriptor Descriptor { get; }

    public IMetricAgent Agent { get; }

    /// <summary>All names of the metric's number; the first is the descriptor's own.</summary>
    public IReadOnlyList<string> Names { get; internal set; }
}

/// <summary>The tree of names of all metrics at one moment (PCP's PMNS), with the tables by number. Immutable.</summary>
public sealed class MetricNames
{
    /// <summary>PCP's tools keep a name in a buffer of MAXPATHLEN; ours stay far below.</summary>
    public const int MaxNameLength = 1024;

    private readonly MetricNames? _base;
    private readonly NameNode _root = new("");
    private readonly Dictionary<string, CatalogMetric> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CatalogMetric>.AlternateLookup<ReadOnlySpan<char>> _byNameSpan;
    private readonly Dictionary<MetricId, CatalogMetric> _byId = [];
    private readonly Dictionary<InstanceDomainId, (InstanceDomain Domain, IMetricAgent Agent)> _domains = [];
    private readonly Dictionary<int, List<IMetricAgent>> _agents = [];
    private readonly (IMetricAgent Agent, int Generation)[] _generations;
    private readonly List<string> _conflicts = [];
    private readonly Lazy<IReadOnlyList<NamedMetric>> _all;

    private MetricNames(IReadOnlyList<IMetricAgent> agents, long version)
    {
        Version = version;
        _byNameSpan = _byName.GetAlternateLookup<ReadOnlySpan<char>>();

        // The generation is read before the metrics: a change in between is seen as one more change, never missed.
        _generations = [.. agents.Select(a => (a, a.Generation))];
        foreach (var agent in agents)
        {
            Add(agent);
        }

        _root.Seal();
        _all = new Lazy<IReadOnlyList<NamedMetric>>([.. _root.Leaves()]);
    }

    // Derived metrics beside those that there are, which are shared.
    private MetricNames(MetricNames names, DerivedAgent derived)
    {
        (_base, Version, _generations) = (names, names.Version, []);
        _byNameSpan = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
        Add(derived);
        _root.Seal();
        _root = NameNode.Join(names._root, _root);
        _all = new Lazy<IReadOnlyList<NamedMetric>>(() => [.. _root.Leaves()]);
        _conflicts.AddRange(names._conflicts);
        _conflicts.AddRange(derived.Faults.Select(f => f.Value.Message.StartsWith(f.Key.Name, StringComparison.Ordinal) ? f.Value.Message : $"{f.Key.Name}: {f.Value.Message}"));
        Derived = derived;
    }

    /// <summary>Grows with each change of any agent's metrics.</summary>
    public long Version { get; }

    /// <summary>Every metric under each of its names, sorted by name.</summary>
    public IReadOnlyList<NamedMetric> All => _all.Value;

    /// <summary>What was left out and why: a name or number that another metric has already, or that lies outside of its agent's domain.</summary>
    public IReadOnlyList<string> Conflicts => _conflicts;

    internal bool IsUpToDate
    {
        get
        {
            foreach (var (agent, generation) in _generations)
            {
                if (agent.Generation != generation)
                {
                    return false;
                }
            }

            return _base?.IsUpToDate ?? true;
        }
    }

    /// <summary>These names without derived metrics: themselves where there are none.</summary>
    internal MetricNames Base => _base?.Base ?? this;

    /// <summary>The derived metrics among them, those added last; null where there are none.</summary>
    internal DerivedAgent? Derived { get; }

    /// <summary>Why a derived metric of this name is not among them; null when nobody has defined one.</summary>
    public string? WhyNot(string name) => Derived?.Faults.FirstOrDefault(f => f.Key.Name == name).Value?.Message ?? _base?.WhyNot(name);

    /// <summary>Why a definition is not among them; null when it is.</summary>
    public string? WhyNot(DerivedDefinition definition) => Derived?.Faults.GetValueOrDefault(definition)?.Message ?? _base?.WhyNot(definition);

    /// <summary>These names and those of derived metrics; a definition that these metrics do not fit is left out and among the <see cref="Conflicts"/>.</summary>
    public MetricNames With(DerivedDefinitions definitions) => definitions.Count == 0 ? this : new MetricNames(this, new DerivedAgent(this, definitions));

    internal static MetricNames Of(IReadOnlyList<IMetricAgent> agents, long version) => new(agents, version);

    /// <summary>The metric of a whole name, or null.</summary>
    public CatalogMetric? Find(ReadOnlySpan<char> name) => _byNameSpan.TryGetValue(name, out var metric) ? metric : _base?.Find(name);

    /// <summary>The metric of a number, or null.</summary>
    public CatalogMetric? Find(MetricId id) => _byId.TryGetValue(id, out var metric) ? metric : _base?.Find(id);

    /// <summary>The agents of a domain: Linux' own is shared by several; empty for an unknown one.</summary>
    public IReadOnlyList<IMetricAgent> Agents(int domain) => _agents.TryGetValue(domain, out var agents) ? agents : _base?.Agents(domain) ?? [];

    /// <summary>A domain of instances with its agent, or null.</summary>
    public (InstanceDomain Domain, IMetricAgent Agent)? Find(InstanceDomainId id) => _domains.TryGetValue(id, out var found) ? found : _base?.Find(id);

    /// <summary>The node at a name, be it a metric or the beginning of some; the root for an empty name; null when there is none.</summary>
    public NameNode? Node(ReadOnlySpan<char> name)
    {
        var node = _root;
        while (name.Length > 0)
        {
            var dot = name.IndexOf('.');
            var segment = dot < 0 ? name : name[..dot];
            if (segment.Length == 0 || node.Child(segment) is not { } child)
            {
                return null;
            }

            node = child;
            name = dot < 0 ? [] : name[(dot + 1)..];
            if (dot >= 0 && name.Length == 0)
            {
                return null;
            }
        }

        return node;
    }

    private void Add(IMetricAgent agent)
    {
        if (!_agents.TryGetValue(agent.Domain, out var sharing))
        {
            _agents.Add(agent.Domain, sharing = []);
        }

        sharing.Add(agent);
        foreach (var domain in agent.InstanceDomains)
        {
            if (!_domains.TryAdd(domain.Id, (domain, agent)))
            {
                _conflicts.Add($"instance domain {domain.Id} is given twice");
            }
        }

        foreach (var metric in agent.Metrics)
        {
            if (Refusal(agent, metric) is { } refusal)
            {
                _conflicts.Add(refusal);
            }
        }
    }

    private string? Refusal(IMetricAgent agent, MetricDescriptor metric)
    {
        if (metric.Id.Domain != agent.Domain)
        {
            return $"{metric.Name} has the number {metric.Id}, outside of domain {agent.Domain} of {agent.Name}";
        }

        if (!IsName(metric.Name))
        {
            return $"\"{metric.Name}\" is no name of a metric";
        }

        if (_byId.TryGetValue(metric.Id, out var other) && other.Agent != agent)
        {
            return $"{metric.Name} of {agent.Name} has the number of {other.Names[0]}, {metric.Id}";
        }

        var entry = other ?? new CatalogMetric(metric, agent);
        if (!_root.TryAdd(metric.Name, entry))
        {
            return $"the name {metric.Name} is taken, or it is the beginning of another, or another is its beginning";
        }

        if (other is not null)
        {
            other.Names = [.. other.Names, metric.Name];
        }

        _byId.TryAdd(metric.Id, entry);
        _byName.Add(metric.Name, entry);
        return null;
    }

    /// <summary>Letters, digits, underscores and single dots, each part beginning with a letter (PMNS(5)).</summary>
    public static bool IsName(ReadOnlySpan<char> name)
    {
        var atStart = true;
        foreach (var c in name)
        {
            if (atStart ? !char.IsAsciiLetter(c) : !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.'))
            {
                return false;
            }

            atStart = c == '.';
        }

        return !atStart && name.Length <= MaxNameLength;
    }
}

/// <summary>A metric under one of its names.</summary>
public readonly record struct NamedMetric(string Name, CatalogMetric Metric);
