using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;

namespace Muster.Metrics.Rules;

/// <summary>What archives say at any time, interpolated as pmie(1) has it (PM_MODE_INTERP), for times that do not go back.</summary>
internal sealed class ArchiveValues
{
    // As much is held at once: memory depends on the number of instances, not on the length of the archives.
    private static readonly TimeSpan Portion = TimeSpan.FromHours(6);

    // The record after a time is looked for so far beyond: what is recorded more rarely is unknown at the end of a portion.
    private static readonly TimeSpan Beyond = TimeSpan.FromHours(2);

    private readonly ArchiveSet _archives;
    private readonly List<string> _recorded;
    private readonly InterpolatedDerivation? _derived;
    private readonly SortedSet<long> _marks = [];
    private readonly Dictionary<InstanceDomainId, (Dictionary<string, int> Numbers, List<string> Names)> _instances = [];
    private ILookup<string, ValueSeries> _series = Array.Empty<ValueSeries>().ToLookup(s => s.Metric);
    private DateTimeOffset _until = DateTimeOffset.MinValue;

    public ArchiveValues(ArchiveSet archives, IReadOnlyCollection<string> metrics, DateTimeOffset from)
    {
        var derived = metrics.Where(m => archives.Names.Find(m)?.Agent is DerivedAgent).ToList();
        (_archives, _recorded) = (archives, [.. metrics.Except(derived)]);
        _derived = derived.Count > 0 ? new InterpolatedDerivation(archives, derived, from) : null;
    }

    /// <summary>The values of some metrics. Instances have numbers of their own, by name: those of archives may be given to others later.</summary>
    public RuleInput At(DateTimeOffset time, IEnumerable<string> metrics)
    {
        if (time >= _until)
        {
            _until = time + Portion;
            _series = SeriesReading.Read(_archives, _recorded, time, _until + Beyond, TimeSpan.Zero, _series.SelectMany(s => s), t => _marks.Add(t.UtcTicks)).ToLookup(s => s.Metric, StringComparer.Ordinal);
        }

        var values = metrics.ToDictionary(m => m, _ => new ValueSet(), StringComparer.Ordinal);
        foreach (var (metric, set) in values)
        {
            foreach (var one in _series[metric])
            {
                if (one.At(time) is var number && !double.IsNaN(number))
                {
                    set.Add(Number(one.Descriptor.Instances, one.Instance), DerivedNumber.Of(number, one.Descriptor.Type));
                }
            }
        }

        // Always all of them: what they remember must see each time.
        foreach (var (metric, instance, value) in _derived?.At(time) ?? [])
        {
            if (values.TryGetValue(metric.Name, out var set))
            {
                set.Add(Number(metric.Instances, instance), value);
            }
        }

        return new RuleInput(time, values, (domain, id) => _instances[domain].Names[id], _marks.GetViewBetween(0, time.UtcTicks).Max);
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
