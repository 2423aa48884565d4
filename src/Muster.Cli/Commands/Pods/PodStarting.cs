using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

/// <summary>The last step that run, run-prepared and start share.</summary>
internal static class PodStarting
{
    /// <summary>Starts a locked pod; in the foreground this process becomes its supervisor.</summary>
    public static async Task<int> StartAsync(PodDoor door, PodDirectory pod, bool detach, CancellationToken ct)
    {
        var fresh = pod.StateFolder == PodStore.Prepare;
        var options = new StartOptions
        {
            Foreground = !detach,
            Self = Programs.Self(door.Call.Root),
            Shim = Programs.Locate("muster-shim"),
            PutRight = door.Ending.PutRightAsync,
        };
        door.Call.Terminal.Flush();
        try
        {
            await new PodStart(door.Store, door.Networks, door.Warn).StartAsync(pod, options, ct);
        }
        catch (Exception) when (fresh && pod.StateFolder is PodStore.Prepare or PodStore.Garbage)
        {
            // A pod that never started is of no use to anyone, and its name would be in the way.
            door.Ending.Discard(pod);
            throw;
        }

        return 0;
    }

    /// <summary>Prints the UUID of a pod that was prepared or started, with its name where JSON is wanted.</summary>
    public static void Tell(Invocation call, PodDirectory pod)
    {
        if (!call.Json)
        {
            call.Terminal.Out.WriteLine(pod.Uuid);
            return;
        }

        Listing.WriteJson(call, json =>
        {
            json.WriteStartObject();
            json.WriteString("uuid"u8, pod.Uuid);
            if (pod.ReadRecord().Name is { } name)
            {
                json.WriteString("name"u8, name);
            }

            json.WriteEndObject();
        });
    }

    /// <summary>In the foreground standard output is the app's: there is no place for JSON of ours.</summary>
    public static void CheckFormat(Invocation call, bool detach, string remedy)
    {
        if (call.Json && !detach)
        {
            throw new MusterException(ErrorKind.Usage, $"--format=json has nothing to tell in the foreground, where the output is the app's: {remedy}");
        }
    }

