using System.Text.Json.Serialization;
using Muster.Core;
using Muster.Metrics.Names;

namespace Muster.Metrics.Rules;

/// <summary>Where a rule stands.</summary>
public enum RuleStanding
{
    /// <summary>Values are missing, as before the second value of a rate.</summary>
    [JsonStringEnumMemberName("unknown")]
    Unknown,

    /// <summary>The condition does not hold.</summary>
    [JsonStringEnumMemberName("calm")]
    Calm,

    /// <summary>It holds, and not for long enough yet.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    /// <summary>It has held for its time.</summary>
    [JsonStringEnumMemberName("firing")]
    Firing,
}

/// <summary>What a rule says when it fires, again while it does, and when it is over.</summary>
public sealed record RuleEvent(string Rule, string Host, DateTimeOffset Time, RuleStanding State, DateTimeOffset Since, string Message, string Condition, IReadOnlyList<RuleMatch> Matches)
{
    /// <summary>Instances for which it fires since now; null where the condition has no instances, or none joined.</summary>
    public IReadOnlyList<string>? Joined { get; init; }

    /// <summary>Instances for which it is over; null as above.</summary>
    public IReadOnlyList<string>? Left { get; init; }
}

/// <summary>A rule's state, as it is shown.</summary>
public sealed record RuleStatus(string Rule, RuleStanding State, DateTimeOffset Since, string Condition, IReadOnlyList<RuleMatch> Matches)
{
    /// <summary>On which host, where there are several; else null.</summary>
    public string? Host { get; init; }
}

/// <summary>One rule over time: pure but for what its condition remembers.</summary>
internal sealed class RuleState
{
    // What a message names: the rest is in the webhook's matches.
    private const int MaxNamed = 10;

    // An instance without a value is gone when it has none again: a counter that began anew has no rate once.
    private const int LeastAbsence = 2;

    // A webhook's body stays small when a rule is true for ten thousand processes.
    private const int MaxMatches = 100;

    private readonly Condition _condition;
    private readonly string _host;

    // Those for which the condition holds: never more than the metrics have instances.
    private readonly SortedDictionary<int, Held> _held = [];
    private DateTimeOffset _saidAt;
    private IReadOnlyList<RuleMatch> _matches = [];

    public RuleState(Rule rule, MetricNames names, string host, DateTimeOffset start)
    {
        (Rule, _host, Since) = (rule, host, start);
        try
        {
            _condition = ConditionParser.Parse(rule.When, names);
        }
        catch (MusterException e)
        {
            throw new MusterException(e.Kind, $"{rule.Place}: {e.Message}", e);
        }

        Metrics = [.. _condition.Metrics().Distinct(StringComparer.Ordinal)];
    }

    public Rule Rule { get; }

    public IReadOnlyList<string> Metrics { get; }

    public RuleStanding Standing { get; private set; }

    public DateTimeOffset Since { get; private set; }

    /// <summary>What the last evaluation gave.</summary>
    public Truth Truth { get; private set; } = Truth.Unknown;

    public RuleStatus Status => new(Rule.Name, Standing, Since, Rule.When, _matches);

    /// <summary>Takes the values of one moment; what is to be said of it, or null.</summary>
    public RuleEvent? Take(RuleInput input)
    {
        var verdicts = _condition.Evaluate(input);
        Truth = Quantifier.Some.Of(verdicts.Values.Count(v => v.Truth == Truth.True), verdicts.Values.Count(v => v.Truth == Truth.Unknown), verdicts.Count);
        var (joined, left) = (new List<Held>(), new List<Held>());
        foreach (var (instance, verdict) in verdicts)
        {
            Take(instance, verdict, input, joined, left);
        }

        var isKnown = verdicts.Keys.Any(i => i >= 0);
        foreach (var (instance, held) in _held.Where(h => !verdicts.ContainsKey(h.Key)).ToList())
        {
            // A value that is missing once is no end of what was seen.
            if (!held.IsFiring || (isKnown && ++held.Absent >= LeastAbsence))
            {
                Remove(instance, left);
            }
        }

        var firing = _held.Values.Where(h => h.IsFiring).ToList();
        Enter(firing.Count > 0 ? RuleStanding.Firing : _held.Count > 0 ? RuleStanding.Pending : Truth == Truth.Unknown ? RuleStanding.Unknown : RuleStanding.Calm, input.Time);
        _matches = Matches(firing.Count > 0 ? firing : _held.Values);
        if (joined.Count == 0 && left.Count == 0 && !(firing.Count > 0 && Rule.Repeat is { } again && input.Time - _saidAt >= again))
        {
            return null;
        }

        _saidAt = input.Time;
        var (since, state) = firing.Count > 0 ? (firing.Min(h => h.Since), RuleStanding.Firing) : (input.Time, RuleStanding.Calm);
        return new RuleEvent(Rule.Name, _host, input.Time, state, since, Message(firing, joined, left), Rule.When, state == RuleStanding.Firing ? _matches : []) { Joined = Names(joined, MaxMatches), Left = Names(left, MaxMatches) };
    }

