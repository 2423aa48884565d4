using System.Net;
using System.Net.Sockets;
using System.Text;
using CsCheck;
using Muster.Core;
using Muster.Linux.Namespaces;

namespace Muster.Network.Tests;

// One collection: the tests share one host, its prefixes, its ports, its forwarding.
[Collection("host")]
public class PublishedPortTests
{
    [Fact]
    public void Reaches_a_pod_from_everywhere_by_a_port_of_the_host()
    {
        using var root = new TestRoot();
        var pod = root.SetUp(TestRoot.Request("web", new PortMapping("www", "tcp", null, 8080, 80)));
        var other = root.SetUp(TestRoot.Request("client"));
        using var server = TestHost.Serve(pod.NamespacePath, 80);
        TestHost.Call(TestHost.World, TestHost.HostV4, 8080).Should().Contain(TestHost.WorldV4, "the pod sees who calls");
        TestHost.Call(TestHost.World, TestHost.HostV6, 8080).Should().Contain(TestHost.WorldV6);
        TestHost.Call(null, "127.0.0.1", 8080).Should().NotBeNull("published on the host's loopback");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        TestHost.Call(null, "::1", 8080).Should().BeNull("Linux cannot; clients fall back to 127.0.0.1");
        clock.ElapsedMilliseconds.Should().BeLessThan(500, "it is refused at once");
        TestHost.Call(null, TestHost.HostV4, 8080).Should().NotBeNull("published on the host's own address");
        TestHost.Call(other.NamespacePath, TestHost.HostV4, 8080).Should().NotBeNull("another pod by the host's address");
        TestHost.Call(pod.NamespacePath, TestHost.HostV4, 8080).Should().NotBeNull("itself by the host's address");
        TestHost.Call(pod.NamespacePath, TestHost.HostV6, 8080).Should().NotBeNull("itself by the host's IPv6 address");
        TestHost.Call(null, "127.0.0.1", 8081).Should().BeNull();
    }

    [Fact]
    public void Keeps_a_port_published_on_loopback_from_the_world()
    {
        using var root = new TestRoot();
        var pod = root.SetUp(TestRoot.Request("web", new PortMapping(null, "tcp", "127.0.0.1", 8085, 80)));
        using var server = TestHost.Serve(pod.NamespacePath, 80);
        TestHost.Call(null, "127.0.0.1", 8085).Should().NotBeNull();
        TestHost.Call(null, "127.0.0.2", 8085).Should().BeNull();
        TestHost.Call(TestHost.World, TestHost.HostV4, 8085).Should().BeNull();

        // A neighbour on the wire may send a packet to 127.0.0.1 by our hardware address.
        TestHost.Inside(TestHost.World, $"sysctl -qw net.ipv4.conf.all.route_localnet=1; ip route add 127.0.0.1/32 via {TestHost.HostV4} table 77; ip rule add pref 0 to 127.0.0.1 dport 8085 ipproto tcp lookup 77");
        try
        {
            TestHost.Call(TestHost.World, "127.0.0.1", 8085).Should().BeNull();
        }
        finally
        {
            TestHost.Inside(TestHost.World, "ip rule del pref 0 to 127.0.0.1 dport 8085 ipproto tcp lookup 77; ip route flush table 77");
        }
    }

    [Fact]
    public void Publishes_on_one_address_of_either_family()
    {
        using var root = new TestRoot();
        var pod = root.SetUp(TestRoot.Request("web", [.. PortMappings.Parse($"[{TestHost.HostV6}]:8086:80"), .. PortMappings.Parse($"{TestHost.HostV4}:8087:80")]));
        using var server = TestHost.Serve(pod.NamespacePath, 80);
        TestHost.Call(TestHost.World, TestHost.HostV6, 8086).Should().Contain(TestHost.WorldV6);
        TestHost.Call(null, TestHost.HostV6, 8086).Should().NotBeNull();
        TestHost.Call(TestHost.World, TestHost.HostV4, 8086).Should().BeNull();
        TestHost.Call(TestHost.World, TestHost.HostV4, 8087).Should().Contain(TestHost.WorldV4);
        TestHost.Call(TestHost.World, TestHost.HostV6, 8087).Should().BeNull();
    }

    [Fact]
    public void Publishes_udp()
    {
        using var root = new TestRoot();
        var pod = root.SetUp(TestRoot.Request("dns", new PortMapping(null, "udp", null, 5353, 53)));
        using var server = NetworkNamespace.Run(pod.NamespacePath, () => new UdpClient(new IPEndPoint(IPAddress.Any, 53)));
        foreach (var (from, to) in new[] { (null, "127.0.0.1"), (TestHost.World, TestHost.HostV4) })
        {
            using var client = from is null ? new UdpClient(AddressFamily.InterNetwork) : NetworkNamespace.Run(from, () => new UdpClient(AddressFamily.InterNetwork));
            client.Client.ReceiveTimeout = server.Client.ReceiveTimeout = 2000;
            client.Send(Encoding.ASCII.GetBytes("hello"), 5, to, 5353);
            IPEndPoint? peer = null;
            var got = server.Receive(ref peer);
            server.Send(got, got.Length, peer);
            client.Receive(ref peer).Should().Equal(got);
        }
    }

