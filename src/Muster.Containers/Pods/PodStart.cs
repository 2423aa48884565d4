using System.Text;
using Muster.Containers.Accounts;
using Muster.Containers.Metadata;
using Muster.Containers.Runtime;
using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;
using Muster.Network;

namespace Muster.Containers.Pods;

/// <summary>How a pod is started.</summary>
public sealed record StartOptions
{
    /// <summary>True: this process becomes the shim. False: a shim is started and waited for until every app runs.</summary>
    public bool Foreground { get; init; }

    /// <summary>The words with which our own program is called again to release what the pod holds.</summary>
    public required IReadOnlyList<string> Self { get; init; }

    /// <summary>The muster-shim program.</summary>
    public required string Shim { get; init; }

    /// <summary>Releases what ended and dead pods still hold (<see cref="PodEnding.PutRightAsync"/>); called when an address or a port that is wanted has an owner.</summary>
    public required Func<CancellationToken, Task> PutRight { get; init; }
}

/// <summary>Starts a prepared or ended pod: network, files, bundles, plan, shim.</summary>
public sealed class PodStart
{
    private readonly PodStore _store;
    private readonly PodNetworks _networks;
    private readonly Action<string> _tell;

    public PodStart(PodStore store, PodNetworks networks, Action<string> tell)
    {
        _store = store;
        _networks = networks;
        _tell = tell;
    }

    /// <summary>
    /// Starts the pod whose lock <paramref name="pod"/> holds. In the foreground it returns only by throwing; else when every
    /// app runs. What was made for the pod is taken down again when it does not start; the pod itself goes back to where it was.
    /// </summary>
    public async Task StartAsync(PodDirectory pod, StartOptions options, CancellationToken ct)
    {
        var record = pod.ReadRecord();
        var before = pod.StateFolder;
        if (before == PodStore.Run)
        {
            throw new MusterException(ErrorKind.Conflict, _store.Processes(pod.Uuid).Count > 0
                ? $"Pod {record.Uuid} is orphaned: its supervisor was killed and its processes run on; end them with \"muster stop\" first"
                : $"Pod {record.Uuid} has lost its supervisor: \"muster gc\" puts it right, then it can be started");
        }

        if (record.IdMap.Count > 0)
        {
            PrivateUsers.OpenParents(_store.Root);
        }

        PrivateUsers.ClosePod(pod, record);
        // Again: an app that may write above a volume's source could have put a link in its place since.
        HostVolumes.Check(record.Volumes);

        var runtime = OciRuntime.Choose(_store.Root, record.Runtime);
        await using var undo = new UndoStack();
        if (!pod.MoveTo(PodStore.Run))
        {
            throw new MusterException(ErrorKind.Busy, $"Pod {record.Uuid} was moved by another verb: look again with \"muster status\"");
        }

        undo.Push(() => pod.MoveTo(before is PodStore.Prepare ? PodStore.Garbage : before));
        PodNetworkState? network = null;
        if (NeedsNetwork(record))
        {
            undo.PushAsync(async () => await _networks.TearDownAsync(pod.Uuid, CancellationToken.None));
            network = await SetUpNetworkAsync(pod, record, options, ct);
            pod.WriteNetwork(network);
        }

        string? metadataUrl = null;
        if (record.RegistersMetadata)
        {
            var registration = new MetadataRegistration(_store.Root, options.Self, TimeProvider.System);
            undo.PushAsync(async () => await registration.UnregisterAsync(pod.Uuid, CancellationToken.None));
            metadataUrl = await registration.RegisterAsync(PodMetadata.Describe(_store.Root, pod, record, network), ct);
        }

        ct.ThrowIfCancellationRequested();
        WritePlan(pod, record, runtime, network, metadataUrl, options);
        if (options.Foreground)
        {
            BecomeShim(pod, options);
        }

        StartShim(pod, options);
        undo.Commit();
    }

    // What is taken may belong to a pod that ended a moment ago and gives it back just now, or that was killed with its supervisor.
    private async Task<PodNetworkState> SetUpNetworkAsync(PodDirectory pod, PodRecord record, StartOptions options, CancellationToken ct)
    {
        var request = new NetworkRequest
        {
            Pod = pod.Uuid,
            PodName = record.Name ?? record.Uuid[..8],
            AppNames = [.. record.Apps.Select(a => a.Name)],
            Networks = record.Networks,
            Ports = record.Ports,
            BytesPerSecond = record.NetworkBytesPerSecond,
        };
        try
        {
            return await _networks.SetUpAsync(request, ct);
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Exhausted or ErrorKind.Conflict)
        {
            await options.PutRight(ct);
            return await _networks.SetUpAsync(request, ct);
        }
    }

