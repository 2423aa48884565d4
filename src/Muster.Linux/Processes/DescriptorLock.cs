using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>flock(2) on a file or directory: it lasts as long as the open file, across execve.</summary>
public static partial class DescriptorLock
{
    private const int LOCK_SH = 1;
    private const int LOCK_EX = 2;
    private const int LOCK_NB = 4;

    /// <summary>Opens <paramref name="path"/> (file or directory; made when <paramref name="create"/>) close-on-exec, without locking.</summary>
    public static int Open(string path, bool create = false) =>
        LinuxException.Check(open(path, 0x80000 | (create ? 0x40 | 2 : 0), 0x180), "open", path);

    /// <summary>Waits for the lock. Other processes must hold it only for moments.</summary>
    public static void Acquire(int descriptor, bool shared = false)
    {
        while (flock(descriptor, shared ? LOCK_SH : LOCK_EX) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Errno.EINTR)
            {
                throw LinuxException.Last("flock");
            }
        }
    }

    /// <summary>Takes the lock if nobody has it.</summary>
    public static bool TryAcquire(int descriptor, bool shared = false) =>
        flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0
        || (Marshal.GetLastPInvokeError() == Errno.EAGAIN ? false : throw LinuxException.Last("flock"));

    /// <summary>Whether somebody else has it. Asking takes a shared lock for a moment, never an exclusive one.</summary>
    public static bool IsHeld(string path)
    {
        var descriptor = open(path, 0x80000, 0);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError() == Errno.ENOENT ? false : throw LinuxException.Last("open", path);
        }

        try
        {
            return !TryAcquire(descriptor, shared: true);
        }
        finally
        {
            Descriptors.Close(descriptor);
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int descriptor, int operation);
}
