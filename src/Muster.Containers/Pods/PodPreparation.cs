using Muster.Containers.Accounts;
using Muster.Containers.Runtime;
using Muster.Core;
using Muster.Core.Supervision;
using Muster.Images;
using Muster.Linux;
using Muster.Network;

namespace Muster.Containers.Pods;

/// <summary>Turns a <see cref="PodSpec"/> into a pod directory with everything resolved, in state <c>prepare</c> and locked.</summary>
public sealed class PodPreparation
{
    /// <summary>Apps in one pod: each costs processes, mounts and cgroups, and no known pod comes near it.</summary>
    public const int MaxApps = 64;

    private readonly PodStore _store;
    private readonly TimeProvider _time;
    private readonly Action<string> _tell;

    /// <param name="tell">Takes warnings for the user, a sentence each.</param>
    public PodPreparation(PodStore store, TimeProvider time, Action<string> tell)
    {
        _store = store;
        _time = time;
        _tell = tell;
    }

    /// <summary>Prepares the pod; on failure nothing of it is left.</summary>
    public PodDirectory Prepare(PodSpec spec)
    {
        var uuid = Guid.NewGuid();
        var names = AppNames(spec);
        var apps = new List<AppRecord>();
        var volumes = spec.Volumes.ToDictionary(v => v.Name, StringComparer.Ordinal);
        HostVolumes.Check(spec.Volumes);
        for (var i = 0; i < spec.Apps.Count; i++)
        {
            apps.Add(ResolveApp(spec, spec.Apps[i], names[i], volumes));
        }

        if (spec.PrivateUsers)
        {
            PrivateUsers.CheckVolumes(apps, volumes);
        }

        var (sysctls, bandwidth) = PodIsolators(spec);
        using var undo = new UndoStack();
        var pod = _store.Create(uuid);
        undo.Push(() =>
        {
            DirectoryHandle.RemoveAll(pod.Path);
            pod.Dispose();
        });
        if (spec.Name is { } name)
        {
            _store.ClaimName(name, uuid);
            undo.Push(() => _store.ReleaseName(name, uuid));
        }

        var record = new PodRecord
        {
            Uuid = uuid.ToString(),
            Name = spec.Name,
            Owner = spec.Owner,
            CreatedAt = _time.GetUtcNow(),
            Apps = apps,
            HostNetwork = spec.Networks.Any(n => n.Name == "host"),
            Networks = [.. spec.Networks.Where(n => n.Name != "host")],
            Ports = ResolvePorts(spec, apps),
            Hostname = Hostname(spec, uuid),
            Dns = spec.Dns,
            HostsEntries = spec.HostsEntries,
            Volumes = [.. volumes.Values],
            IdMap = spec.PrivateUsers ? [new IdRange(0, IdRanges.Claim(_store.Root, uuid, undo), IdRanges.Size)] : [],
            Sysctls = sysctls,
            NetworkBytesPerSecond = apps.Select(a => a.Isolation.NetworkBytesPerSecond).Append(bandwidth).Min(),
            Annotations = spec.Annotations,
            UserAnnotations = spec.UserAnnotations,
            UserLabels = spec.UserLabels,
            RegistersMetadata = spec.RegistersMetadata,
            Ipc = spec.Ipc,
            Init = spec.Init,
            Runtime = spec.Runtime,
            RemoveWhenDone = spec.RemoveWhenDone,
            StopGraceMs = spec.StopGraceMs,
            LogMaxBytes = spec.LogMaxBytes,
            LogMaxFiles = spec.LogMaxFiles,
            InsecureOptions = spec.InsecureOptions,
        };
        CheckNetworks(spec.Networks, record);
        CheckBandwidth(record);
        WarnOfTracing(record);
        MakeFolders(pod, record, spec);
        pod.WriteRecord(record);
        undo.Commit();
        return pod;
    }

