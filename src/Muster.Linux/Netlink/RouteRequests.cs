using System.Net;
using System.Net.Sockets;

namespace Muster.Linux.Netlink;

/// <summary>A pair of virtual Ethernet links whose peer is put straight into another namespace.</summary>
public sealed record VethRequest
{
    public required string Name { get; init; }

    /// <summary>The bridge that the near end joins; 0 for none.</summary>
    public int Master { get; init; }

    /// <summary>Leaves the near end down, for what must be there before the first frame, and costs the kernel a grace period later.</summary>
    public bool StaysDown { get; init; }

    /// <summary>The peer's name inside its namespace.</summary>
    public required string PeerName { get; init; }

    /// <summary>The peer's six bytes of hardware address; null lets the kernel choose.</summary>
    public byte[]? PeerMac { get; init; }

    /// <summary>An open descriptor of the peer's network namespace.</summary>
    public required int PeerNamespace { get; init; }

    /// <summary>0 keeps the kernel's 1500.</summary>
    public int Mtu { get; init; }
}

/// <summary>The requests of rtnetlink(7) that Muster makes, each appended to a <see cref="NetlinkBatch"/>.</summary>
public static class RouteRequests
{
    internal const byte AF_INET = 2;
    internal const byte AF_INET6 = 10;
    internal const byte AF_BRIDGE = 7;

    internal const ushort RTM_NEWLINK = 16;
    internal const ushort RTM_DELLINK = 17;
    internal const ushort RTM_GETLINK = 18;
    internal const ushort RTM_SETLINK = 19;
    internal const ushort RTM_NEWADDR = 20;
    internal const ushort RTM_DELADDR = 21;
    internal const ushort RTM_GETADDR = 22;
    internal const ushort RTM_NEWROUTE = 24;
    internal const ushort RTM_DELROUTE = 25;
    internal const ushort RTM_GETROUTE = 26;
    internal const ushort RTM_NEWNEIGH = 28;
    internal const ushort RTM_DELNEIGH = 29;

    internal const ushort IFLA_ADDRESS = 1;
    internal const ushort IFLA_IFNAME = 3;
    internal const ushort IFLA_MTU = 4;
    internal const ushort IFLA_MASTER = 10;
    internal const ushort IFLA_LINKINFO = 18;
    internal const ushort IFLA_IFALIAS = 20;
    internal const ushort IFLA_AF_SPEC = 26;
    internal const ushort IFLA_NET_NS_FD = 28;
    internal const ushort IFLA_INFO_KIND = 1;
    internal const ushort IFLA_INFO_DATA = 2;
    internal const ushort IFLA_PROTINFO = 12;
    internal const ushort IFLA_INET6_ADDR_GEN_MODE = 8;
    internal const ushort VETH_INFO_PEER = 1;
    internal const ushort IFLA_BR_FORWARD_DELAY = 1;
    internal const ushort IFLA_BR_MCAST_SNOOPING = 23;
    internal const ushort IFLA_BRPORT_MODE = 4;
    internal const ushort IFLA_BRPORT_LEARNING = 8;
    internal const ushort IFLA_BRPORT_LOCKED = 39;

    internal const ushort IFA_ADDRESS = 1;
    internal const ushort IFA_LOCAL = 2;
    internal const ushort IFA_FLAGS = 8;
    internal const uint IFA_F_NODAD = 2;

    internal const ushort RTA_DST = 1;
    internal const ushort RTA_OIF = 4;
    internal const ushort RTA_GATEWAY = 5;

    private const ushort NDA_DST = 1;
    private const ushort NDA_LLADDR = 2;
    private const ushort NUD_REACHABLE = 0x02;
    private const ushort NUD_NOARP = 0x40;
    private const ushort NUD_PERMANENT = 0x80;
    private const byte NTF_MASTER = 0x04;
    private const uint IFF_UP = 1;
    private const byte RT_TABLE_MAIN = 254;
    private const byte RTPROT_STATIC = 4;
    private const byte RTN_UNICAST = 1;
    private const byte RT_SCOPE_LINK = 253;

    private const NetlinkBatch.Flags New = NetlinkBatch.Flags.Ack | NetlinkBatch.Flags.Create | NetlinkBatch.Flags.Exclusive;

