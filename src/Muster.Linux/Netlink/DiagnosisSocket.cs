using System.Runtime.InteropServices;

namespace Muster.Linux.Netlink;

/// <summary>
/// sock_diag(7): the sockets of a network namespace as the kernel's own tables have them. One walk tells both address
/// families; /proc/net/tcp and tcp6 walk the table of connections (262,144 chains on a machine of 24 GB) twice each.
/// </summary>
public sealed class DiagnosisSocket : IDisposable
{
    /// <summary>States of TCP, from 1 (established) to 11 (closing): include/net/tcp_states.h.</summary>
    public const int TcpStates = 11;

    private const int NETLINK_SOCK_DIAG = 4;

    // The older of the two requests: the only one that asks for both families at once.
    private const ushort TCPDIAG_GETSOCK = 18;

    private readonly NetlinkSocket _socket = new(NETLINK_SOCK_DIAG);

    /// <summary>
    /// Counts the TCP sockets of the namespace in which this was opened. <paramref name="version4"/> and
    /// <paramref name="version6"/> get the number in state n at n - 1; both have <see cref="TcpStates"/> places.
    /// </summary>
    /// <exception cref="LinuxException">The kernel has no tcp_diag (ENOENT), or the table changed all the time.</exception>
    public void CountTcp(long[] version4, long[] version6)
    {
        const byte inet = 2;
        const byte inet6 = 10;
        Clear();
        _socket.Dump(
            () => new NetlinkBatch().Begin(TCPDIAG_GETSOCK, NetlinkBatch.Flags.Dump, "sock_diag: list TCP sockets").Put(new Request { States = (1 << (TcpStates + 1)) - 2 }),
            (_, payload) =>
            {
                // struct inet_diag_msg: family, state, …
                var states = payload.Length < 2 ? null : payload[0] switch { inet => version4, inet6 => version6, _ => null };
                if (states is not null && payload[1] is >= 1 and <= TcpStates)
                {
                    states[payload[1] - 1]++;
                }
            },
            Clear);

        void Clear()
        {
            Array.Clear(version4);
            Array.Clear(version6);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /// <summary>struct inet_diag_req (linux/inet_diag.h), all of whose other fields mean "any".</summary>
    [StructLayout(LayoutKind.Explicit, Size = 60)]
    private struct Request
    {
        [FieldOffset(52)]
        public uint States;
    }
}
