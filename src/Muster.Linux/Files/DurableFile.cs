namespace Muster.Linux;

/// <summary>Small files that are found either whole or not at all, after a crash too: written beside, synced, renamed, the directory synced.</summary>
public static class DurableFile
{
    /// <summary>Writes or replaces <paramref name="path"/>. The unfinished file's name ends in <c>.new-</c> and the process id.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content, uint mode = 0x180)
    {
        var beside = FileCalls.Terminated($"{path}.new-{Environment.ProcessId}-{Environment.CurrentManagedThreadId}");
        var fd = FileCalls.Open(FileCalls.AtCurrentDirectory, beside, FileCalls.WriteOnly | FileCalls.Create | FileCalls.Truncate | FileCalls.NoFollow, mode);
        if (fd < 0)
        {
            throw LinuxException.Last("open", path);
        }

        try
        {
            try
            {
                LinuxException.Check(FileCalls.WriteAll(fd, content), "write", path);
                LinuxException.Check(FileCalls.Sync(fd), "fsync", path);
            }
            finally
            {
                _ = FileCalls.Close(fd);
            }

            LinuxException.Check(FileCalls.Rename(FileCalls.AtCurrentDirectory, beside, FileCalls.AtCurrentDirectory, FileCalls.Terminated(path)), "rename", path);
        }
        catch
        {
            _ = FileCalls.Remove(FileCalls.AtCurrentDirectory, beside, isDirectory: false);
            throw;
        }

        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Makes renames in a directory durable.</summary>
    public static void SyncDirectory(string path)
    {
        using var directory = DirectoryHandle.Open(path);
        LinuxException.Check(FileCalls.Sync(directory.Descriptor), "fsync", path);
    }
}
