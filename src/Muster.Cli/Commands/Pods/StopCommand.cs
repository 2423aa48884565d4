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
            call.Terminal.Out.WriteLine(pod.Uuid);
        }, ct),
    };

    public static readonly Command Kill = new()
    {
        Words = ["kill"],
        Summary = "Send a signal to the apps of a pod",
        Usage = "[OPTION…] POD…",
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
            call.Terminal.Out.WriteLine(pod.Uuid);
        }, ct),
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

    /// <summary>Does the same to each pod named; one that fails does not keep the others from it, and makes the status 1.</summary>
    private static async Task<int> EachAsync(Invocation call, Func<PodDoor, PodDirectory, Task> action, CancellationToken ct)
    {
        PodDoor.RequireRoot(call.Command.Name);
        var door = new PodDoor(call);
        var names = call.Arguments.Concat(call.Values("uuid-file").Select(f => File.ReadAllText(f).Trim())).ToList();
        if (names.Count == 0)
        {
            throw new MusterException(ErrorKind.Usage, $"Name a pod: usage is muster {call.Command.Name} {call.Command.Usage}");
        }

        await door.Ending.RecoverAsync(ct);
        if (names.Count == 1)
        {
            using var pod = door.Find(names[0]);
            await action(door, pod);
            return 0;
        }

        var failed = false;
        foreach (var name in names)
        {
            try
            {
                using var pod = door.Find(name);
                await action(door, pod);
            }
            catch (MusterException e)
            {
                call.Terminal.Say("muster: " + e.Message);
                failed = true;
            }
        }

        return failed ? 1 : 0;
    }
}