    /// <summary>True when a namespace with links has to be made before the start; <c>none</c> alone is left to the runtime.</summary>
    public static bool NeedsNetwork(PodRecord record) => !record.HostNetwork && record.Networks.Any(n => n.Name != "none");

    private void WritePlan(PodDirectory pod, PodRecord record, OciRuntime runtime, PodNetworkState? network, string? metadataUrl, StartOptions options)
    {
        foreach (var stale in (ReadOnlySpan<string>)["status.json", "runtime.log", "control"])
        {
            File.Delete(pod.File(stale));
        }

        PodFiles.Write(pod.Path, record, network);
        var hasInfra = record.NeedsInfra();
        var filters = new SeccompFilters(_store.Root);
        var context = new BundleContext
        {
            Pod = record,
            PodDirectory = pod.Path,
            Cgroup = _store.Cgroup(pod.Uuid),
            NetworkNamespace = network?.NamespacePath,
            HasInfra = hasInfra,
            MetadataUrl = metadataUrl,
            CompiledFilter = runtime.TakesCompiledFilter ? app => filters.Compiled(app.Isolation) : _ => null,
            Disk = record.Apps.Any(a => a.Isolation.BlockBytesPerSecond is not null || a.Isolation.BlockOperationsPerSecond is not null) ? FileStatus.HoldingDevice(pod.Path) : null,
        };
        var mounts = new List<PlannedMount>();
        var apps = new List<PlannedApp>();
        foreach (var app in record.Apps)
        {
            mounts.Add(RootMount(pod, record, app));
            apps.Add(PlanApp(pod, context, app));
        }

        mounts.AddRange(HostVolumes.Plan(pod, record));
        if (record.IdMap.Count > 0 && (record.HostNetwork || network is not null))
        {
            Directory.CreateDirectory(pod.File("sys"));
            mounts.Add(new PlannedMount { Type = "sysfs", Target = pod.File("sys"), Source = network?.NamespacePath });
        }

        PlannedApp? infra = null;
        if (hasInfra)
        {
            infra = PlanInfra(pod, record, context, network);
            mounts.Add(new PlannedMount { Type = "tmpfs", Target = pod.File("shm"), Options = "mode=1777,size=64m" });
            Directory.CreateDirectory(pod.File("shm"));
        }

        pod.Write("plan.json", PodJson.Bytes(new SupervisionPlan
        {
            Pod = record.Uuid,
            Runtime = runtime.Path,
            RuntimeArguments = OciRuntime.Arguments(_store.Root),
            Cgroup = context.Cgroup,
            CgroupLock = _store.CgroupLock,
            MeterFolder = _store.Root.Run,
            Mounts = mounts,
            Infra = infra,
            Apps = apps,
            TearDown = NeedsNetwork(record) || record.RegistersMetadata || (record.RemoveWhenDone && record.IdMap.Count > 0) ? [[.. options.Self, "internal-release", record.Uuid]] : [],
            TearDownFirst = record.Ports.Count > 0 || record.RegistersMetadata || record.Networks.Any(n => n.Arguments.Count > 0),
            StopGraceMs = record.StopGraceMs,
            LogMaxBytes = record.LogMaxBytes,
            LogMaxFiles = record.LogMaxFiles,
            ExitedDirectory = Path.Combine(_store.Root.Pods, PodStore.Exited, record.Uuid),
            RemoveWhenDone = record.RemoveWhenDone,
            GarbageDirectory = record.RemoveWhenDone ? Path.Combine(_store.Root.Pods, PodStore.Garbage, record.Uuid) : null,
            NameFile = record.Name is { } name ? _store.NamePath(name) : null,
        }));
    }

    private PlannedMount RootMount(PodDirectory pod, PodRecord record, AppRecord app)
    {
        var folder = Path.Combine(pod.Path, "apps", app.Name);
        return new PlannedMount
        {
            Type = "overlay",
            Target = Path.Combine(folder, "rootfs"),
            Lowers = [.. app.Trees.Select(t => Path.Combine(_store.Root.Images, "trees", t, "rootfs"))],
            Upper = Path.Combine(folder, "upper"),
            Work = Path.Combine(folder, "work"),
            IdMap = record.IdMap,
            // What nobody will ever see again need not reach the disk: without this the unmount waits for it, 90 ms on an idle SSD.
            Options = record.RemoveWhenDone ? "volatile" : null,
        };
    }

