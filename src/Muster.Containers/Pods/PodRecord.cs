using System.Text.Json.Serialization;
using Muster.Core;
using Muster.Core.Supervision;
using Muster.Images;
using Muster.Network;

namespace Muster.Containers.Pods;

/// <summary>
/// What a pod is, with everything resolved: <c>pod.json</c> in the pod directory. Starting it needs neither the image
/// store's records nor a daemon; no path in it contains the pod's state directory.
/// </summary>
/// <param name="StopGraceMs">How long an app has between its stop signal and SIGKILL, in milliseconds.</param>
/// <param name="LogMaxBytes">The size at which a log file is rotated, in bytes.</param>
/// <param name="LogMaxFiles">How many rotated log files of an app are kept.</param>
public sealed record PodRecord(int StopGraceMs = 10_000, long LogMaxBytes = 16 * 1024 * 1024, int LogMaxFiles = 3)
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>36 characters.</summary>
    public required string Uuid { get; init; }

    /// <summary>The name it can be called by; null for a pod known by its UUID alone.</summary>
    public string? Name { get; init; }

    /// <summary>Who looks after it: <c>cli</c>, <c>instance</c> or <c>service</c>. Daemonless verbs refuse what is not theirs.</summary>
    public string Owner { get; init => field = value ?? "cli"; } = "cli";

    public required DateTimeOffset CreatedAt { get; init; }

    public required IReadOnlyList<AppRecord> Apps { get; init; }

    /// <summary>Empty for <c>host</c>; <c>none</c> is a network of its own.</summary>
    public IReadOnlyList<NetworkChoice> Networks { get; init => field = value ?? []; } = [];

    public bool HostNetwork { get; init; }

    public IReadOnlyList<PortMapping> Ports { get; init => field = value ?? []; } = [];

    public required string Hostname { get; init; }

    public DnsRecord Dns { get; init => field = value ?? new(); } = new();

    public IReadOnlyList<string> HostsEntries { get; init => field = value ?? []; } = [];

    /// <summary>Volumes by name; an empty volume's folder lies in the pod directory.</summary>
    public IReadOnlyList<VolumeRecord> Volumes { get; init => field = value ?? []; } = [];

    /// <summary>The user namespace's ranges, or none for the host's ids.</summary>
    public IReadOnlyList<IdRange> IdMap { get; init => field = value ?? []; } = [];

    /// <summary><c>net.*</c> and the like for the whole pod.</summary>
    public IReadOnlyDictionary<string, string> Sysctls { get; init => field = value ?? new Dictionary<string, string>(); } = new Dictionary<string, string>();

    /// <summary>What each interface but the loopback takes and gives in a second, of whole frames: the least of what the pod and its apps are limited to, as they share them.</summary>
    public long? NetworkBytesPerSecond { get; init; }

    public IReadOnlyList<NameValue> Annotations { get; init => field = value ?? []; } = [];

    public IReadOnlyList<NameValue> UserAnnotations { get; init => field = value ?? []; } = [];

    public IReadOnlyList<NameValue> UserLabels { get; init => field = value ?? []; } = [];

    /// <summary>True when the pod registers with the metadata service at its start.</summary>
    public bool RegistersMetadata { get; init; }

    /// <summary><c>private</c> or <c>parent</c>.</summary>
    public string Ipc { get; init => field = value ?? "private"; } = "private";

    /// <summary>True when an infra process (catatonit) holds the namespaces and reaps, though there is only one app.</summary>
    public bool Init { get; init; }

    /// <summary>Whether an infra process holds the namespaces, because of <see cref="Init"/> or since more than one container joins them.</summary>
    public bool NeedsInfra() => Init || Apps.Count > 1 || Apps.Any(a => a.EventHandlers.Count > 0);

    public string? Runtime { get; init; }

    /// <summary>Everything of the pod goes when it has ended.</summary>
    public bool RemoveWhenDone { get; init; }

    /// <summary>What was loosened by <c>--insecure-options</c>, shown by <c>status</c>.</summary>
    public IReadOnlyList<string> InsecureOptions { get; init => field = value ?? []; } = [];
}

/// <summary>How names are resolved in the pod: <c>--dns*</c>. No mode means what the networks offer.</summary>
public sealed record DnsRecord
{
    /// <summary><c>default</c>, <c>host</c> or <c>none</c>.</summary>
    public string Mode { get; init => field = value ?? "default"; } = "default";

