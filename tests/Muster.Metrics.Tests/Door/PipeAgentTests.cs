using System.Net.Sockets;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Door;

/// <summary>Our agents behind the real pmcd, which connects to a socket of this process as if it were a pipe.</summary>
public sealed class PipeAgentTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-pmda-").FullName;
    private readonly SampleAgent _agent = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task _serving;
    private readonly Pmcd _pmcd;

    public PipeAgentTests()
    {
        var path = Path.Combine(_folder, "agent");
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _serving = Task.Run(async () =>
        {
            using var socket = await _listener.AcceptAsync();
            await using var stream = new NetworkStream(socket);
            using var agent = new PipeAgent([_agent], TimeProvider.System, _ => { });
            await agent.RunAsync(stream, stream, CancellationToken.None);
        });
        var names = PipeAgent.Namespace([_agent]).TrimEnd().TrimEnd('}');
        _pmcd = new Pmcd(_folder, $"pmcd 2 dso pmcd_init /var/lib/pcp/pmdas/pmcd/pmda_pmcd.so\nsample 60 socket unix {path}", names + "    pmcd\n}\npmcd {\n    pid 2:0:23\n    client\n}\npmcd.client {\n    whoami 2:6:0\n}\n");
    }

    public void Dispose()
    {
        _pmcd.Dispose();
        _listener.Dispose();
        _serving.Wait(TimeSpan.FromSeconds(20)).Should().BeTrue("the agent ends with pmcd");
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Gives_pmcd_names_values_texts_and_labels()
    {
        _pmcd.Tool("pminfo", "kernel", "network", "sample").Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().BeEquivalentTo(_agent.Metrics.Select(m => m.Name));
        _pmcd.Tool("pminfo", "-f", "kernel.all.load", "sample.signed", "sample.double").Succeeded().Out.Should().ContainAll("inst [1 or \"1 minute\"] value 3.6", "value -42", "value 0.125");
        _pmcd.Tool("pminfo", "-dtTl", "network.interface.in.bytes").Succeeded().Out.Should().ContainAll("[bytes received]", "Since the interface came up.", "Units: byte", "\"interface\":\"lo\"", "\"device_type\":\"interface\"");
        _pmcd.Tool("pmprobe", "-i", "kernel.all.load").Succeeded().Out.Should().Contain("?1 ?5 ?15");
        _pmcd.Tool("pmval", "-s", "1", "-i", "5", "kernel.all.load").Succeeded();
    }

    [Fact]
    public void Sees_with_the_eyes_of_the_container_that_pmcds_client_names()
    {
        _pmcd.Tool("pminfo", "--container", "box", "-f", "network.interface.in.bytes").Succeeded().Out.Should().Contain("\"lo\"").And.NotContain("eth0");
        _pmcd.Tool("pminfo", "-f", "network.interface.in.bytes").Succeeded().Out.Should().Contain("eth0");
        _pmcd.Tool("pminfo", "--container", "nosuch", "-f", "network.interface.in.bytes").Out.Should().Contain("Container not found");
    }

    [Fact]
    public void Stores_what_pmcd_lets_be_stored()
    {
        _pmcd.Tool("pmstore", "sample.stored", "12").Succeeded();
        _agent.Stored.Should().Be(12);
    }
}
