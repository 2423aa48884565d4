using Muster.Images;
using Muster.Network;

namespace Muster.Containers.Pods;

/// <summary>What a user asks for: a pod not yet resolved. The command line's flags and a PodManifest both become one.</summary>
public sealed record PodSpec
{
    public string? Name { get; init; }

    public required IReadOnlyList<AppSpec> Apps { get; init; }

    /// <summary>Names with arguments; <c>host</c> and <c>none</c> stand alone.</summary>
    public IReadOnlyList<NetworkChoice> Networks { get; init; } = [new NetworkChoice("default", new Dictionary<string, string>())];

    public IReadOnlyList<PortRequest> Ports { get; init; } = [];

    public IReadOnlyList<VolumeRecord> Volumes { get; init; } = [];

    public string? Hostname { get; init; }

    public DnsRecord Dns { get; init; } = new();

    public IReadOnlyList<string> HostsEntries { get; init; } = [];

    public string Ipc { get; init; } = "private";

    public bool PrivateUsers { get; init; }

    public bool RegistersMetadata { get; init; }

    public bool Init { get; init; }

    public bool RemoveWhenDone { get; init; }

    public string? Runtime { get; init; }

    public int StopGraceMs { get; init; } = 10_000;

    public long LogMaxBytes { get; init; } = 16 * 1024 * 1024;

    public int LogMaxFiles { get; init; } = 3;

    public IReadOnlyList<Isolator> Isolators { get; init; } = [];

    public IReadOnlyList<NameValue> Annotations { get; init; } = [];

    public IReadOnlyList<NameValue> UserAnnotations { get; init; } = [];

    public IReadOnlyList<NameValue> UserLabels { get; init; } = [];

    public IReadOnlyList<string> IgnoredIsolators { get; init; } = [];

    /// <summary>The words of <c>--insecure-options</c> that were used.</summary>
    public IReadOnlyList<string> InsecureOptions { get; init; } = [];

    public string Owner { get; init; } = "cli";
}

/// <summary><c>--port=NAME:[ADDRESS:]PORT</c> (by the image's port name) or <c>-p [ADDRESS:]HOST:POD[/PROTOCOL]</c>.</summary>
public sealed record PortRequest(string? Name, string? HostAddress, int HostPort, int? PodPort, string? Protocol);

/// <summary>One app asked for: its image, already found, and what is to differ from it.</summary>
public sealed record AppSpec
{
    public required StoredImage Image { get; init; }

    /// <summary>The image's layer folders, topmost first.</summary>
    public required IReadOnlyList<string> Layers { get; init; }

    public string? Name { get; init; }

    /// <summary>Replaces the image's app section whole (PodManifest).</summary>
    public AppTemplate? Template { get; init; }

    /// <summary>Replaces the program; the image's default arguments go with it.</summary>
    public string? Exec { get; init; }

    /// <summary>Replace the image's default arguments (OCI) or follow its exec (App Container); null when none were given.</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    public string? User { get; init; }

    public string? Group { get; init; }

    public IReadOnlyList<uint> SupplementaryGids { get; init; } = [];

    public string? WorkingDirectory { get; init; }

    /// <summary>In order of rising weight: from the caller, from files, from flags.</summary>
    public IReadOnlyList<NameValue> InheritedEnvironment { get; init; } = [];

    public IReadOnlyList<NameValue> Environment { get; init; } = [];

    public IReadOnlyList<MountRequest> Mounts { get; init; } = [];

    public bool ReadOnlyRoot { get; init; }

    /// <summary>Exactly these; none at all when it is empty; what the image says when it is null.</summary>
    public IReadOnlyList<string>? CapabilitiesRetain { get; init; }

    public IReadOnlyList<string> CapabilitiesRemove { get; init; } = [];

    public SeccompChoice? Seccomp { get; init; }

    public bool UnmaskedPaths { get; init; }

    public long? MemoryLimit { get; init; }

    public long? CpuLimitMillis { get; init; }

    public long? CpuShares { get; init; }

    public long? PidsLimit { get; init; }

    public int? OomScoreAdj { get; init; }

    public string Stdin { get; init; } = "null";

    public string Output { get; init; } = "log";

    public bool Terminal { get; init; }

    public string Restart { get; init; } = "never";

    public IReadOnlyList<NameValue> Annotations { get; init; } = [];

    public IReadOnlyList<NameValue> UserAnnotations { get; init; } = [];

    public IReadOnlyList<NameValue> UserLabels { get; init; } = [];
}

/// <summary>A volume wanted at a path of the app; <paramref name="AppVolume"/> is one of the app's own (PodManifest).</summary>
public sealed record MountRequest(string? Volume, string Target, VolumeRecord? AppVolume = null);
