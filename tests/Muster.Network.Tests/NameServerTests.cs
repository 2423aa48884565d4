using System.Net;
using System.Net.Sockets;
using System.Text;
using Muster.Linux.Namespaces;

namespace Muster.Network.Tests;

// One collection: the tests share one host, its prefixes, its ports, its forwarding.
[Collection("host")]
public class NameServerTests
{
    [Fact]
    public void Answers_the_names_of_pods_and_apps_until_they_are_gone()
    {
        using var root = new TestRoot();
        var first = TestRoot.Request("db");
        var second = TestRoot.Request("web");
        var a = root.SetUp(first);
        var b = root.SetUp(second);
        b.Nameservers[0].Should().Be(b.Interfaces[0].Gateways[0]);
        b.Nameservers.Should().HaveCount(2, "one of each family");
        var v4 = a.Interfaces[0].Addresses[0].Split('/')[0];
        var v6 = a.Interfaces[0].Addresses[1].Split('/')[0];
        TestHost.Eventually(() => Ask(b, "db", 1) == v4, "dnsmasq does not see the new file");
        Ask(b, "app.db", 1).Should().Be(v4);
        Ask(b, "app.db", 28).Should().Be(v6);
        Ask(b, "nobody", 1).Should().BeNull();
        Ask(b, "db", 1, server: 1).Should().Be(v4, "it answers on the IPv6 gateway too");
        root.Dnsmasq().Should().ContainSingle();
        root.TearDown(first);
        TestHost.Eventually(() => Ask(b, "db", 1) is null, "the name of a pod that is gone is still answered");
        root.TearDown(second);
        root.Dnsmasq().Should().ContainSingle("the next pod need not start it again");
        root.Sweep();
        TestHost.Eventually(() => root.Dnsmasq().Count == 0, "it ends with its network");
    }

    [Fact]
    public void Starts_anew_when_it_was_killed()
    {
        using var root = new TestRoot();
        root.SetUp(TestRoot.Request("one"));
        var pid = root.Dnsmasq().Should().ContainSingle().Subject;
        System.Diagnostics.Process.GetProcessById(pid).Kill();
        TestHost.Eventually(() => root.Dnsmasq().Count == 0, "killed");
        var b = root.SetUp(TestRoot.Request("two"));
        root.Warnings.Should().BeEmpty();
        TestHost.Eventually(() => Ask(b, "one", 1) is not null, "it knows the earlier pods");
    }

    [Fact]
    public void Serves_every_one_of_many_pods_that_are_first_and_last()
    {
        using var root = new TestRoot();
        for (var i = 0; i < 20; i++)
        {
            var request = TestRoot.Request("only");
            var state = root.SetUp(request);
            TestHost.Eventually(() => Ask(state, "only", 1) is not null, "its own name");
            root.TearDown(request);
        }

        root.Warnings.Should().BeEmpty();
    }

    [Fact]
    public void Does_not_take_another_process_for_its_server()
    {
        using var root = new TestRoot();
        var request = TestRoot.Request("one");
        root.SetUp(request);
        var file = Path.Combine(root.Root.Run, "network", "networks", "default", "dnsmasq.pid");
        var real = File.ReadAllText(file);
        using var innocent = System.Diagnostics.Process.Start("sleep", "60")!;
        File.WriteAllText(file, innocent.Id.ToString());
        root.TearDown(request);
        innocent.HasExited.Should().BeFalse();
        innocent.Kill();
        File.WriteAllText(file, real);
    }

    [Theory]
    [InlineData("nameserver 10.0.0.1\nsearch a.example b.example\n", "10.0.0.1", "a.example b.example")]
    [InlineData("# x\nnameserver 127.0.0.53\nnameserver ::1\nnameserver fd00::1 \noptions ndots:1\n", "fd00::1", "")]
    [InlineData("nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\nsearch x\ndomain y\nnameserver", "1.1.1.1 1.1.1.2 1.1.1.3", "y")]
    [InlineData("search ev$il ok\n", "", "ok")]
    public void Reads_the_resolvers_of_the_host(string text, string servers, string search)
    {
        var found = HostResolvers.Parse(text);
        string.Join(' ', found.Nameservers).Should().Be(servers);
        string.Join(' ', found.Search).Should().Be(search);
    }

    // One DNS query by hand (RFC 1035, section 4.1); the first answer's address, or null.
    private static string? Ask(PodNetworkState pod, string name, byte type, int server = 0)
    {
        var query = new List<byte> { 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in name.Split('.'))
        {
            query.Add((byte)label.Length);
            query.AddRange(Encoding.ASCII.GetBytes(label));
        }

        query.AddRange([0, 0, type, 0, 1]);
        var to = IPAddress.Parse(pod.Nameservers[server]);
        using var client = NetworkNamespace.Run(pod.NamespacePath, () => new UdpClient(to.AddressFamily));
        client.Client.ReceiveTimeout = 1000;
        client.Send([.. query], query.Count, new IPEndPoint(to, 53));
        IPEndPoint? peer = null;
        var answer = client.Receive(ref peer);
        var length = type == 1 ? 4 : 16;
        return answer[7] == 0 ? null : new IPAddress(answer.AsSpan(answer.Length - length)).ToString();
    }
}
