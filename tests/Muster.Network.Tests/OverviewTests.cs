using Muster.Core;

namespace Muster.Network.Tests;

// One collection: the tests share one host, its prefixes, its ports, its forwarding.
[Collection("host")]
public class OverviewTests
{
    [Fact]
    public void Shows_networks_and_their_pods_and_removes_only_what_nobody_uses()
    {
        using var root = new TestRoot();
        var overview = new NetworkOverview(root.Root);
        overview.Create(new NetworkDefinition { Name = "lan", Subnets = ["10.91.0.0/24"] });
        var overlap = () => overview.Create(new NetworkDefinition { Name = "lan2", Subnets = ["10.91.0.128/25"] });
        overlap.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Conflict);
        overview.Inspect("lan").State.Should().Be("down");
        var request = TestRoot.Request("a", new PortMapping(null, "tcp", null, 8100, 80)) with { Networks = [new("lan", new Dictionary<string, string>())] };
        root.SetUp(request);
        var view = overview.Inspect("lan");
        view.State.Should().Be("up");
        view.NameServer.Should().NotBeNull();
        view.Pods.Should().ContainSingle().Which.Ports.Should().Equal("8100:80/tcp");
        var used = () => overview.Remove("lan");
        used.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Busy);
        root.TearDown(request);
        overview.Remove("lan");
        overview.Create(new NetworkDefinition { Name = "unused" });
        overview.Remove("unused");
        overview.List(_ => { }).Select(n => n.Name).Should().Equal("default");
        root.AssertNothingIsLeft();
    }

    [Fact]
    public void Keeps_the_addresses_of_a_network_when_it_was_down()
    {
        using var root = new TestRoot();
        var request = TestRoot.Request();
        var before = root.SetUp(request).Interfaces[0].Gateways;
        root.TearDown(request);
        root.Sweep();
        root.AssertNothingIsLeft();
        root.SetUp(TestRoot.Request()).Interfaces[0].Gateways.Should().Equal(before);
    }

    [Fact]
    public void Refuses_a_definition_that_overlaps_a_route_of_the_host()
    {
        using var root = new TestRoot();
        root.Define("bad.yaml", "subnets: [192.0.0.0/16]\n");
        var act = () => root.SetUp(TestRoot.Request() with { Networks = [new("bad", new Dictionary<string, string>())] });
        act.Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Conflict && e.Message.Contains("192.0.0.0/16"));
        root.AssertNothingIsLeft();
    }

    [Fact]
    public void Says_which_foreign_rule_would_drop_packets_and_what_to_do()
    {
        using var root = new TestRoot();
        NetworkDiagnosis.Diagnose(root.Root).Where(c => !c.Ok).Should().BeEmpty();
        TestHost.Run("nft", ["add table ip foreign; add chain ip foreign FORWARD { type filter hook forward priority 0; policy drop; }"]);
        try
        {
            var finding = NetworkDiagnosis.Diagnose(root.Root).Should().ContainSingle(c => !c.Ok).Subject;
            finding.Why.Should().Contain("ip foreign FORWARD");
            finding.Remedy.Should().Contain("nft insert rule ip foreign FORWARD");
        }
        finally
        {
            TestHost.Run("nft", ["delete table ip foreign"]);
        }
    }

    [Fact]
    public void Says_when_forwarding_was_switched_off_again()
    {
        // CNI's bridge plugin of another test switches the whole host on.
        TestHost.Run("sysctl", ["-qw", "net.ipv4.ip_forward=0"]);
        using var root = new TestRoot();
        root.SetUp(TestRoot.Request());
        NetworkDiagnosis.Diagnose(root.Root).Where(c => !c.Ok).Should().BeEmpty();
        TestHost.Run("sysctl", ["-qw", "net.ipv4.conf.uplink.forwarding=0"]);
        NetworkDiagnosis.Diagnose(root.Root).Should().ContainSingle(c => !c.Ok).Which.Remedy.Should().Contain("net.ipv4.conf.uplink.forwarding=1");
        TestHost.Run("sysctl", ["-qw", "net.ipv4.conf.uplink.forwarding=1"]);
        TestHost.Run("sysctl", ["-qw", "net.ipv4.conf.uplink.forwarding=0"]);
        root.SetUp(TestRoot.Request("second"));
        NetworkDiagnosis.Diagnose(root.Root).Where(c => !c.Ok).Should().BeEmpty("the next pod switches it on again");
        new NetworkOverview(root.Root).HostChanges().Should().Contain(c => c.Contains("net.ipv4.conf.mst"));
    }
}
