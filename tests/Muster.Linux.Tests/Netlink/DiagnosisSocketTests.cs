using System.Net;
using System.Net.Sockets;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Linux.Tests.Netlink;

public sealed class DiagnosisSocketTests : IDisposable
{
    private const int Established = 0;
    private const int Listen = 9;

    private readonly string _path = Path.Combine(Path.GetTempPath(), "muster-netlink-" + Guid.NewGuid().ToString("n")[..8]);

    public void Dispose() => NetworkNamespace.Remove(_path).Should().BeTrue();

    [Fact]
    public void Counts_the_sockets_of_its_namespace_by_family_and_state()
    {
        var (diagnosis, opened) = NetworkNamespace.Create(_path, () =>
        {
            using var route = new RouteSocket();
            route.Execute(new NetlinkBatch().SetUp(1));
            return (new DiagnosisSocket(), Open());
        });
        long[] v4 = new long[DiagnosisSocket.TcpStates], v6 = new long[DiagnosisSocket.TcpStates];
        using (diagnosis)
        {
            diagnosis.CountTcp(v4, v6);
            (v4[Listen], v4[Established], v4.Sum()).Should().Be((1, 2, 3), "a listener, and both ends of a connection");
            (v6[Listen], v6[Established], v6.Sum()).Should().Be((2, 0, 2));

            opened.ForEach(s => s.Dispose());
            diagnosis.CountTcp(v4, v6);
            (v4[Listen], v4[Established], v6.Sum()).Should().Be((0, 0, 0), "what was counted before is not counted again");
        }
    }

    private static List<Socket> Open()
    {
        var listener = Listener(AddressFamily.InterNetwork, IPAddress.Loopback);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        return [client, listener.Accept(), listener, Listener(AddressFamily.InterNetworkV6, IPAddress.IPv6Loopback), Listener(AddressFamily.InterNetworkV6, IPAddress.IPv6Any)];
    }

    private static Socket Listener(AddressFamily family, IPAddress address)
    {
        var listener = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address, 0));
        listener.Listen();
        return listener;
    }
}
