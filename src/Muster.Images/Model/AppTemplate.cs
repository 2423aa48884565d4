using System.Text.Json;

namespace Muster.Images;

/// <summary>
/// What an image says about how its app runs: one form for App Container's <c>app</c> section (appc spec/aci.md) and for
/// OCI's image configuration (image-spec config.md).
/// </summary>
public sealed record AppTemplate
{
    /// <summary>The program and the arguments that stay: App Container's <c>exec</c>, OCI's Entrypoint.</summary>
    public IReadOnlyList<string> Exec { get; init => field = value ?? []; } = [];

    /// <summary>Arguments that a user's arguments replace: OCI's Cmd. Empty for App Container, whose exec is only appended to.</summary>
    public IReadOnlyList<string> DefaultArguments { get; init => field = value ?? []; } = [];

    /// <summary>A name, a number, or (App Container) an absolute path whose owner is meant; resolved inside the image.</summary>
    public string User { get; init => field = value ?? "0"; } = "0";

    /// <summary>As <see cref="User"/>; null means the user's primary group (OCI).</summary>
    public string? Group { get; init; }

    public IReadOnlyList<uint> SupplementaryGids { get; init => field = value ?? []; } = [];

    /// <summary>Absolute; null means "/".</summary>
    public string? WorkingDirectory { get; init; }

    public IReadOnlyList<NameValue> Environment { get; init => field = value ?? []; } = [];

    public IReadOnlyList<EventHandlerSpec> EventHandlers { get; init => field = value ?? []; } = [];

    public IReadOnlyList<MountPoint> MountPoints { get; init => field = value ?? []; } = [];

    public IReadOnlyList<PortSpec> Ports { get; init => field = value ?? []; } = [];

    public IReadOnlyList<Isolator> Isolators { get; init => field = value ?? []; } = [];

    /// <summary>A signal's name or number (OCI StopSignal); null means SIGTERM.</summary>
    public string? StopSignal { get; init; }

    public IReadOnlyList<NameValue> UserAnnotations { get; init => field = value ?? []; } = [];

    public IReadOnlyList<NameValue> UserLabels { get; init => field = value ?? []; } = [];
}

/// <summary>A pair as App Container's lists have them.</summary>
public sealed record NameValue(string Name, string Value);

/// <summary><c>pre-start</c> or <c>post-stop</c> and its argument vector.</summary>
public sealed record EventHandlerSpec(string Name, IReadOnlyList<string> Exec);

/// <summary>Where an app expects a volume.</summary>
public sealed record MountPoint(string Name, string Path, bool ReadOnly = false);

/// <summary>A port the app listens on. <paramref name="Protocol"/> is <c>tcp</c> or <c>udp</c>.</summary>
public sealed record PortSpec(string Name, string Protocol, int Port, int Count = 1, bool SocketActivated = false);

/// <summary>An isolator with its value as written.</summary>
public sealed record Isolator(string Name, JsonElement Value);
