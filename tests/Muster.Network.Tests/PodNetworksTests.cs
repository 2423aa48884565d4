using System.Diagnostics;
using Muster.Core;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network.Tests;

// One collection: the tests share one host, its prefixes, its ports, its forwarding.
[Collection("host")]
public class PodNetworksTests
{
    [Fact]
    public void Gives_a_pod_of_network_none_only_a_loopback()
    {
        using var root = new TestRoot();
        var request = TestRoot.Request() with { Networks = [new NetworkChoice("none", new Dictionary<string, string>())] };
        var state = root.SetUp(request);
        state.Interfaces.Should().BeEmpty();
        TestHost.Inside(state.NamespacePath, "ip -br link").Should().StartWith("lo ").And.NotContain("eth0");
        TestHost.Inside(state.NamespacePath, "busybox ping -c1 -W1 127.0.0.1");
        root.TearDown(request);
        root.AssertNothingIsLeft();
    }

    [Fact]
    public void Connects_a_pod_to_its_gateway_its_neighbour_and_the_world_on_both_families()
    {
        using var root = new TestRoot();
        var first = TestRoot.Request("one");
        var second = TestRoot.Request("two");
        var a = root.SetUp(first);
        var b = root.SetUp(second);
        root.Warnings.Should().BeEmpty();
        var link = a.Interfaces.Should().ContainSingle().Subject;
        link.Name.Should().Be("eth0");
        link.Addresses.Should().HaveCount(2);
        link.Gateways.Should().HaveCount(2);
        foreach (var gateway in link.Gateways)
        {
            TestHost.Inside(a.NamespacePath, $"busybox ping -c1 -W2 {gateway}");
        }

        foreach (var address in b.Interfaces[0].Addresses)
        {
            TestHost.Inside(a.NamespacePath, $"busybox ping -c1 -W2 {address.Split('/')[0]}");
        }

        // The world has no route to the pods: an answer proves translation.
        TestHost.Inside(a.NamespacePath, $"busybox ping -c1 -W2 {TestHost.WorldV4}");
        TestHost.Inside(a.NamespacePath, $"busybox ping -c1 -W2 {TestHost.WorldV6}");
        TestHost.Inside(a.NamespacePath, "cat /sys/class/net/eth0/address").Should().NotBeEmpty();
        TestHost.Run("ip", ["-d", "link", "show", link.HostName!]).Should().Contain("muster pod " + first.Pod);
        root.TearDown(first);
        root.TearDown(second);
        root.TearDown(second);
    }

    [Fact]
    public void Drops_what_the_world_routes_to_a_pod_without_a_published_port()
    {
        using var root = new TestRoot();
        var request = TestRoot.Request();
        var state = root.SetUp(request);
        var address = state.Interfaces[0].Addresses[0].Split('/')[0];
        TestHost.Inside(TestHost.World, $"ip route replace {address}/32 via {TestHost.HostV4}");
        try
        {
            using var server = TestHost.Serve(state.NamespacePath, 8080);
            TestHost.Call(null, address, 8080).Should().NotBeNull("the host itself may");
            TestHost.Call(TestHost.World, address, 8080).Should().BeNull();
        }
        finally
        {
            TestHost.Inside(TestHost.World, $"ip route del {address}/32");
        }
    }

    [Fact]
    public void Keeps_a_pod_off_the_loopback_of_the_host()
    {
        using var root = new TestRoot();
        var state = root.SetUp(TestRoot.Request());
        using var listener = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        var port = ((System.Net.IPEndPoint)listener.LocalEndPoint!).Port;

        // A pod may rewrite its own routes if it has the capability; the host must not let the packet in all the same.
        var gateway = state.Interfaces[0].Gateways[0];
        TestHost.Inside(state.NamespacePath, $"sysctl -qw net.ipv4.conf.all.route_localnet=1 && ip addr flush dev lo && ip route flush table local && ip route add 127.0.0.1 via {gateway} src {state.Interfaces[0].Addresses[0].Split('/')[0]}; true");
        TestHost.Call(state.NamespacePath, "127.0.0.1", port).Should().BeNull();
    }

