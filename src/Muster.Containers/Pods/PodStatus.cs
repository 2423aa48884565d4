using System.Text.Json.Serialization;
using Muster.Images;
using Muster.Network;

namespace Muster.Containers.Pods;

/// <summary>What the shim wrote of a pod: <c>status.json</c>.</summary>
public sealed record PodStatus
{
    public int Version { get; init; }

    public string BootId { get; init => field = value ?? ""; } = "";

    public int ShimPid { get; init; }

    public ulong ShimStartTime { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public int? InfraPid { get; init; }

    public IReadOnlyDictionary<string, AppStatus> Apps { get; init => field = value ?? new Dictionary<string, AppStatus>(); } = new Dictionary<string, AppStatus>();

    public DateTimeOffset? ExitedAt { get; init; }

    public int? ExitStatus { get; init; }

    public string? Error { get; init; }
}

/// <summary>One app of <see cref="PodStatus"/>.</summary>
public sealed record AppStatus
{
    /// <summary><c>waiting</c>, <c>pre-start</c>, <c>starting</c>, <c>running</c>, <c>back-off</c>, <c>post-stop</c> or <c>exited</c>.</summary>
    public string Phase { get; init => field = value ?? ""; } = "";

    public int? Pid { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? ExitedAt { get; init; }

    public int? ExitStatus { get; init; }

    public int Restarts { get; init; }

    public string? Error { get; init; }
}

/// <summary>The states that a user sees. A pod's state is its folder and whether it is alive.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PodState>))]
public enum PodState
{
    /// <summary>Being prepared by a living verb.</summary>
    [JsonStringEnumMemberName("preparing")]
    Preparing,

    /// <summary>The verb that prepared it died.</summary>
    [JsonStringEnumMemberName("aborted")]
    Aborted,

    [JsonStringEnumMemberName("prepared")]
    Prepared,

    [JsonStringEnumMemberName("running")]
    Running,

    [JsonStringEnumMemberName("paused")]
    Paused,

    /// <summary>Its supervisor was killed; its processes run on.</summary>
    [JsonStringEnumMemberName("orphaned")]
    Orphaned,

    [JsonStringEnumMemberName("exited")]
    Exited,

    /// <summary>Being removed.</summary>
    [JsonStringEnumMemberName("deleting")]
    Deleting,
}

/// <summary>What <c>list</c> and <c>status</c> show of a pod.</summary>
public sealed record PodView
{
    public required string Uuid { get; init; }

    public string? Name { get; init; }

    public required string Owner { get; init; }

    public required PodState State { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? ExitedAt { get; init; }

    public int? Pid { get; init; }

    public int? ExitStatus { get; init; }

    public string? Error { get; init; }

    public required IReadOnlyList<AppView> Apps { get; init; }

    public IReadOnlyList<PodInterface> Networks { get; init => field = value ?? []; } = [];

    public bool HostNetwork { get; init; }

    public IReadOnlyList<PortMapping> Ports { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> InsecureOptions { get; init => field = value ?? []; } = [];
}

/// <summary>One app of a <see cref="PodView"/>.</summary>
public sealed record AppView
{
    public required string Name { get; init; }

    public required string Image { get; init; }

    public required string ImageId { get; init; }

    public required TrustVerdict Trust { get; init; }

    public string? Signer { get; init; }

    public required string Phase { get; init; }

    public int? Pid { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? ExitedAt { get; init; }

    public int? ExitStatus { get; init; }

    public int Restarts { get; init; }
}
