using System.Runtime.InteropServices;
using Muster.Linux;

namespace Muster.Containers.Accounts;

/// <summary>Owners and modes of folders that we made ourselves.</summary>
internal static partial class Ownership
{
    /// <summary>Sets owner and mode of a folder.</summary>
    public static void Set(string folder, uint uid, uint gid, uint mode)
    {
        LinuxException.Check(lchown(folder, uid, gid), "chown", folder);
        LinuxException.Check(chmod(folder, mode), "chmod", folder);
    }

    /// <summary>Gives a folder the owner and mode of another, the owner shifted: the upper of an overlay gives the root its own.</summary>
    public static void CopyFolder(string from, string to, int shift)
    {
        if (FileStatus.TryRead(FileCalls.AtCurrentDirectory, FileCalls.Terminated(from), out var stat))
        {
            Set(to, stat.Uid + (uint)shift, stat.Gid + (uint)shift, stat.Permissions);
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int lchown(string path, uint uid, uint gid);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int chmod(string path, uint mode);
}
