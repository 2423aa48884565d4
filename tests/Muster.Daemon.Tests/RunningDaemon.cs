using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Muster.TestKit;

namespace Muster.Daemon.Tests;

/// <summary>One musterd for the tests of a class, below a root of its own, with the node's real agents and PCP's port open on loopback.</summary>
public sealed class RunningDaemon : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("muster-daemon-").FullName;
    private readonly Process _process;

    public RunningDaemon()
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        using (var other = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            other.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
            ForeignPort = ((IPEndPoint)other.LocalEndpoint).Port;
        }

        // Somebody else's folder: what the web framework would look for there must not matter.
        var folder = Directory.CreateDirectory(Path.Combine(_root, "foreign")).FullName;
        File.WriteAllText(Path.Combine(folder, "appsettings.json"), $$"""{"Kestrel":{"Endpoints":{"x":{"Url":"http://127.0.0.1:{{ForeignPort}}"} } } }""");
        var environment = new Dictionary<string, string> { ["Kestrel__Endpoints__x__Url"] = $"http://127.0.0.1:{ForeignPort}", ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{ForeignPort}" };
        _process = ProgramRun.Start(Path.Combine(AppContext.BaseDirectory, "musterd"), ["--root", _root, $"--listen-pcp=127.0.0.1:{Port}"], environment, folder);
        TestRoot.Until(() => _process.HasExited || Tool("pmprobe", "-h", "localhost", "pmcd.pid").Status == 0, "musterd answers");
    }

    public int Port { get; }

    /// <summary>A port that a file in the daemon's folder and its environment name, and nobody configured.</summary>
    public int ForeignPort { get; }

    public string Socket => Path.Combine(_root, "run", "muster.socket");

    public string PcpSocket => Path.Combine(_root, "run", "pmcd.socket");

    public string Folder => _root;

    /// <summary>Runs one of PCP's tools; without -h it finds the socket. Debian's own python comes first, as the tools want it.</summary>
    public ProgramRun Tool(string tool, params string[] words) => ProgramRun.Of(tool, words, environment: new Dictionary<string, string>
    {
        ["PMCD_PORT"] = $"{Port}",
        ["PMCD_SOCKET"] = PcpSocket,
        ["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin",
        ["PYTHONPATH"] = "/usr/lib/python3/dist-packages",
        ["PCP_TMPFILE_DIR"] = _root,
    }, folder: _root);

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_root, recursive: true);
    }
}
