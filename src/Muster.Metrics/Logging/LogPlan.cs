using System.IO.Enumeration;
using System.Text.Json.Serialization;
using Muster.Core;
using Muster.Core.Configuration;
using Muster.Metrics.Archive;
using Muster.Metrics.Names;

namespace Muster.Metrics.Logging;

/// <summary>What is logged how often. Immutable; made from YAML, from pmlogger's language, or from words.</summary>
public sealed record LogPlan
{
    public required IReadOnlyList<LogGroup> Groups { get; init; }

    /// <summary>Containers that are logged: names or patterns with <c>*</c>; empty for all.</summary>
    public IReadOnlyList<string> OnlyContainers { get; init; } = [];

    /// <summary>Containers that are not.</summary>
    public IReadOnlyList<string> ExceptContainers { get; init; } = [];

    public ArchiveVersion Version { get; init; } = ArchiveVersion.V3;

    /// <summary>Size at which a volume is ended and compressed.</summary>
    public long VolumeSize { get; init; } = 100L * 1024 * 1024;

    /// <summary>Age at which an archive is ended and the next begun.</summary>
    public TimeSpan ArchiveSpan { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How ended volumes are compressed.</summary>
    public ArchiveCompression Compression { get; init; } = ArchiveCompression.Xz;

    /// <summary>Archives whose last volume is older are deleted; null for never.</summary>
    public TimeSpan? KeepAge { get; init; } = TimeSpan.FromDays(14);

    /// <summary>The oldest archives are deleted while all together are larger; null for no bound.</summary>
    public long? KeepSize { get; init; }

    /// <summary>Time between two waits for the disk; null leaves it to the kernel until a volume ends.</summary>
    public TimeSpan? SyncInterval { get; init; }

    /// <summary>What was read and has no effect here, to be told once.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Whether a container's values are logged; a pod's apps (<c>pod/app</c>) go with their pod unless they are named themselves.</summary>
    public bool WantsContainer(string name)
    {
        var pod = name.Split('/')[0];
        return (OnlyContainers.Count == 0 || Matches(OnlyContainers)) && !Matches(ExceptContainers);

        bool Matches(IReadOnlyList<string> patterns) => patterns.Any(p => FileSystemName.MatchesSimpleExpression(p, name, ignoreCase: false) || FileSystemName.MatchesSimpleExpression(p, pod, ignoreCase: false));
    }

    /// <summary>Reads YAML, or pmlogger's language for a text that is none of it.</summary>
    public static LogPlan Parse(string text, string where) =>
        LoggerLanguage.Recognise(text) ? LoggerLanguage.Parse(text, where)
            : FirstWords(text) is { } line && !LooksLikeYaml(line) ? throw new MusterException(ErrorKind.Invalid, $"{where} is no configuration of a logger: it begins with \"{Shown(line)}\", which is neither YAML (log: …) nor pmlogger's language (log mandatory on 10 sec {{ … }})")
            : LogPlanText.Plan(YamlDocument.Parse(text, where), where);

    // A mapping, in either style, or what may stand before one; all else was never meant as YAML.
    private static bool LooksLikeYaml(string line) => line[0] is '{' or '"' or '\'' or '?' or '-' or '[' || line.StartsWith("%YAML", StringComparison.Ordinal) || line.EndsWith(':') || line.Contains(": ", StringComparison.Ordinal) || line.Contains(":\t", StringComparison.Ordinal);

    private static string? FirstWords(string text) => text.TrimStart('\ufeff').Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l.Length > 0 && l[0] != '#');

    private static string Shown(string line) => string.Concat((line.Length > 40 ? line[..40] + "…" : line).Select(c => char.IsControl(c) ? '?' : c));

    /// <summary>Reads a file of either form.</summary>
    public static LogPlan Load(string path) => Parse(GivenFile.ReadText(path, "a configuration of a logger"), path);
}

/// <summary>Metrics that are fetched together.</summary>
/// <param name="Interval">Time between two fetches; null for once at each archive's beginning.</param>
/// <param name="Metrics">Names, or beginnings of names.</param>
/// <param name="Instances">The instances that are wanted, patterns with <c>*</c>; empty for all, unless there are <see cref="InstanceNumbers"/>.</param>
public sealed record LogGroup(TimeSpan? Interval, IReadOnlyList<string> Metrics, IReadOnlyList<string> Instances)
{
    /// <summary>Shorter intervals would measure the logger.</summary>
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>Groups of one plan: each may have an interval of its own.</summary>
    public const int MaxGroups = 1000;

    /// <summary>The instances are names as they are, as pmlogger has them: a star in one is a star.</summary>
    public bool IsLiteral { get; init; }

    /// <summary>Instances that are wanted by their internal numbers.</summary>
    public IReadOnlyList<int> InstanceNumbers { get; init; } = [];

    /// <summary>What is not logged of the metrics, though they stand below one that is named.</summary>
    public IReadOnlyList<LogExclusion> Except { get; init; } = [];

    /// <summary>Whether a metric is one of the group's.</summary>
    internal bool Covers(string metric)
    {
        foreach (var name in Metrics)
        {
            if (IsBelow(metric, name))
            {
                return !Except.Any(e => e.Instances is null && IsBelow(metric, e.Metric));
            }
        }

        return false;
    }

    /// <summary>Whether all instances are wanted of a metric that is covered.</summary>
    internal bool IsWhole(string metric) => Instances.Count == 0 && InstanceNumbers.Count == 0 && !Except.Any(e => e.Instances is not null && IsBelow(metric, e.Metric));

