using System.Net.Sockets;
using System.Text;

namespace Muster.Daemon;

/// <summary>sd_notify(3): tells a supervising systemd, where there is one, how far we are.</summary>
internal static class SystemdNotification
{
    public static void Send(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } path)
        {
            return;
        }

        // A leading @ is the abstract name space.
        var address = new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.SendTo(Encoding.UTF8.GetBytes(state), address);
        }
        catch (SocketException)
        {
            // The supervisor went away: nobody is left to tell.
        }
    }
}
