using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

internal static class StopCommand
{
    private static readonly Option UuidFile = new("uuid-file", "Read a pod's UUID from FILE", "FILE") { Repeatable = true };

    public static readonly Command Stop = new()
    {
        Words = ["stop"],
        Summary = "Ask pods to end, and kill what has not ended in time",
        Usage = "[OPTION…] POD…",
        Example = "muster stop web\nmuster stop --timeout=30s web db",
        Options =
        [
            new("timeout", "Time between the stop signal and SIGKILL", "TIME") { Short = 't', Default = "the pod's, 10s" },
            new("force", "Kill at once") { Short = 'f' },
            UuidFile,
        ],
        Run = (call, ct) => EachAsync(call, async (door, pod) =>
        {
            await door.Ending.StopAsync(pod, call.Has("force") ? TimeSpan.Zero : call.Has("timeout") ? call.Duration("timeout", default) : null, ct);
        }, ct, tells: true),
    };

    public static readonly Command Kill = new()
    {
        Words = ["kill"],
        Summary = "Send a signal to the apps of a pod",
        Usage = "[OPTION…] POD…",
        Description = "KILL ends a paused pod too; any other signal reaches it when it goes on.",
        Example = "muster kill --signal=HUP web",
        Options = [new("signal", "The signal, by name or number", "SIGNAL") { Short = 's', Default = "KILL" }, new("app", "Only to this app", "NAME"), UuidFile],
        Run = (call, ct) =>
        {
            var text = call.Value("signal") ?? "KILL";
            if (!Signals.TryParse(text, out var signal))
            {
                throw new MusterException(ErrorKind.Usage, $"--signal={text} is not a signal: use a name such as TERM or HUP, or a number");
            }

            return EachAsync(call, (door, pod) =>
            {
                using var shim = Connect(door, pod);
                shim.Ask("signal", json =>
                {
                    json.WriteNumber("signal"u8, signal);
                    if (call.Value("app") is { } app)
                    {
                        json.WriteString("app"u8, PodDoor.App(pod.ReadRecord(), app).Name);
                    }
                });
                if (signal != Signals.SIGKILL && door.Store.StateOf(pod) == PodState.Paused)
                {
                    door.Tell($"pod {pod.Uuid} is paused: the signal reaches it when \"muster resume\" lets it go on");
                }

                return Task.CompletedTask;
            }, ct);
        },
    };

    public static readonly Command Pause = new()
    {
        Words = ["pause"],
        Summary = "Freeze the processes of pods",
        Usage = "POD…",
        Example = "muster pause web",
        Arguments = (1, int.MaxValue),
        Run = (call, ct) => EachAsync(call, (door, pod) =>
        {
            door.Ending.Pause(pod);
            return Task.CompletedTask;
        }, ct),
    };

    public static readonly Command Resume = new()
    {
        Words = ["resume"],
        Summary = "Let frozen pods go on",
        Usage = "POD…",
        Example = "muster resume web",
        Arguments = (1, int.MaxValue),
        Run = (call, ct) => EachAsync(call, (door, pod) =>
        {
            door.Ending.Resume(pod);
            return Task.CompletedTask;
        }, ct),
    };

    public static readonly Command Remove = new()
    {
        Words = ["rm"],
        Summary = "Remove pods that have ended",
        Usage = "[--force] POD…",
        Example = "muster rm 6d2f1c9e\nmuster rm --force web",
        Options = [new("force", "Kill a pod that runs") { Short = 'f' }, UuidFile],
        Run = (call, ct) => EachAsync(call, async (door, pod) =>
        {
            await door.Ending.RemoveAsync(pod, call.Has("force"), ct);
        }, ct, tells: true),
    };

