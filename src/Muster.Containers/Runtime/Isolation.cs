using System.Text.Json;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Images;

namespace Muster.Containers.Runtime;

/// <summary>Turns isolators (appc spec/ace.md, Isolators) and flags into one <see cref="IsolationRecord"/>.</summary>
public static class Isolation
{
    /// <summary>Tasks an app may have when nothing else is said: a fork bomb stays small, no known server comes near it.</summary>
    public const long DefaultPidsLimit = 4096;

    /// <summary>The isolator that limits what goes over the network, of an app or of the pod.</summary>
    public const string NetworkBandwidth = "resource/network-bandwidth";

    /// <summary>Below this not even a connection comes about in time.</summary>
    public const long MinNetworkBytesPerSecond = 1000;

    /// <summary>
    /// The isolation of one app. Isolators that cannot be enforced are refused by name unless <paramref name="ignored"/>
    /// lists them; what was ignored or changed is told to <paramref name="tell"/>.
    /// </summary>
    public static IsolationRecord Resolve(AppSpec app, AppTemplate template, IReadOnlyList<string> ignored, Action<string> tell)
    {
        var result = new IsolationRecord
        {
            Capabilities = Capabilities.Default,
            Seccomp = new SeccompChoice { Mode = "default" },
            PidsLimit = DefaultPidsLimit,
        };
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var isolator in template.Isolators)
        {
            if (!seen.Add(isolator.Name))
            {
                throw new MusterException(ErrorKind.Invalid, $"Isolator {isolator.Name} is given twice");
            }

            if (ignored.Contains(isolator.Name))
            {
                tell($"isolator {isolator.Name} is ignored, as asked");
                continue;
            }

            try
            {
                result = Apply(result, isolator);
                RefuseMoreThanItsLimit(isolator, app);
            }
            catch (Exception e) when (e is InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
            {
                throw new MusterException(ErrorKind.Invalid, $"Isolator {isolator.Name} has a value of the wrong form: {Shown(isolator.Value)}", e);
            }
        }

        if (seen.Contains("os/linux/capabilities-retain-set") && seen.Contains("os/linux/capabilities-remove-set"))
        {
            throw new MusterException(ErrorKind.Invalid, "An app has either os/linux/capabilities-retain-set or os/linux/capabilities-remove-set, not both");
        }

        if (seen.Contains("os/linux/seccomp-retain-set") && seen.Contains("os/linux/seccomp-remove-set"))
        {
            throw new MusterException(ErrorKind.Invalid, "An app has either os/linux/seccomp-retain-set or os/linux/seccomp-remove-set, not both");
        }

        result = ApplyFlags(result, app, tell);
        CheckCalls(result.Seccomp);
        return result;
    }

    // A refusal of a call that nobody knows would hold for nothing. To allow one is harmless.
    private static void CheckCalls(SeccompChoice choice)
    {
        if (choice.Mode == "remove" && choice.Calls.FirstOrDefault(c => !c.StartsWith('@') && !SeccompFilters.IsCall(c)) is { } unknown)
        {
            throw new MusterException(ErrorKind.Invalid, $"\"{unknown}\" cannot be refused: this host's libseccomp knows no such system call on any architecture; see syscalls(2) for their names");
        }
    }

    // What is asked for beyond the limit is never had. Where the command line sets another limit, the isolator's own says nothing.
    private static void RefuseMoreThanItsLimit(Isolator isolator, AppSpec app)
    {
        if (isolator.Name switch { "resource/memory" => app.MemoryLimit is null, "resource/cpu" => app.CpuLimitMillis is null, _ => false }
            && Amount(isolator.Value, "request") > Amount(isolator.Value, "limit"))
        {
            throw new MusterException(
                ErrorKind.Invalid,
                $"Isolator {isolator.Name} requests {Written(isolator, "request")}, more than its limit of {Written(isolator, "limit")} lets the app have: correct one of the two, give another limit with {(isolator.Name == "resource/cpu" ? "--cpu" : "--memory")}, or start the pod with --ignore-isolator={isolator.Name}");
        }
    }

    private static string Written(Isolator isolator, string key) => Shown(isolator.Value.GetProperty(key)).Trim('"');

    private static IsolationRecord ApplyFlags(IsolationRecord result, AppSpec app, Action<string> tell)
    {
        if (app.MemoryLimit < result.MemoryRequest)
        {
            tell($"isolator resource/memory requests more than the {app.MemoryLimit} bytes of --memory, so the request is lowered to that");
            result = result with { MemoryRequest = app.MemoryLimit };
        }

        if (app.CapabilitiesRetain is { } retained)
        {
            result = result with { Capabilities = [.. retained.Select(Capabilities.Normalize).Distinct()] };
        }

        if (app.CapabilitiesRemove.Count > 0)
        {
            var removed = app.CapabilitiesRemove.Select(Capabilities.Normalize).ToHashSet(StringComparer.Ordinal);
            result = result with { Capabilities = [.. result.Capabilities.Where(c => !removed.Contains(c))] };
        }

        return result with
        {
            Seccomp = app.Seccomp ?? result.Seccomp,
            MaskPaths = !app.UnmaskedPaths,
            MemoryLimit = app.MemoryLimit ?? result.MemoryLimit,
            CpuLimitMillis = app.CpuLimitMillis ?? result.CpuLimitMillis,
            CpuShares = app.CpuShares ?? result.CpuShares,
            PidsLimit = app.PidsLimit ?? result.PidsLimit,
            OomScoreAdj = app.OomScoreAdj ?? result.OomScoreAdj,
        };
    }

