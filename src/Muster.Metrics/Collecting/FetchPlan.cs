using Muster.Metrics.Derived;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Collecting;

/// <summary>
/// Which agents to ask for a list of metrics, made once and used for every fetch of the same list: a logger's or a
/// watcher's next fetch then looks nothing up. Immutable; any number of threads may use it.
/// </summary>
public sealed class FetchPlan
{
    /// <summary>With so many metrics a fetch is worth another processor.</summary>
    private const int LargeRequest = 256;

    private static readonly ValueSet UnknownAgent = Failure(PcpError.NoAgent);
    private static readonly ValueSet UnknownMetric = Failure(PcpError.MetricId);

    private readonly MetricId[] _ids;
    private readonly (MetricDescriptor? Descriptor, int Slot)[] _positions;
    private readonly (IMetricAgent Agent, MetricDescriptor[] Asked, int FirstSlot)[] _groups;
    private readonly (DerivedAgent Agent, MetricDescriptor[] Asked, int FirstSlot)[] _derived;
    private readonly Dictionary<MetricId, int> _slots;

    private FetchPlan(MetricNames names, MetricId[] ids)
    {
        Names = names;
        _ids = ids;
        _positions = new (MetricDescriptor?, int)[ids.Length];

        // Each metric is asked once, however often it stands in the list; metrics of one agent lie side by side.
        var metrics = ids.Select(names.Find).OfType<CatalogMetric>().Distinct().ToList();

        // What derived metrics are computed from is read with the rest, once.
        var operands = metrics.Where(m => m.Agent is DerivedAgent).SelectMany(m => ((DerivedAgent)m.Agent).Operands(m.Descriptor.Id)).Select(o => names.Find(o.Metric.Id)).OfType<CatalogMetric>().ToList();
        metrics = operands.Count == 0 ? metrics : [.. metrics.Concat(operands).Distinct()];
        var slots = _slots = new Dictionary<MetricId, int>(metrics.Count);
        var groups = new List<(IMetricAgent, MetricDescriptor[], int)>();
        var derived = new List<(DerivedAgent, MetricDescriptor[], int)>();
        foreach (var group in metrics.GroupBy(m => m.Agent))
        {
            MetricDescriptor[] asked = [.. group.Select(m => m.Descriptor)];
            if (group.Key is DerivedAgent computing)
            {
                derived.Add((computing, asked, slots.Count));
            }
            else
            {
                groups.Add((group.Key, asked, slots.Count));
            }

            foreach (var metric in group)
            {
                slots.Add(metric.Descriptor.Id, slots.Count);
            }
        }

        (_groups, _derived) = ([.. groups], [.. derived]);
        Slots = slots.Count;
        for (var i = 0; i < ids.Length; i++)
        {
            _positions[i] = slots.TryGetValue(ids[i], out var slot) ? (names.Find(ids[i])!.Descriptor, slot) : (null, -1);
        }
    }

    /// <summary>The names that the plan was made with.</summary>
    public MetricNames Names { get; }

    /// <summary>The list, as it was asked.</summary>
    public ReadOnlySpan<MetricId> Ids => _ids;

    /// <summary>How many value sets a fetch needs.</summary>
    public int Slots { get; }

    public static FetchPlan Of(MetricNames names, MetricId[] ids) => new(names, ids);

    /// <summary>The descriptor at a place of the list; null where there is no such metric.</summary>
    public MetricDescriptor? Descriptor(int position) => _positions[position].Descriptor;

    /// <summary>Asks the agents. An agent that throws costs its own metrics their values and nobody else's.</summary>
    public void Collect(MetricView view, ValueSetBuffer into, Action<IMetricAgent, Exception>? onFailure)
    {
        into.Take(Slots);
        if (Slots < LargeRequest)
        {
            foreach (var group in _groups)
            {
                CollectGroup(group, view, into, onFailure);
            }
        }
        else
        {
            // Everything is asked: the agents know nothing of each other, and each fills sets of its own.
            SharedWork.Run(_groups.Length, i => CollectGroup(_groups[i], view, into, onFailure));
        }

        if (_derived.Length > 0)
        {
            Derive(view, into, onFailure);
        }
    }

    private void Derive(MetricView view, ValueSetBuffer into, Action<IMetricAgent, Exception>? onFailure)
    {
        foreach (var (agent, asked, firstSlot) in _derived)
        {
            var own = into.Taken.Slice(firstSlot, asked.Length);
            try
            {
                agent.Evaluate(asked, view, id => into[_slots[id]], own);
            }
#pragma warning disable CA1031 // As below: what cannot be computed costs nobody else's values.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Fail(agent, e, own, onFailure);
            }
        }
    }

    private static void CollectGroup((IMetricAgent Agent, MetricDescriptor[] Asked, int FirstSlot) group, MetricView view, ValueSetBuffer into, Action<IMetricAgent, Exception>? onFailure)
    {
        var own = into.Taken.Slice(group.FirstSlot, group.Asked.Length);
        try
        {
            group.Agent.Collect(group.Asked, view, own);
        }
#pragma warning disable CA1031 // The boundary between the door and an agent: whatever it was, other metrics have values.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(group.Agent, e, own, onFailure);
        }
    }

    private static void Fail(IMetricAgent agent, Exception e, ReadOnlySpan<ValueSet> own, Action<IMetricAgent, Exception>? onFailure)
    {
        onFailure?.Invoke(agent, e);
        foreach (var set in own)
        {
            set.Fail(PcpError.Generic);
        }
    }

    /// <summary>The values at a place of the list after <see cref="Collect"/>.</summary>
    public ValueSet Values(int position, ValueSetBuffer from)
    {
        var slot = _positions[position].Slot;
        return slot >= 0 ? from[slot] : Names.Agents(_ids[position].Domain).Count == 0 ? UnknownAgent : UnknownMetric;
    }

    /// <summary>The result as it goes on the wire.</summary>
    internal ReadOnlySpan<ResultSet> Results(MetricView view, ValueSetBuffer from)
    {
        var results = from.TakeResults(_ids.Length);
        for (var i = 0; i < results.Length; i++)
        {
            var descriptor = _positions[i].Descriptor;
            results[i] = descriptor is null
                ? new ResultSet(_ids[i], MetricType.NotSupported, Values(i, from), InstanceSelection.Everything)
                : new ResultSet(_ids[i], descriptor.Type, Values(i, from), view.Profile.For(descriptor.Instances));
        }

        return results;
    }

    private static ValueSet Failure(int error)
    {
        var set = new ValueSet();
        set.Fail(error);
        return set;
    }
}
