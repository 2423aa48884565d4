namespace Muster.Core.Supervision;

/// <summary>
/// Everything a shim must do for one pod, resolved before it starts: <c>plan.json</c> in the pod directory. The shim knows
/// nothing of images, networks or databases; it mounts, runs bundles through the OCI runtime, supervises and takes down.
/// </summary>
/// <param name="StopGraceMs">How long an app has between its stop signal and SIGKILL, in milliseconds.</param>
/// <param name="LogMaxBytes">The size at which a log file is rotated, in bytes.</param>
/// <param name="LogMaxFiles">How many rotated log files of an app are kept.</param>
public sealed record SupervisionPlan(int StopGraceMs = 10_000, long LogMaxBytes = 16 * 1024 * 1024, int LogMaxFiles = 3)
{
    /// <summary>The format; a shim refuses a plan newer than it knows.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The folder of the pod directory below which <c>volume</c> mounts are made, each at the volume's name.</summary>
    public const string HostVolumesFolder = "host-volumes";

    public int Version { get; init; } = CurrentVersion;

    /// <summary>The pod's UUID in its 36-character form.</summary>
    public required string Pod { get; init; }

    /// <summary>The OCI runtime program and the arguments before its verb (its state directory, cgroup driver).</summary>
    public required string Runtime { get; init; }

    public required IReadOnlyList<string> RuntimeArguments { get; init; }

    /// <summary>The pod's cgroup below every hierarchy, with a leading slash; removed when the pod has ended.</summary>
    public required string Cgroup { get; init; }

    /// <summary>A file that every living shim of the root holds a shared lock on: who can lock it alone removes the root's own cgroup.</summary>
    public required string CgroupLock { get; init; }

    /// <summary>
    /// The folder of the node's sockets: who measures pods there is told of each end before what it reads is removed. Null: nobody is.
    /// </summary>
    public string? MeterFolder { get; init; }

    /// <summary>Mounts made in the shim's own mount namespace, in order; they vanish with it.</summary>
    public IReadOnlyList<PlannedMount> Mounts { get; init => field = value ?? []; } = [];

    /// <summary>The process that holds the namespaces of a pod of several apps; null for a pod of one app.</summary>
    public PlannedApp? Infra { get; init; }

    public required IReadOnlyList<PlannedApp> Apps { get; init; }

    /// <summary>Programs run, in order, after the last process has ended; each is an argument vector.</summary>
    public IReadOnlyList<IReadOnlyList<string>> TearDown { get; init => field = value ?? []; } = [];

    /// <summary>
    /// True when something else may ask for what <see cref="TearDown"/> gives back as soon as the shim has ended (a host port, an
    /// address by name): it then runs before the shim ends, even where the rest is cleared behind.
    /// </summary>
    public bool TearDownFirst { get; init; }

    /// <summary>Where the pod directory goes, by rename, when the pod has ended.</summary>
    public required string ExitedDirectory { get; init; }

    /// <summary>True when nothing of the pod is to be kept (<c>run --rm</c>); needs <see cref="NameFile"/> released too.</summary>
    public bool RemoveWhenDone { get; init; }

    /// <summary>
    /// Where the pod directory of <see cref="RemoveWhenDone"/> goes, by rename, when the pod has ended; a process of its own then
    /// clears it while the shim's status is already told. Null: the shim clears it itself.
    /// </summary>
    public string? GarbageDirectory { get; init; }

    /// <summary>The file that holds the pod's name, released with <see cref="RemoveWhenDone"/>.</summary>
    public string? NameFile { get; init; }
}

/// <summary>One mount(2) of the shim. Overlay lowers are given topmost first.</summary>
public sealed record PlannedMount
{
    /// <summary>
    /// <c>overlay</c>, <c>bind</c>, <c>tmpfs</c>, <c>sysfs</c> (of the network namespace named by <see cref="Source"/>), or <c>volume</c>: a
    /// place of the host, reached without any symbolic link, whose owners are mapped by <see cref="IdMap"/> if it has ranges. The shim makes
    /// its target; its options are <c>recursive</c>, and <c>plain-too</c> where the volume is only read and may stay unmapped when its file
    /// system cannot be mapped.
    /// </summary>
    public required string Type { get; init; }

    public required string Target { get; init; }

    public string? Source { get; init; }

    public IReadOnlyList<string> Lowers { get; init => field = value ?? []; } = [];

    public string? Upper { get; init; }

    public string? Work { get; init; }

    /// <summary>Further comma-separated options.</summary>
    public string? Options { get; init; }

    /// <summary>Maps the lowers' owners (idmapped mount): the process whose user namespace is used is made from these ranges.</summary>
    public IReadOnlyList<IdRange> IdMap { get; init => field = value ?? []; } = [];
}

/// <summary>A range of a user namespace: ids inside from <see cref="Inside"/>, outside from <see cref="Outside"/>.</summary>
public sealed record IdRange(uint Inside, uint Outside, uint Count);

/// <summary>One bundle that the runtime runs.</summary>
/// <param name="StopSignal">The signal that asks the app to stop.</param>
public sealed record PlannedApp(int StopSignal = 15)
{
    public required string Name { get; init; }

    /// <summary>The container's id at the OCI runtime.</summary>
    public required string Id { get; init; }

    /// <summary>The directory that holds config.json.</summary>
    public required string Bundle { get; init; }

    /// <summary>True when config.json asks for a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary><c>null</c>, <c>inherit</c> (the shim's own standard input) or <c>pipe</c> (held open for attach).</summary>
    public string Stdin { get; init => field = value ?? "null"; } = "null";

    /// <summary><c>log</c> (also to the shim's standard output when it has one), <c>no-stdout</c> or <c>no-stderr</c> for only the other, or <c>null</c>.</summary>
    public string Output { get; init => field = value ?? "log"; } = "log";

    /// <summary><c>never</c>, <c>on-failure</c> or <c>always</c>.</summary>
    public string Restart { get; init => field = value ?? "never"; } = "never";

    /// <summary>Bundles run to their end, in order, before the app starts and after it has ended (App Container event handlers).</summary>
    public IReadOnlyList<PlannedHandler> PreStart { get; init => field = value ?? []; } = [];

    public IReadOnlyList<PlannedHandler> PostStop { get; init => field = value ?? []; } = [];
}

/// <summary>A lifecycle handler: a bundle with the app's root and the handler's process.</summary>
public sealed record PlannedHandler(string Id, string Bundle);
