using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Muster.Images.Tests.Registry;
using Muster.Images.Tests.Trust;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Trust;

/// <summary>
/// App Container discovery through the program, over real HTTPS on port 443 of a loopback address that only the test's own
/// view of /etc/hosts knows by name: meta tags, keys, a proxy, client certificates.
/// </summary>
public sealed class DiscoveryVerbTests : IDisposable
{
    private const string Host = "images.test";

    // An address of its own for every test process: its port 443 is nobody's.
    private static readonly IPAddress Address = new([127, 77, (byte)(Environment.ProcessId >> 8), (byte)(Environment.ProcessId % 250 + 1)]);

    private readonly TestRoot _root = new();
    private readonly TestAuthority _authority = new(Host);
    private readonly GpgHome _gpg = new();
    private readonly byte[] _aci;
    private readonly byte[] _signature;

    public DiscoveryVerbTests()
    {
        Write("etc/hosts", $"127.0.0.1 localhost\n{Address} {Host}\n");
        Write($"../etc/certs.d/{Host}/ca.crt", _authority.AuthorityPem);
        Write("aci/manifest", """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"images.test/team/app","labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],"app":{"exec":["/x"],"user":"0","group":"0"}}""");
        Directory.CreateDirectory(_root.Work + "/aci/rootfs");
        _aci = ToolRun.Run("tar", ["-C", _root.Work + "/aci", "-cz", "manifest", "rootfs"]);
        _signature = _gpg.Sign(_gpg.Ed25519, _aci);
    }

    public void Dispose()
    {
        _gpg.Dispose();
        _authority.Dispose();
        _root.Dispose();
    }

