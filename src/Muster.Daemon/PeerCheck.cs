using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Muster.Daemon;

/// <summary>
/// Who may use the main door: root and the group <c>muster</c>, by the peer's credentials as the kernel tells them
/// (unix(7), SO_PEERCRED and SO_PEERGROUPS). The group equals root in what it can do.
/// </summary>
internal static partial class PeerCheck
{
    private const string Group = "muster";
    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;
    private const int SO_PEERGROUPS = 59;

    /// <summary>Connection middleware: everybody else is hung up on.</summary>
    public static ConnectionDelegate Admit(ConnectionDelegate next) => connection =>
        connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket && MayEnter(socket) ? next(connection) : Refuse(connection);

    /// <summary>Lets the group reach the socket file, if there is such a group.</summary>
    public static void OpenToGroup(string socket)
    {
        var gid = GroupId();
        if (gid is { } id && lchown(socket, 0, id) == 0)
        {
            File.SetUnixFileMode(socket, (UnixFileMode)0b110_110_000);
        }
        else
        {
            File.SetUnixFileMode(socket, (UnixFileMode)0b110_000_000);
        }
    }

    private static Task Refuse(ConnectionContext connection)
    {
        connection.Abort();
        return Task.CompletedTask;
    }

    private static bool MayEnter(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        if (socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials) != 12)
        {
            return false;
        }

        var uid = BitConverter.ToUInt32(credentials[4..]);
        var gid = BitConverter.ToUInt32(credentials[8..]);
        if (uid == 0)
        {
            return true;
        }

        if (GroupId() is not { } wanted)
        {
            return false;
        }

        // NGROUPS_MAX groups of four bytes.
        var groups = new byte[65536 * 4];
        var length = socket.GetRawSocketOption(SOL_SOCKET, SO_PEERGROUPS, groups);
        return gid == wanted || MemoryMarshal.Cast<byte, uint>(groups.AsSpan(0, length)).Contains(wanted);
    }

    private static uint? GroupId()
    {
        foreach (var line in File.ReadLines("/etc/group"))
        {
            var fields = line.Split(':');
            if (fields.Length >= 3 && fields[0] == Group && uint.TryParse(fields[2], out var gid))
            {
                return gid;
            }
        }

        return null;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint uid, uint gid);
}
