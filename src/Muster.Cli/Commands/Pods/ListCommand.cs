using System.Globalization;
using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Images;

namespace Muster.Cli.Commands.Pods;

internal static class ListCommand
{
    public static readonly Command List = new()
    {
        Words = ["list"],
        Lists = true,
        Aliases = [["ps"]],
        Summary = "List pods with their apps, states, addresses and ports",
        Usage = "[OPTION…]",
        Example = "muster list\nmuster list --all --format=json\nmuster list --filter state=running",
        Options =
        [
            new("all", "Show also the pods of instances and services") { Short = 'a' },
            new("full", "Show whole UUIDs, image ids and times"),
            new("no-legend", "Leave out the column headings"),
        ],
        Arguments = (0, 0),
        Run = async (call, ct) =>
        {
            var door = new PodDoor(call);
            if (Linux.ProcessControl.EffectiveUser == 0)
            {
                await door.Ending.RecoverAsync(ct);
            }

            var views = Views(door).Where(v => call.Has("all") || v.Owner == "cli").OrderBy(v => v.CreatedAt).ToList();
            if (call.Quiet && !call.Json)
            {
                views.ForEach(v => call.Terminal.Out.WriteLine(v.Uuid));
                return 0;
            }

            var full = call.Has("full");
            Listing.Write(call, views, Columns(full, call.Has("all")), PodJson.Default.PodView, !call.Has("no-legend"));
            return 0;
        },
    };

    public static readonly Command Status = new()
    {
        Words = ["status"],
        Watches = true,
        Summary = "Show a pod's state, its apps and how they ended",
        Usage = "[--wait[=TIME]] POD",
        Description = "Prints name=value lines that shells can read: state, created, started, pid, exited, and app-NAME=STATUS for each app that has ended. With -q the state alone.",
        Example = "muster status web\nmuster status -q web\nmuster status --wait web",
        Options =
        [
            new("wait", "Wait until the pod has ended", "TIME") { BareValue = "forever" },
            new("wait-ready", "Wait until every app runs", "TIME") { BareValue = "forever" },
            new("uuid-file", "Read the pod's UUID from FILE", "FILE"),
        ],
        Arguments = (0, 1),
        Run = StatusAsync,
    };

    private static async Task<int> StatusAsync(Invocation call, CancellationToken ct)
    {
        var door = new PodDoor(call);
        var text = call.Value("uuid-file") is { } file ? StopCommand.ReadUuid(file)
            : call.Arguments.Count == 1 ? call.Arguments[0]
            : throw new MusterException(ErrorKind.Usage, "Name a pod, or give --uuid-file=FILE");
        using var pod = door.Store.Find(text);
        if (Linux.ProcessControl.EffectiveUser == 0)
        {
            await door.Ending.RecoverAsync(ct);
        }

        if (call.Has("wait"))
        {
            await WaitAsync(call, door, pod, "wait", ct);
        }
        else if (call.Has("wait-ready"))
        {
            await WaitReadyAsync(call, door, pod, ct);
        }

        using var now = door.Store.TryFind(pod.Uuid) ?? throw new MusterException(ErrorKind.NotFound, $"Pod {pod.Uuid} was removed");
        var view = door.Store.View(now);
        if (call.Json)
        {
            Listing.WriteJson(call, view, PodJson.Default.PodView);
            return 0;
        }

        if (call.Quiet)
        {
            call.Terminal.Out.WriteLine(view.State.ToString().ToLowerInvariant());
            return 0;
        }

        Print(call.Terminal.Out, view);
        return 0;
    }

    private static void Print(TextWriter output, PodView view)
    {
        output.WriteLine($"uuid={view.Uuid}");
        if (view.Name is not null)
        {
            output.WriteLine($"name={view.Name}");
        }

        output.WriteLine($"state={view.State.ToString().ToLowerInvariant()}");
        output.WriteLine($"created={Time(view.CreatedAt)}");
        if (view.StartedAt is { } started)
        {
            output.WriteLine($"started={Time(started)}");
        }

        if (view.Networks.Count > 0 || view.HostNetwork)
        {
            output.WriteLine($"networks={Networks(view)}");
        }

        foreach (var port in view.Ports)
        {
            output.WriteLine($"port={Port(port)}");
        }

        if (view.Pid is { } pid)
        {
            output.WriteLine($"pid={pid}");
        }

        output.WriteLine($"exited={(view.State == PodState.Exited ? "true" : "false")}");
        if (view.ExitStatus is { } status)
        {
            output.WriteLine($"status={status}");
        }

        if (view.Error is not null)
        {
            output.WriteLine($"error={view.Error}");
        }

        if (view.InsecureOptions.Count > 0)
        {
            output.WriteLine($"insecure={string.Join(',', view.InsecureOptions)}");
        }

        foreach (var app in view.Apps)
        {
            output.WriteLine($"image-{app.Name}={app.Image}");
            output.WriteLine($"trust-{app.Name}={app.Trust.ToString().ToLowerInvariant()}{(app.Signer is null ? "" : " " + app.Signer)}");
            if (app.Restarts > 0)
            {
                output.WriteLine($"restarts-{app.Name}={app.Restarts}");
            }

            if (app.ExitStatus is { } code)
            {
                output.WriteLine($"app-{app.Name}={code}");
            }
        }
    }

