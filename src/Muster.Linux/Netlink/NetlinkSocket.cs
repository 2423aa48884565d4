using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Muster.Linux.Netlink;

/// <summary>
/// A netlink socket. It belongs to the network namespace of the thread that opens it and may be used from any thread,
/// by one at a time. The kernel answers while the request is being sent, so nothing here waits.
/// </summary>
public sealed unsafe partial class NetlinkSocket : IDisposable
{
    /// <summary>NETLINK_ROUTE.</summary>
    public const int Route = 0;

    /// <summary>NETLINK_NETFILTER.</summary>
    public const int Netfilter = 12;

    // One answer of the kernel: it fills at most 32 KiB a read (NLMSG_GOODSIZE and the size of our buffer).
    private const int ReceiveBytes = 32 * 1024;

    // A dump that the kernel interrupts (the table changed) is asked again; more often than this means a storm.
    private const int DumpRetries = 10;

    private const int AF_NETLINK = 16;
    private const int SOCK_RAW_CLOEXEC = 3 | 0x80000;
    private const int SOL_NETLINK = 270;
    private const int SOL_SOCKET = 1;
    private const int NETLINK_CAP_ACK = 10;
    private const int NETLINK_EXT_ACK = 11;
    private const int SO_RCVTIMEO = 20;
    private const ushort NLMSG_ERROR = 2;
    private const ushort NLMSG_DONE = 3;
    private const int MSG_TRUNC = 0x20;

    private readonly SafeFileHandle _handle;
    private readonly byte[] _received = new byte[ReceiveBytes];
    private uint _sequence;

    /// <summary>Opens a socket of <paramref name="protocol"/> in the calling thread's network namespace.</summary>
    public NetlinkSocket(int protocol)
    {
        _handle = new SafeFileHandle(LinuxException.Check(socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol), "socket"), ownsHandle: true);
        var on = 1;
        _ = setsockopt(_handle, SOL_NETLINK, NETLINK_EXT_ACK, &on, 4);
        _ = setsockopt(_handle, SOL_NETLINK, NETLINK_CAP_ACK, &on, 4);

