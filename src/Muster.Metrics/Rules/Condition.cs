using System.IO.Enumeration;
using Muster.Metrics.Collecting;
using Muster.Metrics.Export;
using Muster.Metrics.Names;

namespace Muster.Metrics.Rules;

/// <summary>Whether something holds: yes, no, or nobody knows, as when a value is missing.</summary>
public enum Truth
{
    Unknown,
    False,
    True,
}

/// <summary>Values at one moment with the names of their instances.</summary>
/// <param name="Time">The moment.</param>
/// <param name="Values">By metric.</param>
/// <param name="InstanceName">An instance's name.</param>
/// <param name="LastGap">Of a metric's instance: another number than before says that nobody knows what was between, nothing is carried over. Null where there are no gaps.</param>
internal sealed record RuleInput(DateTimeOffset Time, IReadOnlyDictionary<string, ValueSet> Values, Func<InstanceDomainId, int, string> InstanceName, Func<string, int, long>? LastGap = null);

/// <summary>A value that a condition looked at.</summary>
/// <param name="Instance">Whose; null for a metric without instances.</param>
/// <param name="Value">In bytes, seconds and ones; of a counter its rate.</param>
/// <param name="Text">The same as people read it.</param>
public readonly record struct RuleMatch(string? Instance, double Value, string Text);

/// <summary>Whether a condition holds for one instance, and the values that say so.</summary>
internal readonly record struct Verdict(Truth Truth, IReadOnlyList<RuleMatch> Seen);

/// <summary>A condition over values (pmie(1)'s idea): holds or not for each instance, or as a whole, under the instance -1. Its parts remember the values before, for rates.</summary>
internal abstract class Condition
{
    protected const int Whole = -1;

    /// <summary>Whose instances it tells apart; none for a condition as a whole.</summary>
    public InstanceDomainId Instances { get; protected init; } = InstanceDomainId.None;

    public abstract IEnumerable<string> Metrics();

    /// <summary>Evaluates all parts, always: what remembers the values before must see each of them.</summary>
    public abstract Dictionary<int, Verdict> Evaluate(RuleInput input);

    /// <summary>Kleene's logic: what decides is known even beside what is not.</summary>
    protected static Truth Join(bool isAnd, Truth a, Truth b)
    {
        var decisive = isAnd ? Truth.False : Truth.True;
        return a == decisive || b == decisive ? decisive : a == Truth.Unknown || b == Truth.Unknown ? Truth.Unknown : isAnd ? Truth.True : Truth.False;
    }
}

internal sealed class NotCondition : Condition
{
    private readonly Condition _of;

    public NotCondition(Condition of) => (_of, Instances) = (of, of.Instances);

    public override IEnumerable<string> Metrics() => _of.Metrics();

    public override Dictionary<int, Verdict> Evaluate(RuleInput input) => _of.Evaluate(input).ToDictionary(v => v.Key, v => new Verdict(
        v.Value.Truth switch
        {
            Truth.True => Truth.False,
            Truth.False => Truth.True,
            _ => Truth.Unknown,
        },
        v.Value.Seen));
}

/// <summary><c>and</c>, <c>or</c>: instance by instance, or each instance with the other side as a whole. Both sides have the same instances, or one has none.</summary>
internal sealed class JoinedCondition : Condition
{
    private readonly bool _isAnd;
    private readonly Condition _left;
    private readonly Condition _right;

    public JoinedCondition(bool isAnd, Condition left, Condition right)
    {
        (_isAnd, _left, _right) = (isAnd, left, right);
        Instances = left.Instances != InstanceDomainId.None ? left.Instances : right.Instances;
    }

    public override IEnumerable<string> Metrics() => _left.Metrics().Concat(_right.Metrics());

