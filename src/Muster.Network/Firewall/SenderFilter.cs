using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Muster.Linux;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>
/// What the host's end of a pod's link takes from the pod: frames from its own hardware address that name it as their sender
/// with its own addresses, in ARP and neighbour discovery too. So no pod speaks as another or as the world, to the host or to
/// its neighbours. It is a program of the classic packet filter on the link, goes with it, and needs no table.
/// </summary>
/// <remarks>A frame that ends before what is looked at passes: no receiver takes it either.</remarks>
internal static class SenderFilter
{
    // tc(8): what the program says of a frame.
    private const uint Pass = 0xffffffff; // TC_ACT_UNSPEC: go on as if there were no filter
    private const uint Drop = 2; // TC_ACT_SHOT

    // Where things stand in an Ethernet frame: RFC 826, RFC 791, RFC 8200, RFC 4861.
    private const uint SourceMac = 6;
    private const uint FrameType = 12;
    private const uint ArpSenderMac = 22;
    private const uint ArpSender = 28;
    private const uint SourceV4 = 26;
    private const uint NextHeader = 20;
    private const uint HopLimit = 21;
    private const uint SourceV6 = 22;
    private const uint IcmpType = 54;
    private const uint AdvertisedTarget = 62;

    private const uint TypeV4 = 0x0800;
    private const uint TypeArp = 0x0806;
    private const uint TypeV6 = 0x86dd;

    private const uint Icmp6 = 58;
    private const uint RouterAdvertisement = 134;
    private const uint NeighbourAdvertisement = 136;
    private const uint Redirect = 137;
    private const uint DiscoveryHopLimit = 255;

    // Hop-by-hop options, routing, fragment, authentication, destination options: a header that another one may follow.
    private static readonly uint[] ExtensionHeaders = [0, 43, 44, 51, 60];

    /// <summary>Puts the filter on a link; false when this kernel has no such filters.</summary>
    public static bool TryPut(RouteSocket route, int link, byte[] mac, IReadOnlyCollection<IPAddress> addresses)
    {
        try
        {
            route.Execute(new NetlinkBatch().FilterReceived(link, Program(mac, addresses)));
            return true;
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENOTSUP)
        {
            return false;
        }
    }

    /// <summary>Whether this kernel has such filters, tried on the loopback of a namespace that is gone afterwards.</summary>
    public static bool IsSupported() => NetworkNamespace.RunInNew(() =>
    {
        using var route = new RouteSocket();
        return TryPut(route, 1, new byte[6], [IPAddress.Loopback]);
    });

    /// <summary>The program for a pod's link.</summary>
    internal static IReadOnlyList<FilterInstruction> Program(byte[] mac, IReadOnlyCollection<IPAddress> addresses)
    {
        var v4 = addresses.Where(a => a.AddressFamily == AddressFamily.InterNetwork).ToList();
        List<IPAddress> v6 = [.. addresses.Where(a => a.AddressFamily == AddressFamily.InterNetworkV6), LinkLocal(mac)];
        return
        [
            .. RequireMac(SourceMac, mac),
            FilterInstruction.LoadHalf(FrameType),
            .. When(TypeV4, [.. Require(SourceV4, v4), FilterInstruction.Return(Pass)]),
            .. When(TypeV6, [.. Require(SourceV6, v6), .. Discovery(v6)]),
            .. When(TypeArp, [.. RequireMac(ArpSenderMac, mac), .. Require(ArpSender, v4), FilterInstruction.Return(Pass)]),
            FilterInstruction.Return(Drop),
        ];
    }

    /// <summary>The address that the kernel gives an Ethernet link by itself (RFC 4291, appendix A).</summary>
    internal static IPAddress LinkLocal(byte[] mac) =>
        new([0xfe, 0x80, 0, 0, 0, 0, 0, 0, (byte)(mac[0] ^ 2), mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]]);

    // Who advertises an address must own it, and no pod is a router. Discovery has a hop limit of 255 (RFC 4861, section 6.1.1);
    // behind other headers, where this program cannot find it, nothing has.
    private static List<FilterInstruction> Discovery(List<IPAddress> own) =>
    [
        FilterInstruction.LoadByte(NextHeader),
        .. When(Icmp6,
        [
            FilterInstruction.LoadByte(IcmpType),
            .. When(RouterAdvertisement, [FilterInstruction.Return(Drop)]),
            .. When(Redirect, [FilterInstruction.Return(Drop)]),
            .. When(NeighbourAdvertisement, Require(AdvertisedTarget, own)),
            FilterInstruction.Return(Pass),
        ]),
        .. ExtensionHeaders.SelectMany(header => When(header,
        [
            FilterInstruction.LoadByte(HopLimit),
            .. When(DiscoveryHopLimit, [FilterInstruction.Return(Drop)]),
            FilterInstruction.Return(Pass),
        ])),
        FilterInstruction.Return(Pass),
    ];

    // The six bytes, or the frame is dropped.
    private static FilterInstruction[] RequireMac(uint offset, byte[] mac) =>
    [
        FilterInstruction.LoadWord(offset),
        .. Unless(BinaryPrimitives.ReadUInt32BigEndian(mac), [FilterInstruction.Return(Drop)]),
        FilterInstruction.LoadHalf(offset + 4),
        .. Unless(BinaryPrimitives.ReadUInt16BigEndian(mac.AsSpan(4)), [FilterInstruction.Return(Drop)]),
    ];

    // One of the addresses, or the frame is dropped.
    private static List<FilterInstruction> Require(uint offset, List<IPAddress> addresses)
    {
        // From the last to the first, as each one that fits skips what follows.
        List<FilterInstruction> rest = [FilterInstruction.Return(Drop)];
        foreach (var address in Enumerable.Reverse(addresses))
        {
            List<FilterInstruction> one = [FilterInstruction.Skip(rest.Count)];
            var bytes = address.GetAddressBytes();
            for (var at = bytes.Length - 4; at >= 0; at -= 4)
            {
                one = [FilterInstruction.LoadWord(offset + (uint)at), .. When(BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at)), one)];
            }

            rest.InsertRange(0, one);
        }

        return rest;
    }

    private static FilterInstruction[] When(uint value, IReadOnlyList<FilterInstruction> then) => [FilterInstruction.SkipUnless(value, then.Count), .. then];

    private static FilterInstruction[] Unless(uint value, IReadOnlyList<FilterInstruction> then) => [FilterInstruction.SkipIf(value, then.Count), .. then];
}