    private void Take(int instance, Verdict verdict, RuleInput input, List<Held> joined, List<Held> left)
    {
        if (verdict.Truth == Truth.True)
        {
            if (!_held.TryGetValue(instance, out var held))
            {
                _held.Add(instance, held = new Held(instance < 0 ? null : input.InstanceName(_condition.Instances, instance), input.Time));
            }

            (held.Seen, held.Absent) = (verdict.Seen, 0);
            if (!held.IsFiring && input.Time - held.Since >= Rule.Hold)
            {
                held.IsFiring = true;
                joined.Add(held);
            }
        }
        else if (_held.TryGetValue(instance, out var held) && (verdict.Truth == Truth.False || !held.IsFiring))
        {
            Remove(instance, left);
        }
    }

    private void Remove(int instance, List<Held> left)
    {
        if (_held.Remove(instance, out var held) && held.IsFiring)
        {
            left.Add(held);
        }
    }

    private void Enter(RuleStanding standing, DateTimeOffset time)
    {
        (Since, Standing) = (standing == Standing ? Since : time, standing);
    }

    private static IReadOnlyList<RuleMatch> Matches(IEnumerable<Held> held) => [.. held.SelectMany(h => h.Seen).Take(MaxMatches)];

    private static IReadOnlyList<string>? Names(IEnumerable<Held> held, int most) => held.Select(h => h.Name).OfType<string>().Take(most).ToList() is { Count: > 0 } names ? names : null;

    private string Message(List<Held> firing, List<Held> joined, List<Held> left)
    {
        if (firing.Count == 0)
        {
            return $"{Rule.Name} is over";
        }

        var over = Names(left, MaxNamed) is { } gone ? "over for " + string.Join(", ", gone) : "";
        if (joined.Count == 0 && over.Length > 0)
        {
            return $"{Rule.Name} is {over}, and goes on for {string.Join(", ", Names(firing, MaxNamed) ?? ["the rest"])}";
        }

        return Filled(Matches(joined.Count > 0 ? joined : firing)) + (over.Length > 0 ? "; " + over : "");
    }

    private string Filled(IReadOnlyList<RuleMatch> matches)
    {
        var instances = string.Join(", ", matches.Select(m => m.Instance).OfType<string>().Distinct().Take(MaxNamed));
        var values = string.Join(", ", matches.Take(MaxNamed).Select(m => (m.Instance is null ? "" : m.Instance + " ") + m.Text));
        return Rule.Message.Length == 0
            ? $"{Rule.Name}: {Rule.When} ({values})"
            : Rule.Message.Replace("{name}", Rule.Name, StringComparison.Ordinal).Replace("{instances}", instances, StringComparison.Ordinal).Replace("{values}", values, StringComparison.Ordinal);
    }

    /// <summary>An instance for which the condition holds.</summary>
    private sealed class Held(string? name, DateTimeOffset since)
    {
        public string? Name => name;

        public DateTimeOffset Since => since;

        public bool IsFiring { get; set; }

        /// <summary>So often in a row it had no value.</summary>
        public int Absent { get; set; }

        public IReadOnlyList<RuleMatch> Seen { get; set; } = [];
    }
}
