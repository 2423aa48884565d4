using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Muster.Linux.Netlink;

/// <summary>What the kernel tells of a link (RTM_NEWLINK).</summary>
public sealed record LinkInfo(int Index, string Name, bool Up, bool Running, int Mtu, int Master, string? Mac, string? Alias, string? Kind);

/// <summary>An address of a link (RTM_NEWADDR).</summary>
public sealed record AddressInfo(int Link, IPAddress Address, int PrefixLength);

/// <summary>A route of the main table (RTM_NEWROUTE). <see cref="Destination"/> is the unspecified address for a default route.</summary>
public sealed record RouteInfo(IPAddress Destination, int PrefixLength, IPAddress? Gateway, int Link);

/// <summary>rtnetlink(7): links, addresses, routes and neighbours of one network namespace.</summary>
public sealed class RouteSocket : IDisposable
{
    private readonly NetlinkSocket _socket = new(NetlinkSocket.Route);

    /// <summary>Sends a batch made with <see cref="RouteRequests"/>; see <see cref="NetlinkSocket.Execute"/>.</summary>
    public void Execute(NetlinkBatch batch, params ReadOnlySpan<int> tolerate) => _socket.Execute(batch, null, tolerate);

    /// <summary>The link of a name, or null where there is none.</summary>
    public LinkInfo? Find(string name)
    {
        LinkInfo? found = null;
        var batch = new NetlinkBatch().Begin(RouteRequests.RTM_GETLINK, NetlinkBatch.Flags.Ack, "get link " + name)
            .Put(default(InterfaceMessage))
            .Put(RouteRequests.IFLA_IFNAME, name);
        _socket.TryGet(batch, (_, payload) => found = ReadLink(payload), Errno.ENODEV);
        return found;
    }

    /// <summary>The link of a name; a refusal where there is none.</summary>
    public LinkInfo Get(string name) => Find(name) ?? throw new LinuxException("get link", Errno.ENODEV, name);

    /// <summary>The link by which packets to an address would leave; null when there is no route. Costs the same however many routes there are.</summary>
    public LinkInfo? Towards(IPAddress destination)
    {
        const int noRoute = 101; // ENETUNREACH
        RouteInfo? route = null;
        LinkInfo? link = null;
        var bytes = destination.GetAddressBytes();
        var family = bytes.Length == 16 ? RouteRequests.AF_INET6 : RouteRequests.AF_INET;
        _socket.TryGet(
            new NetlinkBatch().Begin(RouteRequests.RTM_GETROUTE, NetlinkBatch.Flags.Ack, $"look up the route to {destination}")
                .Put(new RouteMessage { Family = family, DestinationLength = (byte)(bytes.Length * 8) })
                .Put(RouteRequests.RTA_DST, bytes),
            (_, payload) => route = ReadRoute(payload),
            noRoute,
            Errno.EACCES,
            Errno.EINVAL,
            Errno.ENODEV);
        if (route is { Link: > 0 })
        {
            _socket.TryGet(
                new NetlinkBatch().Begin(RouteRequests.RTM_GETLINK, NetlinkBatch.Flags.Ack, $"get link {route.Link}").Put(new InterfaceMessage { Index = route.Link }),
                (_, payload) => link = ReadLink(payload),
                Errno.ENODEV);
        }

        return link;
    }

    /// <summary>Every link of the namespace.</summary>
    public List<LinkInfo> Links()
    {
        var links = new List<LinkInfo>();
        _socket.Dump(
            () => new NetlinkBatch().Begin(RouteRequests.RTM_GETLINK, NetlinkBatch.Flags.Dump, "list links").Put(default(InterfaceMessage)),
            (_, payload) => links.AddIfAny(ReadLink(payload)),
            links.Clear);
        return links;
    }

    /// <summary>Every address of the namespace.</summary>
    public List<AddressInfo> Addresses()
    {
        var addresses = new List<AddressInfo>();
        _socket.Dump(
            () => new NetlinkBatch().Begin(RouteRequests.RTM_GETADDR, NetlinkBatch.Flags.Dump, "list addresses").Put(default(AddressMessage)),
            (_, payload) => addresses.AddIfAny(ReadAddress(payload)),
            addresses.Clear);
        return addresses;
    }

    /// <summary>Every unicast route of the main table.</summary>
    public List<RouteInfo> Routes()
    {
        var routes = new List<RouteInfo>();
        _socket.Dump(
            () => new NetlinkBatch().Begin(RouteRequests.RTM_GETROUTE, NetlinkBatch.Flags.Dump, "list routes").Put(default(RouteMessage)),
            (_, payload) => routes.AddIfAny(ReadRoute(payload)),
            routes.Clear);
        return routes;
    }

