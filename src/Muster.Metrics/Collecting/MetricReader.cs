using Muster.Core;
using Muster.Metrics.Names;

namespace Muster.Metrics.Collecting;

/// <summary>One value of a reading.</summary>
/// <param name="Name">The metric's name.</param>
/// <param name="Metric">What it is.</param>
/// <param name="Instance">Whose value; null for a metric without instances, and for an error.</param>
/// <param name="Value">The value; meaningless with an error.</param>
/// <param name="Error">0, or PCP's code for why there is none.</param>
public readonly record struct ReadValue(string Name, MetricDescriptor Metric, MetricInstance? Instance, MetricValue Value, int Error);

/// <summary>The values of some metrics at one moment.</summary>
public sealed record MetricReading(DateTimeOffset Time, IReadOnlyList<ReadValue> Values);

/// <summary>Reads a list of metrics again and again, for a command line: names may be whole names or beginnings of some.</summary>
public sealed class MetricReader : IDisposable
{
    /// <summary>Everything there is has some thousand names; more than this is a mistake.</summary>
    public const int MaxMetrics = 10_000;

    private readonly MetricCatalog _catalog;
    private readonly MetricView _view;
    private readonly TimeProvider _time;
    private readonly ValueSetBuffer _buffer = ValueSetBuffer.Rent();
    private readonly FetchPlan _plan;

    /// <summary>Resolves the names; one that stands for nothing is refused with a sentence.</summary>
    public MetricReader(MetricCatalog catalog, IReadOnlyList<string> names, MetricView view, TimeProvider time)
    {
        _catalog = catalog;
        _view = view;
        _time = time;
        Metrics = Resolve(catalog.Current, names);
        _plan = FetchPlan.Of(catalog.Current, [.. Metrics.Select(m => m.Metric.Descriptor.Id)]);
    }

    /// <summary>The metrics, in the order asked for, each once.</summary>
    public IReadOnlyList<NamedMetric> Metrics { get; }

    /// <summary>All metrics at and below the names; everything for none.</summary>
    public static IReadOnlyList<NamedMetric> Resolve(MetricNames names, IReadOnlyList<string> wanted)
    {
        var found = new List<NamedMetric>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in wanted.Count == 0 ? [""] : wanted)
        {
            var node = names.Node(name) ?? throw new MusterException(ErrorKind.NotFound, names.WhyNot(name) is { } why
                ? $"The derived metric {name} cannot be computed here: {why}"
                : $"There is no metric called \"{name}\", and none whose name begins so: muster metric list shows them all");
            found.AddRange(node.Leaves().Where(l => seen.Add(l.Name)));
        }

        return found.Count <= MaxMetrics ? found : throw new MusterException(ErrorKind.Usage, $"{found.Count} metrics are more than {MaxMetrics}: name fewer");
    }

    /// <summary>Reads every metric once.</summary>
    public MetricReading Read()
    {
        _plan.Collect(_view, _buffer, onFailure: null);
        var values = new List<ReadValue>();
        var instances = new Dictionary<InstanceDomainId, Dictionary<int, MetricInstance>>();
        for (var i = 0; i < Metrics.Count; i++)
        {
            var (name, metric) = (Metrics[i].Name, Metrics[i].Metric);
            var set = _plan.Values(i, _buffer);
            if (set.Error != 0)
            {
                values.Add(new ReadValue(name, metric.Descriptor, null, default, set.Error));
                continue;
            }

            foreach (var value in set.Values)
            {
                values.Add(new ReadValue(name, metric.Descriptor, Instance(metric, value.Instance, instances), value.Value, 0));
            }
        }

        return new MetricReading(_time.GetUtcNow(), values);
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private MetricInstance? Instance(CatalogMetric metric, int id, Dictionary<InstanceDomainId, Dictionary<int, MetricInstance>> known)
    {
        var domain = metric.Descriptor.Instances;
        if (domain == InstanceDomainId.None)
        {
            return null;
        }

        if (!known.TryGetValue(domain, out var byId))
        {
            known.Add(domain, byId = metric.Agent.GetInstances(domain, _view).ToDictionary(i => i.Id));
        }

        return byId.TryGetValue(id, out var instance) ? instance : new MetricInstance(id, id.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }
}
