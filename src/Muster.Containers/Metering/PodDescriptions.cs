using Muster.Containers.Pods;
using Muster.Images;
using Muster.Metrics.Containers;

namespace Muster.Containers.Metering;

/// <summary>Describes a pod and its apps as containers: the pod by its name, else the first 12 digits of its UUID; an app as <c>pod/app</c>.</summary>
internal static class PodDescriptions
{
    // Labels of a pod or app that are passed on under the same name.
    private static readonly string[] Passed = ["stack", "project", "service"];

    public static IReadOnlyList<ContainerDescription> Of(PodStore store, PodDirectory pod)
    {
        var state = store.StateOf(pod);
        return State(state) is { } containerState ? Of(store, pod, state, containerState) : [];
    }

    /// <summary>The same of a pod in which something has just ended, as of one that runs: its groups and its network are still there.</summary>
    public static IReadOnlyList<ContainerDescription> OfEnding(PodStore store, PodDirectory pod) =>
        [.. Of(store, pod, PodState.Running, ContainerState.Running).Where(c => c.StartedAt is not null).Select(c => c with
        {
            State = ContainerState.Running,
            NetworkNamespace = c.HasOwnNetwork ? Path.Combine(store.Root.NetworkNamespaces, pod.Uuid.ToString()) : null,
        })];

    private static List<ContainerDescription> Of(PodStore store, PodDirectory pod, PodState state, ContainerState containerState)
    {
        var record = pod.ReadRecord();
        var status = pod.ReadStatus();
        var alive = state is PodState.Running or PodState.Paused or PodState.Orphaned;
        var name = record.Name ?? pod.Uuid.ToString("N")[..12];
        var cgroup = store.Cgroup(pod.Uuid);
        var init = !alive || status is null ? 0 : status.InfraPid ?? status.Apps.Values.FirstOrDefault(a => a.Pid > 0)?.Pid ?? 0;
        var found = new List<ContainerDescription>
        {
            new()
            {
                Name = name,
                Id = record.Uuid,
                Kind = ContainerKind.Pod,
                State = containerState,
                InitPid = init,
                Cgroup = cgroup,
                HasOwnNetwork = !record.HostNetwork,
                WritableFolders = [.. record.Apps.Select(a => Upper(pod, a.Name))],
                Restarts = status?.Apps.Values.Sum(a => (long)a.Restarts) ?? 0,
                StartedAt = status?.StartedAt,
                Labels = [new("pod", name), new("owner", record.Owner), .. Labels(record.UserLabels), .. record.Apps.Count == 1 ? Image(record.Apps[0]) : []],
            },
        };
        foreach (var app in record.Apps)
        {
            var appStatus = status?.Apps.GetValueOrDefault(app.Name);
            found.Add(new ContainerDescription
            {
                Name = $"{name}/{app.Name}",
                Id = record.Uuid,
                Kind = ContainerKind.App,
                State = alive ? AppState(appStatus, containerState) : containerState,
                InitPid = alive ? appStatus?.Pid ?? 0 : 0,
                Cgroup = $"{cgroup}/{app.Name}",
                HasOwnNetwork = !record.HostNetwork,
                WritableFolders = [Upper(pod, app.Name)],
                Restarts = appStatus?.Restarts ?? 0,
                StartedAt = appStatus?.StartedAt,
                Labels = [new("pod", name), new("app", app.Name), new("owner", record.Owner), .. Labels(record.UserLabels, app.UserLabels), .. Image(app)],
            });
        }

        return found;
    }

    /// <summary>All that a description says, as one text.</summary>
    public static string Key(ContainerDescription container) =>
        $"{container.Name} {container.Id} {container.State} {container.InitPid} {container.Restarts} {container.StartedAt:O} {string.Join(' ', container.Labels)} {string.Join(' ', container.WritableFolders)}";

    // Where the overlay of an app keeps what it writes (ARCHITECTURE.md, the pod directory).
    private static string Upper(PodDirectory pod, string app) => Path.Combine(pod.Path, "apps", app, "upper");

    private static ContainerState? State(PodState state) => state switch
    {
        PodState.Prepared => ContainerState.Prepared,
        PodState.Running => ContainerState.Running,
        PodState.Paused => ContainerState.Paused,
        PodState.Orphaned => ContainerState.Orphaned,
        PodState.Exited => ContainerState.Exited,
        _ => null,
    };

    private static ContainerState AppState(AppStatus? status, ContainerState pod) => status?.Phase switch
    {
        "running" => pod,
        "back-off" or "post-stop" => ContainerState.Restarting,
        "exited" => ContainerState.Exited,
        _ => ContainerState.Prepared,
    };

    private static IEnumerable<KeyValuePair<string, string>> Image(AppRecord app) => [new("image", app.Reference), new("digest", app.ImageId)];

    private static IEnumerable<KeyValuePair<string, string>> Labels(params IReadOnlyList<NameValue>[] lists) =>
        Passed.SelectMany(name => lists.SelectMany(l => l).Where(l => l.Name == name).TakeLast(1).Select(l => new KeyValuePair<string, string>(name, l.Value)));
}
