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
    private readonly List<(MetricDescriptor Metric, HashSet<MetricId> Operands, HashSet<MetricId> Changing)> _metrics = [];
    private readonly Dictionary<MetricId, (MetricDescriptor Metric, ValueSet Last)> _operands = [];
    private DerivedHistory _history = new();

    private ArchiveDerivation(MetricNames names, IEnumerable<MetricDescriptor> metrics)
    {
        _names = names;
        foreach (var metric in metrics)
        {
            var operands = Agent(metric).Operands(metric.Id);
            _metrics.Add((metric, [.. operands.Select(o => o.Metric.Id)], [.. operands.Where(o => o.IsChange).Select(o => o.Metric.Id)]));
            foreach (var (operand, _) in operands)
            {
                _operands.TryAdd(operand.Id, (operand, new ValueSet()));
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
            // Nothing is known of what lies before it.
            _history = new DerivedHistory();
            foreach (var operand in _operands.Values)
            {
                operand.Last.Clear();
            }

            return sample;
        }

        var fresh = new HashSet<MetricId>();
        foreach (var set in sample.Sets)
        {
            if (_operands.TryGetValue(set.Id, out var operand))
            {
                fresh.Add(set.Id);
                Take(set, operand.Metric, operand.Last);
            }
        }

        var input = new DerivedInput(sample.Time, id => _operands[id].Last, _ => InstanceSelection.Everything, domain => Instances(archive, domain, sample.Time));
        List<ReceivedSet>? sets = null;
        foreach (var (metric, operands, changing) in _metrics)
        {
            if (changing.Count > 0 ? changing.IsSubsetOf(fresh) : operands.Count == 0 || operands.Overlaps(fresh))
            {
                (sets ??= [.. sample.Sets]).Add(Evaluate(metric, input));
            }
        }

        return sets is null ? sample : new ArchiveSample(sample.Time, sets);
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

    private ReceivedSet Evaluate(MetricDescriptor metric, DerivedInput input)
    {
        var values = new ValueSet();
        Agent(metric).Evaluate(metric.Id, _history, container: null, input, values);
        return new ReceivedSet(metric.Id, values.Error, [.. values.Values.ToArray().Select(v => new ReceivedValue(v.Instance, metric.Type, v.Value))]);
    }

    private DerivedAgent Agent(MetricDescriptor metric) => (DerivedAgent)_names.Find(metric.Id)!.Agent;
}