    public static readonly Command Collect = new()
    {
        Words = ["gc"],
        Summary = "Remove pods that ended a while ago and what killed processes left",
        Usage = "[OPTION…]",
        Example = "muster gc\nmuster gc --grace-period=0s",
        Options =
        [
            new("grace-period", "How long an ended pod is kept", "TIME") { Default = "30m" },
            new("expire-prepared", "How long a prepared pod that never ran is kept", "TIME") { Default = "24h" },
            new("mark-only", "Only tell what would be removed"),
        ],
        Arguments = (0, 0),
        Run = async (call, ct) =>
        {
            PodDoor.RequireRoot("gc");
            var settings = SettingsFile.Load(call.Root);
            var door = new PodDoor(call);
            var collected = await door.Ending.CollectAsync(call.Duration("grace-period", Durations.Parse(settings["gc.grace-period"], "gc.grace-period")), call.Duration("expire-prepared", Durations.Parse(settings["gc.expire-prepared"], "gc.expire-prepared")), call.Has("mark-only"), ct);
            if (call.Json)
            {
                Listing.WriteJson(call, json =>
                {
                    json.WriteStartArray();
                    foreach (var one in collected)
                    {
                        WriteRow(json, one.Pod, "why", one.Why);
                    }

                    json.WriteEndArray();
                });
                return 0;
            }

            foreach (var one in collected)
            {
                call.Terminal.Out.WriteLine(call.Quiet ? one.Pod.ToString() : $"{one.Pod}  {one.Why}");
            }

            return 0;
        },
    };

    public static readonly Command Release = new()
    {
        Words = ["internal-release"],
        Summary = "Release the addresses and ports of a pod that has ended",
        Example = "muster internal-release UUID",
        Hidden = true,
        Arguments = (1, 1),
        Run = async (call, ct) =>
        {
            var door = new PodDoor(call);
            using var pod = door.Store.Find(call.Arguments[0]);
            await door.Ending.ReleaseNetworkAsync(pod, ct);
            return 0;
        },
    };

    private static ShimClient Connect(PodDoor door, PodDirectory pod) => ShimClient.TryConnect(pod)
        ?? throw new MusterException(ErrorKind.Conflict, $"Pod {pod.Uuid} is {door.Store.StateOf(pod).ToString().ToLowerInvariant()}: nothing supervises it; use \"muster stop\"");

    /// <summary>
    /// Does the same to each pod named; one that fails does not keep the others from it, and makes the status 1. With
    /// <c>--format=json</c> an array tells of each what came of it; else <paramref name="tells"/> prints the UUIDs of those that were done.
    /// </summary>
    internal static async Task<int> EachAsync(Invocation call, Func<PodDoor, PodDirectory, Task> action, CancellationToken ct, bool tells = false)
    {
        PodDoor.RequireRoot(call.Command.Name);
        var door = new PodDoor(call);
        var names = call.Arguments.Concat(call.Values("uuid-file").Select(ReadUuid)).ToList();
        if (names.Count == 0)
        {
            throw new MusterException(ErrorKind.Usage, $"Name a pod: usage is muster {call.Command.Name} {call.Command.Usage}");
        }

        await door.Ending.RecoverAsync(ct);
        var status = 0;
        var done = new List<(string Name, Guid? Uuid, string? Error)>();
        foreach (var name in names)
        {
            Guid? uuid = null;
            try
            {
                using var pod = door.Find(name);
                uuid = pod.Uuid;
                await action(door, pod);
                done.Add((name, uuid, null));
                if (tells && !call.Json)
                {
                    call.Terminal.Out.WriteLine(pod.Uuid);
                }
            }
            catch (MusterException e) when (names.Count > 1 || call.Json)
            {
                call.Terminal.Say("muster: " + e.Message);
                done.Add((name, uuid, e.Message));
                status = names.Count == 1 ? Dispatcher.StatusOf(e) : 1;
            }
        }

        if (call.Json)
        {
            Listing.WriteJson(call, json =>
            {
                json.WriteStartArray();
                foreach (var (name, uuid, error) in done)
                {
                    WriteRow(json, uuid, "error", error, name);
                }

                json.WriteEndArray();
            });
        }

        return status;
    }

    private static void WriteRow(System.Text.Json.Utf8JsonWriter json, Guid? pod, string what, string? text, string? name = null)
    {
        json.WriteStartObject();
        if (name is not null)
        {
            json.WriteString("name"u8, name);
        }

        if (pod is { } uuid)
        {
            json.WriteString("uuid"u8, uuid);
        }

        if (text is not null)
        {
            json.WriteString(what, text);
        }

        json.WriteEndObject();
    }

    /// <summary>What <c>--uuid-file-save</c> has written.</summary>
    internal static string ReadUuid(string file) => GivenFile.ReadText(file, "what --uuid-file-save has written", maxBytes: 1024).Trim();
}
