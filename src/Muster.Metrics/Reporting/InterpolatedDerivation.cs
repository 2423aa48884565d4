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
    private readonly Func<DateTimeOffset, ILookup<string, ValueSeries>> _series;
    private readonly Dictionary<string, (DerivedHistory History, IReadOnlyList<string> Operands, long Life)> _histories = new(StringComparer.Ordinal);

    // Series know their instances by name: each name of a domain gets a number.
    private readonly Dictionary<InstanceDomainId, (Dictionary<string, int> Numbers, List<MetricInstance> All)> _instances = [];

    /// <param name="names">The metrics of the archives.</param>
    /// <param name="metrics">Names of derived metrics.</param>
    /// <param name="series">The series of what they are computed from (Operands) around a time.</param>
    public InterpolatedDerivation(MetricNames names, IReadOnlyList<string> metrics, Func<DateTimeOffset, ILookup<string, ValueSeries>> series)
    {
        (_names, _series) = (names, series);
        _metrics = [.. metrics.Select(m => _names.Find(m)!.Descriptor)];
        foreach (var metric in _metrics)
        {
            _histories[metric.Name] = (new DerivedHistory(), Operands(names, [metric.Name]), 0);
        }
    }

    /// <summary>The recorded metrics that some derived ones are computed from.</summary>
    public static IReadOnlyList<string> Operands(MetricNames names, IEnumerable<string> metrics) =>
        [.. metrics.Select(m => names.Find(m)!).SelectMany(m => ((DerivedAgent)m.Agent).Operands(m.Descriptor.Id)).Select(o => o.Metric.Name).Distinct(StringComparer.Ordinal)];

    /// <summary>The values at the next time.</summary>
    public IEnumerable<(MetricDescriptor Metric, string? Instance, MetricValue Value)> At(DateTimeOffset time)
    {
        var series = _series(time);
        var read = new Dictionary<MetricId, ValueSet>();
        var input = new DerivedInput(time, id => read.TryGetValue(id, out var known) ? known : read[id] = Values(series[_names.Find(id)!.Descriptor.Name], time), _ => InstanceSelection.Everything, Instances);
        foreach (var metric in _metrics)
        {
            // Nothing is carried over a gap.
            var (history, operands, before) = _histories[metric.Name];
            var life = operands.SelectMany(o => series[o]).Select(s => s.LastGap(time)).DefaultIfEmpty().Max();
            if (life > before)
            {
                _histories[metric.Name] = (history = new DerivedHistory(), operands, life);
            }

            var values = new ValueSet();
            Agent(metric).Evaluate(metric.Id, history, container: null, input, values);
            foreach (var value in values.Values.ToArray())
            {
                yield return (metric, value.Instance < 0 ? null : _instances[metric.Instances].All[value.Instance].Name, value.Value);
            }
        }
    }

    /// <summary>When what a derived metric is computed from last had a gap, in ticks.</summary>
    public long LastGap(string metric) => _histories[metric].Life;

    private ValueSet Values(IEnumerable<ValueSeries> all, DateTimeOffset time)
    {
        var values = new ValueSet();
        foreach (var series in all)
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