    public IReadOnlyList<string> Nameservers { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Search { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Options { get; init => field = value ?? []; } = [];

    public string? Domain { get; init; }
}

/// <summary>One app of a pod, resolved against its image.</summary>
/// <param name="StopSignal">The signal that asks the app to stop.</param>
/// <param name="WantsHostsFile">Whether the image lacks /etc/hosts (App Container adds one only then).</param>
public sealed record AppRecord(int StopSignal = 15, bool WantsHostsFile = true)
{
    public required string Name { get; init; }

    public required string ImageId { get; init; }

    public required string ImageName { get; init; }

    /// <summary>The reference that it was asked by.</summary>
    public required string Reference { get; init; }

    public required TrustRecord Trust { get; init; }

    /// <summary>Tree ids, topmost first.</summary>
    public required IReadOnlyList<string> Trees { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>NAME=VALUE, final.</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    public required string WorkingDirectory { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public IReadOnlyList<uint> SupplementaryGids { get; init => field = value ?? []; } = [];

    public bool ReadOnlyRoot { get; init; }

    public IReadOnlyList<MountRecord> Mounts { get; init => field = value ?? []; } = [];

    public IReadOnlyList<PortSpec> Ports { get; init => field = value ?? []; } = [];

    public IReadOnlyList<EventHandlerSpec> EventHandlers { get; init => field = value ?? []; } = [];

    public required IsolationRecord Isolation { get; init; }

    public bool Terminal { get; init; }

    /// <summary><c>null</c>, <c>inherit</c> or <c>pipe</c>.</summary>
    public string Stdin { get; init => field = value ?? "null"; } = "null";

    /// <summary><c>log</c>, <c>no-stdout</c>, <c>no-stderr</c> or <c>null</c>.</summary>
    public string Output { get; init => field = value ?? "log"; } = "log";

    public string Restart { get; init => field = value ?? "never"; } = "never";

    public IReadOnlyList<NameValue> Annotations { get; init => field = value ?? []; } = [];

    public IReadOnlyList<NameValue> UserAnnotations { get; init => field = value ?? []; } = [];

    public IReadOnlyList<NameValue> UserLabels { get; init => field = value ?? []; } = [];
}

/// <summary>A volume of the pod.</summary>
/// <param name="Recursive">Whether mounts below the source come along.</param>
public sealed record VolumeRecord(bool Recursive = true)
{
    public required string Name { get; init; }

    /// <summary><c>host</c> or <c>empty</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The host's path, for <c>host</c>.</summary>
    public string? Source { get; init; }

    public bool ReadOnly { get; init; }

    /// <summary>Octal mode and owner of an empty volume.</summary>
    public string Mode { get; init => field = value ?? "0755"; } = "0755";

    public uint Uid { get; init; }

    public uint Gid { get; init; }
}

/// <summary>A volume in an app.</summary>
public sealed record MountRecord(string Volume, string Target, bool ReadOnly);

/// <summary>What confines an app; null or empty means no limit of that kind.</summary>
/// <param name="NoNewPrivileges">Whether set-uid programs and file capabilities give nothing.</param>
/// <param name="MaskPaths">Whether paths of /proc and /sys are hidden or read-only.</param>
public sealed record IsolationRecord(bool NoNewPrivileges = true, bool MaskPaths = true)
{
    /// <summary>Names with the prefix <c>CAP_</c>.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }

    public required SeccompChoice Seccomp { get; init; }

    public int? OomScoreAdj { get; init; }

    public long? MemoryLimit { get; init; }

    public long? MemoryRequest { get; init; }

    /// <summary>Thousandths of a CPU.</summary>
    public long? CpuLimitMillis { get; init; }

    public long? CpuShares { get; init; }

    public long? PidsLimit { get; init; }

    public long? BlockBytesPerSecond { get; init; }

    public long? BlockOperationsPerSecond { get; init; }

    /// <summary>The app's own limit; <see cref="PodRecord.NetworkBytesPerSecond"/> is what holds.</summary>
    public long? NetworkBytesPerSecond { get; init; }
}

/// <summary>Which system calls an app may make.</summary>
public sealed record SeccompChoice
{
    /// <summary><c>default</c>, <c>retain</c>, <c>remove</c> or <c>unconfined</c>.</summary>
    public required string Mode { get; init; }

    public IReadOnlyList<string> Calls { get; init => field = value ?? []; } = [];

    /// <summary>The error that a refused call gets; null for the profile's own, <c>kill</c> ends the process with SIGSYS.</summary>
    public string? Errno { get; init; }
}

/// <summary>Source-generated JSON of the files in a pod directory.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PodRecord))]
[JsonSerializable(typeof(PodStatus))]
[JsonSerializable(typeof(PodView))]
[JsonSerializable(typeof(SupervisionPlan))]
public sealed partial class PodJson : JsonSerializerContext
{
    // The generated writers alone: making the metadata of these types costs 2 ms, at every start of a pod.
    internal static byte[] Bytes(PodRecord record) => JsonText.Bytes(record, Default.PodRecordSerializeHandler);

    internal static byte[] Bytes(SupervisionPlan plan) => JsonText.Bytes(plan, Default.SupervisionPlanSerializeHandler);
}
