using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Http;
using Muster.Images.Oci.Registry;
using Muster.Images.Tests.Trust;

namespace Muster.Images.Tests.Registry;

/// <summary>Debian's docker-registry over TLS on loopback, open, with Basic, or with Bearer tokens of a server of ours.</summary>
internal sealed class DockerRegistry : IAsyncDisposable
{
    public const string User = "anna";
    public const string Password = "geheim:1";

    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;
    private readonly ScriptedServer? _tokens;

    private DockerRegistry(string auth)
    {
        Authority = new TestAuthority();
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Host = $"127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        }

        var section = "";
        if (auth == "basic")
        {
            var line = ToolRun.Run("perl", ["-e", "print crypt($ARGV[0], '$2y$05$abcdefghijklmnopqrstuu')", Password]);
            section = $"auth:\n  htpasswd: {{realm: test, path: {_folder.File("htpasswd", $"{User}:{Encoding.ASCII.GetString(line)}\n")}}}\n";
        }
        else if (auth == "bearer")
        {
            _tokens = new ScriptedServer(AnswerTokenAsync, Authority);
            section = $"auth:\n  token: {{realm: \"{_tokens.Address}token\", service: test-registry, issuer: test-issuer, rootcertbundle: {_folder.File("issuer.pem", Authority.ServerPem)}}}\n";
        }

        var configuration = _folder.File("config.yml", $"""
            version: 0.1
            log: {"{level: error}"}
            storage:
              filesystem: {"{"}rootdirectory: {_folder.Path}/data{"}"}
              delete: {"{enabled: true}"}
            http:
              addr: {Host}
              relativeurls: true
              tls: {"{"}certificate: {_folder.File("server.pem", Authority.ServerPem)}, key: {_folder.File("server.key", Authority.ServerKeyPem)}{"}"}
            {section}
            """);
        var start = new ProcessStartInfo("docker-registry", ["serve", configuration]) { RedirectStandardError = true, RedirectStandardOutput = true };
        // What the environment says of a registry must not reach this one.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("REGISTRY_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, e) => Log.AppendLine(e.Data);
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        Root = new MusterRoot(_folder.Path + "/root");
        Trust(Host);
        if (_tokens is not null)
        {
            Trust(_tokens.Host);
        }
    }

    public TestAuthority Authority { get; }

    public string Host { get; }

    /// <summary>A root whose etc/certs.d knows the registry's authority.</summary>
    public MusterRoot Root { get; }

    public StringBuilder Log { get; } = new();

    public IReadOnlyList<string> TokenRequests => [.. _tokens!.Requests.Select(r => r.Target)];

    public static async Task<DockerRegistry> StartAsync(string auth, CancellationToken ct)
    {
        var registry = new DockerRegistry(auth);
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var probe = new TcpClient();
                var port = registry.Host.Split(':')[1];
                await probe.ConnectAsync(IPAddress.Loopback, int.Parse(port, System.Globalization.CultureInfo.InvariantCulture), ct);
                return registry;
            }
            catch (SocketException) when (tries < 200 && !registry._process.HasExited)
            {
                await Task.Delay(20, ct);
            }
        }
    }

    /// <summary>A session whose logins are in a file of their own, so that the machine's play no part.</summary>
    public RegistrySession Session(string? user = null, string? password = null, WebOptions? options = null)
    {
        var file = Path.Combine(_folder.Path, Guid.NewGuid().ToString("N") + ".json");
        var session = new RegistrySession(Root, options ?? new WebOptions(), TimeProvider.System, file);
        if (user is not null)
        {
            session.Logins.Store(Host, new RegistryLogin(user, password!));
        }

        return session;
    }

    /// <summary>Options with which skopeo and podman reach this registry.</summary>
    public string[] SkopeoOptions(string prefix, bool login) =>
    [
        $"--{prefix}cert-dir={Path.GetDirectoryName(Directory.EnumerateFiles(Path.Combine(Root.Etc, "certs.d", Host)).First())}",
        .. login ? (string[])[$"--{prefix}creds={User}:{Password}"] : [],
    ];

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        if (_tokens is not null)
        {
            await _tokens.DisposeAsync();
        }

        Authority.Dispose();
        _folder.Dispose();
    }

    private void Trust(string host)
    {
        Directory.CreateDirectory(Path.Combine(Root.Etc, "certs.d", host));
        File.WriteAllText(Path.Combine(Root.Etc, "certs.d", host, "ca.crt"), Authority.AuthorityPem);
    }

    /// <summary>A token server as docker's token specification has it: Basic decides who asks, the token says what they may.</summary>
    private async Task AnswerTokenAsync(Asked asked)
    {
        var expected = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(User + ":" + Password));
        if (asked.Header("Authorization") is { } given && given != expected)
        {
            await asked.AnswerAsync(401, "{}");
            return;
        }

        var query = asked.Target.Contains('?') ? asked.Target.Split('?')[1].Split('&').Select(p => p.Split('=', 2)).Select(p => (p[0], Uri.UnescapeDataString(p[1]))).ToList() : [];
        var access = query.Where(p => p.Item1 == "scope").Select(p => p.Item2.LastIndexOf(':') is var end && p.Item2.IndexOf(':') is var begin
            ? $$"""{"type":"repository","name":"{{p.Item2[(begin + 1)..end]}}","actions":[{{string.Join(",", p.Item2[(end + 1)..].Split(',').Where(a => a == "pull" || asked.Header("Authorization") is not null).Select(a => $"\"{a}\""))}}]}""" : "");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var header = $$"""{"typ":"JWT","alg":"ES256","x5c":["{{Convert.ToBase64String(Authority.Server.RawData)}}"]}""";
        var claims = $$"""{"iss":"test-issuer","sub":"x","aud":"test-registry","exp":{{now + 60}},"nbf":{{now - 60}},"iat":{{now}},"jti":"{{Guid.NewGuid()}}","access":[{{string.Join(",", access)}}]}""";
        var signed = Base64Url(Encoding.UTF8.GetBytes(header)) + "." + Base64Url(Encoding.UTF8.GetBytes(claims));
        using var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(Authority.Server)!;
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        await asked.AnswerAsync(200, $$"""{"token":"{{signed}}.{{Base64Url(signature)}}","expires_in":60}""", "Content-Type: application/json");
    }

    private static string Base64Url(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
