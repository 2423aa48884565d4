namespace Muster.Metrics.Rules;

/// <summary>What an evaluation of rules has done since it began; read while it goes on.</summary>
/// <param name="file">The file of the rules.</param>
/// <param name="rules">The rules.</param>
public sealed class RuleProgress(string file, IReadOnlyList<Rule> rules)
{
    private int _actions;
    private int _true;
    private int _false;
    private int _unknown;

    public string File => file;

    public int Rules => rules.Count;

    /// <summary>Evaluations a second that the rules' intervals make.</summary>
    public double Expected { get; } = rules.Sum(r => 1 / r.Interval.TotalSeconds);

    /// <summary>Actions carried out.</summary>
    public int Actions => Volatile.Read(ref _actions);

    /// <summary>Evaluations whose condition held.</summary>
    public int True => Volatile.Read(ref _true);

    /// <summary>Evaluations whose condition did not hold.</summary>
    public int False => Volatile.Read(ref _false);

    /// <summary>Evaluations that lacked a value.</summary>
    public int Unknown => Volatile.Read(ref _unknown);

    internal void Count(Truth truth, int actions)
    {
        Interlocked.Increment(ref truth == Truth.True ? ref _true : ref truth == Truth.False ? ref _false : ref _unknown);
        Interlocked.Add(ref _actions, actions);
    }
}
