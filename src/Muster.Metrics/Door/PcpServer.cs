using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Muster.Core;
using Muster.Linux;
using Muster.Metrics.Collecting;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Door;

/// <summary>
/// PCP's server: listens on a Unix socket and on TCP, and serves each connection by itself, so that none waits for another.
/// </summary>
public sealed class PcpServer : IDisposable
{
    private const int Backlog = 128;
    private const int SolSocket = 1;
    private const int SoReuseAddress = 2;

    private readonly DoorState _door;
    private readonly DoorOptions _options;
    private readonly List<(Socket Socket, bool IsLocal)> _listeners = [];
    private readonly ConnectionLimits _limits;

    // Offline: an authority's server is not asked for what the file does not have.
    private readonly SslStreamCertificateContext? _certificate;

    /// <summary>Opens the listeners; throws a <see cref="MusterException"/> when an address cannot be had.</summary>
    public PcpServer(DoorState door, DoorOptions options)
    {
        _door = door;
        _options = options;
        _limits = new ConnectionLimits(options);
        _certificate = options.Certificate is { } certificate ? SslStreamCertificateContext.Create(certificate, options.Intermediates, offline: true) : null;
        try
        {
            if (options.SocketFolder is { } folder)
            {
                _listeners.Add((ListenLocal(folder, options.SocketName), true));
            }

            if (options.Tcp is { } address && ListenTcp(address) is { } tcp)
            {
                _listeners.Add((tcp, false));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The TCP address that is listened on, with the port that the kernel chose; null when there is none.</summary>
    public IPEndPoint? TcpAddress => _listeners.Where(l => !l.IsLocal).Select(l => (IPEndPoint?)l.Socket.LocalEndPoint).FirstOrDefault();

    /// <summary>What could not be opened though it was wanted; null when all is well.</summary>
    public string? Warning { get; private set; }

    /// <summary>Serves until it is cancelled; then all connections are closed.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            await Task.WhenAll(_listeners.Select(l => AcceptAsync(l.Socket, l.IsLocal, end.Token)));
        }
        finally
        {
            await end.CancelAsync();
            RemoveSocket();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (socket, _) in _listeners)
        {
            socket.Dispose();
        }
    }

    private static Socket ListenLocal(string folder, string name)
    {
        Directory.CreateDirectory(folder);
        var probe = UnixSockets.TryConnect(folder, name);
        if (probe >= 0)
        {
            Descriptors.Close(probe);
            throw new MusterException(ErrorKind.Conflict, $"Another server answers on {Path.Combine(folder, name)}: stop it first, or choose another --root");
        }

        var socket = new Socket(new SafeSocketHandle(UnixSockets.Listen(folder, name), ownsHandle: true));

        // Metrics of the host are for every local user; what is not is decided by the peer's credentials.
        File.SetUnixFileMode(Path.Combine(folder, name), (UnixFileMode)0b110_110_110);
        return socket;
    }

    private Socket? ListenTcp(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // SO_REUSEADDR alone: the framework's own option adds SO_REUSEPORT, and two servers would share the port.
            socket.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(1));
            socket.Bind(address);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            var sentence = $"The metrics door cannot listen on {address}: {e.Message}. Stop what listens there (a pmcd?), or choose another address with --listen-pcp";
            if (!_options.IsTcpOptional)
            {
                throw new MusterException(ErrorKind.Conflict, sentence, e);
            }

            Warning = sentence;
            return null;
        }
    }

    private async Task AcceptAsync(Socket listener, bool isLocal, CancellationToken ct)
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await AcceptOneAsync(listener, ct);
                connections.RemoveAll(c => c.IsCompleted);
                if (socket is not null)
                {
                    connections.Add(Task.Run(() => ServeAsync(socket, isLocal, ct), CancellationToken.None));
                }
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task<Socket?> AcceptOneAsync(Socket listener, CancellationToken ct)
    {
        try
        {
            return await listener.AcceptAsync(ct);
        }
        catch (SocketException e)
        {
            // Out of descriptors, or the client went away: the next one may fare better, but not at once.
            _door.Log($"The metrics door could not take a connection: {e.Message}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), _door.Time, ct);
            return null;
        }
    }

    private async Task ServeAsync(Socket socket, bool isLocal, CancellationToken ct)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            var peer = isLocal ? PeerCredentials.Of(socket) : new MetricView();
            var address = (socket.RemoteEndPoint as IPEndPoint)?.Address;
            if (!_limits.TryEnter(isLocal, peer.UserId, address))
            {
                await RefuseAsync(stream, ct);
                return;
            }

            try
            {
                using var connection = new PcpConnection(_door, _options, _certificate, _limits, socket, stream, isLocal ? peer : null);
                await connection.RunAsync(ct);
            }
            finally
            {
                _limits.Leave(isLocal, peer.UserId, address);
            }
        }
#pragma warning disable CA1031 // The boundary of one connection: whatever it was, the others go on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (e is not (IOException or SocketException or OperationCanceledException or ObjectDisposedException))
            {
                _door.Log($"A client of the metrics door was dropped: {e.GetType().Name}: {e.Message}");
            }
        }
    }

    private async Task RefuseAsync(NetworkStream stream, CancellationToken ct)
    {
        using var writer = new PduWriter();
        ClientSession.Greet(writer, ClientSession.Features(_door.IsTlsOffered), PcpError.ConnectionLimit);
        await stream.WriteAsync(writer.Written, ct);
        _door.Log($"A client of the metrics door was refused: {_options.MaxConnections} are connected, or {_options.MaxConnectionsOfUser} of its user, or {_options.MaxConnectionsOfAddress} of its address");
    }

    private void RemoveSocket()
    {
        if (_options.SocketFolder is { } folder && _listeners.Any(l => l.IsLocal))
        {
            File.Delete(Path.Combine(folder, _options.SocketName));
        }
    }
}
