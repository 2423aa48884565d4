using System.Globalization;
using Muster.Containers.Pods;
using Muster.Containers.Runtime;
using Muster.Core;
using Muster.Core.Configuration;
using Muster.Images;
using Muster.Network;

namespace Muster.Cli.Commands.Pods;

/// <summary>Makes a <see cref="PodSpec"/> of what the command line says.</summary>
internal sealed class SpecBuilder
{
    /// <summary>The most lines of an environment file: far more than execve takes.</summary>
    private const int MaxEnvironmentLines = 10_000;

    private readonly Dictionary<string, List<string>> _pod;
    private readonly bool _foreground;
    private readonly Settings _settings;

    public SpecBuilder(Dictionary<string, List<string>> pod, bool foreground, Settings settings)
    {
        _settings = settings;
        _pod = pod;
        _foreground = foreground;
        Insecure = FetchOptions.ParseInsecure(All(pod, "insecure-options"));
    }

    public InsecureOptions Insecure { get; }

    public static string? Last(Dictionary<string, List<string>> values, string name) => values.TryGetValue(name, out var list) ? list[^1] : null;

    public static IReadOnlyList<string> All(Dictionary<string, List<string>> values, string name) => values.TryGetValue(name, out var list) ? list : [];

    /// <summary>The pod with its apps, found images in the order of their words.</summary>
    public PodSpec Build(IReadOnlyList<ImageWords> words, IReadOnlyList<StoredImage> images, ImageStore store)
    {
        var interactive = _pod.ContainsKey("interactive");
        if (interactive && words.Count > 1)
        {
            throw new MusterException(ErrorKind.Usage, "--interactive needs a pod of one image: the terminal has one reader");
        }

        var apps = new List<AppSpec>();
        for (var i = 0; i < words.Count; i++)
        {
            apps.Add(App(words[i], images[i], store, words.Count == 1, interactive));
        }

        return Pod() with { Apps = apps };
    }

    /// <summary>The pod's own settings, without apps.</summary>
    public PodSpec Pod() => new()
    {
        Name = Last(_pod, "name"),
        Apps = [],
        Networks = NetworkWords.Parse(_pod.ContainsKey("net") ? All(_pod, "net") : [_settings["pods.network"]]),
        Ports = [.. All(_pod, "port").Select(PortWords.Named), .. All(_pod, "publish").SelectMany(PortWords.Numbered)],
        Volumes = [.. All(_pod, "volume").Select(VolumeWords.Volume)],
        Hostname = Last(_pod, "hostname"),
        Dns = Dns(),
        HostsEntries = HostsEntries(),
        Ipc = Last(_pod, "ipc") == "parent" ? "parent" : "private",
        PrivateUsers = _pod.ContainsKey("private-users"),
        RegistersMetadata = _pod.ContainsKey("mds-register"),
        Init = _pod.ContainsKey("init"),
        RemoveWhenDone = _pod.ContainsKey("rm"),
        Runtime = Last(_pod, "runtime") ?? (_settings["pods.runtime"] is { Length: > 0 } runtime ? runtime : null),
        StopGraceMs = (int)Math.Min(Durations.Parse(Last(_pod, "stop-timeout") ?? _settings["pods.stop-timeout"], "--stop-timeout").TotalMilliseconds, 86_400_000),
        LogMaxBytes = Math.Max(4096, Quantity.ParseBytes(Last(_pod, "log-max-size") ?? _settings["pods.log-max-size"], "--log-max-size")),
        LogMaxFiles = (int)Whole(_pod, "log-max-files", int.Parse(_settings["pods.log-max-files"]), 0, 1000),
        IgnoredIsolators = All(_pod, "ignore-isolator"),
        InsecureOptions = [.. All(_pod, "insecure-options").SelectMany(v => v.Split(',')).Where(w => w != "none").Distinct()],
    };