    [Fact]
    public async Task An_image_is_found_by_its_name_after_its_sites_key_was_reviewed()
    {
        await using var server = new ScriptedServer(Answer, _authority, new IPEndPoint(Address, 443));
        Muster("fetch", "images.test/team/app:1.0").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("muster trust --prefix images.test/team/app KEY"));
        Muster("trust", "--prefix", "images.test/team").Error.Should().Contain("must be reviewed on a terminal");
        _root.Muster("trust", "list", "-q").Out.Should().BeEmpty("nothing is trusted because it came over https");
        Muster("trust", "--prefix", "images.test/team", "--skip-fingerprint-review").Succeeded().Out.Should().Contain(_gpg.Ed25519);
        Muster("fetch", "images.test/team/app:1.0").Succeeded();
        _root.Muster("image", "verify", "--signature", "images.test/team/app:1.0").Succeeded().Out.Should().Contain("accepted").And.Contain("Ed <ed@test>");
        server.Requests.Select(r => r.Target).Should().Contain("/team/app?ac-discovery=1").And.Contain("/?ac-discovery=1").And.Contain("/store/1.0/linux/amd64/app.aci.asc");
        Muster("fetch", "images.test/other:1.0").Error.Should().StartWith("muster: ");
    }

    [Fact]
    public async Task Of_several_places_the_first_that_has_the_image_as_it_should_be_counts()
    {
        string[] places = [$"http://{Host}/plain", $"https://{Host}/forbidden", $"https://{Host}/unsigned", $"https://{Host}/damaged", $"https://{Host}/good"];
        await using var server = new ScriptedServer(asked => asked.Path switch
        {
            "/" => asked.AnswerAsync(200, string.Concat(places.Select(p => $"<meta name=\"ac-discovery\" content=\"{Host} {p}.{{ext}}\">"))),
            "/forbidden.aci" => asked.AnswerAsync(403),
            "/damaged.aci" => asked.AnswerAsync(200, _aci[100..]),
            "/unsigned.aci" or "/good.aci" => asked.AnswerAsync(200, _aci),
            "/damaged.aci.asc" or "/good.aci.asc" => asked.AnswerAsync(200, _signature),
            _ => asked.AnswerAsync(404),
        }, _authority, new IPEndPoint(Address, 443));
        Write("key.asc", Encoding.ASCII.GetString(_gpg.Export(_gpg.Ed25519)));
        Muster("trust", "--prefix", Host, "--skip-fingerprint-review", _root.Work + "/key.asc").Succeeded();
        Muster("fetch", "images.test/team/app:1.0").Succeeded();
        server.Requests.Select(r => r.Path).Should().ContainInOrder("/forbidden.aci", "/unsigned.aci", "/damaged.aci", "/good.aci");
        _root.Muster("image", "rm", "images.test/team/app:1.0").Succeeded();
        places = [$"https://{Host}/none", $"https://{Host}/unsigned", $"https://{Host}/none2"];
        Muster("fetch", "images.test/team/app:1.0").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("is not signed", StringComparison.Ordinal), "that says more than that the last place has none");
    }

    [Fact]
    public async Task A_proxy_is_asked_unless_NO_PROXY_names_the_host()
    {
        await using var server = new ScriptedServer(Answer, _authority, new IPEndPoint(Address, 443));
        using var proxy = new Proxy(_root.Work, _root.Work + "/etc/hosts");
        // Only the proxy knows where the host is.
        var environment = new Dictionary<string, string> { ["HTTPS_PROXY"] = $"http://127.0.0.1:{proxy.Port}", ["https_proxy"] = "" };
        Direct(environment, "fetch", "--insecure-options=image", "https://images.test/store/1.0/linux/amd64/app.aci").Succeeded();
        proxy.Log.Should().Contain("images.test:443");
        environment["NO_PROXY"] = "localhost,.test";
        Direct(environment, "fetch", "--insecure-options=image", "--pull-policy=update", "https://images.test/store/1.0/linux/amd64/app.aci").Should()
            .Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("cannot be resolved", StringComparison.Ordinal));
        environment["NO_PROXY"] = "other.test";
        Direct(environment, "fetch", "--insecure-options=image", "--pull-policy=update", "https://images.test/store/1.0/linux/amd64/app.aci").Succeeded();
    }

    [Fact]
    public void A_client_certificate_of_certs_d_is_shown_to_who_asks_for_one()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var client = new CertificateRequest("CN=client", key, HashAlgorithmName.SHA256).CreateSelfSigned(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddHours(1));
        Write("server/server.pem", _authority.ServerPem);
        Write("server/server.key", _authority.ServerKeyPem);
        Write("server/clients.pem", client.ExportCertificatePem());
        File.WriteAllBytes(_root.Work + "/server/app.aci", _aci);
        using var server = Process.Start(new ProcessStartInfo("openssl", ["s_server", "-accept", $"{Address}:443", "-cert", "server.pem", "-key", "server.key", "-CAfile", "clients.pem", "-Verify", "1", "-verify_return_error", "-WWW", "-quiet"])
        {
            WorkingDirectory = _root.Work + "/server",
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            TestRoot.Until(Listens, "the server listens");
            Muster("fetch", "--insecure-options=image", "https://images.test/app.aci").Status.Should().Be(254, "it asks for a certificate");
            Write($"../etc/certs.d/{Host}/client.cert", client.ExportCertificatePem());
            Write($"../etc/certs.d/{Host}/client.key", key.ExportPkcs8PrivateKeyPem());
            File.SetUnixFileMode(_root.Folder + $"/etc/certs.d/{Host}/client.key", UnixFileMode.UserRead);
            Muster("fetch", "--insecure-options=image", "https://images.test/app.aci").Succeeded();
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
        }
    }

    private static bool Listens()
    {
        try
        {
            using var probe = new TcpClient();
            probe.Connect(Address, 443);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private Task Answer(Asked asked) => asked.Path switch
    {
        "/" => asked.AnswerAsync(200, $"""<html><head><meta name="ac-discovery" content="images.test https://{Host}/store/{"{version}/{os}/{arch}"}/app.{"{ext}"}"><meta name="ac-discovery-pubkeys" content="images.test https://{Host}/keys.asc"></head></html>""", "Content-Type: text/html"),
        "/keys.asc" => asked.AnswerAsync(200, _gpg.Export(_gpg.Ed25519)),
        "/store/1.0/linux/amd64/app.aci" => asked.AnswerAsync(200, _aci, "Content-Type: application/octet-stream"),
        "/store/1.0/linux/amd64/app.aci.asc" => asked.AnswerAsync(200, _signature),
        _ => asked.AnswerAsync(404),
    };

    /// <summary>The program where the host's name is known.</summary>
    private ProgramRun Muster(params string[] words) =>
        ProgramRun.Of("unshare", ["-m", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", _root.Work + "/etc/hosts", Repository.Program("muster"), "--root", _root.Folder, .. words]);

    private ProgramRun Direct(Dictionary<string, string> environment, params string[] words) =>
        ProgramRun.Of(Repository.Program("muster"), ["--root", _root.Folder, .. words], environment: environment);

    private void Write(string name, string content)
    {
        var path = Path.GetFullPath(Path.Combine(_root.Work, name));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content, new UTF8Encoding(false));
    }

    /// <summary>Debian's tinyproxy on a loopback port, with a view of /etc/hosts of its own.</summary>
    private sealed class Proxy : IDisposable
    {
        private readonly Process _process;
        private readonly string _log;

        public Proxy(string folder, string hosts)
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Port = ((IPEndPoint)probe.LocalEndpoint).Port;
            }

            _log = folder + "/proxy.log";
            File.WriteAllText(folder + "/proxy.conf", $"Port {Port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nConnectPort 443\nLogFile \"{_log}\"\nLogLevel Connect\n");
            _process = Process.Start(new ProcessStartInfo("unshare", ["-m", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec tinyproxy -d -c \"$1\"", hosts, folder + "/proxy.conf"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            TestRoot.Until(() =>
            {
                try
                {
                    using var probe = new TcpClient();
                    probe.Connect(IPAddress.Loopback, Port);
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            }, "the proxy listens");
        }

        public int Port { get; }

        public string Log => File.ReadAllText(_log);

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }
    }
}
