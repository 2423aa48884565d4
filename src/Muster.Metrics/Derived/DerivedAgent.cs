using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>
/// Derived metrics beside those that they are computed from, at one moment of the namespace: an agent without sources of its
/// own. <see cref="FetchPlan"/> reads the operands with everything else and lets it compute. Immutable.
/// </summary>
internal sealed class DerivedAgent : IMetricAgent
{
    private readonly MetricNames _names;
    private readonly DerivedDefinitions _definitions;
    private readonly Dictionary<MetricId, (DerivedDefinition Definition, IReadOnlyList<(MetricDescriptor Metric, bool IsChange)> Operands)> _byId = [];
    private readonly Dictionary<string, DerivedDefinition> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<DerivedDefinition, MusterException> _faults = [];
    private readonly Dictionary<DerivedDefinition, int> _places = [];
    private readonly Dictionary<string, List<DerivedDefinition>> _named = new(StringComparer.Ordinal);

    /// <param name="names">The metrics that there are, with those derived for all where these are one use's own.</param>
    /// <param name="definitions">What is derived.</param>
    public DerivedAgent(MetricNames names, DerivedDefinitions definitions)
    {
        (_names, _definitions) = (names, definitions);
        var metrics = new List<MetricDescriptor>();
        var (shared, own) = (0, 0);
        foreach (var definition in definitions.All.ToArray())
        {
            _places.Add(definition, _places.Count);
            if (!_named.TryAdd(definition.Name, [definition]))
            {
                _named[definition.Name].Add(definition);
            }

            var id = definition.IsOwn ? DerivedIds.OfOwn(own++) : DerivedIds.Of(shared++);
            try
            {
                CheckName(definition.Name);
                var node = Bind(definition);
                var operands = node.Operands.GroupBy(o => o.Metric.Id).Select(g => (g.First().Metric, g.Any(o => o.IsChange))).ToList();
                var meta = node.Meta;

                // One use's own stands before one for all of the same name.
                if (_byName.ContainsKey(definition.Name))
                {
                    metrics.RemoveAll(m => m.Name == definition.Name);
                }

                _byName[definition.Name] = definition;
                _byId.Add(id, (definition, operands));
                metrics.Add(new MetricDescriptor(definition.Name, id, meta.Type, meta.Instances, meta.Semantics, meta.Units, definition.OneLine.Length > 0 ? definition.OneLine : definition.Expression, definition.Help));
            }
            catch (MusterException e)
            {
                _faults.Add(definition, e);
            }
        }

        Metrics = metrics;
    }

    public string Name => "derived";

    public int Domain => DerivedIds.Domain;

    public int Generation => 0;

    public IReadOnlyList<MetricDescriptor> Metrics { get; }

    /// <summary>None of its own: the instances are those of operands.</summary>
    public IReadOnlyList<InstanceDomain> InstanceDomains => [];

    /// <summary>Definitions that mean nothing here, with the reason: a metric that is not there, units that do not fit.</summary>
    public IReadOnlyDictionary<DerivedDefinition, MusterException> Faults => _faults;

    /// <summary>The definition of a metric.</summary>
    public DerivedDefinition? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The metrics that one is computed from, with whether it needs their change.</summary>
    public IReadOnlyList<(MetricDescriptor Metric, bool IsChange)> Operands(MetricId id) => _byId.TryGetValue(id, out var found) ? found.Operands : [];

    public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view) => _names.Find(domain)?.Agent.GetInstances(domain, view) ?? [];

    public string? GetInstanceName(InstanceDomainId domain, int instance) => _names.Find(domain)?.Agent.GetInstanceName(domain, instance);

    public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view) =>
        target.Kind is LabelKind.InstanceDomain or LabelKind.Instance ? _names.Find(new InstanceDomainId(target.Number))?.Agent.GetLabels(target, view) ?? [] : [];

    /// <summary>Reads the operands and computes; for whoever asks without a plan.</summary>
    public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values)
    {
        var operands = new List<MetricId>();
        foreach (var metric in asked)
        {
            operands.AddRange(Operands(metric.Id).Select(o => o.Metric.Id));
        }

        var plan = FetchPlan.Of(_names, [.. operands.Distinct()]);
        using var buffer = ValueSetBuffer.Rent();
        plan.Collect(view, buffer, onFailure: null);
        var places = plan.Ids.ToArray().Index().ToDictionary(p => p.Item, p => p.Index);
        Evaluate(asked, view, id => plan.Values(places[id], buffer), values);
    }

    /// <summary>Computes the values of metrics from those of their operands, which have just been read.</summary>
    public void Evaluate(ReadOnlySpan<MetricDescriptor> asked, MetricView view, Func<MetricId, ValueSet> operands, ReadOnlySpan<ValueSet> values)
    {
        var history = view.Client?.Get(static () => new DerivedHistory()) ?? _definitions.Shared;
        var input = new DerivedInput(_definitions.Time.GetUtcNow(), operands, view.Profile.For, domain => GetInstances(domain, view));
        lock (history.Guard)
        {
            for (var i = 0; i < asked.Length; i++)
            {
                Evaluate(asked[i].Id, history, view.Container, input, values[i]);
            }
        }
    }

    /// <summary>Computes one metric's values.</summary>
    public void Evaluate(MetricId id, DerivedHistory history, string? container, DerivedInput input, ValueSet into)
    {
        var definition = _byId[id].Definition;
        var result = history.Get(definition, container, _names.Base, () => Bind(definition)).Evaluate(input);
        if (result.Error != 0)
        {
            into.Fail(result.Error);
            return;
        }

        foreach (var value in result.Values)
        {
            into.Add(value.Instance, value.Value);
        }
    }

    private DerivedNode Bind(DerivedDefinition definition) => new DerivedBinder().Bind(definition, name => Operand(name, definition));

    // A metric of the node's own goes before one that is derived; of those, only what was defined before is known.
    private DerivedOperand? Operand(string name, DerivedDefinition user)
    {
        var found = _names.Find(name);
        if (found is not null && found.Agent is not DerivedAgent)
        {
            return new DerivedOperand(found.Descriptor, null, null);
        }

        DerivedDefinition? last = null;
        foreach (var definition in _named.GetValueOrDefault(name) ?? [])
        {
            last = _places[definition] < _places[user] && !_faults.ContainsKey(definition) ? definition : last;
        }

        return last is not null ? new DerivedOperand(null, last, n => Operand(n, last))
            : found?.Agent is DerivedAgent other && other.Find(name) is { } there ? new DerivedOperand(null, there, n => other.Operand(n, there)) : null;
    }

    private void CheckName(string name)
    {
        if (_names.Find(name) is { } taken && taken.Agent is not DerivedAgent)
        {
            throw new MusterException(ErrorKind.Conflict, $"{name} cannot be the name of a derived metric: there is a metric of that name");
        }

        if (_names.Node(name) is { Metric: null })
        {
            throw new MusterException(ErrorKind.Conflict, $"{name} cannot be the name of a derived metric: there are metrics whose names begin so");
        }

        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot > 0; dot = name.IndexOf('.', dot + 1))
        {
            if (_names.Find(name.AsSpan(0, dot)) is not null)
            {
                throw new MusterException(ErrorKind.Conflict, $"{name} cannot be the name of a derived metric: {name[..dot]} is a metric, and nothing is below it");
            }
        }
    }
}
