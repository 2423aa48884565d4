using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Muster.TestKit;

namespace Muster.Daemon.Tests;

/// <summary>A whole musterd below a root of its own, asked over its sockets by curl and by PCP's tools.</summary>
public sealed class MetricsPartTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), "muster-daemon-" + Guid.NewGuid().ToString("N")[..8]);
    private Process? _daemon;

    public MetricsPartTests() => Directory.CreateDirectory(Path.Combine(_root, "etc"));

    private string Socket => Path.Combine(_root, "run", "muster.socket");

    private string PcpSocket => Path.Combine(_root, "run", "pmcd.socket");

    public void Dispose()
    {
        if (_daemon is not null)
        {
            _daemon.Kill();
            _daemon.WaitForExit();
            _daemon.Dispose();
        }

        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Answers_PCP_on_its_socket_and_keeps_TCP_closed_below_a_root()
    {
        Start();
        var run = ProgramRun.Of("pminfo", ["-h", $"unix://{PcpSocket}", "-f", "pmcd.hostname", "pmcd.pid"]).Succeeded();
        run.Out.Should().Contain($"value {_daemon!.Id}");
        var connections = File.ReadAllText($"/proc/{_daemon.Id}/net/tcp");
        var own = Directory.GetFiles($"/proc/{_daemon.Id}/fd").Select(f => new FileInfo(f).LinkTarget ?? "").Where(l => l.StartsWith("socket:[", StringComparison.Ordinal)).Select(l => l[8..^1]).ToHashSet();
        connections.Split('\n').Skip(1).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(f => f.Length > 9 && f[3] == "0A").Select(f => f[9]).Should().NotContain(inode => own.Contains(inode), "no port is open below a root unless it is asked for");
    }

    [Fact]
    public void Serves_scrapes_and_dashboards_on_the_main_door()
    {
        Start();
        var scrape = Curl("-H", "Accept: application/openmetrics-text", "http://localhost/metrics?names=pmcd.numclients");
        scrape.Should().Contain("# TYPE pmcd_numclients gauge").And.EndWith("# EOF\n");
        Curl("http://localhost/pmapi/metric?names=pmcd.hostname").Should().Contain("\"pmid\":\"2.0.21\"");
        Curl("-w", "%{http_code}", "http://localhost/metrics?names=no.such").Should().Contain("There is no metric no.such").And.EndWith("404");
        Curl("--head", "http://localhost/metrics?names=pmcd.numclients").Should().StartWith("HTTP/1.1 200 OK").And.NotContain("pmcd_numclients");
        Curl("--head", "http://localhost/metrics?names=no.such").Should().StartWith("HTTP/1.1 404");
        Curl("http://localhost/health").Should().Contain("\"metrics\":\"ok\"");
    }

    [Fact]
    public void Derives_the_metrics_of_a_file_for_scrapers_dashboards_rules_and_the_logger()
    {
        File.WriteAllText(Path.Combine(_root, "derived.conf"), "my.agents = pmcd.numagents * 2\nmy.agents(oneline) = Twice the agents\nmy.broken = (\nmy.missing = no.such.metric\nmy.rate = rate(pmcd.cputime.total)\n");
        File.WriteAllText(Path.Combine(_root, "log.yaml"), "log:\n  - metrics: [my, pmcd.numagents]\n    every: 200ms\n");
        File.WriteAllText(Path.Combine(_root, "rules.yaml"), "rules:\n  - name: agents\n    when: my.agents > 0\n    every: 200ms\n");
        File.WriteAllText(Path.Combine(_root, "etc", "muster.yaml"), $"metrics:\n  derived: {_root}/derived.conf\n  log: {_root}/log.yaml\n  log-folder: {_root}/archives\n  rules: {_root}/rules.yaml\n");
        Start();
        Curl("http://localhost/metrics?names=my").Should().Contain("my_agents ").And.Contain("Twice the agents").And.NotContain("my_missing");
        TestRoot.Until(() => Curl("http://localhost/metrics?names=my.rate").Contains("\nmy_rate"), "the second scrape has a rate");
        Curl("http://localhost/pmapi/metric?names=my.agents").Should().Contain("\"pmid\":\"511.0.3\"");
        Curl("http://localhost/pmapi/fetch?names=my.agents").Should().Contain("\"name\":\"my.agents\"");
        TestRoot.Until(() => Curl("http://localhost/metrics/rules").Contains("\"firing\""), "the rule over a derived metric fires");
        ProgramRun.Of("pminfo", ["-h", $"unix://{PcpSocket}", "my"]).Status.Should().NotBe(0, "PCP's clients derive for themselves");
        TestRoot.Until(() => Directory.Exists(Path.Combine(_root, "archives")) && Directory.GetFiles(Path.Combine(_root, "archives"), "*.meta").Length > 0, "the logger has begun");
        var archive = Directory.GetFiles(Path.Combine(_root, "archives"), "*.meta").Single()[..^".meta".Length];
        TestRoot.Until(() => ProgramRun.Of("pminfo", ["-d", "-m", "-a", archive, "my"]).Out.Contains("PMID: 511.2048.3"), "the archive has the derived metric as one of its own");
    }

    [Fact]
    public void Listens_where_the_command_line_and_muster_yaml_say()
    {
        var (pcp, http) = (FreePort(), FreePort());
        File.WriteAllText(Path.Combine(_root, "etc", "muster.yaml"), $"metrics:\n  listen-http: 127.0.0.1:{http}\n");
        Start($"--listen-pcp=127.0.0.1:{pcp}", wait: () => ProgramRun.Of("curl", ["-s", $"http://127.0.0.1:{http}/metrics?names=pmcd.pid"]).Status == 0);
        ProgramRun.Of("pminfo", ["-h", "localhost", "-f", "pmcd.numagents"], environment: new Dictionary<string, string> { ["PMCD_PORT"] = $"{pcp}" }).Succeeded().Out.Should().Contain("value ");
        ProgramRun.Of("curl", ["-s", $"http://127.0.0.1:{http}/metrics?names=pmcd.numagents"]).Succeeded().Out.Should().Contain("pmcd_numagents ");
        ProgramRun.Of("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", $"http://127.0.0.1:{http}/health"]).Out.Should().Be("404", "the scrapers' address has metrics alone");
    }

    [Fact]
    public void Leaves_scrapers_of_other_addresses_room()
    {
        var http = FreePort();
        File.WriteAllText(Path.Combine(_root, "etc", "muster.yaml"), $"metrics:\n  listen-http: 127.0.0.1:{http}\n");
        Start(wait: () => Ping("127.0.0.1").Status == 0);
        var clients = Enumerable.Range(0, 120).Select(_ => new TcpClient("127.0.0.1", http)).ToList();
        try
        {
            TestRoot.Until(() => Ping("127.0.0.1").Status != 0, "the address has as many connections as it may");
            Ping("127.0.0.2").Succeeded();
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }

        TestRoot.Until(() => Ping("127.0.0.1").Status == 0, "those that are gone count no more");

        ProgramRun Ping(string from) => ProgramRun.Of("curl", ["-s", "-f", "--interface", from, $"http://127.0.0.1:{http}/pmapi/ping"]);
    }

    [Fact]
    public void Shows_a_busy_address_as_the_parts_health()
    {
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start();
        Start($"--listen-pcp=127.0.0.1:{((IPEndPoint)busy.LocalEndpoint).Port}", wait: () => Curl("http://localhost/health").Contains("degraded", StringComparison.Ordinal));
        Curl("http://localhost/health").Should().Contain("cannot listen on 127.0.0.1");
    }

    [Fact]
    public void Pushes_to_a_collector()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        File.WriteAllText(Path.Combine(_root, "etc", "muster.yaml"), $"metrics:\n  otlp-endpoint: http://127.0.0.1:{((IPEndPoint)collector.LocalEndpoint).Port}/v1/metrics\n  otlp-encoding: json\n  otlp-names: pmcd.numagents\n  otlp-headers: X-Scope=blue\n");
        Start();
        using var connection = collector.AcceptTcpClient();
        connection.ReceiveTimeout = 20_000;
        var buffer = new byte[64 * 1024];
        var text = "";
        while (!text.Contains("dataPoints", StringComparison.Ordinal))
        {
            var read = connection.GetStream().Read(buffer);
            read.Should().BePositive();
            text += System.Text.Encoding.UTF8.GetString(buffer, 0, read);
        }

        text.Should().StartWith("POST /v1/metrics HTTP/1.1").And.Contain("X-Scope: blue").And.Contain("\"name\":\"pmcd.numagents\"").And.Contain("\"asInt\":");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string Curl(params string[] words) => ProgramRun.Of("curl", ["-s", "--unix-socket", Socket, .. words]).Out;

    private void Start(string? word = null, Func<bool>? wait = null)
    {
        _daemon = ProgramRun.Start(Path.Combine(AppContext.BaseDirectory, "musterd"), ["--root", _root, .. word is null ? Array.Empty<string>() : [word]]);
        TestRoot.Until(() => _daemon.HasExited || (File.Exists(Socket) && (wait ?? (() => File.Exists(PcpSocket)))()), "musterd answers");
        _daemon.HasExited.Should().BeFalse();
    }
}
