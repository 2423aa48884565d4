using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Metrics.Collecting;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Door;

/// <summary>
/// One connection: cuts the stream into units, hands them to the session, and sends the answers, each with one write. A unit
/// is read only when the answer to the one before has gone out, so a client can make wait no more than one answer.
/// </summary>
internal sealed class PcpConnection : IDisposable
{
    // Requests are a few dozen bytes; a larger one borrows a larger buffer for as long as it lasts.
    private const int UsualRequest = 4096;

    // Small answers cost no accounting: they fit into the socket's buffer.
    private const int SmallAnswer = 64 * 1024;

    private readonly DoorState _door;
    private readonly DoorOptions _options;
    private readonly SslStreamCertificateContext? _certificate;
    private readonly ConnectionLimits _limits;
    private readonly ClientSession _session;
    private readonly PduWriter _writer = new();
    private readonly CancellationTokenSource _impatience;
    private Stream _stream;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(UsualRequest);
    private int _filled;

    public PcpConnection(DoorState door, DoorOptions options, SslStreamCertificateContext? certificate, ConnectionLimits limits, Socket socket, NetworkStream stream, MetricView? localPeer)
    {
        _door = door;
        _options = options;
        _certificate = certificate;
        _limits = limits;
        _stream = stream;
        _impatience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, door.Time);
        if (localPeer is not null)
        {
            _session = new ClientSession(door, "local", localPeer);
        }
        else
        {
            socket.NoDelay = true;

            // A client whose machine vanished is noticed within minutes.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 15);
            _session = new ClientSession(door, (socket.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "unknown", new MetricView());
        }
    }

    /// <summary>Serves until the client or a limit ends it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, _impatience.Token);
        _impatience.CancelAfter(_options.Patience);
        ClientSession.Greet(_writer, ClientSession.Features(_door.IsTlsOffered));
        await _stream.WriteAsync(_writer.Written, end.Token);
        _writer.Reset();
        var outcome = SessionOutcome.Continue;
        while (outcome != SessionOutcome.Disconnect && await ReadUnitAsync(end.Token) is var length and > 0)
        {
            outcome = _session.Take(_buffer.AsSpan(0, length), _writer);
            Consume(length);
            await SendAsync(end.Token);
            if (outcome == SessionOutcome.StartTls && !await StartTlsAsync(end.Token))
            {
                return;
            }

            if (_session.IsKnown)
            {
                _impatience.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _writer.Dispose();
        _impatience.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        if (_stream is SslStream tls)
        {
            tls.Dispose();
        }
    }

    /// <summary>Waits for a whole unit at the beginning of the buffer; its length, or 0 when the client has gone or sends what is none.</summary>
    private async ValueTask<int> ReadUnitAsync(CancellationToken ct)
    {
        while (true)
        {
            var wanted = UsualRequest;
            if (_filled >= 4)
            {
                var length = BinaryPrimitives.ReadUInt32BigEndian(_buffer);
                if (length is < PduLimits.Header or > PduLimits.MaxFromClient)
                {
                    return 0;
                }

                if (_filled >= length)
                {
                    return (int)length;
                }

                wanted = (int)length;
            }

            Resize(Math.Max(wanted, _filled));
            var read = await _stream.ReadAsync(_buffer.AsMemory(_filled), ct);
            if (read == 0)
            {
                return 0;
            }

            _filled += read;
        }
    }

    private void Consume(int length)
    {
        _buffer.AsSpan(length, _filled - length).CopyTo(_buffer);
        _filled -= length;
        Resize(Math.Max(UsualRequest, _filled));
    }

    // Grows for a large unit and shrinks after it: an idle client holds the usual size.
    private void Resize(int size)
    {
        if (_buffer.Length >= size && (_buffer.Length < UsualRequest * 4 || size * 4 > _buffer.Length))
        {
            return;
        }

        var other = ArrayPool<byte>.Shared.Rent(size);
        _buffer.AsSpan(0, _filled).CopyTo(other);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = other;
    }

    private async ValueTask SendAsync(CancellationToken ct)
    {
        var length = _writer.Written.Length;
        if (length == 0)
        {
            return;
        }

        var held = length > SmallAnswer ? length : 0;
        if (held > 0 && !_limits.TryHold(held))
        {
            _writer.Reset();
            AnswerWriter.Error(_writer, PcpError.Again);
            held = 0;
        }

        try
        {
            var sending = _stream.WriteAsync(_writer.Written, ct);
            if (!sending.IsCompleted)
            {
                _impatience.CancelAfter(_options.SendPatience);
            }

            await sending;
        }
        finally
        {
            _limits.Release(held);
            _writer.Reset();
        }
    }

    private async Task<bool> StartTlsAsync(CancellationToken ct)
    {
        // Plain bytes behind the credentials would be taken for the protected client's own: nobody honest sends them.
        if (_filled > 0)
        {
            return false;
        }

        var tls = new SslStream(_stream, leaveInnerStreamOpen: true);
        _stream = tls;
        try
        {
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = _certificate,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ClientCertificateRequired = _options.TrustedClients.Count > 0,

#pragma warning disable CA5359 // A client without a certificate, or with one that nobody pinned, is an ordinary client: IsTrusted decides on rights.
                    RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                },
                ct);
        }
        catch (AuthenticationException e)
        {
            _door.Log(string.Create(CultureInfo.InvariantCulture, $"TLS with {_session.Client.Address} failed: {Reason(e)}"));
            return false;
        }

        if (tls.RemoteCertificate is X509Certificate2 client && IsTrusted(client))
        {
            _session.Prove(userId: 0, groupId: 0);
        }

        return true;
    }

    // The framework's own sentence sends its reader to what is inside: what the library of TLS said is innermost.
    private static string Reason(Exception e)
    {
        while (e.InnerException is { } inner)
        {
            e = inner;
        }

        return e.Message.Split('\n')[0];
    }

    // The handshake has proved that the client has the key; which keys count is a list, and an expired certificate does not.
    private bool IsTrusted(X509Certificate2 certificate)
    {
        var now = _door.Time.GetLocalNow().DateTime;
        return now >= certificate.NotBefore && now <= certificate.NotAfter
            && _options.TrustedClients.Contains(certificate.GetCertHashString(HashAlgorithmName.SHA256));
    }
}
