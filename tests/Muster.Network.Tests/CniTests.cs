using System.Text;
using CsCheck;
using Muster.Core;

namespace Muster.Network.Tests;

// One collection: the tests share one host, its prefixes, its ports, its forwarding.
[Collection("host")]
public class CniTests
{
    private const string Bridge = """
        {
          "cniVersion": "0.4.0", "name": "cni-NAME",
          "plugins": [
            { "type": "bridge", "bridge": "BRIDGE", "isGateway": true, "ipMasq": false,
              "ipam": { "type": "host-local", "dataDir": "DATA", "ranges": [[{ "subnet": "10.88.7.0/24" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
            { "type": "tuning", "sysctl": { "net.ipv4.conf.all.accept_redirects": "0" } }
          ]
        }
        """;

    [Fact]
    public void Joins_and_leaves_a_network_of_real_plugins()
    {
        using var root = new TestRoot();
        var data = Path.Combine(root.Root.Directory!, "ipam");
        root.Define("50-x.conflist", Bridge.Replace("NAME", "one").Replace("DATA", data).Replace("BRIDGE", "cnitest0"));
        try
        {
            var request = TestRoot.Request() with { Networks = [new("cni-one", new Dictionary<string, string> { ["IP"] = "10.88.7.77" }), new("default", new Dictionary<string, string>())] };
            var state = root.SetUp(request);
            root.Warnings.Should().BeEmpty();
            state.Interfaces.Select(i => i.Network).Should().Equal("cni-one", "default");
            state.Interfaces[0].Addresses.Should().Equal("10.88.7.77/24");
            state.Interfaces[0].Gateways.Should().Equal("10.88.7.1");
            state.Interfaces[0].Mac.Should().MatchRegex("^([0-9a-f]{2}:){5}[0-9a-f]{2}$");
            TestHost.Inside(state.NamespacePath, "busybox ping -c1 -W2 10.88.7.1; ip -br addr").Should().Contain("10.88.7.77/24");
            root.Networks.Check(request.Pod).Should().BeEmpty();
            TestHost.Inside(state.NamespacePath, "ip addr flush dev eth0");
            root.Networks.Check(request.Pod).Should().ContainSingle().Which.Should().Contain("CHECK");
            root.TearDown(request);
            root.Networks.Check(request.Pod).Should().BeNull("what it had is no fault");
            Directory.EnumerateFiles(Path.Combine(data, "cni-one"), "10.*").Should().BeEmpty("DEL gives the address back");
        }
        finally
        {
            TestHost.Run("ip", ["link", "del", "cnitest0"]);
        }
    }

