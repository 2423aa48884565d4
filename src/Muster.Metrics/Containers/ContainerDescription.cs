namespace Muster.Metrics.Containers;

/// <summary>What a container is.</summary>
public enum ContainerKind
{
    /// <summary>A pod of Muster: its apps share its namespaces.</summary>
    Pod,

    /// <summary>One app of a pod.</summary>
    App,

    Docker,
    Podman,
    Lxc,
}

/// <summary>What a container does now; the numbers are those of <c>container.state</c>.</summary>
public enum ContainerState
{
    Prepared = 0,
    Running = 1,
    Paused = 2,
    Restarting = 3,
    Exited = 4,
    Orphaned = 5,
}

/// <summary>One container as its engine's files describe it: immutable, made anew when they change.</summary>
public sealed record ContainerDescription
{
    /// <summary>Unique on the host, without a blank: the instance's name.</summary>
    public required string Name { get; init; }

    /// <summary>The engine's own identification; changes when a container of the same name is made anew.</summary>
    public required string Id { get; init; }

    public required ContainerKind Kind { get; init; }

    public required ContainerState State { get; init; }

    /// <summary>A process of the container on the host, by which its namespaces are found; 0 when it does not run.</summary>
    public int InitPid { get; init; }

    /// <summary>
    /// Its cgroup in each hierarchy, by the hierarchy's mount point: a path below it such as <c>/muster/UUID</c>. A
    /// hierarchy that is missing here is looked up with <see cref="InitPid"/>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Cgroups { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Its cgroup when it is the same in every hierarchy; null to use <see cref="Cgroups"/> and the process.</summary>
    public string? Cgroup { get; init; }

    /// <summary>False when it uses the host's network: then the host's traffic is not counted as its own.</summary>
    public bool HasOwnNetwork { get; init; } = true;

    /// <summary>The file that holds its network namespace, for when no process of it lives any more; null where none is known.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>The folders on the host that hold what it has written over its images; empty to look for its root's with <see cref="InitPid"/>.</summary>
    public IReadOnlyList<string> WritableFolders { get; init; } = [];

    /// <summary>How often its engine restarted it.</summary>
    public long Restarts { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>image, digest, stack, pod, app, project, owner, service and what else is known.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; } = [];
}