    internal bool WantsInstance(string metric, MetricInstance instance) =>
        ((Instances.Count == 0 && InstanceNumbers.Count == 0) || Names(instance)) && !Except.Any(e => e.Instances is { } which && IsBelow(metric, e.Metric) && which.Names(instance));

    internal static bool IsBelow(string name, string beginning) =>
        beginning == "." || (name.StartsWith(beginning, StringComparison.Ordinal) && (name.Length == beginning.Length || name[beginning.Length] == '.'));

    // As pmLookupInDom(3) has it, a name up to its first space is enough.
    private bool Names(MetricInstance instance) => InstanceNumbers.Contains(instance.Id)
        || Instances.Any(p => (IsLiteral ? p == instance.Name : FileSystemName.MatchesSimpleExpression(p, instance.Name, ignoreCase: false)) || (instance.Name.StartsWith(p, StringComparison.Ordinal) && instance.Name.AsSpan(p.Length).StartsWith(" ")));
}

/// <summary>What is left out: a metric or all below a name, or some instances of it.</summary>
/// <param name="Metric">A name, or the beginning of names.</param>
/// <param name="Instances">Which instances; null for the metric as a whole.</param>
public sealed record LogExclusion(string Metric, LogGroup? Instances);

/// <summary>The plan as YAML has it.</summary>
internal sealed record LogPlanText
{
    public List<GroupText>? Log { get; init; }

    public ContainersText? Containers { get; init; }

    public RotateText? Rotate { get; init; }

    public KeepText? Keep { get; init; }

    public string? Compress { get; init; }

    public string? Sync { get; init; }

    public int? Version { get; init; }

    public static LogPlan Plan(YamlDocument document, string where)
    {
        var text = document.To(LogPlanJson.Default.LogPlanText);
        var faults = new List<string>();
        if (text.Log is not { Count: > 0 and <= LogGroup.MaxGroups })
        {
            faults.Add($"log needs 1 to {LogGroup.MaxGroups} entries, each with every and metrics");
        }

        if (text.Compress is not (null or "xz" or "zstd" or "none"))
        {
            faults.Add($"line {document.LineOf("$.compress")}: compress is \"{text.Compress}\", and can be xz, zstd or none");
        }

        if (text.Version is not (null or 2 or 3))
        {
            faults.Add($"line {document.LineOf("$.version")}: version is {text.Version}, and can be 2 or 3");
        }

        var groups = (text.Log ?? []).Select((g, i) => g.Group($"line {document.LineOf($"$.log[{i}]")}", where, faults)).ToList();
        var plan = new LogPlan
        {
            Groups = groups,
            OnlyContainers = text.Containers?.Only ?? [],
            ExceptContainers = text.Containers?.Except ?? [],
            Compression = text.Compress switch { "none" => ArchiveCompression.None, "zstd" => ArchiveCompression.Zstd, _ => ArchiveCompression.Xz },
            Version = (ArchiveVersion)(text.Version ?? 3),
            SyncInterval = Span(text.Sync, "sync"),
        };
        plan = plan with
        {
            VolumeSize = text.Rotate?.Size is { } size ? Quantity.ParseBytes(size, $"rotate.size in {where}") : plan.VolumeSize,
            ArchiveSpan = Span(text.Rotate?.Every, "rotate.every") ?? plan.ArchiveSpan,
            KeepAge = text.Keep is null || text.Keep.Age is null ? plan.KeepAge : text.Keep.Age == "forever" ? null : Span(text.Keep.Age, "keep.age"),
            KeepSize = text.Keep?.Size is { } keep ? Quantity.ParseBytes(keep, $"keep.size in {where}") : null,
        };
        if (plan.VolumeSize < 4096)
        {
            faults.Add($"line {document.LineOf("$.rotate.size")}: rotate.size is below 4096 bytes: a volume would hold no record");
        }

        return faults.Count == 0 ? plan : throw new MusterException(ErrorKind.Invalid, $"{where} is not valid: {string.Join("; ", faults)}");

        TimeSpan? Span(string? value, string name)
        {
            if (value is null)
            {
                return null;
            }

            var span = Durations.Parse(value, $"{name} in {where}");
            return span > TimeSpan.Zero ? span : throw new MusterException(ErrorKind.Invalid, $"{name} in {where} is {value}, and must be longer than nothing");
        }
    }
}

internal sealed record GroupText
{
    public string? Every { get; init; }

    public List<string>? Metrics { get; init; }

    public List<string>? Instances { get; init; }

    public LogGroup Group(string place, string where, List<string> faults)
    {
        TimeSpan? interval = Every is null or "once" ? null : Durations.Parse(Every, $"every on {place} of {where}");
        if (Every is null)
        {
            faults.Add($"{place}: this entry of log has no every: write an interval, or once");
        }
        else if (interval < LogGroup.ShortestInterval)
        {
            faults.Add($"{place}: this entry of log has an interval below {LogGroup.ShortestInterval.TotalMilliseconds} ms");
        }

        if (Metrics is not { Count: > 0 })
        {
            faults.Add($"{place}: this entry of log has no metrics");
        }

        return new LogGroup(interval, Metrics ?? [], Instances ?? []);
    }
}

internal sealed record ContainersText(List<string>? Only, List<string>? Except);

internal sealed record RotateText(string? Size, string? Every);

internal sealed record KeepText(string? Age, string? Size);

/// <summary>Source-generated JSON of the logger's configuration.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(LogPlanText))]
internal sealed partial class LogPlanJson : JsonSerializerContext;
