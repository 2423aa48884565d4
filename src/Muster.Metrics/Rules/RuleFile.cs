using System.Text.Json.Serialization;
using Muster.Core;
using Muster.Core.Configuration;
using Muster.Metrics.Logging;

namespace Muster.Metrics.Rules;

/// <summary>One rule as it is written.</summary>
/// <param name="Name">Unique in its file.</param>
/// <param name="When">The condition.</param>
/// <param name="Hold">How long it must hold before the rule fires.</param>
/// <param name="Interval">Time between two evaluations.</param>
/// <param name="Message">What actions say, with {name}, {instances} and {values}; empty for a sentence made of these.</param>
/// <param name="Actions">What is done when it fires and when it is over.</param>
/// <param name="Repeat">Actions are done again after so long while it fires; null for once.</param>
/// <param name="Place">Where its condition stands, for the sentence of a refusal: a file and a line.</param>
public sealed record Rule(string Name, string When, TimeSpan Hold, TimeSpan Interval, string Message, IReadOnlyList<RuleAction> Actions, TimeSpan? Repeat, string Place);

/// <summary>The closed list of what a rule does.</summary>
public enum RuleActionKind
{
    Log,
    Webhook,
    Syslog,
}

/// <summary>One action: a webhook has an address.</summary>
public sealed record RuleAction(RuleActionKind Kind, Uri? Address, TimeSpan Timeout);

/// <summary>Reads files of rules.</summary>
public static class RuleFile
{
    /// <summary>A node has a few dozen.</summary>
    public const int MaxRules = 1000;

    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);

    // Nobody waits longer for a rule, and sums of times stay within the calendar.
    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(366);
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Reads a YAML file; all faults of it are told at once.</summary>
    public static IReadOnlyList<Rule> Load(string path) => Parse(GivenFile.ReadText(path, "a file of rules"), path);

    public static IReadOnlyList<Rule> Parse(string text, string where)
    {
        var document = YamlDocument.Parse(text, where);
        var file = document.To(RuleFileJson.Default.RuleFileText);
        var faults = new List<string>();
        if (file.Rules is not { Count: > 0 and <= MaxRules })
        {
            faults.Add($"rules needs 1 to {MaxRules} entries, each with name and when");
        }

        var rules = (file.Rules ?? []).Select((r, i) => Read(r, i, file, document, where, faults)).ToList();
        foreach (var twice in rules.Index().GroupBy(r => r.Item.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            faults.Add($"line {document.LineOf($"$.rules[{twice.Last().Index}].name")}: the name {twice.Key} is given twice");
        }

        return faults.Count == 0 ? rules : throw new MusterException(ErrorKind.Invalid, $"{where} is not valid: {string.Join("; ", faults.Distinct(StringComparer.Ordinal).Take(20))}");
    }

    private static Rule Read(RuleText rule, int index, RuleFileText file, YamlDocument document, string where, List<string> faults)
    {
        var place = $"$.rules[{index}]";
        var name = rule.Name ?? "";
        if (name.Length is 0 or > 200 || name.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0)
        {
            Fault(place, "the rule has no name of 1 to 200 characters");
        }

        if (string.IsNullOrWhiteSpace(rule.When))
        {
            Fault(place, "the rule has no when");
        }

        var interval = Span(rule.Every ?? file.Every, (rule.Every is null ? "$" : place) + ".every") ?? DefaultInterval;
        if (interval < ShortestInterval)
        {
            Fault(place, $"the rule is evaluated more often than every {ShortestInterval.TotalMilliseconds} ms");
        }

        var actionsAt = (rule.Actions is null ? "$" : place) + ".actions";
        var actions = (rule.Actions ?? file.Actions ?? [new ActionText { Log = true }]).SelectMany((a, i) => Read(a, $"action {i + 1}", $"{actionsAt}[{i}]", Span, Fault)).ToList();
        var (hold, repeat) = (Span(rule.For, place + ".for") ?? TimeSpan.Zero, Span(rule.Repeat, place + ".repeat"));
        return new Rule(name, rule.When ?? "", hold, interval, rule.Message ?? "", actions, repeat, rule.When is null ? where : $"{where}, line {document.LineOf(place + ".when")}");

        void Fault(string path, string what) => faults.Add($"line {document.LineOf(path)}: {what}");

        TimeSpan? Span(string? text, string path)
        {
            var key = path[(path.LastIndexOf('.') + 1)..];
            try
            {
                var span = text is null ? (TimeSpan?)null : Durations.Parse(text, key);
                if (span > LongestInterval)
                {
                    Fault(path, $"{key} is longer than {LongestInterval.TotalDays} days");
                    return null;
                }

                return span;
            }
            catch (MusterException e)
            {
                Fault(path, e.Message);
                return null;
            }
        }
    }

    private static IEnumerable<RuleAction> Read(ActionText action, string what, string path, Func<string?, string, TimeSpan?> span, Action<string, string> fault)
    {
        var actions = new List<RuleAction>();
        var timeout = span(action.Timeout, path + ".timeout") ?? DefaultTimeout;
        if (timeout <= TimeSpan.Zero || timeout > LongestTimeout)
        {
            fault(path, $"{what} has a timeout that is not within {LongestTimeout.TotalSeconds} s");
        }

        if (action.Log is true)
        {
            actions.Add(new RuleAction(RuleActionKind.Log, null, timeout));
        }

        if (action.Syslog is true)
        {
            actions.Add(new RuleAction(RuleActionKind.Syslog, null, timeout));
        }

        if (action.Webhook is { } address)
        {
            if (Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            {
                actions.Add(new RuleAction(RuleActionKind.Webhook, uri, timeout));
            }
            else
            {
                fault(path, $"{what} has a webhook that is no http or https address");
            }
        }

        if (actions.Count == 0 && action.Webhook is null)
        {
            fault(path, $"{what} does nothing: write log: true, syslog: true or webhook: ADDRESS");
        }

        return actions;
    }
}

internal sealed record RuleFileText(string? Every, List<ActionText>? Actions, List<RuleText>? Rules);

internal sealed record RuleText(string? Name, string? When, string? For, string? Every, string? Message, List<ActionText>? Actions, string? Repeat);

internal sealed record ActionText
{
    public bool? Log { get; init; }

    public bool? Syslog { get; init; }

    public string? Webhook { get; init; }

    public string? Timeout { get; init; }
}

/// <summary>Source-generated JSON of files of rules.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RuleFileText))]
internal sealed partial class RuleFileJson : JsonSerializerContext;

/// <summary>Source-generated JSON of what rules say and where they stand.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RuleEvent))]
[JsonSerializable(typeof(RuleStatus))]
[JsonSerializable(typeof(IReadOnlyList<RuleStatus>))]
public sealed partial class RuleJson : JsonSerializerContext;