    // The runtime's process that starts another app stands for a moment in the pod's PID namespace with the host's root and its files.
    private void WarnOfTracing(PodRecord record)
    {
        if (record.NeedsInfra() && record.IdMap.Count == 0 && record.Apps.FirstOrDefault(Traces) is { } app)
        {
            _tell($"app \"{app.Name}\" has CAP_SYS_PTRACE, and through the OCI runtime, which starts the others beside it, it can reach the host's files: give --private-users too");
        }

        // Who has CAP_SYS_ADMIN as well was meant to reach it.
        static bool Traces(AppRecord app) => app.Isolation.Capabilities.Contains("CAP_SYS_PTRACE") && !app.Isolation.Capabilities.Contains("CAP_SYS_ADMIN");
    }

    private static List<string> AppNames(PodSpec spec)
    {
        if (spec.Apps.Count is 0 or > MaxApps)
        {
            throw new MusterException(ErrorKind.Usage, spec.Apps.Count == 0 ? "A pod needs at least one image" : $"A pod has at most {MaxApps} apps");
        }

        var names = new List<string>();
        foreach (var app in spec.Apps)
        {
            var name = app.Name ?? AcName.Sanitize(app.Image.Record.Name[(app.Image.Record.Name.LastIndexOf('/') + 1)..]);
            if (!AcName.IsName(name))
            {
                throw new MusterException(ErrorKind.Usage, $"\"{name}\" cannot be an app's name: use lower-case letters, digits and single dashes");
            }

            if (names.Contains(name))
            {
                throw new MusterException(ErrorKind.Usage, $"Two apps of the pod are called \"{name}\": give one another name with --name after its image");
            }

            names.Add(name);
        }

        return names;
    }

    private AppRecord ResolveApp(PodSpec spec, AppSpec app, string name, Dictionary<string, VolumeRecord> volumes)
    {
        var image = app.Image.Record;
        var template = app.Template ?? image.App;
        var root = new LayeredRoot(app.Layers);
        var user = app.User ?? template.User;
        var group = app.User is not null && app.Group is null && image.Kind == ImageKind.Oci ? null : app.Group ?? template.Group;
        var identity = AccountLookup.Resolve(root, image.Kind, user, group, app.SupplementaryGids.Count > 0 ? app.SupplementaryGids : template.SupplementaryGids);
        var directory = app.WorkingDirectory ?? template.WorkingDirectory ?? "/";
        if (!directory.StartsWith('/'))
        {
            throw new MusterException(ErrorKind.Invalid, $"The working directory \"{directory}\" of app \"{name}\" is not absolute");
        }

        if (image.Kind == ImageKind.Aci && !root.IsFolder(directory))
        {
            throw new MusterException(ErrorKind.Invalid, $"The working directory {directory} of app \"{name}\" does not exist in the image: choose another with --working-dir");
        }

        var mounts = ResolveMounts(app, template, image.Kind, name, volumes);
        foreach (var mount in mounts.Where(m => root.Exists(m.Target) && !root.IsFolder(m.Target)))
        {
            _tell($"volume \"{mount.Volume}\" hides the file {mount.Target} of app \"{name}\"");
        }

        return new AppRecord
        {
            Name = name,
            ImageId = image.Id,
            ImageName = image.Name,
            Reference = app.Image.Reference.Reference,
            Trust = app.Image.Reference.Trust,
            Trees = image.Trees,
            Arguments = Arguments(app, template, name),
            Environment = Environment(app, template, image.Kind, name, identity),
            WorkingDirectory = directory,
            Uid = identity.Uid,
            Gid = identity.Gid,
            SupplementaryGids = identity.SupplementaryGids,
            ReadOnlyRoot = app.ReadOnlyRoot,
            Mounts = mounts,
            Ports = template.Ports,
            EventHandlers = template.EventHandlers,
            Isolation = Isolation.Resolve(app, template, spec.IgnoredIsolators, _tell),
            Terminal = app.Terminal,
            Stdin = app.Stdin,
            Output = app.Output,
            Restart = app.Restart,
            StopSignal = StopSignal(template, name),
            WantsHostsFile = image.Kind == ImageKind.Oci || !root.Exists("/etc/hosts"),
            Annotations = app.Annotations,
            UserAnnotations = app.UserAnnotations.Count > 0 ? app.UserAnnotations : template.UserAnnotations,
            UserLabels = app.UserLabels.Count > 0 ? app.UserLabels : template.UserLabels,
        };
    }

