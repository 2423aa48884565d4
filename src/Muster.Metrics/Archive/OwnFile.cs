using Microsoft.Win32.SafeHandles;
using Muster.Linux;

namespace Muster.Metrics.Archive;

/// <summary>Files that this user's logger made: regular, with one name, and this user's. In a folder that others write to, a name says nothing.</summary>
internal static class OwnFile
{
    public static bool Is(string path) => FileStatus.Find(path) is { } status && Is(status);

    /// <summary>Opens a file that is there; one that is a link, or another's, is refused.</summary>
    public static FileStream Open(string path, FileAccess access)
    {
        var fd = FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), (access == FileAccess.Read ? FileCalls.ReadOnly : FileCalls.ReadWrite) | FileCalls.NoFollow | FileCalls.NonBlocking);
        if (fd < 0)
        {
            throw LinuxException.Last("open", path);
        }

        var handle = new SafeFileHandle(fd, ownsHandle: true);
        try
        {
            return Is(FileStatus.Read(fd)) ? new FileStream(handle, access) : throw new UnauthorizedAccessException($"{path} is not a file of this user alone");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static bool Is(in FileStatus status) => status.Type == FileStatus.Regular && status.Links == 1 && status.Uid == FileCalls.EffectiveUser;
}