    /// <summary>Makes a veth pair in one request: the near end is up, unless it is asked to stay down, and a port of a bridge, the far one in its namespace and still down.</summary>
    public static NetlinkBatch AddVeth(this NetlinkBatch batch, VethRequest veth)
    {
        batch.Begin(RTM_NEWLINK, New, "create link " + veth.Name)
            .Put(new InterfaceMessage { Flags = veth.StaysDown ? 0 : IFF_UP, Change = IFF_UP })
            .Put(IFLA_IFNAME, veth.Name);
        if (veth.Mtu > 0)
        {
            batch.Put(IFLA_MTU, (uint)veth.Mtu);
        }

        if (veth.Master > 0)
        {
            batch.Put(IFLA_MASTER, (uint)veth.Master);
        }

        return batch.Nest(IFLA_LINKINFO, info => info
            .Put(IFLA_INFO_KIND, "veth")
            .Nest(IFLA_INFO_DATA, data => data.Nest(VETH_INFO_PEER, peer =>
            {
                // It cannot be up yet: the kernel configures it before it knows its partner (ENOTCONN).
                peer.Put(default(InterfaceMessage))
                    .Put(IFLA_IFNAME, veth.PeerName)
                    .Put(IFLA_NET_NS_FD, (uint)veth.PeerNamespace);
                if (veth.PeerMac is not null)
                {
                    peer.Put(IFLA_ADDRESS, veth.PeerMac);
                }

                if (veth.Mtu > 0)
                {
                    peer.Put(IFLA_MTU, (uint)veth.Mtu);
                }
            })));
    }

    /// <summary>Makes a bridge that is up. A hardware address set here stays, whatever ports come and go.</summary>
    public static NetlinkBatch AddBridge(this NetlinkBatch batch, string name, byte[] mac, int mtu)
    {
        batch.Begin(RTM_NEWLINK, New, "create bridge " + name)
            .Put(new InterfaceMessage { Flags = IFF_UP, Change = IFF_UP })
            .Put(IFLA_IFNAME, name)
            .Put(IFLA_ADDRESS, mac);
        if (mtu > 0)
        {
            batch.Put(IFLA_MTU, (uint)mtu);
        }

        // No spanning tree runs on it: a new port must forward at once and not after 15 s of listening. Multicast goes to every
        // port: a bridge that learns who wants it believes whoever asks, who could so cut the others off from IPv6's discovery.
        return batch.Nest(IFLA_LINKINFO, info => info
            .Put(IFLA_INFO_KIND, "bridge")
            .Nest(IFLA_INFO_DATA, data => data.Put(IFLA_BR_FORWARD_DELAY, 0u).Put(IFLA_BR_MCAST_SNOOPING, (byte)0)));
    }

    /// <summary>Names a link's owner (what <c>ip link</c> shows as alias) and keeps IPv6 from giving it a link-local address.</summary>
    public static NetlinkBatch Describe(this NetlinkBatch batch, string name, string alias, bool noLinkLocal)
    {
        batch.Begin(RTM_SETLINK, NetlinkBatch.Flags.Ack, "describe link " + name)
            .Put(default(InterfaceMessage))
            .Put(IFLA_IFNAME, name)
            .Put(IFLA_IFALIAS, System.Text.Encoding.UTF8.GetBytes(alias));
        return noLinkLocal
            ? batch.Nest(IFLA_AF_SPEC, spec => spec.Nest(AF_INET6, v6 => v6.Put(IFLA_INET6_ADDR_GEN_MODE, (byte)1)))
            : batch;
    }

    /// <summary>Lets a bridge port send back what came from it, which a pod needs to reach its own published port where bridged frames pass netfilter.</summary>
    public static NetlinkBatch SetHairpin(this NetlinkBatch batch, int index, string name) =>
        batch.Begin(RTM_SETLINK, NetlinkBatch.Flags.Ack, "set hairpin on " + name)
            .Put(new InterfaceMessage { Family = AF_BRIDGE, Index = index })
            .Nest(IFLA_PROTINFO, port => port.Put(IFLA_BRPORT_MODE, (byte)1));