    [Fact]
    public void Keeps_a_pod_from_speaking_as_its_neighbour_or_as_the_gateway()
    {
        using var root = new TestRoot();
        var request = TestRoot.Request("victim");
        var victim = root.SetUp(request);
        var other = root.SetUp(TestRoot.Request("other"));
        using var listener = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetworkV6, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { DualMode = true };
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.IPv6Any, 0));
        listener.Listen();
        var port = ((System.Net.IPEndPoint)listener.LocalEndPoint!).Port;
        var ends = TestContext.Current.CancellationToken;
        _ = Task.Run(async () =>
        {
            while (true)
            {
                using var client = await listener.AcceptAsync(ends);
                await client.SendAsync("heard"u8.ToArray(), ends);
            }
        }, ends);

        var link = victim.Interfaces[0];
        foreach (var gateway in link.Gateways)
        {
            TestHost.Call(victim.NamespacePath, gateway, port).Should().Be("heard");
            TestHost.Inside(victim.NamespacePath, $"ip neigh show {gateway} dev eth0").Should().Contain("PERMANENT", "no neighbour can say that it is the gateway");
        }

        // What a pod with CAP_NET_ADMIN, or with raw packets, can do: the address alone, then the hardware address with it.
        var take = string.Join("; ", link.Addresses.Select(a => $"ip addr add {a} dev eth0 nodad"));
        TestHost.Inside(other.NamespacePath, "ip addr flush dev eth0 scope global; " + take);
        link.Gateways.Should().AllSatisfy(gateway => TestHost.Call(other.NamespacePath, gateway, port).Should().BeNull());
        TestHost.Inside(other.NamespacePath, $"ip addr flush dev eth0 scope global; ip link set eth0 down; ip link set eth0 address {link.Mac}; ip link set eth0 up; {take}");
        link.Gateways.Should().AllSatisfy(gateway => TestHost.Call(other.NamespacePath, gateway, port).Should().BeNull());

        link.Gateways.Should().AllSatisfy(gateway => TestHost.Call(victim.NamespacePath, gateway, port).Should().Be("heard"));
        root.TearDown(request);
        TestHost.Run("ip", ["neigh", "show", "nud", "permanent"]).Should().NotContain(link.Addresses[0].Split('/')[0] + " ", "nothing stays of an address that was given back");
    }

    [Fact]
    public void Gives_the_address_that_was_asked_for_once()
    {
        using var root = new TestRoot();
        root.Define("lan.yaml", "subnets: [10.77.0.0/24, \"fd00:77::/64\"]\ndns: false\n");
        NetworkRequest Ask(string ip) => TestRoot.Request() with { Networks = [new NetworkChoice("lan", new Dictionary<string, string> { ["IP"] = ip })] };
        root.SetUp(Ask("10.77.0.50")).Interfaces[0].Addresses.Should().Equal("10.77.0.50/24", "fd00:77::32/64");
        foreach (var (ip, kind) in new[] { ("10.77.0.50", ErrorKind.Conflict), ("10.77.0.1", ErrorKind.Invalid), ("10.77.0.255", ErrorKind.Invalid), ("10.78.0.5", ErrorKind.Invalid), ("x", ErrorKind.Invalid) })
        {
            var act = () => root.SetUp(Ask(ip));
            act.Should().Throw<MusterException>().Which.Kind.Should().Be(kind, ip);
        }

        Directory.EnumerateDirectories(Path.Combine(root.Root.Run, "network", "pods")).Should().HaveCount(1, "what was refused leaves nothing");
        Directory.EnumerateFiles(root.Root.NetworkNamespaces).Should().HaveCount(1);
    }

    [Fact]
    public void Joins_several_networks_with_one_default_route()
    {
        using var root = new TestRoot();
        root.Define("back.json", """{"subnets":["10.78.0.0/24"],"nat":false,"mtu":1400}""");
        var request = TestRoot.Request() with { Networks = [new("default", new Dictionary<string, string>()), new("back", new Dictionary<string, string>())] };
        var state = root.SetUp(request);
        state.Interfaces.Select(i => i.Name).Should().Equal("eth0", "eth1");
        TestHost.Inside(state.NamespacePath, "ip -4 route show default | wc -l").Trim().Should().Be("1");
        TestHost.Inside(state.NamespacePath, "cat /proc/net/dev; ip link show eth1").Should().Contain("mtu 1400");
        TestHost.Inside(state.NamespacePath, "busybox ping -c1 -W2 10.78.0.1");
    }

    [Fact]
    public void Sets_up_and_takes_down_fifty_pods_at_once()
    {
        using var root = new TestRoot();
        var requests = Enumerable.Range(0, 50).Select(i => TestRoot.Request("pod" + i, new PortMapping(null, "tcp", null, 21000 + i, 80))).ToList();
        var states = new PodNetworkState[50];
        var clock = Stopwatch.StartNew();
        Parallel.For(0, 50, new ParallelOptions { MaxDegreeOfParallelism = 50 }, i => states[i] = root.SetUp(requests[i]));
        var up = clock.Elapsed;
        root.Warnings.Should().BeEmpty();
        states.SelectMany(s => s.Interfaces[0].Addresses).Should().OnlyHaveUniqueItems();
        root.Dnsmasq().Should().HaveCount(1);
        TestHost.Inside(states[7].NamespacePath, $"busybox ping -c1 -W2 {states[42].Interfaces[0].Addresses[1].Split('/')[0]}");
        clock.Restart();
        Parallel.For(0, 50, new ParallelOptions { MaxDegreeOfParallelism = 50 }, i => root.TearDown(requests[i]));
        TestContext.Current.SendDiagnosticMessage($"50 up {up.TotalMilliseconds:0} ms, down {clock.Elapsed.TotalMilliseconds:0} ms");
        root.Sweep();
        root.AssertNothingIsLeft();
    }

    [Fact]
    public void Does_not_lock_up_between_pods_of_the_same_networks_and_sweeps()
    {
        using var root = new TestRoot();
        root.Define("aa.yaml", "");
        var alive = new System.Collections.Concurrent.ConcurrentDictionary<Guid, bool>();
        var work = Task.Run(() => Parallel.For(0, 24, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            if (i % 4 == 3)
            {
                root.Networks.SweepAsync(alive.ContainsKey, CancellationToken.None);
                return;
            }

            string[] names = i % 2 == 0 ? ["aa", "default"] : ["default", "aa"];
            var request = TestRoot.Request("p" + i, new PortMapping(null, "tcp", null, 23000 + i, 80)) with { Networks = [.. names.Select(n => new NetworkChoice(n, new Dictionary<string, string>()))] };
            alive[request.Pod] = true;
            root.SetUp(request).Nameservers.Should().NotBeEmpty();
            root.TearDown(request);
        }), TestContext.Current.CancellationToken);
        TestHost.Eventually(() => work.IsCompleted, "something waits for ever", seconds: 30);
        work.Exception.Should().BeNull();
        root.Warnings.Should().BeEmpty();
    }

    [Fact]
    public void Keeps_two_roots_apart()
    {
        using var one = new TestRoot();
        using var two = new TestRoot();
        var a = one.SetUp(TestRoot.Request("web", new PortMapping(null, "tcp", null, 8081, 80)));
        var b = two.SetUp(TestRoot.Request());
        a.Interfaces[0].Gateways.Should().NotIntersectWith(b.Interfaces[0].Gateways);
        var act = () => two.SetUp(TestRoot.Request("web", new PortMapping(null, "tcp", "192.0.2.2", 8081, 80)));
        act.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Conflict);
        two.Sweep();
        two.AssertNothingIsLeft();
        TestHost.Inside(a.NamespacePath, $"busybox ping -c1 -W2 {TestHost.WorldV4}");
    }

    [Fact]
    public void Ends_a_namespace_of_which_another_mount_namespace_has_a_copy()
    {
        using var root = new TestRoot();
        var request = TestRoot.Request();
        var state = root.SetUp(request);
        using var holder = Process.Start(new ProcessStartInfo("unshare", ["-m", "--propagation", "private", "sh", "-c", "echo ready; sleep 60"]) { RedirectStandardOutput = true })!;
        holder.StandardOutput.ReadLine().Should().Be("ready");
        try
        {
            root.TearDown(request);
            using var route = new RouteSocket();
            TestHost.Eventually(() => route.Find(state.Interfaces[0].HostName!) is null, "the link outlives the pod");
        }
        finally
        {
            holder.Kill(entireProcessTree: true);
            holder.WaitForExit();
        }
    }

    [Fact]
    public void Makes_the_rules_and_the_bridge_anew_after_somebody_removed_them()
    {
        using var root = new TestRoot();
        var pod = TestRoot.Request("one", new PortMapping(null, "tcp", null, 8082, 80));
        var first = root.SetUp(pod);
        root.Networks.Check(pod.Pod).Should().BeEmpty();
        using var server = TestHost.Serve(first.NamespacePath, 80);
        TestHost.Run("nft", ["delete", "table", "inet", root.Root.NftTable]);
        root.Networks.Check(pod.Pod).Should().ContainSingle().Which.Should().Contain("8082");
        TestHost.Call(TestHost.World, TestHost.HostV4, 8082).Should().BeNull();
        root.SetUp(TestRoot.Request("two"));
        TestHost.Call(TestHost.World, TestHost.HostV4, 8082).Should().NotBeNull("ports of running pods are published again");
    }

    [Fact]
    public void Recovers_from_kills_at_any_point()
    {
        using var root = new TestRoot();
        var random = new Random(1);
        for (var i = 0; i < 12; i++)
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["MUSTER_TEST_VICTIM"] = root.Root.Directory;
            using var victim = Process.Start(start)!;
            if (i > 0)
            {
                victim.StandardOutput.ReadLine();
            }

            Thread.Sleep(random.Next(0, 60));
            victim.Kill();
            victim.WaitForExit();
            victim.StandardError.ReadToEnd().Should().BeEmpty();

            // What is there now must not keep the next pod from starting, swept or not.
            if (i % 3 == 0)
            {
                root.SetUp(TestRoot.Request("next" + i));
            }

            root.Sweep();
            root.AssertNothingIsLeft();
        }
    }

    [Fact]
    public void Sweeps_a_bridge_that_a_killed_command_left_half_made()
    {
        using var root = new TestRoot();
        root.SetUp(TestRoot.Request("one"));
        var name = root.Root.LinkName("n7");
        TestHost.Run("ip", ["link", "add", name, "type", "bridge"]);
        root.Sweep();
        TestHost.Run("ip", ["link", "show", name], status: 1);
        root.AssertNothingIsLeft();
    }
}