    /// <summary>Writes the pod's UUID where <c>--uuid-file-save</c> says.</summary>
    public static void SaveUuid(string file, PodDirectory pod)
    {
        try
        {
            OutputFile.Write(file, pod.Uuid.ToString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MusterException)
        {
            throw new MusterException(ErrorKind.Invalid, $"The pod's UUID cannot be written to {file} ({SystemFault.Sentence(e)}): give another --uuid-file-save", e);
        }
    }

    public static readonly Command RunPrepared = new()
    {
        Words = ["run-prepared"],
        Summary = "Run a pod that muster prepare made",
        Usage = "[OPTION…] POD",
        Example = "muster run-prepared --net=host 6d2f1c9e",
        Options = RunOptions.Start,
        Arguments = (1, 1),
        Run = async (call, ct) =>
        {
            PodDoor.RequireRoot("run-prepared");
            FileCalls.TakeCommonUmask();
            var door = new PodDoor(call);
            CheckFormat(call, call.Has("detach"), "leave it out, or add --detach");
            using var found = door.Find(call.Arguments[0]);
            using var pod = door.Store.Lock(found);
            if (pod.StateFolder != PodStore.Prepared)
            {
                throw new MusterException(ErrorKind.Conflict, $"Pod {pod.Uuid} is not a prepared one: use \"muster start\" for a pod that has ended");
            }

            pod.WriteRecord(Override(call, pod.ReadRecord()));
            if (call.Value("uuid-file-save") is { } file)
            {
                SaveUuid(file, pod);
            }

            var status = await StartAsync(door, pod, call.Has("detach"), ct);
            Tell(call, pod);
            return status;
        },
    };

    public static readonly Command Start = new()
    {
        Words = ["start"],
        Summary = "Start pods that have ended, with their files as they were",
        Usage = "[--foreground] POD…",
        Description = "With --foreground muster becomes the pod's supervisor, as with run: this is how init systems keep a pod.",
        Example = "muster start web\nmuster start --foreground web",
        Options = [new("foreground", "Become the pod's supervisor instead of leaving it in the background")],
        Arguments = (1, int.MaxValue),
        Run = async (call, ct) =>
        {
            PodDoor.RequireRoot("start");
            FileCalls.TakeCommonUmask();
            CheckFormat(call, !call.Has("foreground"), "leave one of the two out");
            if (call.Has("foreground") && call.Arguments.Count > 1)
            {
                throw new MusterException(ErrorKind.Usage, "--foreground takes one pod: each has a supervisor of its own");
            }

            return await StopCommand.EachAsync(call, (door, found) => StartAgainAsync(door, found, ct), ct, tells: true);
        },
    };

    private static async Task StartAgainAsync(PodDoor door, PodDirectory found, CancellationToken ct)
    {
        if (door.Store.StateOf(found) is PodState.Running or PodState.Paused)
        {
            door.Tell($"pod {found.ReadRecord().Name ?? found.Uuid.ToString()} is running already");
            return;
        }

        using var pod = door.Store.Lock(found);
        var record = pod.ReadRecord();
        pod.WriteRecord(record with { Apps = [.. record.Apps.Select(a => a with { Stdin = a.Stdin == "inherit" ? a.Terminal ? "pipe" : "null" : a.Stdin })] });
        _ = await StartAsync(door, pod, detach: !door.Call.Has("foreground"), ct);
    }

    public static readonly Command Restart = new()
    {
        Words = ["restart"],
        Summary = "Stop a pod or one of its apps and start it again",
        Usage = "[--app=NAME] POD",
        Example = "muster restart web\nmuster restart --app=worker web",
        Options = [new("app", "Only this app; the pod goes on", "NAME"), new("timeout", "Time between the stop signal and SIGKILL", "TIME") { Default = "the pod's" }],
        Arguments = (1, 1),
        Run = async (call, ct) =>
        {
            PodDoor.RequireRoot("restart");
            FileCalls.TakeCommonUmask();
            return await StopCommand.EachAsync(call, async (door, found) =>
            {
                if (call.Value("app") is { } app)
                {
                    await RestartAppAsync(door, found, PodDoor.App(found.ReadRecord(), app).Name, ct);
                    return;
                }

                await door.Ending.StopAsync(found, call.Has("timeout") ? call.Duration("timeout", default) : null, ct);
                using var ended = door.Find(found.Uuid.ToString());
                await StartAgainAsync(door, ended, ct);
            }, ct, tells: !call.Has("app"));
        },
    };

    // Returns when the app was started again: a verb that follows finds what it is meant for.
    private static async Task RestartAppAsync(PodDoor door, PodDirectory pod, string app, CancellationToken ct)
    {
        var call = door.Call;
        if (door.Store.StateOf(pod) == PodState.Paused)
        {
            throw new MusterException(ErrorKind.Conflict, $"Pod {pod.Uuid} is paused: let it go on with \"muster resume\" first");
        }

        var before = pod.ReadStatus()?.Apps.GetValueOrDefault(app);
        using (var shim = ShimClient.TryConnect(pod) ?? throw new MusterException(ErrorKind.Conflict, $"Pod {call.Arguments[0]} is not running: use \"muster start\""))
        {
            shim.Ask("restart", json =>
            {
                json.WriteString("app"u8, app);
                if (call.Has("timeout"))
                {
                    json.WriteNumber("graceMs"u8, (int)Math.Min(call.Duration("timeout", default).TotalMilliseconds, 86_400_000));
                }
            });
        }

        while (true)
        {
            using var now = door.Store.TryFind(pod.Uuid);
            var status = now?.ReadStatus()?.Apps.GetValueOrDefault(app);
            if (status?.StartedAt is { } started && started != before?.StartedAt)
            {
                return;
            }

            if (now is null || door.Store.StateOf(now) != PodState.Running || (status is { Phase: "exited" } && status.Restarts != before?.Restarts))
            {
                throw new MusterException(ErrorKind.Conflict, $"App \"{app}\" did not start again: {status?.Error ?? "its pod has ended"}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), call.Time, ct);
        }
    }

    private static PodRecord Override(Invocation call, PodRecord record)
    {
        var values = call.AllValues;
        var spec = new SpecBuilder(values, foreground: !call.Has("detach"), SettingsFile.Load(call.Root)).Pod();
        var interactive = call.Has("interactive");
        var changed = record with
        {
            HostNetwork = call.Has("net") ? spec.Networks.Any(n => n.Name == "host") : record.HostNetwork,
            Networks = call.Has("net") ? [.. spec.Networks.Where(n => n.Name != "host")] : record.Networks,
            Dns = call.Has("dns") || call.Has("dns-search") || call.Has("dns-opt") || call.Has("dns-domain") ? spec.Dns : record.Dns,
            HostsEntries = call.Has("hosts-entry") ? spec.HostsEntries : record.HostsEntries,
            Hostname = spec.Hostname ?? record.Hostname,
            Ipc = call.Has("ipc") ? spec.Ipc : record.Ipc,
            Runtime = spec.Runtime ?? record.Runtime,
            RegistersMetadata = record.RegistersMetadata || spec.RegistersMetadata,
            Apps = [.. record.Apps.Select(a => a with
            {
                Terminal = a.Terminal || interactive,
                Stdin = record.Apps.Count == 1 && !call.Has("detach") ? "inherit" : interactive ? "pipe" : a.Stdin == "inherit" ? "null" : a.Stdin,
            })],
        };
        PodPreparation.CheckNetworks(call.Has("net") ? spec.Networks : changed.Networks, changed);
        return changed;
    }
}
