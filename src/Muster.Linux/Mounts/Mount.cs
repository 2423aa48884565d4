using System.Runtime.InteropServices;
using System.Text;

namespace Muster.Linux;

/// <summary>mount(2), umount2(2) and the mount namespace of a thread.</summary>
public static partial class Mount
{
    public const ulong ReadOnly = 1;
    public const ulong NoSuid = 2;
    public const ulong NoDev = 4;
    public const ulong NoExec = 8;
    public const ulong Remount = 32;
    public const ulong BindFlag = 4096;
    public const ulong Recursive = 16384;
    public const ulong Private = 1 << 18;
    public const ulong Slave = 1 << 19;

    /// <summary>Gives the calling thread a mount namespace of its own, into which the host's later mounts still come but nothing goes out of.</summary>
    public static void EnterPrivateNamespace()
    {
        LinuxException.Check(unshare(0x20000 /* CLONE_NEWNS */), "unshare");
        LinuxException.Check(mount("none", "/", null, Slave | Recursive, null), "mount", "/");
    }

    /// <summary>Mounts a file system.</summary>
    public static void Make(string source, string target, string type, ulong flags, string? options) =>
        LinuxException.Check(mount(source, target, type, flags, options), "mount " + type, target);

    /// <summary>Mounts a read-only sysfs that shows another network namespace (a namespace file), or the caller's own for null.</summary>
    public static void MakeSysfs(string target, string? networkNamespace)
    {
        const ulong flags = ReadOnly | NoSuid | NoDev | NoExec;
        if (networkNamespace is null)
        {
            Make("sysfs", target, "sysfs", flags, null);
            return;
        }

        var home = DescriptorLock.Open("/proc/thread-self/ns/net");
        var other = DescriptorLock.Open(networkNamespace);
        try
        {
            LinuxException.Check(setns(other, 0x40000000 /* CLONE_NEWNET */), "setns", networkNamespace);
            try
            {
                Make("sysfs", target, "sysfs", flags, null);
            }
            finally
            {
                LinuxException.Check(setns(home, 0x40000000), "setns");
            }
        }
        finally
        {
            Descriptors.Close(other);
            Descriptors.Close(home);
        }
    }

    /// <summary>Binds a file or directory elsewhere.</summary>
    public static void Bind(string source, string target, bool recursive = false) =>
        LinuxException.Check(mount(source, target, null, BindFlag | (recursive ? Recursive : 0), null), "mount --bind " + source, target);

    /// <summary>Changes the flags of a bind mount.</summary>
    public static void RemountBind(string target, ulong flags) =>
        LinuxException.Check(mount("none", target, null, BindFlag | Remount | flags, null), "mount -o remount", target);

    /// <summary>Takes a mount down, lazily if it is in use; true when there was one.</summary>
    public static bool Detach(string target)
    {
        if (umount2(target, 2 /* MNT_DETACH */) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() is Errno.EINVAL or Errno.ENOENT ? false : throw LinuxException.Last("umount", target);
    }

    /// <summary>A path of a mount table as it is: space, tab, newline and backslash are written there in octal (proc_pid_mountinfo(5)).</summary>
    public static string Unescape(string path) =>
        path.Contains('\\', StringComparison.Ordinal) ? Unescape(Encoding.UTF8.GetBytes(path)) : path;

    /// <inheritdoc cref="Unescape(string)"/>
    public static string Unescape(ReadOnlySpan<byte> path)
    {
        if (!path.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(path);
        }

        var plain = new byte[path.Length];
        var length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '\\' && i + 3 < path.Length && path.Slice(i + 1, 3).IndexOfAnyExceptInRange((byte)'0', (byte)'7') < 0)
            {
                plain[length++] = (byte)(((path[i + 1] - '0') << 6) | ((path[i + 2] - '0') << 3) | (path[i + 3] - '0'));
                i += 3;
            }
            else
            {
                plain[length++] = path[i];
            }
        }

        return Encoding.UTF8.GetString(plain, 0, length);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int mount(string source, string target, string? type, ulong flags, string? options);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int umount2(string target, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(int descriptor, int type);
}
