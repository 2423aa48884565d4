using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Muster.Images.Tests.Registry;

/// <summary>One request as a <see cref="ScriptedServer"/> saw it, and the raw connection to answer on.</summary>
internal sealed record Asked(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body, Stream Connection)
{
    public string Path => Target.Split('?')[0];

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    public Task AnswerAsync(int status, string body = "", params string[] headers) => AnswerAsync(status, Encoding.UTF8.GetBytes(body), headers);

    public async Task AnswerAsync(int status, byte[] body, params string[] headers)
    {
        var head = $"HTTP/1.1 {status} x\r\nContent-Length: {body.Length.ToString(CultureInfo.InvariantCulture)}\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n";
        await RawAsync(head);
        if (Method != "HEAD")
        {
            await Connection.WriteAsync(body);
        }
    }

    public async Task RawAsync(string text) => await Connection.WriteAsync(Encoding.ASCII.GetBytes(text));
}

/// <summary>A web server on loopback that does exactly what a test says, lies included, over TLS with an authority of its own.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Asked, Task> _answer;
    private readonly TestAuthority? _authority;
    private readonly Task _loop;

    public ScriptedServer(Func<Asked, Task> answer, TestAuthority? authority = null, IPEndPoint? at = null)
    {
        _listener = new TcpListener(at ?? new IPEndPoint(IPAddress.Loopback, 0));
        _answer = answer;
        _authority = authority;
        _listener.Start();
        Host = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _loop = Task.Run(LoopAsync);
    }

    public string Host { get; }

    public Uri Address => new($"{(_authority is null ? "http" : "https")}://{Host}/");

    public ConcurrentQueue<Asked> Requests { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        try
        {
            Stream stream = client.GetStream();
            if (_authority is not null)
            {
                var secure = new SslStream(stream);
                await secure.AuthenticateAsServerAsync(_authority.Server, false, false);
                stream = secure;
            }

            while (await ReadAsync(stream) is { } asked)
            {
                Requests.Enqueue(asked);
                await _answer(asked).WaitAsync(_stop.Token);
                await stream.FlushAsync();
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
        }
    }

    private async Task<Asked?> ReadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
            {
                return null;
            }

            if (head.Length == 0 && one[0] == 0x16)
            {
                // A TLS greeting to a plain server: closed, as real servers do.
                return null;
            }

            head.Append((char)one[0]);
        }

        var lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).GroupBy(p => p[0], StringComparer.OrdinalIgnoreCase).ToDictionary(g => g.Key, g => g.First()[1], StringComparer.OrdinalIgnoreCase);
        var body = new byte[headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, _stop.Token);
        var words = lines[0].Split(' ');
        return new Asked(words[0], words[1], headers, body, stream);
    }
}

/// <summary>A certificate authority that lives as long as a test, and a server certificate for loopback by it.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _authority;

    public TestAuthority(params string[] hosts)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _authority = request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var server = new CertificateRequest("CN=localhost", serverKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        Array.ForEach(hosts, names.AddDnsName);
        server.CertificateExtensions.Add(names.Build());
        server.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var signed = server.Create(_authority, now.AddHours(-1), now.AddHours(1), [1, 2, 3, 4]);
        Server = signed.CopyWithPrivateKey(serverKey);
    }

    public X509Certificate2 Server { get; }

    public string AuthorityPem => _authority.ExportCertificatePem();

    public string ServerPem => Server.ExportCertificatePem();

    public string ServerKeyPem => Server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();

    public void Dispose()
    {
        Server.Dispose();
        _authority.Dispose();
    }
}
