using System.Text.Json;
using Muster.Containers.Pods;
using Muster.Core.Supervision;

namespace Muster.Containers.Runtime;

/// <summary>What a bundle needs to know of the pod that is being started.</summary>
public sealed record BundleContext
{
    public required PodRecord Pod { get; init; }

    public required string PodDirectory { get; init; }

    /// <summary>The pod's cgroup, with a leading slash.</summary>
    public required string Cgroup { get; init; }

    /// <summary>The network namespace file, or null for the host's or for one that the runtime makes.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>True when an infra process holds the namespaces: the apps join those under <c>ns/</c>.</summary>
    public bool HasInfra { get; init; }

    /// <summary>The URL of the metadata service for this pod, or null.</summary>
    public string? MetadataUrl { get; init; }

    /// <summary>A compiled seccomp filter for the runtime to load, by app; none makes the runtime compile it.</summary>
    public Func<AppRecord, byte[]?> CompiledFilter { get; init; } = _ => null;

    /// <summary>The disk that block limits apply to.</summary>
    public (uint Major, uint Minor)? Disk { get; init; }

    public bool CgroupV2 { get; init; }
}

/// <summary>Writes config.json as the OCI runtime specification 1.0.2 defines it (config.md, config-linux.md).</summary>
public static class BundleWriter
{
    private static readonly string[] Masked =
    [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
        "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/fs/selinux", "/sys/dev/block", "/sys/devices/virtual/powercap",
    ];

    private static readonly string[] ReadOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    /// <summary>The bundle of an app, or of one of its handlers when <paramref name="handler"/> gives other arguments.</summary>
    public static void WriteApp(string bundle, BundleContext context, AppRecord app, IReadOnlyList<string>? handler = null)
    {
        Write(bundle, json =>
        {
            WriteProcess(json, app, handler, context.MetadataUrl);
            json.WriteStartObject("root"u8);
            json.WriteString("path"u8, Path.Combine(context.PodDirectory, "apps", app.Name, "rootfs"));
            json.WriteBoolean("readonly"u8, app.ReadOnlyRoot);
            json.WriteEndObject();
            if (!context.HasInfra)
            {
                json.WriteString("hostname"u8, context.Pod.Hostname);
            }

            WriteMounts(json, context, app);
            var filter = context.CompiledFilter(app);
            WriteAnnotations(json, context, app, filter);
            WriteLinux(json, context, app, filter is not null, handler is null ? app.Name : $"{app.Name}.{Path.GetFileName(bundle)}");
        });
    }