    /// <summary>Removes a link; false when it was not there.</summary>
    public bool Delete(string name)
    {
        try
        {
            _socket.Execute(new NetlinkBatch().DeleteLink(name));
            return true;
        }
        catch (LinuxException e) when (e.Errno == Errno.ENODEV)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    internal static LinkInfo? ReadLink(ReadOnlySpan<byte> payload)
    {
        if (!MemoryMarshal.TryRead<InterfaceMessage>(payload, out var head))
        {
            return null;
        }

        string name = "", mac = "";
        string? alias = null, kind = null;
        int mtu = 0, master = 0;
        var walk = new NetlinkAttributes(payload[Marshal.SizeOf<InterfaceMessage>()..]);
        while (walk.Next())
        {
            switch (walk.Type)
            {
                case RouteRequests.IFLA_IFNAME:
                    name = walk.Text();
                    break;
                case RouteRequests.IFLA_ADDRESS when walk.Value.Length == 6:
                    mac = RouteRequests.FormatMac(walk.Value);
                    break;
                case RouteRequests.IFLA_MTU:
                    mtu = (int)walk.Number();
                    break;
                case RouteRequests.IFLA_MASTER:
                    master = (int)walk.Number();
                    break;
                case RouteRequests.IFLA_IFALIAS:
                    alias = walk.Text();
                    break;
                case RouteRequests.IFLA_LINKINFO:
                    var info = NetlinkAttributes.Find(walk.Value, RouteRequests.IFLA_INFO_KIND);
                    kind = info.IsEmpty ? null : System.Text.Encoding.UTF8.GetString(info).TrimEnd('\0');
                    break;
            }
        }

        return new LinkInfo(head.Index, name, (head.Flags & 1) != 0, (head.Flags & 0x40) != 0, mtu, master, mac.Length == 0 ? null : mac, alias, kind);
    }

    internal static AddressInfo? ReadAddress(ReadOnlySpan<byte> payload)
    {
        if (!MemoryMarshal.TryRead<AddressMessage>(payload, out var head))
        {
            return null;
        }

        var attributes = payload[Marshal.SizeOf<AddressMessage>()..];
        var local = NetlinkAttributes.Find(attributes, RouteRequests.IFA_LOCAL);
        var bytes = local.IsEmpty ? NetlinkAttributes.Find(attributes, RouteRequests.IFA_ADDRESS) : local;
        return bytes.Length is 4 or 16 ? new AddressInfo((int)head.Index, new IPAddress(bytes), head.PrefixLength) : null;
    }

    internal static RouteInfo? ReadRoute(ReadOnlySpan<byte> payload)
    {
        const byte mainTable = 254;
        const byte unicast = 1;
        if (!MemoryMarshal.TryRead<RouteMessage>(payload, out var head) || head.Table != mainTable || head.Type != unicast)
        {
            return null;
        }

        var family = (AddressFamily)(head.Family == RouteRequests.AF_INET6 ? (int)AddressFamily.InterNetworkV6 : (int)AddressFamily.InterNetwork);
        var destination = family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
        IPAddress? gateway = null;
        var link = 0;
        var walk = new NetlinkAttributes(payload[Marshal.SizeOf<RouteMessage>()..]);
        while (walk.Next())
        {
            switch (walk.Type)
            {
                case RouteRequests.RTA_DST when walk.Value.Length is 4 or 16:
                    destination = new IPAddress(walk.Value);
                    break;
                case RouteRequests.RTA_GATEWAY when walk.Value.Length is 4 or 16:
                    gateway = new IPAddress(walk.Value);
                    break;
                case RouteRequests.RTA_OIF:
                    link = (int)walk.Number();
                    break;
            }
        }

        return new RouteInfo(destination, head.DestinationLength, gateway, link);
    }
}

internal static class ListExtensions
{
    public static void AddIfAny<T>(this List<T> list, T? item)
        where T : class
    {
        if (item is not null)
        {
            list.Add(item);
        }
    }
}

/// <summary>struct ifinfomsg.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct InterfaceMessage
{
    public byte Family;
    public byte Pad;
    public ushort Type;
    public int Index;
    public uint Flags;
    public uint Change;
}

/// <summary>struct ifaddrmsg.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AddressMessage
{
    public byte Family;
    public byte PrefixLength;
    public byte Flags;
    public byte Scope;
    public uint Index;
}

/// <summary>struct rtmsg.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RouteMessage
{
    public byte Family;
    public byte DestinationLength;
    public byte SourceLength;
    public byte Tos;
    public byte Table;
    public byte Protocol;
    public byte Scope;
    public byte Type;
    public uint Flags;
}

/// <summary>struct ndmsg.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NeighbourMessage
{
    public byte Family;
    public byte Pad1;
    public ushort Pad2;
    public int Index;
    public ushort State;
    public byte Flags;
    public byte Type;
}
