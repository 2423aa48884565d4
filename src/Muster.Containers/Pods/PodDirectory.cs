using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Muster.Core;
using Muster.Linux;
using Muster.Network;

namespace Muster.Containers.Pods;

/// <summary>One pod on disk: its folder, the lock on it, and the files inside.</summary>
public sealed class PodDirectory : IDisposable
{
    private int _lock;
    private PodRecord? _written;

    internal PodDirectory(Guid uuid, string stateFolder, string path, int lockDescriptor)
    {
        Uuid = uuid;
        StateFolder = stateFolder;
        Path = path;
        _lock = lockDescriptor;
    }

    public Guid Uuid { get; }

    /// <summary><c>prepare</c>, <c>prepared</c>, <c>run</c>, <c>exited</c> or <c>garbage</c>.</summary>
    public string StateFolder { get; private set; }

    public string Path { get; private set; }

    /// <summary>The descriptor with the lock, or -1 when this process does not hold it.</summary>
    public int LockDescriptor => _lock;

    /// <summary>A file of the pod directory.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    // What the holder of the lock wrote is what it would read.
    public PodRecord ReadRecord() => _written ?? Read("pod.json", PodJson.Default.PodRecord)
        ?? throw new MusterException(ErrorKind.Corrupt, $"Pod {Uuid} has no pod.json: remove it with \"muster rm {Uuid}\"");

    public void WriteRecord(PodRecord record)
    {
        Write("pod.json", PodJson.Bytes(record));
        _written = record;
    }

    public PodStatus? ReadStatus() => Read("status.json", PodJson.Default.PodStatus);

    public PodNetworkState? ReadNetwork() => Read("network.json", NetworkJson.Default.PodNetworkState);

    public void WriteNetwork(PodNetworkState state) => Write("network.json", NetworkJson.Bytes(state));

    /// <summary>Reads a JSON file of the pod; null when there is none.</summary>
    public T? Read<T>(string name, JsonTypeInfo<T> json)
        where T : class
    {
        if (ReadBytes(name) is not { } bytes)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, json);
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Corrupt, $"{name} of pod {Uuid} cannot be read ({JsonFault.Of(e)}): remove the pod with \"muster rm {Uuid}\"");
        }
    }

    /// <summary>
    /// Looks for the folder of a pod that another process holds and may have moved to its next state: true when it is elsewhere
    /// now, and this is that.
    /// </summary>
    internal bool Relocate()
    {
        if (_lock >= 0 || Directory.Exists(Path))
        {
            return false;
        }

        var pods = System.IO.Path.GetDirectoryName(System.IO.Path.GetDirectoryName(Path))!;
        foreach (var state in PodStore.States)
        {
            var path = System.IO.Path.Combine(pods, state, Uuid.ToString());
            if (Directory.Exists(path))
            {
                StateFolder = state;
                Path = path;
                return true;
            }
        }

        return false;
    }

    private byte[]? ReadBytes(string name)
    {
        // Once for each state that it can come into meanwhile.
        for (var attempt = 0; attempt < PodStore.States.Count; attempt++)
        {
            try
            {
                return System.IO.File.ReadAllBytes(File(name));
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                if (!Relocate())
                {
                    break;
                }
            }
        }

        return null;
    }

    /// <summary>Writes a JSON file beside and renames it.</summary>
    public void Write<T>(string name, T value, JsonTypeInfo<T> json) => Write(name, JsonSerializer.SerializeToUtf8Bytes(value, json));

    /// <summary>Writes a file beside and renames it.</summary>
    public void Write(string name, byte[] content)
    {
        var path = File(name);
        using (var file = new FileStream(path + ".new", new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            file.Write(content);
        }

        System.IO.File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>Moves the pod to another state; false when another verb was faster.</summary>
    public bool MoveTo(string stateFolder)
    {
        var parent = System.IO.Path.GetDirectoryName(System.IO.Path.GetDirectoryName(Path))!;
        var target = System.IO.Path.Combine(parent, stateFolder, Uuid.ToString());
        try
        {
            Directory.Move(Path, target);
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }

        StateFolder = stateFolder;
        Path = target;
        return true;
    }

    /// <summary>Gives the lock away: it lives on in whatever inherits the descriptor.</summary>
    public int ReleaseDescriptor()
    {
        var descriptor = _lock;
        _lock = -1;
        return descriptor;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Descriptors.Close(_lock);
        _lock = -1;
    }
}
