using System.Net;
using System.Net.Sockets;
using System.Text;
using Muster.Linux.Namespaces;
using static Muster.Network.Tests.Frames;

namespace Muster.Network.Tests;

/// <summary>A pod that may send raw packets, as every pod may unless it is told otherwise, and the others of its network.</summary>
[Collection("host")]
public sealed class SenderFilterTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly NetworkRequest _request = TestRoot.Request("liar");
    private readonly PodNetworkState _liar;
    private readonly PodNetworkState _other;
    private readonly PodNetworkState _listener;

    public SenderFilterTests()
    {
        (_liar, _other, _listener) = (_root.SetUp(_request), _root.SetUp(TestRoot.Request("other")), _root.SetUp(TestRoot.Request("listener")));
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void No_neighbour_believes_a_pod_that_says_it_is_another()
    {
        var (me, them, they) = (_liar.Interfaces[0].Mac, _listener.Interfaces[0].Mac, _other.Interfaces[0].Mac);
        var (me6, them4, them6) = (V6(_liar), V4(_listener), V6(_listener));
        var (their4, their6) = (V4(_other), V6(_other));
        byte[] Ask(string sender) => ArpPacket(1, me, sender, "00:00:00:00:00:00", them4);
        var advertised = Icmp6(me6, them6, 136, Advertised(their6, me));
        Dictionary<string, byte[]> lies = new()
        {
            ["ARP request"] = Ethernet(them, me, Arp, Ask(their4)),
            ["ARP answer"] = Ethernet(them, me, Arp, ArpPacket(2, me, their4, them, them4)),
            ["ARP answer within a tag"] = Ethernet(them, me, Tagged, [0, 0, .. Type(Arp), .. Ask(their4)]),
            ["ARP request within two tags"] = Ethernet(them, me, 0x88a8, [0, 0, .. Type(Tagged), 0, 0, .. Type(Arp), .. Ask(their4)]),
            ["ARP request from its hardware address"] = Ethernet(them, they, Arp, Ask(their4)),
            ["advertisement"] = Ethernet(them, me, Frames.V6, advertised),
            ["advertisement within a tag"] = Ethernet(them, me, Tagged, [0, 0, .. Type(Frames.V6), .. advertised]),
            ["advertisement behind options"] = Ethernet(them, me, Frames.V6, Icmp6(me6, them6, 136, Advertised(their6, me), first: 60, before: [58, 0, 1, 4, 0, 0, 0, 0])),
            ["solicitation"] = Ethernet(them, me, Frames.V6, Icmp6(their6, them6, 135, Solicited(them6, me))),
        };
        foreach (var (name, lie) in lies)
        {
            // Known for a second already, or the kernel takes no other answer yet; what follows the lie arrives after it.
            TestHost.Inside(_listener.NamespacePath, $"ip neigh flush dev eth0; busybox ping -c1 -W2 {their4} && busybox ping -c1 -W2 {their6}; sleep 1.1");
            Send(_liar.NamespacePath, lie);
            TestHost.Inside(_liar.NamespacePath, $"busybox ping -c1 -W2 {them4}");
            var known = TestHost.Inside(_listener.NamespacePath, $"ip neigh show {their4} dev eth0; ip neigh show {their6} dev eth0");
            known.Should().Contain("lladdr " + they, name).And.NotContain(me, name);
        }
    }

    [Fact]
    public void No_pod_is_a_router_to_its_neighbours()
    {
        TestHost.Inside(_listener.NamespacePath, "sysctl -qw net.ipv6.conf.eth0.accept_ra=2");
        var me = _liar.Interfaces[0].Mac;
        var from = TestHost.Inside(_liar.NamespacePath, "ip -6 -o addr show dev eth0 scope link").Split((char[])[' ', '/'], StringSplitOptions.RemoveEmptyEntries).First(w => w.StartsWith("fe80:", StringComparison.Ordinal));

        // RFC 4861, section 4.2: hop limit, flags, lifetime 1800 s, times, and the sender's hardware address.
        byte[] body = [64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, .. Muster.Linux.Netlink.RouteRequests.ParseMac(me)];
        Send(_liar.NamespacePath, Ethernet("33:33:00:00:00:01", me, Frames.V6, Icmp6(from, "ff02::1", 134, body)));
        TestHost.Inside(_liar.NamespacePath, $"busybox ping -c1 -W2 {V6(_listener)}");
        TestHost.Inside(_listener.NamespacePath, "ip -6 route show").Should().NotContain("proto ra");
    }

    [Fact]
    public void Nobody_hears_a_pod_speak_as_another_or_as_the_world()
    {
        const int port = 5353;
        var gateway = _liar.Interfaces[0].Gateways[0];
        var bridge = TestHost.Inside(_liar.NamespacePath, $"ip neigh show {gateway} dev eth0").Split(' ')[2];
        using var listener = NetworkNamespace.Run(_listener.NamespacePath, () => Bound(port));
        using var host = Bound(port);
        foreach (var (socket, address, mac) in new[] { (listener, V4(_listener), _listener.Interfaces[0].Mac), (host, gateway, bridge) })
        {
            // A name server's answer, a neighbour, the world, and what a host's own programs call from.
            foreach (var from in new[] { gateway, V4(_other), TestHost.WorldV4, "127.0.0.2", V4(_liar) })
            {
                Send(_liar.NamespacePath, Ethernet(mac, _liar.Interfaces[0].Mac, Frames.V4, Udp4(from, address, 53, port, Encoding.ASCII.GetBytes("from " + from))));
            }

            var buffer = new byte[100];
            var heard = Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer));
            heard.Should().Be("from " + V4(_liar), "nothing else came before it");
        }
    }

    [Fact]
    public void What_is_true_passes()
    {
        var link = TestHost.Inside(_listener.NamespacePath, "ip -6 -o addr show dev eth0 scope link").Split((char[])[' ', '/'], StringSplitOptions.RemoveEmptyEntries).First(w => w.StartsWith("fe80:", StringComparison.Ordinal));
        foreach (var (address, size) in new[] { (V4(_listener), 4000), (V6(_listener), 4000), (link + "%eth0", 56), ("ff02::1%eth0", 56) })
        {
            TestHost.Inside(_liar.NamespacePath, $"busybox ping -c1 -W2 -s {size} {address}");
        }
    }

    [Fact]
    public void A_bridge_believes_nobody_who_asks_for_listeners()
    {
        var record = Directory.GetFiles(Path.Combine(_root.Root.Run, "network", "networks"), "up.json", SearchOption.AllDirectories).Single();
        var bridge = System.Text.Json.JsonDocument.Parse(File.ReadAllText(record)).RootElement.GetProperty("bridge").GetString()!;
        TestHost.Run("ip", ["-d", "link", "show", bridge]).Should().Contain("mcast_snooping 0");
    }

    [Fact]
    public void A_socket_that_another_keeps_says_nothing_after_its_pod()
    {
        const int port = 5353;
        using var listener = NetworkNamespace.Run(_listener.NamespacePath, () => Bound(port));
        using var kept = NetworkNamespace.Run(_liar.NamespacePath, () => Bound(port));
        using var alive = NetworkNamespace.Run(_other.NamespacePath, () => Bound(port));
        var to = new IPEndPoint(IPAddress.Parse(V4(_listener)), port);
        var buffer = new byte[100];
        kept.SendTo("while it is there"u8, to);
        Encoding.ASCII.GetString(buffer, 0, listener.Receive(buffer)).Should().Be("while it is there");
        _root.TearDown(_request);
        kept.SendTo("after its end"u8, to);
        alive.SendTo("another"u8, to);
        Encoding.ASCII.GetString(buffer, 0, listener.Receive(buffer)).Should().Be("another");
    }

    private static string V4(PodNetworkState pod) => pod.Interfaces[0].Addresses[0].Split('/')[0];

    private static string V6(PodNetworkState pod) => pod.Interfaces[0].Addresses[1].Split('/')[0];

    private static byte[] Type(ushort type) => [(byte)(type >> 8), (byte)type];

    private static Socket Bound(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(IPAddress.Any, port));
        return socket;
    }
}