    private static async Task WaitAsync(Invocation call, PodDoor door, PodDirectory pod, string option, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Limit(call, option, limit);
        try
        {
            while (door.Store.TryFind(pod.Uuid) is { } now && door.Store.StateOf(now) is not (PodState.Exited or PodState.Deleting))
            {
                using (now)
                {
                    if (door.Store.StateOf(now) is PodState.Running or PodState.Paused or PodState.Preparing)
                    {
                        await door.Ending.WaitUntilFreeAsync(now, limit.Token);
                    }
                    else
                    {
                        // Prepared and orphaned pods hold no lock to wait on.
                        await Task.Delay(TimeSpan.FromMilliseconds(100), call.Time, limit.Token);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new MusterException(ErrorKind.Timeout, $"Pod {pod.Uuid} has not ended within {call.Value(option)}");
        }
    }

    private static async Task WaitReadyAsync(Invocation call, PodDoor door, PodDirectory pod, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Limit(call, "wait-ready", limit);
        try
        {
            while (door.Store.TryFind(pod.Uuid) is { } now)
            {
                using (now)
                {
                    var view = door.Store.View(now);
                    if (view.State is PodState.Exited or PodState.Deleting || view.Apps.All(a => a.Phase is "running" or "exited"))
                    {
                        return;
                    }
                }

                await Task.Delay(TimeSpan.FromMilliseconds(50), call.Time, limit.Token);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new MusterException(ErrorKind.Timeout, $"Pod {pod.Uuid} was not ready within {call.Value("wait-ready")}");
        }
    }

    private static void Limit(Invocation call, string option, CancellationTokenSource limit)
    {
        if (call.Value(option) is { } text and not "forever")
        {
            limit.CancelAfter(Durations.Parse(text, "--" + option));
        }
    }

    private static IEnumerable<PodView> Views(PodDoor door)
    {
        foreach (var pod in door.Store.All())
        {
            using (pod)
            {
                if (PodStore.IsBeingCleared(pod))
                {
                    continue;
                }

                PodView view;
                try
                {
                    view = door.Store.View(pod);
                }
                catch (MusterException e) when (e.Kind == ErrorKind.Corrupt)
                {
                    if (!Directory.Exists(pod.Path))
                    {
                        continue;
                    }

                    view = new PodView { Uuid = pod.Uuid.ToString(), Owner = "cli", State = door.Store.StateOf(pod), CreatedAt = DateTimeOffset.UnixEpoch, Apps = [], Error = "half-made" };
                }
                catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or Linux.LinuxException)
                {
                    // It was moved or removed while we looked.
                    continue;
                }

                yield return view;
            }
        }
    }

    private static IReadOnlyList<Column<PodView>> Columns(bool full, bool all)
    {
        var columns = new List<Column<PodView>>
        {
            new("uuid", v => full ? v.Uuid : v.Uuid[..8]),
            new("name", v => v.Name ?? "-"),
            new("app", v => string.Join(',', v.Apps.Select(a => a.Name))),
            new("image", v => string.Join(',', v.Apps.Select(a => full ? a.ImageId : a.Image).Distinct())),
            new("state", v => v.State.ToString().ToLowerInvariant() + (v.ExitStatus is { } status ? $"({status})" : "")),
            new("created", v => full ? Time(v.CreatedAt) : v.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)),
            new("networks", Networks),
            new("ports", v => string.Join(',', v.Ports.Select(Port))),
        };
        if (full)
        {
            columns.Insert(6, new("started", v => v.StartedAt is { } at ? Time(at) : "-"));
        }

        columns.Add(new("trust", v => string.Join(',', v.Apps.Select(a => a.Trust == TrustVerdict.Insecure ? "INSECURE" : a.Trust.ToString().ToLowerInvariant()).Distinct())));
        if (all)
        {
            columns.Insert(2, new("owner", v => v.Owner));
        }

        return columns;
    }

    private static string Networks(PodView view) => view.HostNetwork ? "host" : string.Join(',', view.Networks.Select(n => $"{n.Network}={string.Join('+', n.Addresses.Select(a => a.Split('/')[0]))}"));

    private static string Port(Muster.Network.PortMapping port) => $"{Muster.Network.PortMappings.HostEnd(port.HostAddress, port.HostPort)}->{port.PodPort}/{port.Protocol}";

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