    [Fact]
    public void Leads_a_udp_sender_that_never_pauses_to_the_pod_of_the_day()
    {
        using var root = new TestRoot();
        using var client = NetworkNamespace.Run(TestHost.World, () => new UdpClient(AddressFamily.InterNetwork));
        void Send() => client.Send([1], 1, TestHost.HostV4, 5514);
        root.SetUp(TestRoot.Request("first"));
        Send();
        for (var day = 0; day < 2; day++)
        {
            var request = TestRoot.Request("log", new PortMapping(null, "udp", null, 5514, 514));
            var pod = root.SetUp(request);
            using var server = NetworkNamespace.Run(pod.NamespacePath, () => new UdpClient(new IPEndPoint(IPAddress.Any, 514)));
            server.Client.ReceiveTimeout = 2000;
            Send();
            IPEndPoint? peer = null;
            server.Receive(ref peer).Should().Equal(1);
            root.TearDown(request);
            Send();
        }
    }

    [Fact]
    public void Refuses_a_port_that_is_taken_and_leaves_nothing_of_the_pod()
    {
        using var root = new TestRoot();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var busy = ((IPEndPoint)listener.LocalEndPoint!).Port;
        var first = TestRoot.Request("one", new PortMapping(null, "tcp", "127.0.0.1", 8090, 80));
        root.SetUp(first);
        foreach (var (port, kind) in new[]
        {
            (new PortMapping(null, "tcp", null, busy, 80), ErrorKind.Conflict),
            (new PortMapping(null, "tcp", null, 8090, 80), ErrorKind.Conflict),
            (new PortMapping(null, "tcp", "127.0.0.1", 8090, 81), ErrorKind.Conflict),
            (new PortMapping(null, "tcp", "198.51.100.7", 8091, 81), ErrorKind.Invalid),
            (new PortMapping(null, "tcp", "::1", 8091, 81), ErrorKind.Unsupported),
            (new PortMapping(null, "sctp", null, 8091, 81), ErrorKind.Invalid),
            (new PortMapping(null, "tcp", null, 0, 81), ErrorKind.Invalid),
        })
        {
            var act = () => root.SetUp(TestRoot.Request("two", port));
            act.Should().Throw<MusterException>().Which.Kind.Should().Be(kind, port.ToString());
        }

        root.SetUp(TestRoot.Request("three", new PortMapping(null, "udp", null, 8090, 80), new PortMapping(null, "tcp", "192.0.2.2", 8090, 80)));
        Directory.EnumerateFiles(root.Root.NetworkNamespaces).Should().HaveCount(2);
        root.TearDown(first);
        root.SetUp(TestRoot.Request("four", new PortMapping(null, "tcp", "127.0.0.1", 8090, 80)));
    }

    [Theory]
    [InlineData("8080:80", null, 8080, 80, "tcp")]
    [InlineData("127.0.0.1:8080:80", "127.0.0.1", 8080, 80, "tcp")]
    [InlineData("[::1]:53:5353/udp", "::1", 53, 5353, "udp")]
    public void Reads_a_port(string text, string? address, int host, int pod, string protocol) =>
        PortMappings.Parse(text).Should().Equal(new PortMapping(null, protocol, address, host, pod));

    [Fact]
    public void Reads_ranges_and_named_ports()
    {
        PortMappings.Parse("8000-8002:80-82").Select(p => (p.HostPort, p.PodPort)).Should().Equal((8000, 80), (8001, 81), (8002, 82));
        PortMappings.ParseNamed("www:8080").Should().Be(("www", null, 8080));
        PortMappings.ParseNamed("www:127.0.0.1:8080").Should().Be(("www", "127.0.0.1", 8080));
        PortMappings.ParseNamed("www:[::1]:8080").Should().Be(("www", "::1", 8080));
        foreach (var end in (string[])["8080", "127.0.0.1:8080", "[::1]:8080"])
        {
            var port = PortMappings.Parse(end + ":80")[0];
            PortMappings.HostEnd(port.HostAddress, port.HostPort).Should().Be(end, "it is shown as it is written");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData(":80")]
    [InlineData("80:")]
    [InlineData("0:80")]
    [InlineData("65536:80")]
    [InlineData("80:80/sctp")]
    [InlineData("::1:80:80")]
    [InlineData("1.2.3:80:80")]
    [InlineData("+80:80")]
    [InlineData("80-90:80")]
    [InlineData("9-8:9-8")]
    [InlineData("example.org:80:80")]
    [InlineData("[fe80::1%1]:80:80")]
    public void Refuses_what_is_no_port(string text)
    {
        var act = () => PortMappings.Parse(text);
        act.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Usage);
    }

    [Fact]
    public void Never_fails_otherwise_than_with_a_sentence() => Gen.String[Gen.Char["0123456789:.-/[]tcpud%x"], 0, 24].Sample(text =>
    {
        Muster.Fuzz.NetworkTextTarget.Run(Encoding.UTF8.GetBytes(text));
    });
}
