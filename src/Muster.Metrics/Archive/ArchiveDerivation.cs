using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>
/// Computes derived metrics over records as they are read: at each record that has what their rates and differences need, with
/// what the archive last said of the rest. Serves one reading from its beginning to its end.
/// </summary>
internal sealed class ArchiveDerivation
{
    private readonly MetricNames _names;
    private readonly List<Derivation> _metrics = [];
    private readonly Dictionary<MetricId, Operand> _operands = [];

    private ArchiveDerivation(MetricNames names, IEnumerable<MetricDescriptor> metrics)
    {
        _names = names;
        foreach (var metric in metrics)
        {
            var operands = Agent(metric).Operands(metric.Id);
            _metrics.Add(new Derivation(metric, [.. operands.Select(o => o.Metric.Id)], [.. operands.Where(o => o.IsChange).Select(o => o.Metric.Id)]));
            foreach (var (operand, _) in operands)
            {
                _operands.TryAdd(operand.Id, new Operand(operand));
            }
        }
    }

    /// <summary>The metrics that are read for it.</summary>
    public IEnumerable<MetricId> Operands => _operands.Keys;

    /// <summary>For those of some metrics that are derived; null when none is.</summary>
    public static ArchiveDerivation? For(MetricNames names, IReadOnlySet<MetricId>? wanted)
    {
        var derived = wanted is null ? [] : wanted.Select(names.Find).OfType<CatalogMetric>().Where(m => m.Agent is DerivedAgent).Select(m => m.Descriptor).ToList();
        return derived.Count == 0 ? null : new ArchiveDerivation(names, derived);
    }

    /// <summary>The record with the values of the derived metrics.</summary>
    public ArchiveSample Extend(MetricArchive archive, ArchiveSample sample)
    {
        if (sample.IsMark)
        {
            return Interrupted(sample);
        }

        var fresh = new HashSet<MetricId>();
        foreach (var set in sample.Sets)
        {
            if (_operands.TryGetValue(set.Id, out var operand))
            {
                fresh.Add(set.Id);
                Take(set, operand.Metric, operand.Last);
                operand.Source = archive;
            }
        }

        var input = new DerivedInput(sample.Time, id => _operands[id].Last, _ => InstanceSelection.Everything, domain => Instances(archive, domain, sample.Time));
        List<ReceivedSet>? sets = null;
        foreach (var one in _metrics)
        {
            if (one.Changing.Count > 0 ? one.Changing.IsSubsetOf(fresh) : one.Operands.Count == 0 || one.Operands.Overlaps(fresh))
            {
                (sets ??= [.. sample.Sets]).Add(Evaluate(one, input));
            }
        }

        return sets is null ? sample : new ArchiveSample(sample.Time, sets);
    }

    // Nothing is known of what lies before it, and of what was computed from it neither.
    private ArchiveSample Interrupted(ArchiveSample mark)
    {
        var ended = _operands.Where(o => o.Value.Source is { } source && mark.Interrupts(source, o.Key)).Select(o => o.Key).ToHashSet();
        foreach (var id in ended)
        {
            _operands[id].Last.Clear();
        }

        foreach (var one in _metrics.Where(m => m.Operands.Overlaps(ended)))
        {
            one.History = new DerivedHistory();
            ended.Add(one.Metric.Id);
        }

        return mark with { Interrupts = (source, id) => ended.Contains(id) || mark.Interrupts(source, id) };
    }

    // A damaged archive may have a value of another type than it says.
    private static void Take(ReceivedSet set, MetricDescriptor metric, ValueSet into)
    {
        into.Clear();
        if (set.Error < 0)
        {
            into.Fail(set.Error);
            return;
        }

        foreach (var value in set.Values)
        {
            if (value.Type is null || value.Type == metric.Type)
            {
                into.Add(value.Instance, value.Value);
            }
        }
    }

    private static List<MetricInstance> Instances(MetricArchive archive, InstanceDomainId domain, DateTimeOffset time) =>
        [.. archive.Metadata.Instances(domain).Select(i => i with { Name = archive.Metadata.InstanceName(domain, i.Id, time) ?? i.Name })];

    private ReceivedSet Evaluate(Derivation one, DerivedInput input)
    {
        var values = new ValueSet();
        Agent(one.Metric).Evaluate(one.Metric.Id, one.History, container: null, input, values);
        return new ReceivedSet(one.Metric.Id, values.Error, [.. values.Values.ToArray().Select(v => new ReceivedValue(v.Instance, one.Metric.Type, v.Value))]);
    }

    private DerivedAgent Agent(MetricDescriptor metric) => (DerivedAgent)_names.Find(metric.Id)!.Agent;

    /// <summary>A derived metric, what it is computed from, and what of that must be fresh.</summary>
    private sealed class Derivation(MetricDescriptor metric, HashSet<MetricId> operands, HashSet<MetricId> changing)
    {
        public MetricDescriptor Metric => metric;

        public HashSet<MetricId> Operands => operands;

        public HashSet<MetricId> Changing => changing;

        public DerivedHistory History { get; set; } = new();
    }

    /// <summary>What the archives last said of a metric, and which of them.</summary>
    private sealed class Operand(MetricDescriptor metric)
    {
        public MetricDescriptor Metric => metric;

        public ValueSet Last { get; } = new();

        public MetricArchive? Source { get; set; }
    }
}
