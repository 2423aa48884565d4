using System.Buffers.Binary;
using System.Net;
using System.Text;
using Muster.Core;
using Muster.Linux;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>
/// Our one nftables table, <c>inet muster_TAG</c>: address translation for pods, published ports, and who may open
/// connections to pods. Loaded whole by nft(8) when it is missing (once a boot, or after somebody flushed the rule set) or
/// when a network comes or goes; published ports are single elements added through nfnetlink. Nobody else's table is touched.
/// </summary>
internal sealed class PacketRules
{
    // Its presence says that the table is complete and of this layout; change the number with the script.
    private const string Layout = "layout_2";

    private static readonly string[] Programs = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"];

    private readonly NetworkPaths _paths;

    public PacketRules(NetworkPaths paths) => _paths = paths;

    /// <summary>Whether nft(8) is installed.</summary>
    public static bool IsInstalled => Array.Exists(Programs, File.Exists);

    /// <summary>The table's name.</summary>
    public string Table => _paths.Root.NftTable;

    /// <summary>Whether the table is there, whole and of this version's layout.</summary>
    public bool AreLoaded()
    {
        using var netfilter = new NetfilterSocket();
        return netfilter.HasChain(Table, Layout);
    }

    /// <summary>Loads the table anew, in one transaction, with every network that is up and every port that is published. The host's lock must be held.</summary>
    public void Load()
    {
        var networks = new ManagedNetworks(_paths, this).AllUp();
        if (networks.Count == 0)
        {
            using var netfilter = new NetfilterSocket();
            netfilter.DeleteTable(Table);
            return;
        }

        Run(Script(Table, networks));
        using var socket = new NetfilterSocket();
        foreach (var record in Directory.EnumerateDirectories(_paths.Pods).Select(PodRecordFile.Peek))
        {
            if (record is not null)
            {
                socket.AddElements(Table, [.. record.Ports.SelectMany(Elements)]);
            }
        }
    }

    /// <summary>Opens published ports.</summary>
    public void Open(NetfilterSocket netfilter, IReadOnlyList<OwnedPort> ports)
    {
        netfilter.AddElements(Table, [.. ports.SelectMany(Elements)]);
        ForgetUdp(ports);
    }

    /// <summary>Closes published ports; what is closed already stays so.</summary>
    public void Close(IReadOnlyList<OwnedPort> ports)
    {
        using var netfilter = new NetfilterSocket();
        netfilter.RemoveElements(Table, [.. ports.SelectMany(Elements)]);
        ForgetUdp(ports);
    }

    private static void ForgetUdp(IReadOnlyList<OwnedPort> ports)
    {
        var udp = ports.Where(p => p.Protocol == "udp").Select(p => p.HostPort).ToHashSet();
        if (udp.Count == 0)
        {
            return;
        }

        try
        {
            using var conntrack = new ConntrackSocket();
            conntrack.ForgetUdp(udp);
        }
        catch (LinuxException)
        {
            // Without the module nf_conntrack_netlink, senders that never pause are led anew after the kernel's time-out.
        }
    }

    /// <summary>The map elements of one published port: on all addresses of both families, or on one.</summary>
    internal static IEnumerable<MapElement> Elements(OwnedPort port)
    {
        var host = port.HostAddress is null ? null : IPAddress.Parse(port.HostAddress);
        var any = host is null || host.Equals(IPAddress.Any) || host.Equals(IPAddress.IPv6Any);
        foreach (var (to, v6) in new[] { (port.V4, false), (port.V6, true) })
        {
            if (to is null || (host is not null && (host.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6) != v6))
            {
                continue;
            }

            var key = new List<byte>(24);
            if (!any)
            {
                key.AddRange(host!.GetAddressBytes());
            }

            key.AddRange([port.Protocol == "udp" ? (byte)17 : (byte)6, 0, 0, 0]);
            key.AddRange(Padded(port.HostPort));
            yield return new MapElement((any ? "any" : "host") + (v6 ? "6" : "4"), [.. key], [.. IPAddress.Parse(to).GetAddressBytes(), .. Padded(port.PodPort)]);
        }
    }

