using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>What poll(2) is asked and answers about one descriptor.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PollFd
{
    public int Descriptor;
    public short Events;
    public short Returned;

    public const short In = 1;
    public const short Out = 4;
    public const short Error = 8;
    public const short HangUp = 16;
    public const short Invalid = 32;
}

/// <summary>Plain descriptors for event loops: read, write, pipe2, poll, close, fcntl, close_range, dup.</summary>
public static unsafe partial class Descriptors
{
    private const int O_CLOEXEC = 0x80000;
    private const int O_NONBLOCK = 0x800;
    private const uint CLOSE_RANGE_CLOEXEC = 4;
    private const int F_SETFD = 2;
    private const int F_GETFL = 3;
    private const int F_SETFL = 4;
    private const int F_GETPIPE_SZ = 1032;

    /// <summary>A pipe whose two ends are close-on-exec; <paramref name="nonBlocking"/> holds for both ends.</summary>
    public static (int Read, int Write) Pipe(bool nonBlocking = false)
    {
        var ends = stackalloc int[2];
        LinuxException.Check(pipe2(ends, O_CLOEXEC | (nonBlocking ? O_NONBLOCK : 0)), "pipe2");
        return (ends[0], ends[1]);
    }

    /// <summary>Makes one end of a pipe of ours non-blocking. Not for inherited descriptors: the flag is shared with whoever else has them.</summary>
    public static void SetNonBlocking(int descriptor) =>
        LinuxException.Check(fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL, 0) | O_NONBLOCK), "fcntl");

    /// <summary>How many bytes a pipe can hold, as it is set now; null for what is no pipe.</summary>
    public static int? PipeCapacity(int descriptor) => fcntl(descriptor, F_GETPIPE_SZ, 0) is >= 0 and var bytes ? bytes : null;

    /// <summary>How many bytes can be read of a pipe just now.</summary>
    public static int Available(int descriptor)
    {
        int bytes;
        LinuxException.Check(ioctl(descriptor, 0x541b /* FIONREAD */, &bytes), "ioctl");
        return bytes;
    }

    /// <summary>Moves the position of an open file back.</summary>
    public static void StepBack(int descriptor, long bytes) => LinuxException.Check(lseek(descriptor, -bytes, 1 /* SEEK_CUR */), "lseek");

    /// <summary>Lets a descriptor survive execve, or not.</summary>
    public static void SetCloseOnExec(int descriptor, bool on) => LinuxException.Check(fcntl(descriptor, F_SETFD, on ? 1 : 0), "fcntl");

    /// <summary>
    /// Whether standard input, output or error is what the caller gave us. What survived execve is not close-on-exec: where the
    /// caller had closed one of them, its number may be a file of the language runtime's own by now.
    /// </summary>
    public static bool IsCallers(int descriptor) => fcntl(descriptor, 1 /* F_GETFD */, 0) == 0;

    /// <summary>Puts /dev/null in the place of what the caller had closed of standard input, output and error; only for the moment before execve.</summary>
    internal static void FillStandard()
    {
        for (var descriptor = 0; descriptor <= 2; descriptor++)
        {
            if (!IsCallers(descriptor))
            {
                var nothing = open("/dev/null", 2 /* O_RDWR */, 0);
                if (nothing != descriptor)
                {
                    _ = dup2(nothing, descriptor);
                    _ = close(nothing);
                }
            }
        }
    }

    /// <summary>Marks every descriptor from <paramref name="first"/> up close-on-exec, so that no child inherits a lock or a pipe.</summary>
    public static void CloseOnExecFrom(int first)
    {
        if (close_range((uint)first, uint.MaxValue, CLOSE_RANGE_CLOEXEC) == 0)
        {
            return;
        }

        // Kernels before 5.11: walk the table.
        foreach (var entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(entry), out var descriptor) && descriptor >= first)
            {
                _ = fcntl(descriptor, F_SETFD, 1);
            }
        }
    }

    /// <summary>Reads what is there: 0 at the end, -1 when it would block; EINTR is retried, EIO of a closed pty counts as the end.</summary>
    public static int Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* to = buffer)
        {
            while (true)
            {
                var n = (int)read(descriptor, to, (nuint)buffer.Length);
                if (n >= 0)
                {
                    return n;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        return -1;
                    case Errno.EIO:
                        return 0;
                    default:
                        throw LinuxException.Last("read");
                }
            }
        }
    }

    /// <summary>Writes what fits: the count, 0 when it would block, -1 when the reader has gone.</summary>
    public static int Write(int descriptor, ReadOnlySpan<byte> data)
    {
        fixed (byte* from = data)
        {
            while (true)
            {
                var n = (int)write(descriptor, from, (nuint)data.Length);
                if (n >= 0)
                {
                    return n;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        return 0;
                    case Errno.EPIPE or Errno.EIO or Errno.EBADF:
                        return -1;
                    default:
                        throw LinuxException.Last("write");
                }
            }
        }
    }

    /// <summary>Writes all of it to a blocking descriptor; false when the reader has gone.</summary>
    public static bool WriteAll(int descriptor, ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            var n = Write(descriptor, data);
            if (n < 0)
            {
                return false;
            }

            data = data[n..];
        }

        return true;
    }

    /// <summary>Waits for events; a negative time-out waits for ever. Returns the number of ready descriptors, 0 on time-out or EINTR.</summary>
    public static int Poll(Span<PollFd> descriptors, int timeoutMilliseconds)
    {
        fixed (PollFd* p = descriptors)
        {
            var n = poll(p, (nuint)descriptors.Length, timeoutMilliseconds);
            return n >= 0 ? n : Marshal.GetLastPInvokeError() == Errno.EINTR ? 0 : throw LinuxException.Last("poll");
        }
    }

    /// <summary>Closes a descriptor; negative ones are none.</summary>
    public static void Close(int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = close(descriptor);
        }
    }

    /// <summary>
    /// A file in memory with that content, close-on-exec: while we live a child may read or write it as <see cref="PathOf"/>, and nothing is left behind.
    /// </summary>
    public static int InMemory(string name, ReadOnlySpan<byte> content)
    {
        var descriptor = LinuxException.Check(memfd_create(name, 1 /* MFD_CLOEXEC */), "memfd_create", name);
        WriteAll(descriptor, content);
        return descriptor;
    }

    /// <summary>The path by which other processes of the same user open one of our descriptors anew.</summary>
    public static string PathOf(int descriptor) => $"/proc/{Environment.ProcessId}/fd/{descriptor}";

    /// <summary>A second descriptor of the same open file, close-on-exec.</summary>
    public static int Duplicate(int descriptor) => LinuxException.Check(fcntl(descriptor, 1030 /* F_DUPFD_CLOEXEC */, 3), "fcntl");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollFd* descriptors, nuint count, int timeout);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup2(int from, int to);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int descriptor, ulong request, int* argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int descriptor, long offset, int whence);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close_range(uint first, uint last, uint flags);
}