    /// <summary>The bundle of the process that holds a pod's namespaces.</summary>
    public static void WriteInfra(string bundle, BundleContext context, string catatonit)
    {
        Write(bundle, json =>
        {
            json.WriteStartObject("process"u8);
            WriteUser(json, 0, 0, []);
            Strings(json, "args", ["/catatonit", "-P"]);
            Strings(json, "env", []);
            json.WriteString("cwd"u8, "/");
            WriteCapabilities(json, []);
            json.WriteBoolean("noNewPrivileges"u8, true);
            json.WriteEndObject();
            json.WriteStartObject("root"u8);
            json.WriteString("path"u8, Path.Combine(context.PodDirectory, "infra"));
            json.WriteBoolean("readonly"u8, true);
            json.WriteEndObject();
            json.WriteString("hostname"u8, context.Pod.Hostname);
            json.WriteStartArray("mounts"u8);
            WriteMount(json, "/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]);
            WriteMount(json, "/dev", "tmpfs", "tmpfs", ["nosuid", "noexec", "mode=755", "size=64k"]);
            WriteMount(json, "/catatonit", "bind", catatonit, ["bind", "ro", "nosuid", "nodev"]);
            json.WriteEndArray();
            json.WriteStartObject("linux"u8);
            json.WriteString("cgroupsPath"u8, context.Cgroup + "/infra");
            WriteNamespaces(json, context, own: true);
            WriteSysctls(json, context.Pod);
            WriteIdMap(json, context.Pod);
            json.WriteEndObject();
        });
    }

    private static void Write(string bundle, Action<Utf8JsonWriter> body)
    {
        Directory.CreateDirectory(bundle);
        using var file = new FileStream(Path.Combine(bundle, "config.json"), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(16384);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteString("ociVersion"u8, "1.0.2");
            body(json);
            json.WriteEndObject();
        }

        file.Write(buffer.WrittenSpan);
    }

    private static void WriteProcess(Utf8JsonWriter json, AppRecord app, IReadOnlyList<string>? handler, string? metadataUrl)
    {
        json.WriteStartObject("process"u8);
        json.WriteBoolean("terminal"u8, app.Terminal && handler is null);
        WriteUser(json, app.Uid, app.Gid, app.SupplementaryGids);
        Strings(json, "args", handler ?? app.Arguments);
        Strings(json, "env", metadataUrl is null ? app.Environment : [.. app.Environment, "AC_METADATA_URL=" + metadataUrl]);
        json.WriteString("cwd"u8, app.WorkingDirectory);
        WriteCapabilities(json, app.Isolation.Capabilities);
        json.WriteBoolean("noNewPrivileges"u8, app.Isolation.NoNewPrivileges);
        if (app.Isolation.OomScoreAdj is { } score)
        {
            json.WriteNumber("oomScoreAdj"u8, score);
        }

        json.WriteEndObject();
    }

    internal static void WriteUser(Utf8JsonWriter json, uint uid, uint gid, IReadOnlyList<uint> more)
    {
        json.WriteStartObject("user"u8);
        json.WriteNumber("uid"u8, uid);
        json.WriteNumber("gid"u8, gid);
        if (more.Count > 0)
        {
            json.WriteStartArray("additionalGids"u8);
            foreach (var id in more)
            {
                json.WriteNumberValue(id);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteCapabilities(Utf8JsonWriter json, IReadOnlyList<string> names)
    {
        json.WriteStartObject("capabilities"u8);
        foreach (var set in (ReadOnlySpan<string>)["bounding", "effective", "permitted"])
        {
            Strings(json, set, names);
        }

        json.WriteEndObject();
    }

    private static void WriteMounts(Utf8JsonWriter json, BundleContext context, AppRecord app)
    {
        json.WriteStartArray("mounts"u8);
        WriteMount(json, "/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]);
        WriteMount(json, "/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]);
        WriteMount(json, "/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", .. (ReadOnlySpan<string>)(context.Pod.IdMap.Count == 0 ? ["gid=5"] : [])]);
        if (context.Pod.Ipc == "parent")
        {
            WriteMount(json, "/dev/shm", "bind", "/dev/shm", ["rbind", "nosuid", "noexec", "nodev"]);
        }
        else if (context.HasInfra)
        {
            WriteMount(json, "/dev/shm", "bind", Path.Combine(context.PodDirectory, "shm"), ["bind", "nosuid", "noexec", "nodev"]);
        }
        else
        {
            WriteMount(json, "/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]);
        }

        WriteMount(json, "/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]);
        if (context.Pod.IdMap.Count > 0 && (context.Pod.HostNetwork || context.NetworkNamespace is not null))
        {
            // A user namespace may mount sysfs only for a network namespace of its own: the shim has mounted this one.
            WriteMount(json, "/sys", "bind", Path.Combine(context.PodDirectory, "sys"), ["rbind", "nosuid", "noexec", "nodev", "ro"]);
        }
        else
        {
            WriteMount(json, "/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]);
        }

        WriteMount(json, "/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"]);
        foreach (var file in PodFiles.For(context.Pod, app))
        {
            WriteMount(json, "/etc/" + file, "bind", Path.Combine(context.PodDirectory, "etc", file), ["bind", "nosuid", "noexec", "nodev"]);
        }

        // Shallow targets first, so that a mount inside another's target is not hidden by it.
        foreach (var mount in app.Mounts.OrderBy(m => m.Target.Count(c => c == '/')))
        {
            var volume = context.Pod.Volumes.First(v => v.Name == mount.Volume);
            var source = volume.Kind == "host" ? HostVolumes.Target(context.PodDirectory, volume) : Path.Combine(context.PodDirectory, "volumes", volume.Name);
            WriteMount(json, mount.Target, "bind", source, [volume.Recursive ? "rbind" : "bind", "rprivate", mount.ReadOnly || volume.ReadOnly ? "ro" : "rw"]);
        }

        json.WriteEndArray();
    }

    private static void WriteAnnotations(Utf8JsonWriter json, BundleContext context, AppRecord app, byte[]? filter)
    {
        json.WriteStartObject("annotations"u8);
        json.WriteString("org.muster.pod"u8, context.Pod.Uuid);
        json.WriteString("org.muster.app"u8, app.Name);
        if (filter is not null)
        {
            json.WriteString("run.oci.seccomp_bpf_data"u8, Convert.ToBase64String(filter));
        }

        json.WriteEndObject();
    }

    private static void WriteLinux(Utf8JsonWriter json, BundleContext context, AppRecord app, bool hasFilter, string cgroup)
    {
        json.WriteStartObject("linux"u8);
        json.WriteString("cgroupsPath"u8, $"{context.Cgroup}/{cgroup}");
        WriteNamespaces(json, context, own: !context.HasInfra);
        WriteIdMap(json, context.Pod);
        if (!context.HasInfra)
        {
            WriteSysctls(json, context.Pod);
        }

        WriteResources(json, context, app.Isolation);
        if (app.Isolation.MaskPaths)
        {
            Strings(json, "maskedPaths", Masked);
            Strings(json, "readonlyPaths", ReadOnly);
        }

        if (!hasFilter)
        {
            SeccompProfile.Write(json, app.Isolation.Seccomp, app.Isolation.Capabilities);
        }
        else
        {
            // The runtime looks for the compiled filter only where it was asked for a filter at all.
            json.WriteStartObject("seccomp"u8);
            json.WriteString("defaultAction"u8, "SCMP_ACT_ERRNO");
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteNamespaces(Utf8JsonWriter json, BundleContext context, bool own)
    {
        void One(string type, string? path)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, type);
            if (path is not null)
            {
                json.WriteString("path"u8, path);
            }

            json.WriteEndObject();
        }

        string? Shared(string kind) => own ? null : Path.Combine(context.PodDirectory, "ns", kind);

        json.WriteStartArray("namespaces"u8);
        One("mount", null);
        One("cgroup", null);
        One("pid", Shared("pid"));
        One("uts", Shared("uts"));
        if (context.Pod.Ipc != "parent")
        {
            One("ipc", Shared("ipc"));
        }

        if (!context.Pod.HostNetwork)
        {
            One("network", context.NetworkNamespace ?? Shared("net"));
        }

        if (context.Pod.IdMap.Count > 0)
        {
            One("user", Shared("user"));
        }

        json.WriteEndArray();
    }

    private static void WriteIdMap(Utf8JsonWriter json, PodRecord pod)
    {
        if (pod.IdMap.Count == 0)
        {
            return;
        }

        foreach (var key in (ReadOnlySpan<string>)["uidMappings", "gidMappings"])
        {
            json.WriteStartArray(key);
            foreach (IdRange range in pod.IdMap)
            {
                json.WriteStartObject();
                json.WriteNumber("containerID"u8, range.Inside);
                json.WriteNumber("hostID"u8, range.Outside);
                json.WriteNumber("size"u8, range.Count);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    private static void WriteSysctls(Utf8JsonWriter json, PodRecord pod)
    {
        if (pod.Sysctls.Count == 0)
        {
            return;
        }

        json.WriteStartObject("sysctl"u8);
        foreach (var (name, value) in pod.Sysctls)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
    }

    private static void WriteResources(Utf8JsonWriter json, BundleContext context, IsolationRecord isolation)
    {
        json.WriteStartObject("resources"u8);
        json.WriteStartArray("devices"u8);
        WriteDevice(json, false, null, null, null, "rwm");
        // mknod of any device is harmless where opening it is refused; the plain devices and terminals may be used.
        WriteDevice(json, true, "c", null, null, "m");
        WriteDevice(json, true, "b", null, null, "m");
        foreach (var minor in (ReadOnlySpan<int>)[3, 5, 7, 8, 9])
        {
            WriteDevice(json, true, "c", 1, minor, "rwm");
        }

        WriteDevice(json, true, "c", 5, 0, "rwm");
        WriteDevice(json, true, "c", 5, 2, "rwm");
        WriteDevice(json, true, "c", 136, null, "rwm");
        json.WriteEndArray();
        if (isolation.MemoryLimit is not null || isolation.MemoryRequest is not null)
        {
            json.WriteStartObject("memory"u8);
            if (isolation.MemoryLimit is { } limit)
            {
                json.WriteNumber("limit"u8, limit);
            }

            if (isolation.MemoryRequest is { } request)
            {
                json.WriteNumber("reservation"u8, request);
            }

            json.WriteEndObject();
        }

        if (isolation.CpuLimitMillis is not null || isolation.CpuShares is not null)
        {
            json.WriteStartObject("cpu"u8);
            if (isolation.CpuShares is { } shares)
            {
                json.WriteNumber("shares"u8, shares);
            }

            if (isolation.CpuLimitMillis is { } millis)
            {
                json.WriteNumber("quota"u8, Math.Max(1000, millis * 100));
                json.WriteNumber("period"u8, 100_000);
            }

            json.WriteEndObject();
        }

        if (isolation.PidsLimit is { } pids)
        {
            json.WriteStartObject("pids"u8);
            json.WriteNumber("limit"u8, pids);
            json.WriteEndObject();
        }

        WriteBlockLimits(json, context, isolation);
        json.WriteEndObject();
    }

    private static void WriteBlockLimits(Utf8JsonWriter json, BundleContext context, IsolationRecord isolation)
    {
        if ((isolation.BlockBytesPerSecond ?? isolation.BlockOperationsPerSecond) is null || context.Disk is not { } disk)
        {
            return;
        }

        json.WriteStartObject("blockIO"u8);
        foreach (var (key, rate) in (ReadOnlySpan<(string, long?)>)
        [
            ("throttleReadBpsDevice", isolation.BlockBytesPerSecond), ("throttleWriteBpsDevice", isolation.BlockBytesPerSecond),
            ("throttleReadIOPSDevice", isolation.BlockOperationsPerSecond), ("throttleWriteIOPSDevice", isolation.BlockOperationsPerSecond),
        ])
        {
            if (rate is not { } value)
            {
                continue;
            }

            json.WriteStartArray(key);
            json.WriteStartObject();
            json.WriteNumber("major"u8, disk.Major);
            json.WriteNumber("minor"u8, disk.Minor);
            json.WriteNumber("rate"u8, value);
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteDevice(Utf8JsonWriter json, bool allow, string? type, int? major, int? minor, string access)
    {
        json.WriteStartObject();
        json.WriteBoolean("allow"u8, allow);
        if (type is not null)
        {
            json.WriteString("type"u8, type);
        }

        if (major is { } number)
        {
            json.WriteNumber("major"u8, number);
        }

        if (minor is { } part)
        {
            json.WriteNumber("minor"u8, part);
        }

        json.WriteString("access"u8, access);
        json.WriteEndObject();
    }

    private static void WriteMount(Utf8JsonWriter json, string destination, string type, string source, IReadOnlyList<string> options)
    {
        json.WriteStartObject();
        json.WriteString("destination"u8, destination);
        json.WriteString("type"u8, type);
        json.WriteString("source"u8, source);
        Strings(json, "options", options);
        json.WriteEndObject();
    }

    internal static void Strings(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
