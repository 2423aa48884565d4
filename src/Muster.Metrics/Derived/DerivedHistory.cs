using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>What derived metrics remember for one reader between its readings: the values before, for rate() and delta(). Used by one thread at a time.</summary>
internal sealed class DerivedHistory
{
    // Metrics times containers that one reader looks at; more is a reader that makes names up, and begins anew.
    private const int MaxNodes = 20_000;

    private readonly Dictionary<(DerivedDefinition Definition, string Container), (MetricNames Names, DerivedNode Node)> _nodes = [];

    public Lock Guard { get; } = new();

    /// <summary>A definition's evaluable form with what it remembers; anew when the node's own metrics have changed.</summary>
    public DerivedNode Get(DerivedDefinition definition, string? container, MetricNames names, Func<DerivedNode> bind)
    {
        var key = (definition, container ?? "");
        if (_nodes.TryGetValue(key, out var known) && known.Names == names)
        {
            return known.Node;
        }

        if (_nodes.Count >= MaxNodes)
        {
            _nodes.Clear();
        }

        var node = bind();
        _nodes[key] = (names, node);
        return node;
    }
}
