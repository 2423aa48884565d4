using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>The derived metrics of one context (pmRegisterDerived(3)), by name.</summary>
internal sealed class DerivedMetrics
{
    /// <summary>A dashboard's panel has a handful.</summary>
    public const int MaxMetrics = 100;

    // PCP's domain of metrics that are made on the spot.
    private const int Domain = 511;
    private const int Cluster = 2047;

    private readonly Dictionary<string, DerivedMetric> _metrics = new(StringComparer.Ordinal);

    public DerivedMetric? Find(string name) => _metrics.GetValueOrDefault(name);

    /// <summary>Adds a metric; the same name with the same expression again is no error, since dashboards repeat themselves.</summary>
    public void Add(string name, string expression, MetricNames names)
    {
        if (!MetricNames.IsName(name) || names.Node(name) is not null)
        {
            throw new MusterException(ErrorKind.Invalid, $"{name} cannot be the name of a derived metric: it is no name, or there are metrics of that name");
        }

        if (_metrics.TryGetValue(name, out var there))
        {
            _ = there.Expression == expression ? there : throw new MusterException(ErrorKind.Conflict, $"Duplicate derived metric name {name}: it has another expression");
            return;
        }

        if (_metrics.Count >= MaxMetrics)
        {
            throw new MusterException(ErrorKind.Exhausted, $"A context has {MaxMetrics} derived metrics at most");
        }

        var root = DerivedParser.Parse(expression, names);
        var descriptor = new MetricDescriptor(name, MetricId.Of(Domain, Cluster, _metrics.Count), MetricType.Double, root.Instances, root.Semantics, root.Units, "", "");
        _metrics.Add(name, new DerivedMetric(descriptor, expression, root));
    }
}

/// <summary>One derived metric with what its functions remember from the fetch before.</summary>
internal sealed class DerivedMetric(MetricDescriptor descriptor, string expression, DerivedNode root)
{
    private readonly ValueSet _values = new();

    public MetricDescriptor Descriptor => descriptor;

    public string Expression => expression;

    /// <summary>The metrics that the expression needs.</summary>
    public IReadOnlyList<string> Metrics { get; } = [.. root.Metrics().Distinct(StringComparer.Ordinal)];

    /// <summary>The values for these inputs at this time; none where an input has none, or a function needs one more fetch.</summary>
    public ValueSet Evaluate(IReadOnlyDictionary<string, ValueSet> inputs, DateTimeOffset time)
    {
        _values.Clear();
        foreach (var (instance, value) in root.Evaluate(inputs, time))
        {
            _values.Add(instance, MetricValue.From(value));
        }

        return _values;
    }
}