    // A quota of the kernel's is 1 ms at least, of a period of 100 ms.
    private const decimal LeastCpus = 0.01m;

    // The kernel and the runtimes take 0 for no limit at all.
    private static long? Limit(JsonElement value) => Bytes(value, "limit") is { } limit ? limit > 0 ? limit : throw new FormatException() : null;

    // These know no request (appc spec/ace.md).
    private static long? LimitAlone(JsonElement value) => Amount(value, "request") is null ? Limit(value) : throw new FormatException();

    private static IsolationRecord Apply(IsolationRecord to, Isolator isolator)
    {
        var value = isolator.Value;
        switch (isolator.Name)
        {
            case "resource/memory":
                return to with { MemoryLimit = Limit(value) ?? to.MemoryLimit, MemoryRequest = Bytes(value, "request") };
            case "resource/cpu":
                var request = Amount(value, "request");
                return to with
                {
                    CpuLimitMillis = Amount(value, "limit") is { } limit ? limit >= LeastCpus ? (long)(limit * 1000) : throw new FormatException() : to.CpuLimitMillis,
                    CpuShares = request is { } shares ? Math.Clamp((long)(shares * 1024), 2, 262_144) : to.CpuShares,
                };
            case "resource/block-bandwidth":
                return to with { BlockBytesPerSecond = LimitAlone(value) };
            case "resource/block-iops":
                return to with { BlockOperationsPerSecond = LimitAlone(value) };
            case NetworkBandwidth:
                return to with { NetworkBytesPerSecond = NetworkLimit(value) };
            case "os/linux/capabilities-retain-set":
                return to with { Capabilities = [.. Set(value).Select(Capabilities.Normalize)] };
            case "os/linux/capabilities-remove-set":
                var removed = Set(value).Select(Capabilities.Normalize).ToHashSet(StringComparer.Ordinal);
                return to with { Capabilities = [.. to.Capabilities.Where(c => !removed.Contains(c))] };
            case "os/linux/no-new-privileges":
                return to with { NoNewPrivileges = value.GetBoolean() };
            case "os/linux/seccomp-retain-set" or "os/linux/seccomp-remove-set":
                var errno = value.TryGetProperty("errno", out var named) ? named.GetString() : null;
                return to with
                {
                    Seccomp = new SeccompChoice { Mode = isolator.Name.Contains("retain", StringComparison.Ordinal) ? "retain" : "remove", Calls = Set(value), Errno = errno is { Length: > 0 } ? errno : "kill" },
                };
            case "os/linux/oom-score-adj":
                return to with { OomScoreAdj = value.GetInt32() is >= -1000 and <= 1000 and var score ? score : throw new FormatException() };
            case "os/linux/cpu-shares":
                return to with { CpuShares = value.GetInt64() is >= 2 and <= 262_144 and var count ? count : throw new FormatException() };
            default:
                throw new MusterException(ErrorKind.Unsupported, $"Isolator {isolator.Name} cannot be enforced on this host: leave it out, or start the pod with --ignore-isolator={isolator.Name}");
        }
    }

    /// <summary>The limit of <see cref="NetworkBandwidth"/>: it must be meant for all interfaces, and knows no request (appc spec/ace.md).</summary>
    /// <exception cref="FormatException">For a value of another form, and for a limit below <see cref="MinNetworkBytesPerSecond"/>.</exception>
    public static long NetworkLimit(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("default", out var all) && all.ValueKind == JsonValueKind.True && !value.TryGetProperty("request", out _)
        && Bytes(value, "limit") is >= MinNetworkBytesPerSecond and var limit
            ? limit
            : throw new FormatException();

    /// <summary>A value of an isolator, short and on one line, for a message.</summary>
    internal static string Shown(JsonElement value)
    {
        const int Most = 200;
        var text = value.ValueKind == JsonValueKind.Undefined ? "none" : System.Text.Encoding.UTF8.GetString(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value));
        return string.Concat((text.Length <= Most ? text : text[..Most] + "…").Select(c => char.IsControl(c) ? ' ' : c));
    }

    private static IReadOnlyList<string> Set(JsonElement value) => [.. value.GetProperty("set").EnumerateArray().Select(e => e.GetString() ?? "")];

    private static decimal? Amount(JsonElement value, string key)
    {
        if (!value.TryGetProperty(key, out var amount))
        {
            return null;
        }

        var text = amount.ValueKind == JsonValueKind.Number ? amount.GetRawText() : amount.GetString();
        return Quantity.TryParse(text, out var number) ? number : throw new FormatException();
    }

    private static long? Bytes(JsonElement value, string key) => Amount(value, key) is { } amount ? (long)decimal.Ceiling(amount) : null;
}
