using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;

namespace Muster.Metrics.Reporting;

/// <summary>Computes derived metrics at regular times from the interpolated values of their operands, as pmval(1) does with an interval.</summary>
internal sealed class InterpolatedDerivation
{
    private readonly MetricNames _names;
    private readonly IReadOnlyList<MetricDescriptor> _metrics;
    private readonly ILookup<MetricId, ValueSeries> _series;
    private readonly SortedSet<long> _marks = [];
    private DerivedHistory _history = new();
    private long _life;

    // Series know their instances by name: each name of a domain gets a number.
    private readonly Dictionary<InstanceDomainId, (Dictionary<string, int> Numbers, List<MetricInstance> All)> _instances = [];

    /// <param name="archives">Where from.</param>
    /// <param name="metrics">Names of derived metrics.</param>
    /// <param name="from">The first time whose values are needed.</param>
    public InterpolatedDerivation(ArchiveSet archives, IReadOnlyList<string> metrics, DateTimeOffset from)
    {
        _names = archives.Names;
        _metrics = [.. metrics.Select(m => _names.Find(m)!.Descriptor)];
        var operands = _metrics.SelectMany(m => Agent(m).Operands(m.Id)).Select(o => o.Metric).DistinctBy(m => m.Id).ToList();
        _series = SeriesReading.Read(archives, [.. operands.Select(o => o.Name)], from, archives.End, TimeSpan.Zero, onMark: t => _marks.Add(t.UtcTicks)).ToLookup(s => s.Descriptor.Id);
    }

    /// <summary>The values at the next time.</summary>
    public IEnumerable<(MetricDescriptor Metric, string? Instance, MetricValue Value)> At(DateTimeOffset time)
    {
        // Nothing is carried over a gap.
        var life = _marks.GetViewBetween(0, time.UtcTicks).Max;
        if (life != _life)
        {
            (_history, _life) = (new DerivedHistory(), life);
        }

        var read = new Dictionary<MetricId, ValueSet>();
        var input = new DerivedInput(time, id => read.TryGetValue(id, out var known) ? known : read[id] = Values(id, time), _ => InstanceSelection.Everything, Instances);
        foreach (var metric in _metrics)
        {
            var values = new ValueSet();
            Agent(metric).Evaluate(metric.Id, _history, container: null, input, values);
            foreach (var value in values.Values.ToArray())
            {
                yield return (metric, value.Instance < 0 ? null : _instances[metric.Instances].All[value.Instance].Name, value.Value);
            }
        }
    }

    private ValueSet Values(MetricId id, DateTimeOffset time)
    {
        var values = new ValueSet();
        foreach (var series in _series[id])
        {
            var number = series.At(time);
            if (!double.IsNaN(number))
            {
                values.Add(series.Instance is { } name ? Number(series.Descriptor.Instances, name) : -1, DerivedNumber.Of(number, series.Descriptor.Type));
            }
        }

        return values;
    }

    private int Number(InstanceDomainId domain, string name)
    {
        if (!_instances.TryGetValue(domain, out var known))
        {
            _instances.Add(domain, known = (new(StringComparer.Ordinal), []));
        }

        if (!known.Numbers.TryGetValue(name, out var number))
        {
            known.Numbers.Add(name, number = known.All.Count);
            known.All.Add(new MetricInstance(number, name));
        }

        return number;
    }

    private IReadOnlyList<MetricInstance> Instances(InstanceDomainId domain) => _instances.TryGetValue(domain, out var known) ? known.All : [];

    private DerivedAgent Agent(MetricDescriptor metric) => (DerivedAgent)_names.Find(metric.Id)!.Agent;
}
