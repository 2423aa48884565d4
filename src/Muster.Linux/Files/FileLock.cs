namespace Muster.Linux;

/// <summary>
/// flock(2) on a file or directory: freed by the kernel when the holder dies, whatever kills it. Between tasks of one
/// process it holds as well, because every lock has a descriptor of its own.
/// </summary>
public sealed class FileLock : IDisposable
{
    private readonly string? _removeWith;
    private int _descriptor;

    private FileLock(int descriptor, string? removeWith)
    {
        _descriptor = descriptor;
        _removeWith = removeWith;
    }

    /// <summary>Waits for the lock on <paramref name="path"/> (made when missing). The file stays.</summary>
    public static async Task<FileLock> TakeAsync(string path, bool exclusive, TimeProvider time, CancellationToken ct)
    {
        while (true)
        {
            if (TryTake(path, exclusive) is { } taken)
            {
                return taken;
            }

            // flock has no way to be interrupted by a token; a short wait in between costs less than a blocked thread.
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, ct);
        }
    }

    /// <summary>Takes the lock if it is free; null when somebody else holds it.</summary>
    public static FileLock? TryTake(string path, bool exclusive) => TryTake(path, exclusive, removeAfter: false);

    /// <summary>As <see cref="TakeAsync"/> for a lock named after one thing: its file is removed when the lock is given back.</summary>
    public static async Task<FileLock> TakeNamedAsync(string path, TimeProvider time, CancellationToken ct)
    {
        while (true)
        {
            if (TryTake(path, exclusive: true, removeAfter: true) is { } taken)
            {
                return taken;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), time, ct);
        }
    }

    /// <summary>As <see cref="TakeNamedAsync"/> without waiting; null when somebody else holds it.</summary>
    public static FileLock? TryTakeNamed(string path) => TryTake(path, exclusive: true, removeAfter: true);

    /// <summary>Waits in the kernel for the lock on <paramref name="path"/> (made when missing, with its folder). Others must hold it only for moments.</summary>
    public static FileLock Wait(string path, bool shared = false)
    {
        int fd;
        try
        {
            fd = DescriptorLock.Open(path, create: true);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            fd = DescriptorLock.Open(path, create: true);
        }

        return Wait(fd, shared);
    }

    /// <summary>Waits in the kernel for the lock on an existing directory; null when it is gone.</summary>
    public static FileLock? WaitDirectory(string path) => OpenDirectory(path) is var fd and >= 0 ? Wait(fd, shared: false) : null;

    /// <summary>Locks an existing directory; null when somebody else holds it or it is gone.</summary>
    public static FileLock? TryTakeDirectory(string path) => OpenDirectory(path) is var fd and >= 0 && Lock(fd, exclusive: true, path) ? new FileLock(fd, null) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        var fd = Interlocked.Exchange(ref _descriptor, -1);
        if (fd < 0)
        {
            return;
        }

        if (_removeWith is not null)
        {
            _ = FileCalls.Remove(FileCalls.AtCurrentDirectory, FileCalls.Terminated(_removeWith), isDirectory: false);
        }

        _ = FileCalls.Close(fd);
    }

    private static FileLock? TryTake(string path, bool exclusive, bool removeAfter)
    {
        while (true)
        {
            var name = FileCalls.Terminated(path);
            var fd = FileCalls.Open(FileCalls.AtCurrentDirectory, name, FileCalls.ReadWrite | FileCalls.Create | FileCalls.NoFollow, 0x180);
            if (fd < 0)
            {
                throw LinuxException.Last("open", path);
            }

            if (!Lock(fd, exclusive, path))
            {
                return null;
            }

            // The former holder may have removed the file between our open and our lock: then the lock is on nothing.
            if (!removeAfter || (FileStatus.TryRead(FileCalls.AtCurrentDirectory, name, out var now) && now.Inode == FileStatus.Read(fd).Inode))
            {
                return new FileLock(fd, removeAfter ? path : null);
            }

            _ = FileCalls.Close(fd);
        }
    }

    // -1 where there is none.
    private static int OpenDirectory(string path)
    {
        var fd = FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), FileCalls.DirectoryOnly | FileCalls.NoFollow);
        return fd >= 0 || FileCalls.Error is Errno.ENOENT or Errno.ENOTDIR ? fd : throw LinuxException.Last("open", path);
    }

    private static FileLock Wait(int fd, bool shared)
    {
        try
        {
            DescriptorLock.Acquire(fd, shared);
            return new FileLock(fd, null);
        }
        catch
        {
            _ = FileCalls.Close(fd);
            throw;
        }
    }

    private static bool Lock(int fd, bool exclusive, string path)
    {
        var locked = false;
        try
        {
            return locked = DescriptorLock.TryAcquire(fd, shared: !exclusive);
        }
        catch (LinuxException e)
        {
            throw new LinuxException("flock", e.Errno, path);
        }
        finally
        {
            _ = locked ? 0 : FileCalls.Close(fd);
        }
    }
}
