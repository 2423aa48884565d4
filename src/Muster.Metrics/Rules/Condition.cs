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
internal sealed record RuleInput(DateTimeOffset Time, IReadOnlyDictionary<string, ValueSet> Values, Func<InstanceDomainId, int, string> InstanceName);

/// <summary>A value that made a comparison true.</summary>
public readonly record struct RuleMatch(string? Instance, double Value);

/// <summary>A condition over values (pmie(1)'s idea). Its parts remember the values before, for rates.</summary>
internal abstract class Condition
{
    public abstract IEnumerable<string> Metrics();

    /// <summary>Evaluates all parts, always: what remembers the values before must see each of them.</summary>
    public abstract Truth Evaluate(RuleInput input, List<RuleMatch> matches);
}

internal sealed class NotCondition(Condition of) : Condition
{
    public override IEnumerable<string> Metrics() => of.Metrics();

    public override Truth Evaluate(RuleInput input, List<RuleMatch> matches) => of.Evaluate(input, []) switch
    {
        Truth.True => Truth.False,
        Truth.False => Truth.True,
        _ => Truth.Unknown,
    };
}

/// <summary>Kleene's logic: what decides is known even beside what is not.</summary>
internal sealed class JoinedCondition(bool isAnd, Condition left, Condition right) : Condition
{
    public override IEnumerable<string> Metrics() => left.Metrics().Concat(right.Metrics());

    public override Truth Evaluate(RuleInput input, List<RuleMatch> matches)
    {
        var (a, b) = (left.Evaluate(input, matches), right.Evaluate(input, matches));
        var decisive = isAnd ? Truth.False : Truth.True;
        return a == decisive || b == decisive ? decisive : a == Truth.Unknown || b == Truth.Unknown ? Truth.Unknown : isAnd ? Truth.True : Truth.False;
    }
}

/// <summary>How many instances must satisfy a comparison: a share of those that have a value, at least one.</summary>
internal readonly record struct Quantifier(double Share, bool IsSome)
{
    public static readonly Quantifier Some = new(0, true);

    public static readonly Quantifier All = new(1, false);

    public bool Holds(int matching, int of) => IsSome ? matching > 0 : matching >= (Share * of) - 1e-9 && matching > 0;
}

/// <summary>Two expressions compared instance by instance.</summary>
internal sealed class Comparison(Quantifier quantifier, DerivedNode shown, DerivedNode difference, string sign, IReadOnlyList<string> instances) : Condition
{
    public override IEnumerable<string> Metrics() => shown.Metrics().Concat(difference.Metrics());

    public override Truth Evaluate(RuleInput input, List<RuleMatch> matches)
    {
        var left = shown.Evaluate(input.Values, input.Time);
        var (of, matching) = (0, 0);
        foreach (var (instance, value) in difference.Evaluate(input.Values, input.Time))
        {
            var name = instance < 0 ? null : input.InstanceName(difference.Instances, instance);
            if (name is not null && instances.Count > 0 && !instances.Any(p => FileSystemName.MatchesSimpleExpression(p, name, ignoreCase: false)))
            {
                continue;
            }

            of++;
            if (IsTrue(value))
            {
                matching++;
                matches.Add(new RuleMatch(name, left.TryGetValue(instance, out var own) || left.TryGetValue(-1, out own) ? own : value));
            }
        }

        return of == 0 ? Truth.Unknown : quantifier.Holds(matching, of) ? Truth.True : Truth.False;
    }

    private bool IsTrue(double value) => sign switch
    {
        ">" => value > 0,
        ">=" => value >= 0,
        "<" => value < 0,
        "<=" => value <= 0,
        "==" => value == 0,
        _ => value != 0,
    };
}
