using System.Diagnostics;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Agents;

/// <summary>
/// Debian's pmcd with its agents, on a port and socket of its own. On a host with cgroup v1 and v2 it runs where v2 is not
/// mounted: beside v2 it gives no values of v1.
/// </summary>
internal sealed class RealPmcd : IDisposable
{
    private const string Program = "/usr/lib/pcp/bin/pmcd";

    private readonly string _folder;
    private readonly Process _process;

    private RealPmcd(string folder, Process process)
    {
        _folder = folder;
        _process = process;
    }

    public static string? Missing => File.Exists(Program) && File.Exists("/usr/bin/pminfo") ? null : "Debian's package pcp is not installed (eng/bootstrap.sh --tests)";

    private string Socket => Path.Combine(_folder, "pmcd.socket");

    /// <param name="change">More of its environment: where its agents look in place of the host's files.</param>
    public static RealPmcd Start(IReadOnlyDictionary<string, string>? change = null)
    {
        var folder = Directory.CreateTempSubdirectory("muster-pmcd-").FullName;
        using (var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0))
        {
            listener.Start();
            var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
            listener.Stop();
            if (!File.Exists("/var/lib/pcp/pmns/root"))
            {
                ProgramRun.Of("/bin/sh", ["-c", "cd /var/lib/pcp/pmns && ./Rebuild -us"]).Succeeded();
            }

            var script = $"if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi; exec {Program} -f -i 127.0.0.1 -l {folder}/pmcd.log";
            var environment = new Dictionary<string, string>
            {
                ["PMCD_PORT"] = port.ToString(),
                ["PMCD_SOCKET"] = Path.Combine(folder, "pmcd.socket"),
                ["PCP_RUN_DIR"] = folder,
            };
            foreach (var (name, value) in change ?? new Dictionary<string, string>())
            {
                environment[name] = value;
            }

            var process = ProgramRun.Start("/usr/bin/unshare", ["-m", "/bin/sh", "-c", script], environment, folder);
            var pmcd = new RealPmcd(folder, process);
            pmcd.WaitUntilItAnswers();
            return pmcd;
        }
    }

    /// <summary>Names, descriptors and values of the metrics at or below each name.</summary>
    public Dictionary<string, PcpMetric> Ask(params IEnumerable<string> names) => PcpAnswers.Parse(Info(["-m", "-d", "-f", .. names]).Out);

    public ProgramRun Info(IEnumerable<string> arguments) => Tool("/usr/bin/pminfo", arguments);

    /// <summary>Runs one of PCP's tools against it.</summary>
    public ProgramRun Tool(string tool, IEnumerable<string> arguments) => ProgramRun.Of(tool, arguments, environment: new Dictionary<string, string> { ["PMCD_SOCKET"] = Socket });

    /// <summary>Starts one of PCP's tools against it, in a folder.</summary>
    public Process StartTool(string tool, IEnumerable<string> arguments, string folder, string registerFolder) => ProgramRun.Start(
        tool, arguments, new Dictionary<string, string> { ["PMCD_SOCKET"] = Socket, ["PCP_TMP_DIR"] = registerFolder, ["PCP_RUN_DIR"] = _folder }, folder);

    public void Dispose()
    {
        // SIGTERM, so that pmcd ends its agents.
        ProgramRun.Of("/bin/kill", ["-TERM", _process.Id.ToString()]);
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void WaitUntilItAnswers()
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            if (File.Exists(Socket) && Info(["-f", "kernel.all.load", "proc.nprocs"]) is { Status: 0 } run && !run.Out.Contains("Error", StringComparison.Ordinal))
            {
                return;
            }

            if (_process.HasExited)
            {
                break;
            }

            // pmcd tells nobody when its agents are ready; asking is the only way to know.
            ProgramRun.Of("/bin/sleep", ["0.2"]);
        }

        var log = Path.Combine(_folder, "pmcd.log");
        throw new InvalidOperationException("pmcd did not start: " + (File.Exists(log) ? File.ReadAllText(log) : ""));
    }
}
