using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Linux.Namespaces;

/// <summary>
/// Network namespaces kept alive by a file: <c>/proc/thread-self/ns/net</c> bind-mounted on an empty file. All work in a
/// namespace is done on a dedicated thread that ends afterwards, so that no pooled thread is ever left in a foreign one.
/// </summary>
/// <remarks>
/// The mount point's folder is no mount of its own. A supervisor that has its own mount namespace carries copies of the
/// mounts of that moment; unlinking the file detaches all of them (detach_mounts in fs/namespace.c), private ones too, so
/// no copy keeps a namespace alive.
/// </remarks>
public static partial class NetworkNamespace
{
    private const int CLONE_NEWNET = 0x40000000;
    private const int O_CLOEXEC = 0x80000;
    private const ulong MS_BIND = 4096;
    private const int MNT_DETACH = 2;
    private const int UMOUNT_NOFOLLOW = 8;

    /// <summary>Makes a namespace, binds it to the new file <paramref name="path"/> and runs <paramref name="inside"/> in it.</summary>
    public static T Create<T>(string path, Func<T> inside) => OnThread(() =>
    {
        LinuxException.Check(unshare(CLONE_NEWNET), "unshare", "network namespace");
        using (new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
        }

        try
        {
            LinuxException.Check(mount("/proc/thread-self/ns/net", path, null, MS_BIND, null), "mount --bind", path);
            return inside();
        }
        catch
        {
            Remove(path);
            throw;
        }
    });

    /// <summary>Runs <paramref name="inside"/> in the namespace of a file.</summary>
    public static T Run<T>(string path, Func<T> inside)
    {
        using var handle = Open(path);
        return OnThread(() =>
        {
            LinuxException.Check(setns(handle, CLONE_NEWNET), "setns", path);
            return inside();
        });
    }

    /// <summary>Runs <paramref name="inside"/> in a new namespace that ends with it.</summary>
    public static T RunInNew<T>(Func<T> inside) => OnThread(() =>
    {
        LinuxException.Check(unshare(CLONE_NEWNET), "unshare", "network namespace");
        return inside();
    });

    /// <inheritdoc cref="Run{T}(string, Func{T})"/>
    public static void Run(string path, Action inside) => Run(path, () =>
    {
        inside();
        return true;
    });

    /// <summary>Opens a namespace's file, for the calls that take a descriptor.</summary>
    public static SafeFileHandle Open(string path) => new(LinuxException.Check(open(path, O_CLOEXEC), "open", path), ownsHandle: true);

    /// <summary>Whether the path is a namespace's file and not an empty one left by a reboot or a kill.</summary>
    public static bool Exists(string path)
    {
        const long nsfs = 0x6e736673;
        var buffer = new StatFs();
        return statfs(path, ref buffer) == 0 && buffer.Type == nsfs;
    }

    /// <summary>Gives the namespace up and removes its file; false when there was none. Its links go when the last process in it ends.</summary>
    public static bool Remove(string path)
    {
        if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && Marshal.GetLastPInvokeError() is not (Errno.EINVAL or Errno.ENOENT))
        {
            throw LinuxException.Last("umount", path);
        }

        if (unlink(path) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == Errno.ENOENT ? false : throw LinuxException.Last("unlink", path);
    }

    /// <summary>Writes a kernel setting of the calling thread's network namespace: <c>ipv4/conf/eth0/forwarding</c>.</summary>
    public static void WriteSetting(string name, string value) => File.WriteAllText(SettingPath(name), value);

    /// <summary>Reads a kernel setting of the calling thread's network namespace; null when this kernel does not have it.</summary>
    public static string? ReadSetting(string name)
    {
        try
        {
            return File.ReadAllText(SettingPath(name)).Trim();
        }
        catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    // /proc/sys/net shows the namespace of the thread that opens it.
    private static string SettingPath(string name) => "/proc/sys/net/" + name;

    private static T OnThread<T>(Func<T> work)
    {
        T result = default!;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;

        // 256 KiB: nothing here recurses, and 50 of these may run at once.
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = work();
                }
#pragma warning disable CA1031 // It is rethrown on the caller's thread, whatever it is.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e);
                }
            },
            256 * 1024)
        {
            IsBackground = true,
            Name = "network namespace",
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle handle, int type);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int mount(string source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int umount2(string target, int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int unlink(string path);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int statfs(string path, ref StatFs buffer);

    /// <summary>struct statfs of 64-bit Linux; only the first field is read.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct StatFs
    {
        public long Type;
    }
}
