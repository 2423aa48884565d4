using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;

namespace Muster.Metrics.Names;

/// <summary>
/// All metrics of all agents, by name and by number. <see cref="Current"/> is an immutable snapshot, made anew when an
/// agent's metrics have changed; a request works on one snapshot from its beginning to its end.
/// </summary>
public sealed class MetricCatalog
{
    private readonly IMetricAgent[] _agents;
    private readonly Lock _guard = new();
    private readonly MetricCatalog? _base;
    private readonly DerivedDefinitions? _derived;
    private volatile MetricNames _current;

    public MetricCatalog(IEnumerable<IMetricAgent> agents)
    {
        _agents = [.. agents];
        _current = MetricNames.Of(_agents, version: 1);
    }

    private MetricCatalog(MetricCatalog catalog, DerivedDefinitions derived)
    {
        (_base, _derived, _agents) = (catalog, derived, catalog._agents);
        _current = catalog.Current.With(derived);
    }

    /// <summary>The agents, in the order in which they were given.</summary>
    public IReadOnlyList<IMetricAgent> Agents => _agents;

    /// <summary>The names as they are now.</summary>
    public MetricNames Current
    {
        get
        {
            var current = _current;
            return current.IsUpToDate ? current : Renew();
        }
    }

    /// <summary>A number that changes when labels of any agent did.</summary>
    public int LabelGeneration
    {
        get
        {
            var sum = 0;
            foreach (var agent in _agents)
            {
                sum = unchecked(sum + agent.LabelGeneration);
            }

            return sum;
        }
    }

    /// <summary>The same metrics with derived ones, which follow every change of those that they are computed from; the definitions are complete.</summary>
    public MetricCatalog With(DerivedDefinitions definitions) => definitions.Count == 0 ? this : new MetricCatalog(this, definitions);

    private MetricNames Renew()
    {
        lock (_guard)
        {
            if (_base is not null && !_current.IsUpToDate)
            {
                return _current = _base.Current.With(_derived!);
            }

            if (!_current.IsUpToDate)
            {
                _current = MetricNames.Of(_agents, _current.Version + 1);
            }

            return _current;
        }
    }
}