    /// <summary>The whole table as nft(8) reads it. Deleting and making it anew in one transaction leaves no moment without rules.</summary>
    internal static string Script(string table, IReadOnlyList<ManagedNetwork> networks)
    {
        var prefixes = networks.SelectMany(n => n.Prefixes.Select(p => (Prefix: p, n.Nat))).ToList();
        var script = new StringBuilder();
        script.Append($"add table inet {table}\ndelete table inet {table}\ntable inet {table} {{\n");
        Set(script, "bridges", "ifname", "", networks.Select(n => $"\"{n.Bridge}\""));
        Set(script, "within", "ifname . ifname", "", networks.Select(n => $"\"{n.Bridge}\" . \"{n.Bridge}\""));
        Set(script, "pods4", "ipv4_addr", " flags interval;", prefixes.Where(p => !p.Prefix.IsV6).Select(p => p.Prefix.ToString()));
        Set(script, "pods6", "ipv6_addr", " flags interval;", prefixes.Where(p => p.Prefix.IsV6).Select(p => p.Prefix.ToString()));
        Set(script, "nat4", "ipv4_addr", " flags interval;", prefixes.Where(p => p.Nat && !p.Prefix.IsV6).Select(p => p.Prefix.ToString()));
        Set(script, "nat6", "ipv6_addr", " flags interval;", prefixes.Where(p => p.Nat && p.Prefix.IsV6).Select(p => p.Prefix.ToString()));
        script.Append(Rules.Replace("LAYOUT", Layout, StringComparison.Ordinal)).Append("}\n");
        return script.ToString();
    }

    // A port published on 127.0.0.1 must not be reached from outside by a packet that claims that destination (prerouting
    // returns); the kernel routes nothing from ::1 to a bridge, so there it stays refused and localhost falls back to
    // 127.0.0.1 at once. A pod must not reach the host's loopback through route_localnet, nor speak as it (guard). Connections to pods are opened
    // from their own network, or through a published port; routing to a bridge from outside is dropped.
    private const string Rules = """
          map any4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
          map any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
          map host4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
          map host6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }
          chain LAYOUT { }
          chain guard {
            type filter hook prerouting priority raw; policy accept;
            iifname @bridges ip daddr 127.0.0.0/8 drop
            iifname @bridges ip saddr 127.0.0.0/8 drop
          }
          chain publish {
            fib daddr type != local return
            dnat ip to ip daddr . meta l4proto . th dport map @host4
            dnat ip6 to ip6 daddr . meta l4proto . th dport map @host6
            meta nfproto ipv4 dnat ip to meta l4proto . th dport map @any4
            meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @any6
          }
          chain prerouting {
            type nat hook prerouting priority dstnat; policy accept;
            ip daddr 127.0.0.0/8 return
            ip6 daddr ::1 return
            meta l4proto { tcp, udp } goto publish
          }
          chain output {
            type nat hook output priority -100; policy accept;
            ip6 daddr ::1 return
            meta l4proto { tcp, udp } goto publish
          }
          chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
            oifname != @bridges ip saddr @nat4 masquerade
            oifname != @bridges ip6 saddr @nat6 masquerade
            oifname @bridges ip saddr 127.0.0.0/8 masquerade
            oifname @bridges ct status dnat ip saddr @pods4 masquerade
            oifname @bridges ct status dnat ip6 saddr @pods6 masquerade
          }
          chain forward {
            type filter hook forward priority filter; policy accept;
            iifname . oifname @within accept
            oifname @bridges ct state established,related accept
            oifname @bridges ct status dnat accept
            oifname @bridges drop
          }

        """;

    private static void Set(StringBuilder script, string name, string type, string flags, IEnumerable<string> elements)
    {
        var list = string.Join(", ", elements);
        script.Append($"  set {name} {{ type {type};{flags}{(list.Length == 0 ? "" : $" elements = {{ {list} }};")} }}\n");
    }

    private static byte[] Padded(int port)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)port);
        return bytes;
    }

    private static void Run(string script)
    {
        var nft = Array.Find(Programs, File.Exists)
            ?? throw new MusterException(ErrorKind.Unsupported, "Networks with an address need nft, which is not installed: install the package nftables, or run with --net=host or --net=none");
        var (status, _, error) = HostProgram.Run(nft, ["-f", "-"], [], Encoding.UTF8.GetBytes(script), TimeSpan.FromSeconds(30));
        if (status != 0)
        {
            throw new MusterException(ErrorKind.Unsupported, $"nft refused our table (status {status}: {error.Trim().ReplaceLineEndings(" ")}): this kernel may lack nf_tables, NAT or fib support; see muster doctor");
        }
    }
}
