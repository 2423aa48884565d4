using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>
/// System calls on files by descriptor and byte name, for trees whose names are any bytes and whose content is hostile.
/// Names are NUL-terminated byte strings. Calls return -1 with the error in <see cref="Error"/>; the callers decide what is expected.
/// </summary>
public static unsafe partial class FileCalls
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int Truncate = 0x200;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;

    /// <summary>RESOLVE_* of openat2(2).</summary>
    public const ulong ResolveNoCrossDevice = 0x01;
    public const ulong ResolveNoMagicLinks = 0x02;
    public const ulong ResolveNoSymlinks = 0x04;
    public const ulong ResolveBeneath = 0x08;
    public const ulong ResolveInRoot = 0x10;

    public const int AtCurrentDirectory = -100;
    public const int AtSymlinkNoFollow = 0x100;
    public const int AtRemoveDirectory = 0x200;
    public const int AtEmptyPath = 0x1000;

    private const long OpenAt2Number = 437;

    /// <summary>O_DIRECTORY: its value differs between architectures (asm/fcntl.h).</summary>
    public static int DirectoryOnly => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    /// <summary>O_NOFOLLOW: its value differs between architectures (asm/fcntl.h).</summary>
    public static int NoFollow => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    /// <summary>The error of the last call.</summary>
    public static int Error => Marshal.GetLastPInvokeError();

    /// <summary>openat(2).</summary>
    public static int Open(int directory, ReadOnlySpan<byte> name, int flags, uint mode = 0)
    {
        fixed (byte* path = name)
        {
            int result;
            do
            {
                result = openat(directory, path, flags | CloseOnExec, mode);
            }
            while (result < 0 && Error == Errno.EINTR);
            return result;
        }
    }

    /// <summary>openat2(2) with <paramref name="resolve"/> = RESOLVE_*; retried while a rename elsewhere makes it ask for that (EAGAIN).</summary>
    public static int OpenBelow(int directory, ReadOnlySpan<byte> name, int flags, ulong resolve)
    {
        // The kernel's advice is to retry a few times and then give up.
        const int attempts = 64;
        OpenHow how = new() { Flags = (ulong)(uint)(flags | CloseOnExec), Resolve = resolve };
        fixed (byte* path = name)
        {
            for (var i = 0; ; i++)
            {
                var result = (int)syscall(OpenAt2Number, directory, (nint)path, (nint)(&how), sizeof(OpenHow));
                if (result >= 0 || i >= attempts || Error is not (Errno.EAGAIN or Errno.EINTR))
                {
                    return result;
                }
            }
        }
    }

    public static int MakeDirectory(int directory, ReadOnlySpan<byte> name, uint mode)
    {
        fixed (byte* path = name)
        {
            return mkdirat(directory, path, mode);
        }
    }

    /// <summary>mknodat(2); <paramref name="mode"/> holds the type bits.</summary>
    public static int MakeNode(int directory, ReadOnlySpan<byte> name, uint mode, uint major, uint minor)
    {
        fixed (byte* path = name)
        {
            return mknodat(directory, path, mode, Device(major, minor));
        }
    }

    public static int MakeSymlink(ReadOnlySpan<byte> target, int directory, ReadOnlySpan<byte> name)
    {
        fixed (byte* path = name, to = target)
        {
            return symlinkat(to, directory, path);
        }
    }

    /// <summary>linkat(2) without following a symbolic link at the end.</summary>
    public static int MakeLink(int oldDirectory, ReadOnlySpan<byte> oldName, int newDirectory, ReadOnlySpan<byte> newName)
    {
        fixed (byte* from = oldName, to = newName)
        {
            return linkat(oldDirectory, from, newDirectory, to, 0);
        }
    }

    public static int Remove(int directory, ReadOnlySpan<byte> name, bool isDirectory)
    {
        fixed (byte* path = name)
        {
            return unlinkat(directory, path, isDirectory ? AtRemoveDirectory : 0);
        }
    }

    public static int Rename(int oldDirectory, ReadOnlySpan<byte> oldName, int newDirectory, ReadOnlySpan<byte> newName)
    {
        fixed (byte* from = oldName, to = newName)
        {
            return renameat(oldDirectory, from, newDirectory, to);
        }
    }

    /// <summary>fchownat(2) of the thing itself, never of what a link points to.</summary>
    public static int ChangeOwner(int directory, ReadOnlySpan<byte> name, uint uid, uint gid)
    {
        fixed (byte* path = name)
        {
            return fchownat(directory, path, uid, gid, AtSymlinkNoFollow);
        }
    }

    public static int ChangeOwner(int descriptor, uint uid, uint gid) => fchown(descriptor, uid, gid);

    public static int ChangeMode(int descriptor, uint mode) => fchmod(descriptor, mode);

    /// <summary>fchmodat(2); follows links, so only for names known to be none.</summary>
    public static int ChangeMode(int directory, ReadOnlySpan<byte> name, uint mode)
    {
        fixed (byte* path = name)
        {
            return fchmodat(directory, path, mode, 0);
        }
    }

    /// <summary>Sets the modification time (and the access time to the same) by descriptor.</summary>
    public static int SetTime(int descriptor, long seconds, uint nanoseconds)
    {
        var times = stackalloc long[4] { seconds, nanoseconds, seconds, nanoseconds };
        return futimens(descriptor, times);
    }

    /// <summary>As above by name, of the thing itself.</summary>
    public static int SetTime(int directory, ReadOnlySpan<byte> name, long seconds, uint nanoseconds)
    {
        var times = stackalloc long[4] { seconds, nanoseconds, seconds, nanoseconds };
        fixed (byte* path = name)
        {
            return utimensat(directory, path, times, AtSymlinkNoFollow);
        }
    }

    /// <summary>Sets both times of the named file to now.</summary>
    public static int Touch(string path)
    {
        fixed (byte* name = Terminated(path))
        {
            return utimensat(AtCurrentDirectory, name, null, 0);
        }
    }

    /// <summary>Writes all of <paramref name="data"/> at the file's position; -1 on error.</summary>
    public static int WriteAll(int descriptor, ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            long done = 0;
            while (done < data.Length)
            {
                var n = write(descriptor, start + done, (nuint)(data.Length - done));
                if (n < 0 && Error == Errno.EINTR)
                {
                    continue;
                }

                if (n < 0)
                {
                    return -1;
                }

                done += n;
            }

            return 0;
        }
    }

    /// <summary>read(2), retried when interrupted.</summary>
    public static int Read(int descriptor, Span<byte> data)
    {
        fixed (byte* start = data)
        {
            nint n;
            do
            {
                n = read(descriptor, start, (nuint)data.Length);
            }
            while (n < 0 && Error == Errno.EINTR);
            return (int)n;
        }
    }

    public static long Seek(int descriptor, long offset) => lseek(descriptor, offset, 0);

    /// <summary>Moves to the first data at or behind an offset (SEEK_DATA); -1 with ENXIO where only a hole follows.</summary>
    public static long SeekData(int descriptor, long offset) => lseek(descriptor, offset, 3);

    /// <summary>Moves to the first hole at or behind an offset (SEEK_HOLE); the file's end counts as one.</summary>
    public static long SeekHole(int descriptor, long offset) => lseek(descriptor, offset, 4);

    public static int SetLength(int descriptor, long length) => ftruncate(descriptor, length);

    public static int Close(int descriptor) => close(descriptor);

    /// <summary>Flushes the whole file system that holds the descriptor.</summary>
    public static int SyncFileSystem(int descriptor) => syncfs(descriptor);

    public static int Sync(int descriptor) => fsync(descriptor);

    /// <summary>readlinkat(2); the length, or -1.</summary>
    public static int ReadLink(int directory, ReadOnlySpan<byte> name, Span<byte> target)
    {
        fixed (byte* path = name, to = target)
        {
            return (int)readlinkat(directory, path, to, (nuint)target.Length);
        }
    }

    /// <summary>Raw directory entries (struct linux_dirent64) into <paramref name="buffer"/>; 0 at the end.</summary>
    public static int ReadDirectory(int descriptor, Span<byte> buffer)
    {
        fixed (byte* to = buffer)
        {
            return (int)getdents64(descriptor, to, (nuint)buffer.Length);
        }
    }

    /// <summary>The process's user id as the kernel checks it.</summary>
    public static uint EffectiveUser => geteuid();

    /// <summary>
    /// Sets the umask to 022 for all that this process and its children make from now on: what a pod consists of has the modes
    /// that its other users need, whatever its starter wants of files of his own.
    /// </summary>
    public static void TakeCommonUmask() => _ = umask(0b000_010_010);

    /// <summary>The bits that the process's umask takes from created files. Reads /proc: setting and resetting it would race with other threads.</summary>
    public static uint Umask()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("Umask:", StringComparison.Ordinal))
            {
                return Convert.ToUInt32(line[6..].Trim(), 8);
            }
        }

        return 0x1ff;
    }

    /// <summary>The text as UTF-8 with a NUL at the end.</summary>
    public static byte[] Terminated(string text)
    {
        var bytes = new byte[System.Text.Encoding.UTF8.GetByteCount(text) + 1];
        System.Text.Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    private static ulong Device(uint major, uint minor) =>
        ((ulong)(major & 0xfffff000) << 32) | ((ulong)(major & 0xfff) << 8) | ((ulong)(minor & 0xffffff00) << 12) | (minor & 0xff);

    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int openat(int dirfd, byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long syscall(long number, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mkdirat(int dirfd, byte* path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mknodat(int dirfd, byte* path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int symlinkat(byte* target, int dirfd, byte* path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int linkat(int olddirfd, byte* oldpath, int newdirfd, byte* newpath, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlinkat(int dirfd, byte* path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int renameat(int olddirfd, byte* oldpath, int newdirfd, byte* newpath);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchownat(int dirfd, byte* path, uint uid, uint gid, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(int fd, uint uid, uint gid);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(int fd, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmodat(int dirfd, byte* path, uint mode, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int futimens(int fd, long* times);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int utimensat(int dirfd, byte* path, long* times, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* data, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* data, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int fd, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);


    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint readlinkat(int dirfd, byte* path, byte* buffer, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint getdents64(int fd, byte* buffer, nuint size);

    [LibraryImport("libc")]
    private static partial uint umask(uint mask);

    [LibraryImport("libc")]
    private static partial uint geteuid();
}
