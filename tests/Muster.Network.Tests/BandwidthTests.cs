using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Muster.Core;
using Muster.Linux.Namespaces;

namespace Muster.Network.Tests;

[Collection("host")]
public class BandwidthTests
{
    private const int Rate = 4_000_000;
    private const int Amount = 8_000_000;

    // What Ethernet, IP and TCP put around 1,448 bytes of data.
    private const double Frames = 1514.0 / 1448;

    [Fact]
    public async Task A_pod_sends_and_receives_at_its_limit_and_no_faster()
    {
        using var root = new TestRoot();
        var pod = root.SetUp(TestRoot.Request("web", new PortMapping(null, "tcp", null, 8095, 80)) with { BytesPerSecond = Rate });
        var free = root.SetUp(TestRoot.Request("free"));
        using var world = Listen(TestHost.World, 81);
        using var inside = Listen(pod.NamespacePath, 80);

        // Both ways through the host: by its translation out, by the published port in, and between pods of the bridge.
        await AtTheLimit(() => Measure(pod.NamespacePath, TestHost.WorldV4, 81, world));
        await AtTheLimit(() => Measure(TestHost.World, TestHost.HostV4, 8095, inside));
        await AtTheLimit(() => Measure(free.NamespacePath, pod.Interfaces[0].Addresses[0].Split('/')[0], 80, inside));

        // The others are not slowed down, nor is the pod's own loopback.
        (await Measure(free.NamespacePath, TestHost.WorldV4, 81, world)).Should().BeGreaterThan(Rate * 2);
        (await Measure(pod.NamespacePath, "127.0.0.1", 80, inside)).Should().BeGreaterThan(Rate * 2);
    }

    [Fact]
    public void Refuses_a_limit_on_a_network_of_a_plugin()
    {
        using var root = new TestRoot();
        root.Define("plugin.conflist", """{"cniVersion":"1.0.0","name":"plugin","plugins":[{"type":"loopback"}]}""");
        var request = TestRoot.Request() with { Networks = [new NetworkChoice("plugin", new Dictionary<string, string>())], BytesPerSecond = Rate };
        FluentActions.Invoking(() => root.SetUp(request)).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Unsupported && e.Message.Contains("plugin bandwidth"));
    }

    // Never faster; and as fast as that, which a busy machine may miss in one try but not in several.
    private static async Task AtTheLimit(Func<Task<double>> measure)
    {
        for (var tries = 1; ; tries++)
        {
            var rate = await measure();
            rate.Should().BeLessThan(Rate * 1.1);
            if (rate > Rate * 0.9)
            {
                return;
            }

            tries.Should().BeLessThan(5, "it is within a tenth of the limit, and was at {0} bytes a second", rate);
        }
    }

    /// <summary>Bytes a second, of frames, of one connection.</summary>
    private static async Task<double> Measure(string from, string to, int port, Socket server)
    {
        using var client = NetworkNamespace.Run(from, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(IPAddress.Parse(to), port);
        using var accepted = await server.AcceptAsync();
        var sending = Task.Run(async () =>
        {
            var block = new byte[64 * 1024];
            for (var sent = 0; sent < Amount;)
            {
                sent += await client.SendAsync(block.AsMemory(0, Math.Min(block.Length, Amount - sent)));
            }

            client.Shutdown(SocketShutdown.Send);
        });
        var buffer = new byte[64 * 1024];
        var clock = Stopwatch.StartNew();
        long received = 0;
        for (int n; (n = await accepted.ReceiveAsync(buffer)) > 0;)
        {
            received += n;
        }

        clock.Stop();
        await sending;
        received.Should().Be(Amount);
        return received * Frames / clock.Elapsed.TotalSeconds;
    }

    private static Socket Listen(string path, int port) => NetworkNamespace.Run(path, () =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, port));
        socket.Listen(4);
        return socket;
    });
}
