using System.Net;
using Muster.Core;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>Chooses prefixes for a network that leaves them open: the first that nothing on the host uses.</summary>
internal static class SubnetChoice
{
    /// <summary>What an automatic network takes its /24 from.</summary>
    public static readonly Subnet Pool = Subnet.Of(new IPAddress([10, 209, 0, 0]), 16);

    private const int PrefixLength = 24;
    private const int Candidates = 256;

    /// <summary>The first /24 of the pool and the ULA /64 of the same number that overlap nothing that is in use.</summary>
    /// <param name="used">Prefixes of routes, addresses and other networks.</param>
    /// <param name="ula">A /48 of fd00::/8 (RFC 4193, section 3.1).</param>
    public static (Subnet V4, Subnet V6) First(IReadOnlyCollection<Subnet> used, Subnet ula)
    {
        for (var i = 0; i < Candidates; i++)
        {
            var v4 = Subnet.Of(Pool[(UInt128)(i << (32 - PrefixLength))], PrefixLength);
            var v6 = Subnet.Of(ula[(UInt128)i << 64], 64);
            if (!used.Any(u => u.Overlaps(v4) || u.Overlaps(v6)))
            {
                return (v4, v6);
            }
        }

        throw new MusterException(ErrorKind.Exhausted, $"No /24 of {Pool} is free: every one overlaps a route of this host; define the network with subnets of its own in net.d");
    }

    /// <summary>A ULA /48 from the machine's id, so that it is the same after a reboot and differs between machines (RFC 4193, section 3.2.2).</summary>
    public static Subnet UlaOf(string machineId)
    {
        Span<byte> address = stackalloc byte[16];
        address.Clear();
        address[0] = 0xfd;
        NameHash.Sha256("muster ula " + machineId).AsSpan(0, 5).CopyTo(address[1..]);
        return Subnet.Of(new IPAddress(address), 48);
    }

    /// <summary>What the host's routes and addresses use. Default routes and IPv6 link-local and multicast prefixes are no use of ours.</summary>
    public static List<Subnet> InUse(IEnumerable<RouteInfo> routes, IEnumerable<AddressInfo> addresses)
    {
        var used = new List<Subnet>();
        foreach (var route in routes)
        {
            if (route.PrefixLength > 0 && !route.Destination.IsIPv6LinkLocal && !route.Destination.IsIPv6Multicast)
            {
                used.Add(Subnet.Of(route.Destination, route.PrefixLength));
            }
        }

        foreach (var address in addresses)
        {
            if (!address.Address.IsIPv6LinkLocal)
            {
                used.Add(Subnet.Of(address.Address, address.PrefixLength));
            }
        }

        return used;
    }
}