    private static PlannedApp PlanApp(PodDirectory pod, BundleContext context, AppRecord app)
    {
        var bundles = Path.Combine(pod.Path, "apps", app.Name, "bundle");
        BundleWriter.WriteApp(Path.Combine(bundles, "app"), context, app);
        var id = $"{context.Pod.Uuid}-{app.Name}";
        PlannedHandler[] Handlers(string name) => [.. app.EventHandlers.Where(h => h.Name == name).Select(h =>
        {
            var bundle = Path.Combine(bundles, name);
            BundleWriter.WriteApp(bundle, context, app, h.Exec);
            return new PlannedHandler($"{id}-{name}", bundle);
        })];

        return new PlannedApp
        {
            Name = app.Name,
            Id = id,
            Bundle = Path.Combine(bundles, "app"),
            Terminal = app.Terminal,
            Stdin = app.Stdin,
            Output = app.Output,
            Restart = app.Restart,
            StopSignal = app.StopSignal,
            PreStart = Handlers("pre-start"),
            PostStop = Handlers("post-stop"),
        };
    }

    private static PlannedApp PlanInfra(PodDirectory pod, PodRecord record, BundleContext context, PodNetworkState? network)
    {
        var catatonit = OciRuntime.Locate("catatonit")
            ?? throw new MusterException(ErrorKind.Unsupported, "A pod of several apps needs catatonit, which is not installed: install the package catatonit");
        var folder = pod.File("infra");
        Directory.CreateDirectory(Path.Combine(folder, "proc"));
        Directory.CreateDirectory(Path.Combine(folder, "dev"));
        File.WriteAllText(Path.Combine(folder, "catatonit"), "");
        Directory.CreateDirectory(pod.File("ns"), (UnixFileMode)0b111_001_001);
        foreach (var kind in Shared(record, network))
        {
            File.WriteAllText(Path.Combine(pod.Path, "ns", kind), "");
        }

        var bundle = pod.File("infra-bundle");
        BundleWriter.WriteInfra(bundle, context, catatonit);
        return new PlannedApp { Name = "infra", Id = record.Uuid + "-infra", Bundle = bundle };
    }

    private static IEnumerable<string> Shared(PodRecord record, PodNetworkState? network)
    {
        yield return "pid";
        yield return "uts";
        if (record.Ipc != "parent")
        {
            yield return "ipc";
        }

        if (!record.HostNetwork && network is null)
        {
            yield return "net";
        }

        if (record.IdMap.Count > 0)
        {
            yield return "user";
        }
    }

    private static void BecomeShim(PodDirectory pod, StartOptions options)
    {
        Signals.BlockSupervised();
        Descriptors.SetCloseOnExec(pod.LockDescriptor, false);
        Spawn.Become(options.Shim, [options.Shim, pod.Path, "--foreground", $"--lock-fd={pod.LockDescriptor}"], Spawn.Environment());
    }

    private static void StartShim(PodDirectory pod, StartOptions options)
    {
        var (read, write) = Descriptors.Pipe();
        // Above the numbers that the child's get. No end for writing may stay with us: a shim that dies without a word is known by the pipe's end.
        var answers = Descriptors.Duplicate(write);
        Descriptors.Close(write);
        int pid;
        try
        {
            pid = Spawn.Start(options.Shim, [options.Shim, pod.Path, "--ready-fd=3", "--lock-fd=4"], Spawn.Environment(), extra: [(answers, 3), (pod.LockDescriptor, 4)], session: true, supervised: true);
        }
        finally
        {
            Descriptors.Close(answers);
        }

        var answer = ReadAnswer(read);
        Descriptors.Close(read);
        if (answer != "ok")
        {
            Spawn.Wait(pid);
            throw Failure(answer);
        }
    }

    // "error STATUS SENTENCE": the status is what the pod would have ended with in the foreground.
    private static MusterException Failure(string answer) => answer.Split(' ', 3) is ["error", var text, var sentence] && int.TryParse(text, out var status)
        ? new MusterException(ErrorKind.Upstream, sentence) { ExitStatus = status }
        : new MusterException(ErrorKind.Upstream, "The pod's supervisor ended before the pod was running: \"muster logs\" may tell why");

    private static string ReadAnswer(int descriptor)
    {
        var text = new StringBuilder();
        Span<byte> buffer = stackalloc byte[4096];
        while (Descriptors.Read(descriptor, buffer) is > 0 and var n)
        {
            text.Append(Encoding.UTF8.GetString(buffer[..n]));
            if (text[^1] == '\n')
            {
                break;
            }
        }

        return text.ToString().Trim();
    }
}
