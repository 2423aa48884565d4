using System.Runtime.InteropServices;
using System.Text;

namespace Muster.Linux;

/// <summary>
/// Unix stream sockets by descriptor, for programs too small to carry a socket library: listening, connecting, who the peer
/// is, and receiving one descriptor (unix(7)). Paths longer than sun_path go through /proc/self/fd.
/// </summary>
public static unsafe partial class UnixSockets
{
    private const int AF_UNIX = 1;
    private const int SOCK_STREAM_CLOEXEC = 1 | 0x80000;
    private const int SOCK_NONBLOCK = 0x800;

    /// <summary>A listening socket in <paramref name="folder"/>, mode 0600; an old socket file there is replaced.</summary>
    public static int Listen(string folder, string name)
    {
        var socket = LinuxException.Check(socket_(AF_UNIX, SOCK_STREAM_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
        using var directory = new ShortPath(folder, name);
        try
        {
            _ = unlink(directory.Path);
            LinuxException.Check(fchmod(socket, 0x180), "fchmod", name);
            Address(directory.Path, out var address);
            LinuxException.Check(bind(socket, &address, sizeof(SockAddr)), "bind", Path.Combine(folder, name));
            LinuxException.Check(listen(socket, 64), "listen", name);
            return socket;
        }
        catch
        {
            Descriptors.Close(socket);
            throw;
        }
    }

    /// <summary>Connects; -1 when nobody listens there, or, when it is not to block, who listens has no room for another now.</summary>
    public static int TryConnect(string folder, string name, bool nonBlocking = false)
    {
        using var directory = ShortPath.TryOpen(folder, name);
        if (directory is null)
        {
            return -1;
        }

        var socket = LinuxException.Check(socket_(AF_UNIX, SOCK_STREAM_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0), 0), "socket");
        Address(directory.Path, out var address);
        if (connect(socket, &address, sizeof(SockAddr)) == 0)
        {
            return socket;
        }

        Descriptors.Close(socket);
        return -1;
    }

    /// <summary>Accepts one connection, non-blocking; -1 when there is none.</summary>
    public static int Accept(int socket) => accept4(socket, null, null, 0x80000 | SOCK_NONBLOCK);

    /// <summary>The peer's user id (SO_PEERCRED).</summary>
    public static uint PeerUser(int socket)
    {
        var credentials = stackalloc uint[3];
        var length = 12;
        LinuxException.Check(getsockopt(socket, 1, 17, credentials, &length), "getsockopt");
        return credentials[1];
    }

    /// <summary>Receives one descriptor sent with SCM_RIGHTS; -1 when none came.</summary>
    public static int ReceiveDescriptor(int socket)
    {
        var data = stackalloc byte[256];
        var control = stackalloc byte[64];
        var vector = new IoVec { Base = data, Length = 256 };
        var message = new MsgHdr { Vector = &vector, VectorCount = 1, Control = control, ControlLength = 64 };
        if (recvmsg(socket, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */) < 0 || message.ControlLength < 20)
        {
            return -1;
        }

        // struct cmsghdr: length (8), level (4), type (4), then the descriptor.
        return *(int*)(control + 8) == 1 && *(int*)(control + 12) == 1 ? *(int*)(control + 16) : -1;
    }

    private static void Address(string path, out SockAddr address)
    {
        address = default;
        address.Family = AF_UNIX;
        fixed (byte* to = address.Path)
        {
            var n = Encoding.UTF8.GetByteCount(path);
            if (n > 107)
            {
                throw new LinuxException("bind", Errno.ENAMETOOLONG, path);
            }

            Encoding.UTF8.GetBytes(path, new Span<byte>(to, 108));
        }
    }

    /// <summary>A short name for a socket in a deep folder: /proc/self/fd/N/NAME.</summary>
    private sealed class ShortPath : IDisposable
    {
        private readonly int _directory;

        public ShortPath(string folder, string name)
            : this(LinuxException.Check(open(folder, FileCalls.PathOnly | FileCalls.DirectoryOnly | FileCalls.CloseOnExec), "open", folder), name)
        {
        }

        private ShortPath(int directory, string name)
        {
            _directory = directory;
            Path = $"/proc/self/fd/{directory}/{name}";
        }

        public string Path { get; }

        public static ShortPath? TryOpen(string folder, string name)
        {
            var directory = open(folder, FileCalls.PathOnly | FileCalls.DirectoryOnly | FileCalls.CloseOnExec);
            return directory < 0 ? null : new ShortPath(directory, name);
        }

        public void Dispose() => Descriptors.Close(_directory);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct SockAddr
    {
        public ushort Family;
        public fixed byte Path[108];
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct IoVec
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MsgHdr
    {
        public void* Name;
        public uint NameLength;
        public IoVec* Vector;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int socket_(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int socket, SockAddr* address, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int socket, SockAddr* address, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(int socket, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(int socket, void* address, void* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(int socket, int level, int name, void* value, int* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int socket, MsgHdr* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(int descriptor, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int unlink(string path);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int open(string path, int flags);
}
