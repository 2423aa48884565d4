using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Core;
using Muster.Linux;

namespace Muster.Network;

/// <summary>
/// What one pod owns of the network: <c>run/network/pods/UUID/record.json</c>, made before anything else and removed after everything
/// else. The folder is also the pod's lock. While <see cref="Complete"/> is false, what the pod owns is found by looking
/// everywhere.
/// </summary>
internal sealed record PodRecord
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    public required Guid Pod { get; init; }

    public bool Complete { get; init; }

    /// <summary>The managed networks joined, in order.</summary>
    public IReadOnlyList<string> Networks { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> HostLinks { get; init => field = value ?? []; } = [];

    /// <summary>Addresses without prefix length, each with its network: <c>default 10.209.0.5</c>.</summary>
    public IReadOnlyList<OwnedAddress> Addresses { get; init => field = value ?? []; } = [];

    public IReadOnlyList<OwnedPort> Ports { get; init => field = value ?? []; } = [];

    /// <summary>CNI networks, recorded before their plugins run.</summary>
    public IReadOnlyList<CniAttachment> Cni { get; init => field = value ?? []; } = [];
}

/// <summary>An address of a managed network.</summary>
internal sealed record OwnedAddress(string Network, string Address);

/// <summary>A host port and the pod's addresses that it leads to.</summary>
internal sealed record OwnedPort(string Protocol, string? HostAddress, int HostPort, int PodPort, string? V4, string? V6);

/// <summary>A CNI network joined: all that DEL needs (CNI spec, section 2, "DEL").</summary>
internal sealed record CniAttachment
{
    public required string Network { get; init; }

    public required string Interface { get; init; }

    /// <summary>The whole configuration list as it was at ADD.</summary>
    public required JsonElement Configuration { get; init; }

    public IReadOnlyDictionary<string, string> Arguments { get; init => field = value ?? new Dictionary<string, string>(); } = new Dictionary<string, string>();

    public IReadOnlyList<PortMapping> Ports { get; init => field = value ?? []; } = [];

    /// <summary>The last plugin's result; null until ADD has succeeded.</summary>
    public JsonElement? Result { get; init; }
}

/// <summary>Source-generated JSON of the room's own files.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PodRecord))]
[JsonSerializable(typeof(ManagedNetwork))]
[JsonSerializable(typeof(NetworkDefinition))]
internal sealed partial class NetworkFilesJson : JsonSerializerContext
{
    // The generated writers alone: making the metadata of these types costs a millisecond, at every start of a pod.
    internal static byte[] Bytes(PodRecord record) => JsonText.Bytes(record, Default.PodRecordSerializeHandler);
}

/// <summary>
/// The open and locked record of a pod: a folder, whose making is atomic and whose descriptor carries the lock, with
/// <c>record.json</c> in it. (The lock is not on the file itself because .NET takes one of its own on whatever it opens.)
/// </summary>
internal sealed class PodRecordFile : IDisposable
{
    // A record holds a few networks and at most MaxPorts ports; anything longer is not ours.
    private const int MaxBytes = 4 * 1024 * 1024;

    private readonly string _folder;
    private readonly FileLock _lock;

    private PodRecordFile(string folder, FileLock held)
    {
        _folder = folder;
        _lock = held;
    }

    private string File => Path.Combine(_folder, "record.json");

    /// <summary>Makes the record of a pod that has none and locks it.</summary>
    public static PodRecordFile Create(NetworkPaths paths, Guid pod)
    {
        var folder = paths.Pod(pod);
        if (!Exclusive.TryMakeFolder(folder))
        {
            throw new MusterException(ErrorKind.Conflict, $"Pod {pod} has a network already: stop it, or run muster gc if it is gone");
        }

        // A sweep may look at the new folder for a moment, and remove it if the pod does not count as alive yet.
        var held = FileLock.WaitDirectory(folder);
        if (held is not null && Directory.Exists(folder))
        {
            var file = new PodRecordFile(folder, held);
            try
            {
                System.IO.File.WriteAllText(paths.Owner(pod), pod.ToString());
                return file;
            }
            catch
            {
                // On a full disk, for example. Whoever takes the rest back waits for this lock, and may be this process.
                using (file)
                {
                    file.Delete();
                }

                throw;
            }
        }

        held?.Dispose();
        throw new MusterException(ErrorKind.Busy, $"The network of pod {pod} is being taken down by another command: try again");
    }

    /// <summary>Locks the record of a pod; null when it has none or somebody works on it.</summary>
    public static PodRecordFile? TryOpen(NetworkPaths paths, Guid pod) =>
        FileLock.TryTakeDirectory(paths.Pod(pod)) is { } held ? new PodRecordFile(paths.Pod(pod), held) : null;

    /// <summary>Waits for the record of a pod; null when it has none.</summary>
    public static PodRecordFile? Open(NetworkPaths paths, Guid pod) =>
        FileLock.WaitDirectory(paths.Pod(pod)) is { } held ? new PodRecordFile(paths.Pod(pod), held) : null;

    /// <summary>Reads a pod's record without locking; null when it is not there or not whole.</summary>
    public static PodRecord? Peek(string folder)
    {
        try
        {
            using var stream = new FileStream(Path.Combine(folder, "record.json"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return stream.Length is 0 or > MaxBytes ? null : JsonSerializer.Deserialize(stream, NetworkFilesJson.Default.PodRecord);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>What the record says; null when a kill left the folder empty.</summary>
    public PodRecord? Read() => Peek(_folder);

    /// <summary>Replaces the record as a whole.</summary>
    public void Write(PodRecord record)
    {
        var beside = File + ".new";
        System.IO.File.WriteAllBytes(beside, NetworkFilesJson.Bytes(record));
        System.IO.File.Move(beside, File, overwrite: true);
    }

    /// <summary>Removes the record: the pod owns nothing any more.</summary>
    public void Delete()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    public void Dispose() => _lock.Dispose();
}
