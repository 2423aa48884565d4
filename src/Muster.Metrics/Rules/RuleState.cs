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
public sealed record RuleEvent(string Rule, string Host, DateTimeOffset Time, RuleStanding State, DateTimeOffset Since, string Message, string Condition, IReadOnlyList<RuleMatch> Matches);

/// <summary>A rule's state, as it is shown.</summary>
public sealed record RuleStatus(string Rule, RuleStanding State, DateTimeOffset Since, string Condition, IReadOnlyList<RuleMatch> Matches);

/// <summary>One rule over time: pure but for what its condition remembers.</summary>
internal sealed class RuleState
{
    // What a message names: the rest is in the webhook's matches.
    private const int MaxNamed = 10;

    // A webhook's body stays small when a rule is true for ten thousand processes.
    private const int MaxMatches = 100;

    private readonly Condition _condition;
    private readonly string _host;
    private DateTimeOffset? _heldSince;
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
        var (truth, matches) = _condition.Evaluate(input).Values.Single();
        Truth = truth;
        var before = Standing;
        if (truth == Truth.True)
        {
            _heldSince ??= input.Time;
            _matches = matches.Count <= MaxMatches ? matches : [.. matches.Take(MaxMatches)];
            Enter(input.Time - _heldSince >= Rule.Hold ? RuleStanding.Firing : RuleStanding.Pending, input.Time);
        }
        else if (truth == Truth.Unknown && Standing == RuleStanding.Firing)
        {
            // A value that is missing once is no end of what was seen.
            return null;
        }
        else
        {
            (_heldSince, _matches) = (null, []);
            Enter(truth == Truth.False ? RuleStanding.Calm : RuleStanding.Unknown, input.Time);
        }

        var isNews = (Standing == RuleStanding.Firing && (before != RuleStanding.Firing || (Rule.Repeat is { } again && input.Time - _saidAt >= again))) || (before == RuleStanding.Firing && Standing != RuleStanding.Firing);
        if (!isNews)
        {
            return null;
        }

        _saidAt = input.Time;
        return new RuleEvent(Rule.Name, _host, input.Time, Standing, _heldSince ?? Since, Message(), Rule.When, _matches);
    }

    private void Enter(RuleStanding standing, DateTimeOffset time)
    {
        (Since, Standing) = (standing == Standing ? Since : time, standing);
    }

    private string Message()
    {
        if (Standing != RuleStanding.Firing)
        {
            return $"{Rule.Name} is over";
        }

        var instances = string.Join(", ", _matches.Select(m => m.Instance).OfType<string>().Distinct().Take(MaxNamed));
        var values = string.Join(", ", _matches.Take(MaxNamed).Select(m => (m.Instance is null ? "" : m.Instance + " ") + m.Text));
        return Rule.Message.Length == 0
            ? $"{Rule.Name}: {Rule.When} ({values})"
            : Rule.Message.Replace("{name}", Rule.Name, StringComparison.Ordinal).Replace("{instances}", instances, StringComparison.Ordinal).Replace("{values}", values, StringComparison.Ordinal);
    }
}
