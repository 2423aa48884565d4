using Muster.Core;

namespace Muster.Metrics.Derived;

/// <summary>Definitions of derived metrics in the order in which they were given: each may use those before it.</summary>
public sealed class DerivedDefinitions(TimeProvider time)
{
    /// <summary>PCP's own files define a hundred; a dashboard's panel has a handful.</summary>
    public const int MaxMetrics = 1000;

    private readonly List<DerivedDefinition> _all = [];

    public IReadOnlyList<DerivedDefinition> All => _all;

    public int Count => _all.Count;

    internal TimeProvider Time => time;

    /// <summary>What readers without a memory of their own share.</summary>
    internal DerivedHistory Shared { get; } = new();

    /// <summary>Adds a metric; the same name with the same expression again is no error, since dashboards repeat themselves.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="expression">An expression as pmRegisterDerived(3) takes it.</param>
    /// <param name="isOwn">Whether it is one use's own, and goes before one of the same name that is not.</param>
    /// <exception cref="MusterException">The name or the expression is none, or the name has another expression.</exception>
    public DerivedDefinition Add(string name, string expression, bool isOwn = false)
    {
        if (_all.Find(d => d.Name == name && d.IsOwn == isOwn) is { } there)
        {
            return there.Expression == expression ? there : throw new MusterException(ErrorKind.Conflict, $"Duplicate derived metric name {name}: it has another expression, {there.Expression}");
        }

        if (_all.Count >= MaxMetrics)
        {
            throw new MusterException(ErrorKind.Exhausted, $"{MaxMetrics} derived metrics are defined at most");
        }

        var definition = new DerivedDefinition(name, expression, isOwn);
        _all.Add(definition);
        return definition;
    }

    /// <summary>Adds a metric that is written as <c>NAME = EXPRESSION</c>.</summary>
    public DerivedDefinition Add(string text, bool isOwn)
    {
        var sign = text.IndexOf('=', StringComparison.Ordinal);
        var (name, expression) = sign < 0 ? (text, "") : (text[..sign].Trim(), text[(sign + 1)..].Trim());
        return expression.Length > 0
            ? Add(name, expression, isOwn)
            : throw new MusterException(ErrorKind.Invalid, $"\"{text}\" is no definition of a metric: write NAME = EXPRESSION, such as \"disk.dev.size = delta(disk.dev.total_bytes) / delta(disk.dev.total)\"");
    }

    /// <summary>Adds the definitions of files and folders, separated by colons (pmLoadDerivedConfig(3)); what is wrong in them is told, the rest is taken.</summary>
    public IReadOnlyList<string> AddFiles(string path) => DerivedFiles.Load(path, this);

    internal DerivedDefinition? Find(string name) => _all.FindLast(d => d.Name == name);

    /// <summary>Takes back a definition that turned out to mean nothing.</summary>
    internal void Remove(DerivedDefinition definition) => _all.Remove(definition);
}