    private AppSpec App(ImageWords words, StoredImage image, ImageStore store, bool alone, bool interactive)
    {
        // An app's option before the first image holds for every app.
        string? One(string name) => Last(words.Values, name) ?? (name == "name" ? null : Last(_pod, name));
        IReadOnlyList<string> Many(string name) => [.. All(_pod, name), .. All(words.Values, name)];
        bool Flag(string name) => words.Values.ContainsKey(name) || _pod.ContainsKey(name);
        var seccomp = One("seccomp");
        var retained = Many("caps-retain");
        CheckRestrictions(seccomp, retained, Many("caps-remove"));
        var (user, group) = UserWords(One("user"), One("group"));
        return new AppSpec
        {
            Image = image,
            Layers = store.LowerDirectories(image.Record),
            Name = One("name"),
            Exec = One("exec"),
            Arguments = words.Arguments,
            User = user,
            Group = group,
            SupplementaryGids = [.. (One("supplementary-gids") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Gid)],
            WorkingDirectory = One("working-dir"),
            InheritedEnvironment = _pod.ContainsKey("inherit-env") ? Inherited() : [],
            Environment = [.. All(_pod, "set-env-file").SelectMany(ReadEnvironment), .. All(_pod, "set-env").Concat(Many("environment")).Select(Pair)],
            Mounts = [.. Many("mount").Select(VolumeWords.Mount)],
            ReadOnlyRoot = Flag("readonly-rootfs"),
            CapabilitiesRetain = Insecure.HasFlag(InsecureOptions.Capabilities) ? Capabilities.All : retained.Count > 0 ? Names(retained) : null,
            CapabilitiesRemove = Names(Many("caps-remove")),
            Seccomp = Insecure.HasFlag(InsecureOptions.Seccomp) ? new SeccompChoice { Mode = "unconfined" } : SeccompWords.Parse(seccomp),
            UnmaskedPaths = Insecure.HasFlag(InsecureOptions.Paths),
            MemoryLimit = One("memory") is { } memory ? Quantity.ParseBytes(memory, "--memory") : null,
            CpuLimitMillis = One("cpu") is { } cpu ? Cpu(cpu) : null,
            CpuShares = One("cpu-shares") is not null ? Whole(words.Values.ContainsKey("cpu-shares") ? words.Values : _pod, "cpu-shares", 0, 2, 262_144) : null,
            PidsLimit = One("pids") is not null ? Whole(words.Values.ContainsKey("pids") ? words.Values : _pod, "pids", 0, 1, 4_194_304) : long.Parse(_settings["pods.pids"]),
            OomScoreAdj = One("oom-score-adj") is not null ? (int)Whole(words.Values.ContainsKey("oom-score-adj") ? words.Values : _pod, "oom-score-adj", 0, -1000, 1000) : null,
            Stdin = StdinMode(One("stdin"), alone, interactive),
            Output = (One("stdout") == "null", One("stderr") == "null") switch
            {
                (true, true) => "null",
                (true, false) => "no-stdout",
                (false, true) => "no-stderr",
                _ => "log",
            },
            Terminal = interactive || One("stdin") == "tty" || One("stdout") == "tty",
            Restart = One("restart") ?? "never",
            Annotations = [.. Many("annotation").Select(Pair)],
            UserAnnotations = [.. Many("user-annotation").Select(Pair)],
            UserLabels = [.. Many("user-label").Select(Pair)],
        };
    }

    // A restriction that another word takes back without a word would look as if it held.
    private void CheckRestrictions(string? seccomp, IReadOnlyList<string> retained, IReadOnlyList<string> removed)
    {
        if (retained.Count > 0 && removed.Count > 0)
        {
            throw new MusterException(ErrorKind.Usage, "--caps-retain and --caps-remove are given for one app: the first says all that it keeps, so leave the second out");
        }

        if (seccomp is not null && Insecure.HasFlag(InsecureOptions.Seccomp))
        {
            throw new MusterException(ErrorKind.Usage, "--seccomp does not hold with --insecure-options=seccomp: leave one of them out");
        }

        if (retained.Count > 0 && Insecure.HasFlag(InsecureOptions.Capabilities))
        {
            throw new MusterException(ErrorKind.Usage, "--caps-retain does not hold with --insecure-options=capabilities: leave one of them out");
        }
    }

    /// <summary>What <c>--user=USER:GROUP</c> and <c>--group</c> say; an App Container path of a file is no such pair.</summary>
    internal static (string? User, string? Group) UserWords(string? user, string? group)
    {
        if (user is null || user.StartsWith('/') || user.IndexOf(':', StringComparison.Ordinal) is not (>= 0 and var colon))
        {
            return (user, group);
        }

        return colon > 0 && colon < user.Length - 1 && group is null
            ? (user[..colon], user[(colon + 1)..])
            : throw new MusterException(ErrorKind.Usage, group is null ? $"--user={user} is not USER or USER:GROUP" : $"--user={user} names a group, and --group={group} another: leave one out");
    }

