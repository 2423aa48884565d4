namespace Muster.Metrics.Names;

/// <summary>A node of the tree of names: a metric, or the beginning of names.</summary>
public sealed class NameNode
{
    private readonly SortedDictionary<string, NameNode> _building = new(StringComparer.Ordinal);
    private Dictionary<string, NameNode>? _byName;
    private Dictionary<string, NameNode>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    internal NameNode(string fullName) => FullName = fullName;

    /// <summary>The name from the root: <c>kernel.all.load</c>.</summary>
    public string FullName { get; }

    /// <summary>The last part of the name.</summary>
    public string Segment => FullName[(FullName.LastIndexOf('.') + 1)..];

    /// <summary>The metric of a leaf; null for the others.</summary>
    public CatalogMetric? Metric { get; private set; }

    /// <summary>The nodes below, sorted by name; none for a leaf.</summary>
    public IReadOnlyList<NameNode> Children { get; private set; } = [];

    /// <summary>The node below of one part of a name, or null.</summary>
    public NameNode? Child(ReadOnlySpan<char> segment) => _byName is not null && _bySpan.TryGetValue(segment, out var child) ? child : null;

    /// <summary>All metrics at and below this node, sorted by name.</summary>
    public IEnumerable<NamedMetric> Leaves()
    {
        if (Metric is not null)
        {
            yield return new NamedMetric(FullName, Metric);
        }

        foreach (var leaf in Children.SelectMany(c => c.Leaves()))
        {
            yield return leaf;
        }
    }

    /// <summary>Adds a metric below the root; false when a metric or a beginning of names stands there, or a metric on the way.</summary>
    internal bool TryAdd(string name, CatalogMetric metric)
    {
        // Looked up first: a refused name leaves no nodes behind.
        var node = this;
        foreach (var end in Ends(name))
        {
            if (!node._building.TryGetValue(LastPart(name, end), out var child))
            {
                break;
            }

            if (child.Metric is not null || end == name.Length)
            {
                return false;
            }

            node = child;
        }

        node = this;
        foreach (var end in Ends(name))
        {
            var part = LastPart(name, end);
            if (!node._building.TryGetValue(part, out var child))
            {
                node._building.Add(part, child = new NameNode(name[..end]));
            }

            node = child;
        }

        node.Metric = metric;
        return true;
    }

    /// <summary>A sealed tree with the names of both: nodes that only one of them has are shared. Of a metric that both have, the other's is taken.</summary>
    internal static NameNode Join(NameNode one, NameNode other)
    {
        var joined = new NameNode(one.FullName);
        foreach (var child in one.Children)
        {
            joined._building.Add(child.Segment, other.Child(child.Segment) is { } same ? same.Metric is not null ? same : Join(child, same) : child);
        }

        foreach (var child in other.Children)
        {
            joined._building.TryAdd(child.Segment, child);
        }

        joined.Fix();
        return joined;
    }

    /// <summary>Makes the tables for look-ups; nothing is added any more.</summary>
    internal void Seal()
    {
        Fix();
        foreach (var child in Children)
        {
            child.Seal();
        }
    }

    private void Fix()
    {
        Children = [.. _building.Values];
        _byName = new Dictionary<string, NameNode>(_building, StringComparer.Ordinal);
        _bySpan = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
        _building.Clear();
    }

    private static IEnumerable<int> Ends(string name)
    {
        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            yield return dot;
        }

        yield return name.Length;
    }

    private static string LastPart(string name, int end) => name[(name.LastIndexOf('.', end - 1) + 1)..end];
}