    /// <summary>
    /// Lets a bridge port send from one hardware address only: what comes from another is dropped. Kernels before 5.16 do not
    /// know the lock and leave it out.
    /// </summary>
    public static NetlinkBatch LockPort(this NetlinkBatch batch, int index, string name, byte[] mac) =>
        batch.Begin(RTM_NEWNEIGH, NetlinkBatch.Flags.Ack | NetlinkBatch.Flags.Create | NetlinkBatch.Flags.Replace, "set the hardware address behind " + name)
            .Put(new NeighbourMessage { Family = AF_BRIDGE, Index = index, State = NUD_NOARP | NUD_REACHABLE, Flags = NTF_MASTER })
            .Put(NDA_LLADDR, mac)
            .Begin(RTM_SETLINK, NetlinkBatch.Flags.Ack, "lock port " + name)
            .Put(new InterfaceMessage { Family = AF_BRIDGE, Index = index })
            .Nest(IFLA_PROTINFO, port => port.Put(IFLA_BRPORT_LEARNING, (byte)0).Put(IFLA_BRPORT_LOCKED, (byte)1));

    /// <summary>Takes the hardware address of <see cref="LockPort"/> from a bridge port: nothing that comes from it passes any more.</summary>
    public static NetlinkBatch ForgetPort(this NetlinkBatch batch, int index, string name, byte[] mac) =>
        batch.Begin(RTM_DELNEIGH, NetlinkBatch.Flags.Ack, "forget the hardware address behind " + name)
            .Put(new NeighbourMessage { Family = AF_BRIDGE, Index = index, Flags = NTF_MASTER })
            .Put(NDA_LLADDR, mac);

    /// <summary>Turns a link up or down.</summary>
    public static NetlinkBatch SetUp(this NetlinkBatch batch, string name, bool up = true) =>
        batch.Begin(RTM_SETLINK, NetlinkBatch.Flags.Ack, (up ? "set up " : "set down ") + name)
            .Put(new InterfaceMessage { Flags = up ? IFF_UP : 0, Change = IFF_UP })
            .Put(IFLA_IFNAME, name);

    /// <summary>Turns up a link known by its index; loopback is always 1.</summary>
    public static NetlinkBatch SetUp(this NetlinkBatch batch, int index) =>
        batch.Begin(RTM_SETLINK, NetlinkBatch.Flags.Ack, $"set up link {index}")
            .Put(new InterfaceMessage { Index = index, Flags = IFF_UP, Change = IFF_UP });

    /// <summary>Makes a link a port of a bridge, or of none with 0.</summary>
    public static NetlinkBatch SetMaster(this NetlinkBatch batch, string name, int master) =>
        batch.Begin(RTM_SETLINK, NetlinkBatch.Flags.Ack, "set master of " + name)
            .Put(default(InterfaceMessage))
            .Put(IFLA_IFNAME, name)
            .Put(IFLA_MASTER, (uint)master);

    /// <summary>Sets the largest packet of a link.</summary>
    public static NetlinkBatch SetMtu(this NetlinkBatch batch, string name, int mtu) =>
        batch.Begin(RTM_SETLINK, NetlinkBatch.Flags.Ack, "set mtu of " + name)
            .Put(default(InterfaceMessage))
            .Put(IFLA_IFNAME, name)
            .Put(IFLA_MTU, (uint)mtu);

    /// <summary>Gives a link another name; kernels before 6.2 want it down.</summary>
    public static NetlinkBatch Rename(this NetlinkBatch batch, int index, string name) =>
        batch.Begin(RTM_SETLINK, NetlinkBatch.Flags.Ack, $"rename link {index} to {name}")
            .Put(new InterfaceMessage { Index = index })
            .Put(IFLA_IFNAME, name);

    /// <summary>Moves a link into the namespace of an open descriptor.</summary>
    public static NetlinkBatch MoveTo(this NetlinkBatch batch, string name, int namespaceDescriptor) =>
        batch.Begin(RTM_SETLINK, NetlinkBatch.Flags.Ack, "move link " + name)
            .Put(default(InterfaceMessage))
            .Put(IFLA_IFNAME, name)
            .Put(IFLA_NET_NS_FD, (uint)namespaceDescriptor);

    /// <summary>Removes a link.</summary>
    public static NetlinkBatch DeleteLink(this NetlinkBatch batch, string name) =>
        batch.Begin(RTM_DELLINK, NetlinkBatch.Flags.Ack, "delete link " + name)
            .Put(default(InterfaceMessage))
            .Put(IFLA_IFNAME, name);

    /// <summary>Gives a link an address. IPv6 ones skip duplicate address detection: they are ours by an owner file, and waiting a second would be seen.</summary>
    public static NetlinkBatch AddAddress(this NetlinkBatch batch, int link, IPAddress address, int prefixLength) =>
        Address(batch.Begin(RTM_NEWADDR, New, $"add address {address}/{prefixLength}"), link, address, prefixLength);

