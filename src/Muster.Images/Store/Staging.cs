using Muster.Linux;

namespace Muster.Images;

/// <summary>
/// A private folder in <c>images/tmp</c>, locked as long as its owner lives: what a killed process left is told apart by its
/// free lock and swept by the next one.
/// </summary>
internal sealed class Staging : IDisposable
{
    private readonly FileLock _owner;
    private int _next;

    private Staging(string path, FileLock owner)
    {
        Folder = path;
        _owner = owner;
    }

    public string Folder { get; }

    /// <summary>Makes a folder, after removing those whose owners are dead.</summary>
    public static async Task<Staging> CreateAsync(StorePaths paths, TimeProvider time, CancellationToken ct)
    {
        paths.MakeFolders();
        Sweep(paths);

        // Between mkdir and flock a sweeper would take the folder for a dead one: it looks only under the exclusive lock.
        using var making = await FileLock.TakeAsync(SweepLock(paths), exclusive: false, time, ct);
        var path = $"{paths.Staging}/{Guid.NewGuid():N}";
        LinuxException.Check(FileCalls.MakeDirectory(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), 0x1c0), "mkdir", path);
        LinuxException.Check(FileCalls.ChangeMode(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), 0x1c0), "chmod", path);
        return new Staging(path, FileLock.TryTakeDirectory(path) ?? throw new LinuxException("flock", Errno.EAGAIN, path));
    }

    /// <summary>Removes the folders of dead owners; returns how many. Skips its turn when somebody is making or sweeping just now.</summary>
    public static int Sweep(StorePaths paths)
    {
        if (!Directory.Exists(paths.Staging))
        {
            return 0;
        }

        var dead = new List<(string Path, FileLock Lock)>();
        using (var sweeping = FileLock.TryTake(SweepLock(paths), exclusive: true))
        {
            if (sweeping is null)
            {
                return 0;
            }

            foreach (var path in Directory.EnumerateDirectories(paths.Staging))
            {
                if (FileLock.TryTakeDirectory(path) is { } taken)
                {
                    dead.Add((path, taken));
                }
            }
        }

        foreach (var (path, taken) in dead)
        {
            using (taken)
            {
                DirectoryHandle.RemoveAll(path);
            }
        }

        return dead.Count;
    }

    /// <summary>A path in the folder that nothing has yet.</summary>
    public string NewPath(string kind) => $"{Folder}/{kind}-{Interlocked.Increment(ref _next)}";

    public void Dispose()
    {
        DirectoryHandle.RemoveAll(Folder);
        _owner.Dispose();
    }

    private static string SweepLock(StorePaths paths) => paths.Locks + "/staging";
}