    public override Dictionary<int, Verdict> Evaluate(RuleInput input)
    {
        var (left, right) = (_left.Evaluate(input), _right.Evaluate(input));
        var verdicts = new Dictionary<int, Verdict>();
        foreach (var instance in left.Keys.Concat(right.Keys).Where(i => i != Whole).Distinct().DefaultIfEmpty(Whole))
        {
            var (a, b) = (Of(left, instance), Of(right, instance));

            // Of an "or" that holds, the side that makes it hold is shown.
            var seen = !_isAnd && a.Truth == Truth.True && b.Truth != Truth.True ? a.Seen : !_isAnd && b.Truth == Truth.True && a.Truth != Truth.True ? b.Seen : [.. a.Seen, .. b.Seen];
            verdicts[instance] = new Verdict(Join(_isAnd, a.Truth, b.Truth), seen);
        }

        return verdicts;
    }

    private static Verdict Of(Dictionary<int, Verdict> verdicts, int instance) =>
        verdicts.TryGetValue(instance, out var verdict) || verdicts.TryGetValue(Whole, out verdict) ? verdict : new Verdict(Truth.Unknown, []);
}

/// <summary>How many instances must satisfy a condition: one, or a share of all.</summary>
internal readonly record struct Quantifier(double Share, bool IsSome)
{
    public static readonly Quantifier Some = new(0, true);

    public static readonly Quantifier All = new(1, false);

    /// <summary>Known as soon as the instances that are not known cannot change it.</summary>
    public Truth Of(int holding, int unknown, int all)
    {
        var needed = IsSome ? 1 : Math.Max(1, (int)Math.Ceiling((Share * all) - 1e-9));
        return holding >= needed ? Truth.True : all == 0 || holding + unknown >= needed ? Truth.Unknown : Truth.False;
    }
}

/// <summary><c>some_inst</c>, <c>all_inst</c>, <c>N%_inst</c>: one verdict from those of all instances.</summary>
internal sealed class QuantifiedCondition(Quantifier quantifier, Condition of) : Condition
{
    public override IEnumerable<string> Metrics() => of.Metrics();

    public override Dictionary<int, Verdict> Evaluate(RuleInput input)
    {
        var verdicts = of.Evaluate(input).Values;
        var truth = quantifier.Of(verdicts.Count(v => v.Truth == Truth.True), verdicts.Count(v => v.Truth == Truth.Unknown), verdicts.Count);
        return new() { [Whole] = new Verdict(truth, [.. verdicts.Where(v => v.Truth == truth).SelectMany(v => v.Seen)]) };
    }
}

/// <summary>Two expressions compared instance by instance.</summary>
internal sealed class Comparison : Condition
{
    private readonly ConditionNode _shown;
    private readonly ConditionNode _difference;
    private readonly string _sign;
    private readonly IReadOnlyList<string> _instances;

    public Comparison(ConditionNode shown, ConditionNode difference, string sign, IReadOnlyList<string> instances) =>
        (_shown, _difference, _sign, _instances, Instances) = (shown, difference, sign, instances, difference.Instances);

    public override IEnumerable<string> Metrics() => _shown.Metrics().Concat(_difference.Metrics());

    public override Dictionary<int, Verdict> Evaluate(RuleInput input)
    {
        var left = _shown.Evaluate(input);
        var verdicts = new Dictionary<int, Verdict>();
        foreach (var (instance, value) in _difference.Evaluate(input))
        {
            var name = instance < 0 ? null : input.InstanceName(_difference.Instances, instance);
            if (name is null || _instances.Count == 0 || _instances.Any(p => FileSystemName.MatchesSimpleExpression(p, name, ignoreCase: false)))
            {
                var own = left.TryGetValue(instance, out var found) || left.TryGetValue(Whole, out found) ? found : value;
                verdicts[instance] = new Verdict(IsTrue(value) ? Truth.True : Truth.False, [new RuleMatch(name, own, MetricScale.Format(own, _shown.Units))]);
            }
        }

        return verdicts;
    }

    private bool IsTrue(double value) => _sign switch
    {
        ">" => value > 0,
        ">=" => value >= 0,
        "<" => value < 0,
        "<=" => value <= 0,
        "==" => value == 0,
        _ => value != 0,
    };
}