    private static int StopSignal(AppTemplate template, string name)
    {
        if (template.StopSignal is not { Length: > 0 } text)
        {
            return Signals.SIGTERM;
        }

        return Signals.TryParse(text, out var signal)
            ? signal
            : throw new MusterException(ErrorKind.Invalid, $"The image of app \"{name}\" asks for the stop signal \"{text}\", which is no signal");
    }

    private static IReadOnlyList<string> Arguments(AppSpec app, AppTemplate template, string name)
    {
        IReadOnlyList<string> arguments = app.Exec is { } exec
            ? [exec, .. app.Arguments ?? []]
            : [.. template.Exec, .. app.Arguments ?? template.DefaultArguments];
        return arguments.Count > 0 && arguments[0].Length > 0
            ? arguments
            : throw new MusterException(ErrorKind.Invalid, $"The image of app \"{name}\" names no program to run: give one with --exec or after --");
    }

    private static List<string> Environment(AppSpec app, AppTemplate template, ImageKind kind, string name, Identity identity)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in app.InheritedEnvironment)
        {
            values[pair.Name] = pair.Value;
        }

        values["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        if (kind == ImageKind.Oci)
        {
            values["HOME"] = identity.Home is { Length: > 0 } home ? home : "/";
        }

        if (app.Terminal)
        {
            values["TERM"] = System.Environment.GetEnvironmentVariable("TERM") is { Length: > 0 and < 64 } term ? term : "xterm";
        }

        foreach (var pair in template.Environment.Concat(app.Environment))
        {
            values[pair.Name] = pair.Value;
        }

        values["AC_APP_NAME"] = name;
        values["container"] = "muster";
        return [.. values.Select(v => $"{v.Key}={v.Value}")];
    }

    private List<MountRecord> ResolveMounts(AppSpec app, AppTemplate template, ImageKind kind, string name, Dictionary<string, VolumeRecord> volumes)
    {
        var mounts = new List<MountRecord>();
        foreach (var request in app.Mounts)
        {
            if (request.AppVolume is { } own)
            {
                var key = $"{name}-{own.Name}";
                volumes[key] = own with { Name = key };
                mounts.Add(new MountRecord(key, request.Target, own.ReadOnly));
                continue;
            }

            // A mount names its target by path, or by the image's name for the place.
            var point = template.MountPoints.FirstOrDefault(p => p.Name == request.Target);
            var target = point?.Path ?? request.Target;
            if (!target.StartsWith('/'))
            {
                throw new MusterException(ErrorKind.Usage, $"--mount target \"{target}\" is neither an absolute path nor a mount point of the image");
            }

            if (request.Volume is null || !volumes.ContainsKey(request.Volume))
            {
                throw new MusterException(ErrorKind.Usage, $"--mount names the volume \"{request.Volume}\", which no --volume defines");
            }

            mounts.Add(new MountRecord(request.Volume, target, point?.ReadOnly ?? false));
        }

        foreach (var point in template.MountPoints.Where(p => !mounts.Exists(m => m.Target == p.Path)))
        {
            if (volumes.ContainsKey(point.Name))
            {
                mounts.Add(new MountRecord(point.Name, point.Path, point.ReadOnly));
            }
            else if (kind == ImageKind.Aci || app.ReadOnlyRoot)
            {
                // Nobody gave this mount point a volume: an empty one of its own, as rkt does.
                volumes[point.Name] = new VolumeRecord { Name = point.Name, Kind = "empty" };
                mounts.Add(new MountRecord(point.Name, point.Path, point.ReadOnly));
                _tell($"mount point \"{point.Name}\" of app \"{name}\" has no volume: it gets an empty one");
            }
        }

        var twice = mounts.GroupBy(m => m.Target, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1);
        return twice is null ? mounts : throw new MusterException(ErrorKind.Usage, $"Two volumes are to be mounted at {twice.Key} of app \"{name}\"");
    }

    private static List<PortMapping> ResolvePorts(PodSpec spec, IReadOnlyList<AppRecord> apps)
    {
        var mappings = new List<PortMapping>();
        foreach (var request in spec.Ports)
        {
            var declared = request.Name is null ? null : apps.SelectMany(a => a.Ports).FirstOrDefault(p => p.Name == request.Name);
            if (request.Name is not null && declared is null && request.PodPort is null)
            {
                var known = apps.SelectMany(a => a.Ports).Select(p => p.Name).Distinct().ToList();
                throw new MusterException(ErrorKind.Usage, $"No app of the pod has a port called \"{request.Name}\"{(known.Count > 0 ? $": there are {string.Join(", ", known)}" : ": its images declare none, use -p HOST:POD")}");
            }

            mappings.Add(new PortMapping(request.Name, request.Protocol ?? declared?.Protocol ?? "tcp", request.HostAddress, request.HostPort, request.PodPort ?? declared!.Port));
        }

        var twice = mappings.GroupBy(m => (m.Protocol, m.HostAddress, m.HostPort)).FirstOrDefault(g => g.Count() > 1);
        return twice is null ? mappings : throw new MusterException(ErrorKind.Usage, $"Host port {twice.Key.HostPort}/{twice.Key.Protocol} is asked for twice");
    }

    /// <summary>Refuses networks that cannot do what the pod asks of them.</summary>
    /// <param name="asked">The networks as they were asked for, <c>host</c> among them.</param>
    /// <param name="record">The pod that is to have them.</param>
    public static void CheckNetworks(IReadOnlyList<NetworkChoice> asked, PodRecord record)
    {
        if (record.HostNetwork && asked.Count > 1)
        {
            throw new MusterException(ErrorKind.Usage, "--net=host cannot be combined with another network");
        }

        if (record.HostNetwork && record.Ports.Count > 0)
        {
            throw new MusterException(ErrorKind.Usage, "Ports cannot be published with --net=host: the app's ports are the host's own");
        }

        if (!record.HostNetwork && record.Ports.Count > 0 && !PodStart.NeedsNetwork(record))
        {
            throw new MusterException(ErrorKind.Usage, "Ports cannot be published with --net=none: nothing reaches the pod");
        }

        if (record.HostNetwork && record.RegistersMetadata)
        {
            throw new MusterException(ErrorKind.Usage, "--mds-register needs an address that tells the pod apart: leave out --net=host");
        }
    }

    private static string Hostname(PodSpec spec, Guid uuid)
    {
        if (spec.Hostname is not { } name)
        {
            return spec.Name ?? "muster-" + uuid;
        }

        return name.Length is > 0 and <= 64 && !name.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")
            ? name
            : throw new MusterException(ErrorKind.Usage, $"--hostname={name} is no host name: letters, digits, dots and dashes, 64 at most");
    }

    private static (Dictionary<string, string> Sysctls, long? Bandwidth) PodIsolators(PodSpec spec)
    {
        var sysctls = new Dictionary<string, string>(StringComparer.Ordinal);
        long? bandwidth = null;
        foreach (var isolator in spec.Isolators.Where(i => !spec.IgnoredIsolators.Contains(i.Name)))
        {
            if (isolator.Name == "os/unix/sysctl" && isolator.Value.ValueKind == System.Text.Json.JsonValueKind.Object)
            {
                foreach (var property in isolator.Value.EnumerateObject())
                {
                    sysctls[property.Name] = property.Value.ValueKind == System.Text.Json.JsonValueKind.String
                        ? property.Value.GetString()!
                        : throw new MusterException(ErrorKind.Invalid, $"Isolator {isolator.Name} has a value of the wrong form: every setting is a text, for example \"1\"");
                }
            }
            else if (isolator.Name == Isolation.NetworkBandwidth)
            {
                bandwidth = PodBandwidth(isolator);
            }
            else
            {
                throw new MusterException(ErrorKind.Unsupported, $"Isolator {isolator.Name} cannot be enforced for a whole pod: set it for each app, or start the pod with --ignore-isolator={isolator.Name}");
            }
        }

        return (sysctls, bandwidth);
    }

    private static long PodBandwidth(Isolator isolator)
    {
        try
        {
            return Isolation.NetworkLimit(isolator.Value);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new MusterException(ErrorKind.Invalid, $"Isolator {isolator.Name} has a value of the wrong form: {Isolation.Shown(isolator.Value)}", e);
        }
    }

    // What a limit cannot hold for is refused: nothing may look limited that is not.
    private static void CheckBandwidth(PodRecord record)
    {
        if (record.NetworkBytesPerSecond is null)
        {
            return;
        }

        if (record.HostNetwork)
        {
            throw new MusterException(ErrorKind.Unsupported, $"Isolator {Isolation.NetworkBandwidth} cannot be enforced with --net=host, where the links are everybody's: give the pod a network, or start it with --ignore-isolator={Isolation.NetworkBandwidth}");
        }

        if (record.IdMap.Count == 0 && record.Apps.FirstOrDefault(a => a.Isolation.Capabilities.Contains("CAP_NET_ADMIN")) is { } app)
        {
            throw new MusterException(ErrorKind.Unsupported, $"Isolator {Isolation.NetworkBandwidth} cannot be enforced, because app {app.Name} has CAP_NET_ADMIN and could lift it: take that away, add --private-users, or start the pod with --ignore-isolator={Isolation.NetworkBandwidth}");
        }
    }

    private static void MakeFolders(PodDirectory pod, PodRecord record, PodSpec spec)
    {
        var mapped = record.IdMap.Count > 0 ? (int)record.IdMap[0].Outside : 0;
        foreach (var folder in (ReadOnlySpan<string>)(record.Volumes.Any(v => v.Kind == "empty") ? ["apps", "logs", "volumes"] : ["apps", "logs"]))
        {
            Directory.CreateDirectory(pod.File(folder), (UnixFileMode)0b111_001_001);
        }

        for (var i = 0; i < record.Apps.Count; i++)
        {
            var folder = Path.Combine(pod.Path, "apps", record.Apps[i].Name);
            Directory.CreateDirectory(folder, (UnixFileMode)0b111_001_001);
            Directory.CreateDirectory(Path.Combine(folder, "rootfs"));
            Directory.CreateDirectory(Path.Combine(folder, "work"), (UnixFileMode)0b111_000_000);
            if (spec.RegistersMetadata)
            {
                PodMetadata.Keep(pod, record.Apps[i].Name, spec.Apps[i].Image.Record);
            }

            var upper = Path.Combine(folder, "upper");
            Directory.CreateDirectory(upper);
            Ownership.CopyFolder(spec.Apps[i].Layers[0], upper, mapped);
        }

        foreach (var volume in record.Volumes.Where(v => v.Kind == "empty"))
        {
            var folder = Path.Combine(pod.Path, "volumes", volume.Name);
            Directory.CreateDirectory(folder);
            Ownership.Set(folder, (uint)mapped + volume.Uid, (uint)mapped + volume.Gid, Convert.ToUInt32(volume.Mode, 8));
        }
    }
}
