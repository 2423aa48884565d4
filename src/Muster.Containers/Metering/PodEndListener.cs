using System.Buffers.Text;
using System.Net.Sockets;
using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Containers.Metering;

/// <summary>
/// Hears from supervisors that something of a pod has ended and is about to be removed (<see cref="EndNotice"/>), and answers when
/// it has been counted. Only root can reach the socket; what it sends is a UUID or nothing.
/// </summary>
public sealed class PodEndListener : IDisposable
{
    /// <summary>A supervisor that is heard waits no longer than this either.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly string _folder;
    private readonly Action<Guid> _count;
    private readonly TimeProvider _time;
    private readonly Socket _listener;

    /// <param name="root">Whose pods.</param>
    /// <param name="count">Counts what a pod and its apps have used up to now; called from several threads.</param>
    /// <param name="time">The clock.</param>
    public PodEndListener(MusterRoot root, Action<Guid> count, TimeProvider time)
    {
        (_folder, _count, _time) = (root.Run, count, time);
        Directory.CreateDirectory(_folder);
        _listener = new Socket(new SafeSocketHandle(UnixSockets.Listen(_folder, EndNotice.Socket), ownsHandle: true));
    }

    /// <summary>Listens until it is cancelled; then supervisors find nobody.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                var supervisor = await _listener.AcceptAsync(ct);
                _ = Task.Run(() => HearAsync(supervisor, ct), CancellationToken.None);
            }
        }
        finally
        {
            File.Delete(Path.Combine(_folder, EndNotice.Socket));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private async Task HearAsync(Socket supervisor, CancellationToken ct)
    {
        using (supervisor)
        using (var late = new CancellationTokenSource(Patience, _time))
        using (var end = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token))
        {
            try
            {
                var text = new byte[EndNotice.Length + 1];
                var length = 0;
                while (length < EndNotice.Length && await supervisor.ReceiveAsync(text.AsMemory(length), end.Token) is > 0 and var more)
                {
                    length += more;
                }

                if (length == EndNotice.Length && Utf8Parser.TryParse(text.AsSpan(0, length), out Guid pod, out var used) && used == length)
                {
                    _count(pod);
                    await supervisor.SendAsync(new byte[1], end.Token);
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or IOException or MusterException or LinuxException)
            {
                // The supervisor has gone on, or the pod has gone: there is nothing left to be counted.
            }
        }
    }
}
