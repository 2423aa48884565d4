using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Muster.TestKit;

/// <summary>The real pmcd on a port of its own, with a configuration, namespace, log and socket in a folder that vanishes.</summary>
public sealed class Pmcd : IDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="folder">Where everything of it is.</param>
    /// <param name="configuration">The agents of pmcd.conf; everybody may do everything.</param>
    /// <param name="names">The namespace.</param>
    public Pmcd(string folder, string configuration, string names)
    {
        _folder = folder;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        File.WriteAllText(Path.Combine(folder, "pmcd.conf"), configuration + "\n[access]\nallow \"*\" : all;\n");
        File.WriteAllText(Path.Combine(folder, "names"), names);
        _process = ProgramRun.Start("/usr/lib/pcp/bin/pmcd", ["-f", "-i", "127.0.0.1", "-p", $"{Port}", "-s", Path.Combine(folder, "real.socket"), "-l", Path.Combine(folder, "pmcd.log"), "-c", Path.Combine(folder, "pmcd.conf"), "-n", Path.Combine(folder, "names")], new Dictionary<string, string> { ["PCP_RUN_DIR"] = folder, ["PCP_TMP_DIR"] = folder });
        TestRoot.Until(() => _process.HasExited || Tool("pmprobe", "pmcd.pid").Status == 0, "pmcd answers");
        if (_process.HasExited)
        {
            throw new InvalidOperationException("pmcd ended: " + Log);
        }
    }

    /// <summary>Its TCP port on loopback.</summary>
    public int Port { get; }

    /// <summary>What it has logged.</summary>
    public string Log => File.ReadAllText(Path.Combine(_folder, "pmcd.log"));

    /// <summary>Runs a client of PCP against it.</summary>
    public ProgramRun Tool(string tool, params string[] words) =>
        ProgramRun.Of(tool, ["-h", "localhost", .. words], environment: new Dictionary<string, string> { ["PMCD_PORT"] = $"{Port}" });

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            // SIGTERM, so that it ends its agents.
            ProgramRun.Of("/bin/kill", [$"{_process.Id}"]);
            _process.WaitForExit(TimeSpan.FromSeconds(10));
        }

        _process.Dispose();
    }
}
