using System.Net.Sockets;
using System.Text;
using Muster.Containers.Metering;
using Muster.Core;
using Muster.Core.Supervision;

namespace Muster.Daemon.Tests;

public sealed class PodEndListenerTests : IDisposable
{
    private readonly MusterRoot _root = new(Directory.CreateTempSubdirectory("muster-ends-").FullName);

    public void Dispose() => Directory.Delete(_root.Directory!, recursive: true);

    [Fact]
    public async Task Answers_when_a_pod_is_counted_and_nothing_else()
    {
        var counted = new List<Guid>();
        var pod = Guid.Parse("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
        var broken = Guid.Parse("00000000-4e5f-6071-8293-a4b5c6d7e8f9");
        using var end = new CancellationTokenSource();
        using var listener = new PodEndListener(_root, p => counted.Add(p == broken ? throw new IOException("gone") : p), TimeProvider.System);
        var listening = listener.RunAsync(end.Token);
        var path = Path.Combine(_root.Run, EndNotice.Socket);
        File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite, "only root tells of ends");

        (await TellAsync(path, pod.ToString())).Should().Be(1);
        (await TellAsync(path, "../../../../../../../../../etc/passwd")).Should().Be(0);
        (await TellAsync(path, "0a1b2c3d")).Should().Be(0);
        (await TellAsync(path, broken.ToString())).Should().Be(0, "a pod that has gone cannot be counted, and the next one can");
        (await TellAsync(path, pod.ToString() + " and more")).Should().Be(0);
        (await TellAsync(path, pod.ToString())).Should().Be(1);
        counted.Should().Equal(pod, pod);

        await end.CancelAsync();
        await listening.Invoking(l => l).Should().ThrowAsync<OperationCanceledException>();
        File.Exists(path).Should().BeFalse("who ends a pod waits for nobody then");
    }

    private static async Task<int> TellAsync(string path, string text)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await socket.SendAsync(Encoding.ASCII.GetBytes(text));
        socket.Shutdown(SocketShutdown.Send);
        try
        {
            return await socket.ReceiveAsync(new byte[8]);
        }
        catch (SocketException)
        {
            // Closed with what was not read: as good as no answer.
            return 0;
        }
    }
}
