using System.Text.Json;
using static Muster.Core.JsonMembers;

namespace Muster.Core.Supervision;

/// <summary>
/// Reads <c>plan.json</c> member by member: a supervisor is started for every pod, and making the metadata of these types
/// would cost it a millisecond and memory that it keeps. Unknown members are refused, as everywhere in files of our own.
/// </summary>
public static class SupervisionPlanReader
{
    /// <summary>The plan; throws <see cref="JsonException"/> for anything that is not one, but says the version before the rest.</summary>
    public static SupervisionPlan Read(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8);
        var plan = document.RootElement;
        try
        {
            var version = plan.GetProperty("version").GetInt32();
            if (version > SupervisionPlan.CurrentVersion)
            {
                return new SupervisionPlan { Version = version, Pod = "", Runtime = "", RuntimeArguments = [], Cgroup = "", CgroupLock = "", Apps = [], ExitedDirectory = "" };
            }

            return Plan(plan);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new JsonException(e.Message, e);
        }
    }

    private static SupervisionPlan Plan(JsonElement json)
    {
        Known(json, "version", "pod", "runtime", "runtimeArguments", "cgroup", "cgroupLock", "meterFolder", "mounts", "infra", "apps", "tearDown", "tearDownFirst", "stopGraceMs", "logMaxBytes", "logMaxFiles", "exitedDirectory", "removeWhenDone", "garbageDirectory", "nameFile");
        return new SupervisionPlan
        {
            Version = json.GetProperty("version").GetInt32(),
            Pod = Text(json, "pod"),
            Runtime = Text(json, "runtime"),
            RuntimeArguments = Texts(json, "runtimeArguments"),
            Cgroup = Text(json, "cgroup"),
            CgroupLock = Text(json, "cgroupLock"),
            MeterFolder = TextOrNull(json, "meterFolder"),
            Mounts = Each(json, "mounts", Mount),
            Infra = json.TryGetProperty("infra", out var infra) ? App(infra) : null,
            Apps = Each(json, "apps", App),
            TearDown = Each(json, "tearDown", words => (IReadOnlyList<string>)[.. words.EnumerateArray().Select(NotNull)]),
            TearDownFirst = Flag(json, "tearDownFirst"),
            StopGraceMs = Number(json, "stopGraceMs", 10_000),
            LogMaxBytes = json.TryGetProperty("logMaxBytes", out var bytes) ? bytes.GetInt64() : 16 * 1024 * 1024,
            LogMaxFiles = Number(json, "logMaxFiles", 3),
            ExitedDirectory = Text(json, "exitedDirectory"),
            RemoveWhenDone = Flag(json, "removeWhenDone"),
            GarbageDirectory = TextOrNull(json, "garbageDirectory"),
            NameFile = TextOrNull(json, "nameFile"),
        };
    }

    private static PlannedMount Mount(JsonElement json)
    {
        Known(json, "type", "target", "source", "lowers", "upper", "work", "options", "idMap");
        return new PlannedMount
        {
            Type = Text(json, "type"),
            Target = Text(json, "target"),
            Source = TextOrNull(json, "source"),
            Lowers = Texts(json, "lowers"),
            Upper = TextOrNull(json, "upper"),
            Work = TextOrNull(json, "work"),
            Options = TextOrNull(json, "options"),
            IdMap = Each(json, "idMap", range =>
            {
                Known(range, "inside", "outside", "count");
                return new IdRange(range.GetProperty("inside").GetUInt32(), range.GetProperty("outside").GetUInt32(), range.GetProperty("count").GetUInt32());
            }),
        };
    }

    private static PlannedApp App(JsonElement json)
    {
        Known(json, "name", "id", "bundle", "terminal", "stdin", "output", "restart", "preStart", "postStop", "stopSignal");
        return new PlannedApp
        {
            Name = Text(json, "name"),
            Id = Text(json, "id"),
            Bundle = Text(json, "bundle"),
            Terminal = Flag(json, "terminal"),
            Stdin = TextOrNull(json, "stdin") ?? "null",
            Output = TextOrNull(json, "output") ?? "log",
            Restart = TextOrNull(json, "restart") ?? "never",
            PreStart = Each(json, "preStart", Handler),
            PostStop = Each(json, "postStop", Handler),
            StopSignal = Number(json, "stopSignal", 15),
        };
    }

    private static PlannedHandler Handler(JsonElement json)
    {
        Known(json, "id", "bundle");
        return new PlannedHandler(Text(json, "id"), Text(json, "bundle"));
    }
}
