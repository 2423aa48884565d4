using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;

namespace Muster.Metrics.Rules;

/// <summary>What archives say at any time, interpolated as pmie(1) has it (PM_MODE_INTERP), for times that do not go back.</summary>
internal sealed class ArchiveValues
{
    private readonly MovingSeries _series;
    private readonly InterpolatedDerivation? _derived;
    private readonly Dictionary<InstanceDomainId, (Dictionary<string, int> Numbers, List<string> Names)> _instances = [];

    public ArchiveValues(ArchiveSet archives, IReadOnlyCollection<string> metrics)
    {
        var derived = metrics.Where(m => archives.Names.Find(m)?.Agent is DerivedAgent).ToList();
        _series = new MovingSeries(archives, [.. metrics.Except(derived).Union(InterpolatedDerivation.Operands(archives.Names, derived), StringComparer.Ordinal)]);
        _derived = derived.Count > 0 ? new InterpolatedDerivation(archives.Names, derived, _series.At) : null;
    }

    /// <summary>The values of some metrics. Instances have numbers of their own, by name: those of archives may be given to others later.</summary>
    public RuleInput At(DateTimeOffset time, IEnumerable<string> metrics)
    {
        var series = _series.At(time);
        var values = metrics.ToDictionary(m => m, _ => new ValueSet(), StringComparer.Ordinal);
        var gaps = new Dictionary<(string, int), long>();
        foreach (var (metric, set) in values)
        {
            foreach (var one in series[metric])
            {
                if (one.At(time) is var number && !double.IsNaN(number))
                {
                    var instance = Number(one.Descriptor.Instances, one.Instance);
                    set.Add(instance, DerivedNumber.Of(number, one.Descriptor.Type));
                    gaps[(metric, instance)] = one.LastGap(time);
                }
            }
        }

        // Always all of them: what they remember must see each time.
        foreach (var (metric, instance, value) in _derived?.At(time) ?? [])
        {
            if (values.TryGetValue(metric.Name, out var set))
            {
                var number = Number(metric.Instances, instance);
                set.Add(number, value);
                gaps[(metric.Name, number)] = _derived!.LastGap(metric.Name);
            }
        }

        return new RuleInput(time, values, (domain, id) => _instances[domain].Names[id], (metric, instance) => gaps.GetValueOrDefault((metric, instance)));
    }

    private int Number(InstanceDomainId domain, string? name)
    {
        if (name is null)
        {
            return -1;
        }

        if (!_instances.TryGetValue(domain, out var known))
        {
            _instances.Add(domain, known = (new(StringComparer.Ordinal), []));
        }

        if (!known.Numbers.TryGetValue(name, out var number))
        {
            known.Numbers.Add(name, number = known.Names.Count);
            known.Names.Add(name);
        }

        return number;
    }
}