        // The answer is there when send returns; the time-out only keeps a kernel fault from hanging us.
        var timeout = stackalloc long[2] { 30, 0 };
        LinuxException.Check(setsockopt(_handle, SOL_SOCKET, SO_RCVTIMEO, timeout, 16), "setsockopt");
    }

    /// <summary>A message of a dump or an answer: its type and what follows the header.</summary>
    public delegate void Receiver(ushort type, ReadOnlySpan<byte> payload);

    /// <summary>Sends all requests and reads all acknowledgements; throws the first refusal that <paramref name="tolerate"/> does not excuse.</summary>
    /// <param name="batch">Requests; those with the ack flag are waited for.</param>
    /// <param name="answers">Gets what is neither an acknowledgement nor a refusal.</param>
    /// <param name="tolerate">Error numbers that are as good as success, such as EEXIST.</param>
    public void Execute(NetlinkBatch batch, Receiver? answers = null, params ReadOnlySpan<int> tolerate)
    {
        var first = Send(batch);
        var pending = 0;
        foreach (var entry in batch.Entries)
        {
            pending += entry.Acknowledged ? 1 : 0;
        }

        LinuxException? failure = null;
        while (pending > 0)
        {
            var messages = Receive();
            while (TryMessage(ref messages, out var type, out var flags, out var sequence, out var payload))
            {
                var index = sequence - first;
                if (index >= (uint)batch.Count)
                {
                    continue; // an answer to something that failed earlier on this socket
                }

                if (type != NLMSG_ERROR)
                {
                    answers?.Invoke(type, payload);
                    continue;
                }

                var entry = batch.Entries[(int)index];
                pending -= entry.Acknowledged ? 1 : 0;
                var error = payload.Length >= 4 ? -BinaryPrimitives.ReadInt32LittleEndian(payload) : Errno.EIO;
                if (error != 0 && !tolerate.Contains(error))
                {
                    failure ??= Refusal(entry.What, error, flags, payload);
                    if (!entry.Acknowledged)
                    {
                        // The frame of a batch failed (nfnetlink): the rest is answered no more.
                        pending = 0;
                    }
                }
            }
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <summary>Sends one request and hands over its answer, if there is one; false when the kernel says <paramref name="absent"/>.</summary>
    public bool TryGet(NetlinkBatch batch, Receiver answer, params ReadOnlySpan<int> absent)
    {
        try
        {
            Execute(batch, answer);
            return true;
        }
        catch (LinuxException e) when (absent.Contains(e.Errno))
        {
            return false;
        }
    }

    /// <summary>Runs a dump request and hands over every message; begins again (after <paramref name="restart"/>) when the kernel says that the table changed meanwhile.</summary>
    public void Dump(Func<NetlinkBatch> request, Receiver message, Action restart)
    {
        for (var attempt = 0; ; attempt++)
        {
            var batch = request();
            var first = Send(batch);
            if (ReadDump(batch.Entries[0].What, first, message))
            {
                return;
            }

            if (attempt == DumpRetries)
            {
                throw new LinuxException("netlink: " + batch.Entries[0].What, Errno.EAGAIN);
            }

            restart();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>Takes one message off the front of <paramref name="rest"/>; false at the end or where the rest is damaged.</summary>
    internal static bool TryMessage(ref ReadOnlySpan<byte> rest, out ushort type, out ushort flags, out uint sequence, out ReadOnlySpan<byte> payload)
    {
        type = flags = 0;
        sequence = 0;
        payload = default;
        if (rest.Length < NetlinkBatch.HeaderSize)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (length < NetlinkBatch.HeaderSize || length > rest.Length)
        {
            rest = default;
            return false;
        }

        type = BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]);
        flags = BinaryPrimitives.ReadUInt16LittleEndian(rest[6..]);
        sequence = BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
        payload = rest[NetlinkBatch.HeaderSize..length];
        rest = rest[Math.Min(NetlinkBatch.Align(length), rest.Length)..];
        return true;
    }

    /// <summary>The kernel's own sentence in an acknowledgement (NLMSGERR_ATTR_MSG), or null.</summary>
    internal static string? ExtendedMessage(ushort flags, ReadOnlySpan<byte> payload)
    {
        const ushort capped = 0x100;
        const ushort withAttributes = 0x200;
        if ((flags & withAttributes) == 0 || payload.Length < 4 + NetlinkBatch.HeaderSize)
        {
            return null;
        }

        var request = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
        var skip = 4 + ((flags & capped) != 0 ? NetlinkBatch.HeaderSize : request is >= NetlinkBatch.HeaderSize and <= 1 << 20 ? NetlinkBatch.Align(request) : payload.Length);
        if (skip >= payload.Length)
        {
            return null;
        }

        var text = NetlinkAttributes.Find(payload[skip..], 1);
        return text.IsEmpty ? null : Encoding.UTF8.GetString(text).TrimEnd('\0');
    }

    private static LinuxException Refusal(string what, int error, ushort flags, ReadOnlySpan<byte> payload)
    {
        var said = ExtendedMessage(flags, payload);
        return new LinuxException("netlink: " + what, error, said is null ? null : $"({said})");
    }

    private uint Send(NetlinkBatch batch)
    {
        var first = _sequence + 1;
        batch.Seal(first);
        _sequence += (uint)batch.Count;
        fixed (byte* bytes = batch.Bytes)
        {
            while (send(_handle, bytes, (nuint)batch.Bytes.Length, 0) < 0)
            {
                if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                {
                    throw LinuxException.Last("netlink: " + batch.Entries[0].What);
                }
            }
        }

        return first;
    }

    private ReadOnlySpan<byte> Receive()
    {
        fixed (byte* buffer = _received)
        {
            while (true)
            {
                var n = (int)recv(_handle, buffer, ReceiveBytes, MSG_TRUNC);
                if (n > ReceiveBytes)
                {
                    throw new LinuxException("recv netlink", Errno.EOVERFLOW);
                }

                if (n >= 0)
                {
                    return _received.AsSpan(0, n);
                }

                if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                {
                    throw LinuxException.Last("recv netlink");
                }
            }
        }
    }

    // True when the dump is complete and consistent.
    private bool ReadDump(string what, uint first, Receiver message)
    {
        const ushort interrupted = 0x10;
        var consistent = true;
        while (true)
        {
            var messages = Receive();
            while (TryMessage(ref messages, out var type, out var flags, out var sequence, out var payload))
            {
                if (sequence != first)
                {
                    continue;
                }

                consistent &= (flags & interrupted) == 0;
                switch (type)
                {
                    case NLMSG_DONE:
                        // A dump that failed ends with the reason.
                        var result = payload.Length >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(payload) : 0;
                        return result >= 0 ? consistent : throw Refusal(what, -result, flags, default);
                    case NLMSG_ERROR:
                        throw Refusal(what, payload.Length >= 4 ? -BinaryPrimitives.ReadInt32LittleEndian(payload) : Errno.EIO, flags, payload);
                    default:
                        message(type, payload);
                        break;
                }
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(SafeFileHandle handle, int level, int name, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(SafeFileHandle handle, byte* data, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(SafeFileHandle handle, byte* data, nuint length, int flags);
}
