using Muster.Linux.Netlink;

namespace Muster.Fuzz;

/// <summary>What the kernel sends over netlink: any bytes must be walked without a fault.</summary>
public static class NetlinkTarget
{
    public static void Run(ReadOnlySpan<byte> data)
    {
        var rest = data;
        while (NetlinkSocket.TryMessage(ref rest, out _, out var flags, out _, out var payload))
        {
            NetlinkSocket.ExtendedMessage(flags, payload);
            RouteSocket.ReadLink(payload);
            RouteSocket.ReadAddress(payload);
            RouteSocket.ReadRoute(payload);
            NetfilterSocket.ReadChain(payload);
            ConntrackSocket.ReadUdpDestination(payload, out _);
        }

        NetlinkSocket.ExtendedMessage(0x200, data);
        NetlinkSocket.ExtendedMessage(0x300, data);
        RouteSocket.ReadLink(data);
        RouteSocket.ReadAddress(data);
        RouteSocket.ReadRoute(data);
        NetfilterSocket.ReadChain(data);
    }
}