    /// <summary>Takes an address from a link.</summary>
    public static NetlinkBatch DeleteAddress(this NetlinkBatch batch, int link, IPAddress address, int prefixLength) =>
        Address(batch.Begin(RTM_DELADDR, NetlinkBatch.Flags.Ack, $"delete address {address}/{prefixLength}"), link, address, prefixLength);

    /// <summary>Adds a route; no gateway means that the destination is on the link, prefix length 0 a default route.</summary>
    public static NetlinkBatch AddRoute(this NetlinkBatch batch, IPAddress destination, int prefixLength, IPAddress? gateway, int link) =>
        Route(batch.Begin(RTM_NEWROUTE, New, $"add route {destination}/{prefixLength}"), destination, prefixLength, gateway, link);

    /// <summary>Removes a route.</summary>
    public static NetlinkBatch DeleteRoute(this NetlinkBatch batch, IPAddress destination, int prefixLength, IPAddress? gateway, int link) =>
        Route(batch.Begin(RTM_DELROUTE, NetlinkBatch.Flags.Ack, $"delete route {destination}/{prefixLength}"), destination, prefixLength, gateway, link);

    /// <summary>Records for good which hardware address an address has.</summary>
    public static NetlinkBatch AddNeighbour(this NetlinkBatch batch, int link, IPAddress address, byte[] mac) =>
        batch.Begin(RTM_NEWNEIGH, NetlinkBatch.Flags.Ack | NetlinkBatch.Flags.Create | NetlinkBatch.Flags.Replace, $"add neighbour {address}")
            .Put(new NeighbourMessage { Family = Family(address), Index = link, State = NUD_PERMANENT })
            .Put(NDA_DST, address.GetAddressBytes())
            .Put(NDA_LLADDR, mac);

    /// <summary>Forgets a neighbour.</summary>
    public static NetlinkBatch DeleteNeighbour(this NetlinkBatch batch, int link, IPAddress address) =>
        batch.Begin(RTM_DELNEIGH, NetlinkBatch.Flags.Ack, $"delete neighbour {address}")
            .Put(new NeighbourMessage { Family = Family(address), Index = link })
            .Put(NDA_DST, address.GetAddressBytes());

    /// <summary>Writes a hardware address as <c>02:00:0a:d1:00:05</c>.</summary>
    public static string FormatMac(ReadOnlySpan<byte> mac)
    {
        Span<char> text = stackalloc char[17];
        for (var i = 0; i < 6; i++)
        {
            if (i > 0)
            {
                text[(i * 3) - 1] = ':';
            }

            text[i * 3] = "0123456789abcdef"[mac[i] >> 4];
            text[(i * 3) + 1] = "0123456789abcdef"[mac[i] & 15];
        }

        return new string(text);
    }

    /// <summary>Reads what <see cref="FormatMac"/> wrote.</summary>
    public static byte[] ParseMac(string text) => Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal));

    private static byte Family(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? AF_INET6 : AF_INET;

    private static NetlinkBatch Address(NetlinkBatch batch, int link, IPAddress address, int prefixLength)
    {
        var v6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        var bytes = address.GetAddressBytes();
        batch.Put(new AddressMessage { Family = Family(address), PrefixLength = (byte)prefixLength, Index = (uint)link })
            .Put(IFA_LOCAL, bytes)
            .Put(IFA_ADDRESS, bytes);
        return v6 ? batch.Put(IFA_FLAGS, IFA_F_NODAD) : batch;
    }

    private static NetlinkBatch Route(NetlinkBatch batch, IPAddress destination, int prefixLength, IPAddress? gateway, int link)
    {
        batch.Put(new RouteMessage
        {
            Family = Family(destination),
            DestinationLength = (byte)prefixLength,
            Table = RT_TABLE_MAIN,
            Protocol = RTPROT_STATIC,
            Scope = gateway is null && destination.AddressFamily == AddressFamily.InterNetwork ? RT_SCOPE_LINK : (byte)0,
            Type = RTN_UNICAST,
        });
        if (prefixLength > 0)
        {
            batch.Put(RTA_DST, destination.GetAddressBytes());
        }

        if (gateway is not null)
        {
            batch.Put(RTA_GATEWAY, gateway.GetAddressBytes());
        }

        return link > 0 ? batch.Put(RTA_OIF, (uint)link) : batch;
    }
}
