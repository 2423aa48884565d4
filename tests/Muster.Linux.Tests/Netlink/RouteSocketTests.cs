using System.Net;
using CsCheck;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Linux.Tests.Netlink;

public sealed class RouteSocketTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), "muster-netlink-" + Guid.NewGuid().ToString("n")[..8]);
    private readonly RouteSocket _route;

    public RouteSocketTests() => _route = NetworkNamespace.Create(_path, () => new RouteSocket());

    public void Dispose()
    {
        _route.Dispose();
        NetworkNamespace.Remove(_path).Should().BeTrue();
        NetworkNamespace.Remove(_path).Should().BeFalse();
    }

    [Fact]
    public void Makes_and_removes_links_addresses_routes_and_neighbours()
    {
        _route.Execute(new NetlinkBatch().AddBridge("br0", [2, 0, 0, 0, 0, 1], 1400));
        var bridge = _route.Get("br0");
        bridge.Should().BeEquivalentTo(new { Name = "br0", Up = true, Mtu = 1400, Mac = "02:00:00:00:00:01", Kind = "bridge" });
        using var handle = NetworkNamespace.Open(_path);
        _route.Execute(new NetlinkBatch()
            .AddVeth(new VethRequest { Name = "v0", PeerName = "v1", PeerNamespace = (int)handle.DangerousGetHandle(), PeerMac = [2, 0, 0, 0, 0, 9], Master = bridge.Index, Mtu = 1300 })
            .Describe("v0", "somebody", noLinkLocal: true)
            .SetUp("v1")
            .SetUp(1));
        _route.Get("v0").Should().BeEquivalentTo(new { Master = bridge.Index, Alias = "somebody", Kind = "veth", Mtu = 1300, Up = true });
        _route.Get("v1").Mac.Should().Be("02:00:00:00:00:09");
        _route.Execute(new NetlinkBatch().SetHairpin(_route.Get("v0").Index, "v0").SetMtu("v1", 1290));
        var v1 = _route.Get("v1").Index;
        var (v4, v6) = (IPAddress.Parse("10.1.2.3"), IPAddress.Parse("fd00::3"));
        _route.Execute(new NetlinkBatch()
            .AddAddress(v1, v4, 24).AddAddress(v1, v6, 64)
            .AddRoute(IPAddress.Any, 0, IPAddress.Parse("10.1.2.1"), v1)
            .AddRoute(IPAddress.Parse("fd01::"), 64, IPAddress.Parse("fd00::1"), v1)
            .AddNeighbour(v1, IPAddress.Parse("10.1.2.1"), [2, 0, 0, 0, 0, 7]));
        _route.Addresses().Should().Contain(new AddressInfo(v1, v4, 24)).And.Contain(new AddressInfo(v1, v6, 64));
        _route.Routes().Should().Contain(new RouteInfo(IPAddress.Any, 0, IPAddress.Parse("10.1.2.1"), v1))
            .And.Contain(new RouteInfo(IPAddress.Parse("fd01::"), 64, IPAddress.Parse("fd00::1"), v1));
        _route.Towards(IPAddress.Parse("198.51.100.1"))!.Name.Should().Be("v1");
        _route.Towards(IPAddress.Parse("fd01::5"))!.Name.Should().Be("v1");
        _route.Towards(IPAddress.Parse("fd02::5")).Should().BeNull();
        _route.Execute(new NetlinkBatch()
            .DeleteNeighbour(v1, IPAddress.Parse("10.1.2.1"))
            .DeleteRoute(IPAddress.Any, 0, IPAddress.Parse("10.1.2.1"), v1)
            .DeleteAddress(v1, v4, 24)
            .SetMaster("v0", 0)
            .SetUp("v1", up: false)
            .Rename(v1, "other"));
        _route.Get("v0").Master.Should().Be(0);
        _route.Links().Select(l => l.Name).Should().Contain(["lo", "br0", "v0", "other"]).And.NotContain("v1");
        _route.Delete("v0").Should().BeTrue();
        _route.Delete("v0").Should().BeFalse();
        _route.Find("other").Should().BeNull("it goes with its partner");
    }

    [Fact]
    public void Moves_a_link_and_writes_settings_of_another_namespace()
    {
        var other = _path + "-b";
        using var inside = NetworkNamespace.Create(other, () => new RouteSocket());
        try
        {
            using var handle = NetworkNamespace.Open(other);
            _route.Execute(new NetlinkBatch().AddVeth(new VethRequest { Name = "w0", PeerName = "w1", PeerNamespace = (int)handle.DangerousGetHandle() }).MoveTo("w0", (int)handle.DangerousGetHandle()));
            _route.Find("w0").Should().BeNull();
            inside.Find("w0").Should().NotBeNull();
            // A new namespace has the settings of the first one, whatever they are at the moment.
            var before = NetworkNamespace.Run(_path, () => NetworkNamespace.ReadSetting("ipv4/ip_forward"));
            var changed = before == "0" ? "1" : "0";
            NetworkNamespace.Run(other, () => NetworkNamespace.WriteSetting("ipv4/ip_forward", changed));
            NetworkNamespace.Run(other, () => NetworkNamespace.ReadSetting("ipv4/ip_forward")).Should().Be(changed);
            NetworkNamespace.Run(_path, () => NetworkNamespace.ReadSetting("ipv4/ip_forward")).Should().Be(before);
            NetworkNamespace.ReadSetting("ipv4/no_such_thing").Should().BeNull();
            NetworkNamespace.Exists(other).Should().BeTrue();
        }
        finally
        {
            NetworkNamespace.Remove(other);
        }

        NetworkNamespace.Exists(other).Should().BeFalse();
    }

    [Fact]
    public void Says_what_was_attempted_and_what_the_kernel_says()
    {
        var lo = new NetlinkBatch().AddAddress(1, IPAddress.Parse("10.0.0.1"), 8).AddAddress(1, IPAddress.Parse("10.0.0.1"), 8);
        var act = () => _route.Execute(lo);
        act.Should().Throw<LinuxException>().Where(e => e.Errno == Errno.EEXIST && e.Message.Contains("add address 10.0.0.1/8"));
        var tolerated = () => _route.Execute(new NetlinkBatch().AddAddress(1, IPAddress.Parse("10.0.0.1"), 8), Errno.EEXIST);
        tolerated.Should().NotThrow();
        var bad = () => _route.Execute(new NetlinkBatch().AddRoute(IPAddress.Parse("10.9.0.0"), 16, IPAddress.Parse("172.16.0.1"), 1));
        bad.Should().Throw<LinuxException>().Which.Message.Should().Contain("(").And.Contain("add route 10.9.0.0/16", "the kernel's own sentence is quoted");
        _route.Find("lo")!.Up.Should().BeFalse("the socket goes on working");
    }

    [Fact]
    public void Runs_in_a_namespace_without_leaving_the_callers()
    {
        var before = File.ReadAllText("/proc/thread-self/net/dev");
        var act = () => NetworkNamespace.Run<int>(_path, () => throw new InvalidOperationException("inside"));
        act.Should().Throw<InvalidOperationException>().WithMessage("inside");
        NetworkNamespace.Run(_path, () => File.ReadAllLines("/proc/thread-self/net/dev").Length).Should().Be(3, "a header and the loopback");
        File.ReadAllLines("/proc/thread-self/net/dev").Length.Should().Be(before.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void Adds_finds_and_removes_map_elements()
    {
        File.WriteAllText(_path + ".nft", "table inet t { map m { type inet_service : ipv4_addr; }\n chain c { type filter hook forward priority 0; policy drop; }\n }\n");
        try
        {
            System.Diagnostics.Process.Start("nsenter", ["--net=" + _path, "nft", "-f", _path + ".nft"])!.WaitForExit();
        }
        finally
        {
            File.Delete(_path + ".nft");
        }

        using var netfilter = NetworkNamespace.Run(_path, () => new NetfilterSocket());
        netfilter.Tables("t").Should().Equal("t");
        netfilter.HasChain("t", "c").Should().BeTrue();
        netfilter.HasChain("t", "d").Should().BeFalse();
        netfilter.BaseChains().Should().ContainSingle().Which.Should().BeEquivalentTo(new { Table = "t", Name = "c", Hook = NetfilterSocket.ForwardHook, Drops = true });
        var (a, b) = (new MapElement("m", [0, 80], [10, 0, 0, 1]), new MapElement("m", [0, 81], [10, 0, 0, 2]));
        netfilter.AddElements("t", [a, b]);
        netfilter.HasElement("t", a).Should().BeTrue();
        var again = () => netfilter.AddElements("t", [new MapElement("m", [0, 82], [10, 0, 0, 3]), b with { Data = [1, 1, 1, 1] }]);
        again.Should().Throw<LinuxException>().Which.Errno.Should().Be(Errno.EEXIST);
        netfilter.HasElement("t", new MapElement("m", [0, 82], [])).Should().BeFalse("all or none");
        netfilter.RemoveElements("t", [a, new MapElement("m", [0, 99], []), b]);
        netfilter.HasElement("t", a).Should().BeFalse();
        netfilter.HasElement("t", b).Should().BeFalse();
        netfilter.DeleteTable("t").Should().BeTrue();
        netfilter.DeleteTable("t").Should().BeFalse();
        netfilter.RemoveElements("t", [a]);
    }

    [Fact]
    public void Walks_any_bytes_without_a_fault() =>
        Gen.Byte.Array[0, 200].Sample(bytes => Muster.Fuzz.NetlinkTarget.Run(bytes));

    [Fact]
    public void Reads_back_the_attributes_it_writes() => Gen.Select(Gen.UShort[1, 1000], Gen.Byte.Array[0, 50]).List[1, 10].Sample(list =>
    {
        var batch = new NetlinkBatch().Begin(1, NetlinkBatch.Flags.None, "test");
        foreach (var (type, value) in list)
        {
            batch.Put(type, value);
        }

        batch.Seal(1);
        var rest = batch.Bytes;
        NetlinkSocket.TryMessage(ref rest, out _, out _, out _, out var payload).Should().BeTrue();
        var walk = new NetlinkAttributes(payload);
        foreach (var (type, value) in list)
        {
            walk.Next().Should().BeTrue();
            walk.Type.Should().Be(type);
            walk.Value.ToArray().Should().Equal(value);
        }

        walk.Next().Should().BeFalse();
    });
}
