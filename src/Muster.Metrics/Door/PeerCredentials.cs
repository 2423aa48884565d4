using System.Net.Sockets;
using Muster.Metrics.Collecting;

namespace Muster.Metrics.Door;

/// <summary>Who is at the other end of a Unix socket, as the kernel tells it (unix(7), SO_PEERCRED).</summary>
internal static class PeerCredentials
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    public static MetricView Of(Socket socket)
    {
        // struct ucred: process, user, group.
        Span<byte> credentials = stackalloc byte[12];
        return socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials) == credentials.Length
            ? new MetricView
            {
                ProcessId = BitConverter.ToInt32(credentials),
                UserId = BitConverter.ToUInt32(credentials[4..]),
                GroupId = BitConverter.ToUInt32(credentials[8..]),
            }
            : new MetricView();
    }
}