    private string StdinMode(string? asked, bool alone, bool interactive) => asked switch
    {
        "stream" or "tty" => _foreground && alone && interactive ? "inherit" : "pipe",
        "null" => "null",
        _ when _foreground && alone => "inherit",
        _ when interactive => "pipe",
        _ => "null",
    };

    private DnsRecord Dns()
    {
        var words = All(_pod, "dns");
        var mode = words.Contains("host") ? "host" : words.Contains("none") ? "none" : "default";
        if (mode != "default" && words.Count > 1)
        {
            throw new MusterException(ErrorKind.Usage, $"--dns={mode} cannot be combined with another --dns");
        }

        foreach (var word in words.Where(w => mode == "default" && !System.Net.IPAddress.TryParse(w, out _)))
        {
            throw new MusterException(ErrorKind.Usage, $"--dns={word} is neither an address nor host nor none");
        }

        // Each is one word of a line of resolv.conf: nothing in it may begin another.
        foreach (var option in (ReadOnlySpan<string>)["dns-search", "dns-opt", "dns-domain"])
        {
            if (All(_pod, option).FirstOrDefault(w => w.Length == 0 || w.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))) is { } bad)
            {
                throw new MusterException(ErrorKind.Usage, $"--{option}=\"{bad}\" cannot stand in resolv.conf: give one word without spaces, and the option once for each");
            }
        }

        return new DnsRecord { Mode = mode, Nameservers = mode == "default" ? words : [], Search = All(_pod, "dns-search"), Options = All(_pod, "dns-opt"), Domain = Last(_pod, "dns-domain") };
    }

    private IReadOnlyList<string> HostsEntries()
    {
        var entries = All(_pod, "hosts-entry");
        foreach (var entry in entries.Where(e => e != "host"))
        {
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || equals == entry.Length - 1 || !System.Net.IPAddress.TryParse(entry.AsSpan(0, equals), out _) || entry.AsSpan().ContainsAny(" \t\n"))
            {
                throw new MusterException(ErrorKind.Usage, $"--hosts-entry={entry} is not ADDRESS=NAME");
            }
        }

        return entries;
    }

    private static IReadOnlyList<NameValue> Inherited()
    {
        var result = new List<NameValue>();
        foreach (System.Collections.DictionaryEntry pair in Environment.GetEnvironmentVariables())
        {
            result.Add(new NameValue((string)pair.Key, (string?)pair.Value ?? ""));
        }

        return result;
    }

    private static IEnumerable<NameValue> ReadEnvironment(string file)
    {
        var number = 0;
        foreach (var line in GivenFile.ReadText(file, "a file of environment variables").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (++number > MaxEnvironmentLines)
            {
                throw new MusterException(ErrorKind.Invalid, $"{file} has more than {MaxEnvironmentLines} lines");
            }

            if (line[0] is not ('#' or ';'))
            {
                yield return Pair(line);
            }
        }
    }

    private static NameValue Pair(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new NameValue(text[..equals], text[(equals + 1)..])
            : throw new MusterException(ErrorKind.Usage, $"\"{text}\" is not NAME=VALUE");
    }

    private static IReadOnlyList<string> Names(IReadOnlyList<string> values) => [.. values.SelectMany(v => v.Split(',', StringSplitOptions.RemoveEmptyEntries))];

    private static uint Gid(string text) => uint.TryParse(text, out var gid) ? gid : throw new MusterException(ErrorKind.Usage, $"--supplementary-gids: \"{text}\" is not a number");

    private static long Cpu(string text) => Quantity.TryParse(text, out var cpus) && cpus is >= 0.01m and <= 10_000m
        ? (long)(cpus * 1000)
        : throw new MusterException(ErrorKind.Usage, $"--cpu={text} is not a number of CPUs of at least 10m, such as 500m or 2");

    private static long Whole(Dictionary<string, List<string>> values, string name, long otherwise, long least, long most)
    {
        if (Last(values, name) is not { } text)
        {
            return otherwise;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new MusterException(ErrorKind.Usage, $"--{name}={text} is not a whole number from {least} to {most}");
    }
}