    [Fact]
    public void Takes_everything_back_when_a_plugin_fails()
    {
        using var root = new TestRoot();
        root.Define("a.conf", """{"cniVersion":"0.3.1","name":"bad","type":"bridge","bridge":"cnitest1","ipam":{"type":"host-local","dataDir":"/nonexistent/x"}}""");
        root.Define("b.conf", """{"cniVersion":"0.3.1","name":"missing","type":"no-such-plugin"}""");
        foreach (var (name, kind, word) in new[] { ("bad", ErrorKind.Upstream, "bridge"), ("missing", ErrorKind.Unsupported, "containernetworking-plugins") })
        {
            var act = () => root.SetUp(TestRoot.Request() with { Networks = [new(name, new Dictionary<string, string>())] });
            act.Should().Throw<MusterException>().Where(e => e.Kind == kind && e.Message.Contains(word));
        }

        var ports = () => root.SetUp(TestRoot.Request("x", new PortMapping(null, "tcp", null, 80, 80)) with { Networks = [new("bad", new Dictionary<string, string>())] });
        ports.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Unsupported);
        root.AssertNothingIsLeft();
        using var route = new Muster.Linux.Netlink.RouteSocket();
        route.Delete("cnitest1");
    }

    [Fact]
    public void Publishes_ports_by_the_portmap_plugin()
    {
        if (!File.Exists("/usr/sbin/iptables"))
        {
            Assert.Skip("portmap needs iptables");
        }

        using var root = new TestRoot();
        var data = Path.Combine(root.Root.Directory!, "ipam");
        root.Define("p.conflist", Bridge.Replace("NAME", "ports").Replace("DATA", data).Replace("BRIDGE", "cnitest2")
            .Replace("{ \"type\": \"tuning\", \"sysctl\": { \"net.ipv4.conf.all.accept_redirects\": \"0\" } }", "{ \"type\": \"portmap\", \"capabilities\": { \"portMappings\": true } }"));
        try
        {
            var request = TestRoot.Request("web", new PortMapping(null, "tcp", null, 18080, 80)) with { Networks = [new("cni-ports", new Dictionary<string, string>())] };
            var state = root.SetUp(request);
            using var server = TestHost.Serve(state.NamespacePath, 80);
            TestHost.Run("sysctl", ["-qw", "net.ipv4.conf.cnitest2.forwarding=1", "net.ipv4.conf.uplink.forwarding=1"]);
            TestHost.Call(TestHost.World, TestHost.HostV4, 18080).Should().NotBeNull();
            root.TearDown(request);
            TestHost.Run("iptables", ["-t", "nat", "-S"]).Should().NotContain("18080");
        }
        finally
        {
            TestHost.Run("ip", ["link", "del", "cnitest2"]);
        }
    }

    [Fact]
    public void Hands_each_plugin_what_the_specification_says()
    {
        var configuration = CniConfiguration.Parse("""
            {"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a","capabilities":{"portMappings":true},"x":1,"name":"ignored"},{"type":"b"}]}
            """, "x");
        var attachment = new CniAttachment { Network = "n", Interface = "eth0", Configuration = configuration.Document, Ports = [new PortMapping(null, "udp", "127.0.0.1", 1, 2)] };
        Encoding.UTF8.GetString(CniPlugins.Input(configuration, configuration.Plugins[0], attachment, null)).Should()
            .Be("""{"type":"a","x":1,"cniVersion":"1.0.0","name":"n","runtimeConfig":{"portMappings":[{"hostPort":1,"containerPort":2,"protocol":"udp","hostIP":"127.0.0.1"}]}}""");
        using var previous = System.Text.Json.JsonDocument.Parse("""{"ips":[]}""");
        Encoding.UTF8.GetString(CniPlugins.Input(configuration, configuration.Plugins[1], attachment, previous.RootElement)).Should()
            .Be("""{"type":"b","cniVersion":"1.0.0","name":"n","prevResult":{"ips":[]}}""");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("nonsense")]
    [InlineData("""{"cniVersion":"0.4.0","name":"x"}""")]
    [InlineData("""{"cniVersion":"0.4.0","name":"../x","type":"a"}""")]
    [InlineData("""{"cniVersion":"0.4.0","name":"x","type":"../a"}""")]
    [InlineData("""{"cniVersion":"0.4.0","name":"x","type":"/bin/sh"}""")]
    [InlineData("""{"cniVersion":"9.0.0","name":"x","type":"a"}""")]
    [InlineData("""{"cniVersion":"0.4.0","name":"x","plugins":[]}""")]
    [InlineData("""{"cniVersion":"0.4.0","name":"x","plugins":[1]}""")]
    [InlineData("""{"cniVersion":4,"name":"x","plugins":"a"}""")]
    [InlineData("{\"cniVersion\":\"1.0.0\",\"name\":\"\\ud800\",\"plugins\":[{\"type\":\"bridge\"}]}")]
    [InlineData("{\"\\udc00\":1,\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"bridge\"}]}")]
    public void Refuses_what_is_no_configuration(string text)
    {
        var act = () => CniConfiguration.Parse(text, "net.d/x.conf");
        act.Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid && e.Message.Contains("net.d/x.conf"));
    }

    [Fact]
    public void Never_fails_otherwise_than_with_a_sentence()
    {
        string[] parts = ["{", "}", "[", "]", "\"ips\"", ":", ",", "\"address\"", "\"10.0.0.1/24\"", "\"interfaces\"", "null", "1", "\"sandbox\"", "\"name\"", "\"eth0\"", "\"dns\"", "\"plugins\"", "\"type\"", "\"cniVersion\"", "\"1.0.0\"", "\"interface\"", "1e99"];
        Gen.Int[0, parts.Length - 1].Select(i => parts[i]).List[0, 16].Sample(list => Muster.Fuzz.CniTarget.Run(Encoding.UTF8.GetBytes(string.Concat(list))));
        foreach (var text in new[] { """{"ips":[1]}""", """{"ips":[{"address":"x"}]}""", """{"ips":{}}""", """{"interfaces":[1,{"name":1,"sandbox":2}],"ips":[{"address":"10.0.0.1/24","interface":1e30}]}""" })
        {
            Muster.Fuzz.CniTarget.Run(Encoding.UTF8.GetBytes(text));
        }
    }
}
