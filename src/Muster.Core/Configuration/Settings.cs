namespace Muster.Core.Configuration;

/// <summary>One key of muster.yaml.</summary>
/// <param name="Key"><c>section.name</c>.</param>
/// <param name="Default">What holds when the file does not say.</param>
/// <param name="Meaning">One sentence for <c>muster config</c>.</param>
/// <param name="IsValid">Whether a value is of the right form.</param>
public sealed record Setting(string Key, string Default, string Meaning, Func<string, bool> IsValid);

/// <summary>
/// muster.yaml: sections of <c>name: value</c> lines, a small part of YAML that is read at every run in microseconds.
/// Unknown keys, lists and deeper nesting are refused, so that a mistyped key is never silently without effect.
/// </summary>
public sealed class Settings
{
    /// <summary>The largest file read: the whole table is a few hundred bytes.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Every key there is.</summary>
    public static readonly IReadOnlyList<Setting> Known =
    [
        new("pods.runtime", "", "The OCI runtime, by name or path; empty for the first of crun and runc that works", _ => true),
        new("pods.network", "default", "The network that a pod joins when --net does not say", v => AcName.IsName(v)),
        new("pods.stop-timeout", "10s", "Time between an app's stop signal and SIGKILL", IsDuration),
        new("pods.pids", "4096", "Processes and threads that an app may have", v => long.TryParse(v, out var n) && n is >= 1 and <= 4_194_304),
        new("pods.log-max-size", "16Mi", "Size at which an app's log is rotated", v => Quantity.TryParse(v, out _)),
        new("pods.log-max-files", "3", "Rotated logs that are kept", v => int.TryParse(v, out var n) && n is >= 0 and <= 1000),
        new("gc.grace-period", "30m", "How long muster gc keeps a pod that has ended", IsDuration),
        new("gc.expire-prepared", "24h", "How long muster gc keeps a pod that never ran", IsDuration),
        new("metrics.listen-pcp", "", "Where PCP's clients are answered, ADDRESS:PORT or none; empty for 127.0.0.1:44321, and for none below --root", IsListening),
        new("metrics.listen-http", "none", "Where /metrics and /pmapi are answered over plain HTTP, ADDRESS:PORT or none", IsListening),
        new("metrics.log", "none", "A file that says which metrics are logged how often, YAML or pmlogger's language; none for no logger", v => v == "none" || Path.IsPathRooted(v)),
        new("metrics.log-folder", "", "Where archives are kept; empty for metrics/archives among the node's own files", v => v.Length == 0 || Path.IsPathRooted(v)),
        new("metrics.rules", "none", "A file of rules that are evaluated all the time; none for no rules", v => v == "none" || Path.IsPathRooted(v)),
        new("metrics.derived", "none", "Files and folders of derived metrics in PCP's form, separated by colons; none for none", v => v == "none" || v.Split(':').All(Path.IsPathRooted)),
        new("metrics.tls-certificate", "", "A PEM file with the certificate that PCP's clients are shown; empty for no TLS", _ => true),
        new("metrics.tls-key", "", "A PEM file with the certificate's key; empty when it is in the same file", _ => true),
        new("metrics.trusted-clients", "", "A PEM file with the client certificates whose owners see per-process metrics and may store", _ => true),
        new("metrics.otlp-endpoint", "", "The OTLP/HTTP collector that metrics are pushed to, http://HOST:4318/v1/metrics; empty for none", IsWebAddress),
        new("metrics.otlp-encoding", "protobuf", "How pushed metrics are encoded, protobuf or json", v => v is "protobuf" or "json"),
        new("metrics.otlp-interval", "10s", "Time between two pushes", v => IsDuration(v) && v is not ("0" or "0s")),
        new("metrics.otlp-names", "kernel.all mem.util network.interface disk.all container", "Beginnings of the names that are pushed, separated by spaces", _ => true),
        new("metrics.otlp-headers", "", "Headers of each push, NAME=VALUE separated by commas", v => v.Length == 0 || v.Split(',').All(h => h.IndexOf('=', StringComparison.Ordinal) > 0)),
    ];

    private readonly Dictionary<string, string> _values;

    private Settings(Dictionary<string, string> values) => _values = values;

    /// <summary>The settings of a root without a file.</summary>
    public static Settings Defaults { get; } = new(new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>A key's value: the file's, else the default.</summary>
    public string this[string key] => _values.TryGetValue(key, out var value) ? value : Known.First(k => k.Key == key).Default;

    /// <summary>Whether the file says something about the key.</summary>
    public bool IsSet(string key) => _values.ContainsKey(key);

    /// <summary>Reads the text of muster.yaml; everything that is wrong with it is told at once.</summary>
    public static Settings Parse(string text, string path)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var faults = new List<string>();
        var section = "";
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = StripComment(raw).TrimEnd();
            if (line.Length == 0 || line == "---")
            {
                continue;
            }

            var indented = char.IsWhiteSpace(line[0]);
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1 || (colon + 1 < line.Length && line[colon + 1] != ' '))
            {
                faults.Add($"line {number} is not \"name: value\"");
                continue;
            }

            var name = line[..colon].Trim();
            var value = Unquote(line[(colon + 1)..].Trim());
            if (!indented)
            {
                section = name;
                if (value.Length > 0)
                {
                    faults.Add($"line {number}: \"{name}\" is a section, its keys stand indented below it");
                }

                continue;
            }

            Take($"{section}.{name}", value, number, values, faults);
        }

        return faults.Count == 0
            ? new Settings(values)
            : throw new MusterException(ErrorKind.Invalid, $"{path} is not valid: {string.Join("; ", faults.Take(20))}; \"muster config\" lists the keys");
    }

    private static bool IsListening(string value) => value is "" or "none" || (value.Contains(':', StringComparison.Ordinal) && System.Net.IPEndPoint.TryParse(value, out _));

    private static bool IsWebAddress(string value) => value.Length == 0 || (Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https");

    // Numbers with the units ms, s, m, h and d, or plain seconds; the command line reads them in the same way.
    private static bool IsDuration(string value)
    {
        var rest = value.AsSpan();
        while (rest.Length > 0 && char.IsAsciiDigit(rest[0]))
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            rest = digits < 0 ? [] : rest[digits..];
            rest = rest is ['m', 's', ..] ? rest[2..] : rest is ['s' or 'm' or 'h' or 'd', ..] ? rest[1..] : rest;
        }

        return value.Length > 0 && rest.Length == 0;
    }

    private static void Take(string key, string value, int number, Dictionary<string, string> values, List<string> faults)
    {
        var known = Known.FirstOrDefault(k => k.Key == key);
        if (known is null)
        {
            faults.Add($"line {number}: there is no key {key}");
        }
        else if (!known.IsValid(value))
        {
            faults.Add($"line {number}: \"{value}\" is no value for {key}");
        }
        else if (!values.TryAdd(key, value))
        {
            faults.Add($"line {number}: {key} is given twice");
        }
    }

    private static string StripComment(string line)
    {
        var hash = line.IndexOf('#', StringComparison.Ordinal);
        return hash < 0 || (hash > 0 && !char.IsWhiteSpace(line[hash - 1])) ? line : line[..hash];
    }

    private static string Unquote(string value) =>
        value.Length >= 2 && value[0] is '"' or '\'' && value[^1] == value[0] ? value[1..^1] : value;
}
