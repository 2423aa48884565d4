using System.Globalization;
using System.Net;
using System.Text;
using Muster.Core;
using Muster.Linux;

namespace Muster.Network;

/// <summary>
/// The dnsmasq of one managed network: started by the first pod, stopped when the network is taken down. It answers <c>POD</c> and
/// <c>APP.POD</c> from a folder with one hosts file a pod and passes everything else to the host's resolvers.
/// </summary>
internal sealed class NameServer
{
    private static readonly string[] Programs = ["/usr/sbin/dnsmasq", "/sbin/dnsmasq", "/usr/bin/dnsmasq", "/usr/local/sbin/dnsmasq"];

    // dnsmasq(8), "EXIT CODES": 2 is a socket that cannot be had. The one before, killed a moment ago, may still be closing its.
    private const int AddressInUse = 2;
    private const int StartAttempts = 10;
    private const int RetryMilliseconds = 10;

    private readonly NetworkPaths _paths;
    private readonly ManagedNetwork _network;

    public NameServer(NetworkPaths paths, ManagedNetwork network)
    {
        _paths = paths;
        _network = network;
    }

    private string PidFile => Path.Combine(_paths.Network(_network.Name), "dnsmasq.pid");

    private string LockFile => Path.Combine(_paths.Network(_network.Name), "dnsmasq.lock");

    private string LogFile => Path.Combine(_paths.Network(_network.Name), "dnsmasq.log");

    private string HostsFolder => _paths.Hosts(_network.Name);

    /// <summary>Whether the program is installed.</summary>
    public static bool IsInstalled => Program is not null;

    private static string? Program => Array.Find(Programs, File.Exists);

    /// <summary>
    /// Makes sure that it runs. The pod must own an address already, which keeps the network from being taken down.
    /// It starts beside what the caller does meanwhile; <see cref="Starting.Wait"/> waits for the rest.
    /// </summary>
    public Starting Begin()
    {
        Directory.CreateDirectory(HostsFolder);
        using (FileLock.Wait(LockFile, shared: true))
        {
            if (RunningPid() is not null)
            {
                return new Starting(null, 0, this);
            }
        }

        var held = FileLock.Wait(LockFile);
        try
        {
            if (RunningPid() is not null)
            {
                held.Dispose();
                return new Starting(null, 0, this);
            }

            File.Delete(PidFile);
            return new Starting(held, Start(), this);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Publishes a pod's names. dnsmasq sees the renamed file at once (inotify).</summary>
    public void Announce(Guid pod, string podName, IReadOnlyList<string> apps, IEnumerable<IPAddress> addresses)
    {
        var text = new StringBuilder();
        foreach (var address in addresses)
        {
            text.Append(address).Append(' ').Append(podName);
            foreach (var app in apps)
            {
                text.Append(' ').Append(app).Append('.').Append(podName);
            }

            text.Append('\n');
        }

        // dnsmasq skips names that begin with a dot.
        var file = Path.Combine(HostsFolder, pod.ToString());
        var beside = Path.Combine(HostsFolder, "." + pod);
        File.WriteAllText(beside, text.ToString());
        PublicFiles.MakeReadable(beside);
        File.Move(beside, file, overwrite: true);
    }

    /// <summary>Takes a pod's names back; the server forgets them when it reads the folder again.</summary>
    public void Withdraw(Guid pod)
    {
        if (!Directory.Exists(HostsFolder))
        {
            return;
        }

        var file = Path.Combine(HostsFolder, pod.ToString());
        File.Delete(Path.Combine(HostsFolder, "." + pod));
        if (File.Exists(file))
        {
            File.Delete(file);
            if (RunningPid() is { } pid)
            {
                Signals.Send(pid, Signals.SIGHUP);
            }
        }
    }

    /// <summary>Stops the server when no pod has an address of the network.</summary>
    public void StopIfIdle()
    {
        if (!File.Exists(LockFile))
        {
            return;
        }

        using var held = FileLock.Wait(LockFile);
        if (new AddressBook(_paths, _network.Name).IsEmpty && RunningPid() is { } pid)
        {
            Signals.Send(pid, Signals.SIGKILL);
            File.Delete(PidFile);
        }
    }

    /// <summary>The server's pid; null when it does not run. The pid file alone proves nothing: the process must be a dnsmasq with this pid file among its arguments.</summary>
    public int? RunningPid()
    {
        try
        {
            return int.TryParse(File.ReadAllText(PidFile).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && pid > 1
                && File.ReadAllText($"/proc/{pid}/cmdline").Split('\0').Contains("--pid-file=" + PidFile)
                    ? pid
                    : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private int Start()
    {
        var program = Program!;
        var folder = _paths.Network(_network.Name);
        var readable = PublicFiles.IsReachable(folder) && PublicFiles.IsReachable(HostsFolder);
        string[] arguments =
        [
            program,
            "--conf-file=/dev/null",
            "--no-hosts",
            "--hostsdir=" + HostsFolder,
            "--pid-file=" + PidFile,
            "--log-facility=" + LogFile,
            // Only from the bridge: bind-dynamic checks the link that a query came in by.
            "--bind-dynamic",
            "--interface=" + _network.Bridge,
            "--except-interface=lo",
            // A name without a dot is a pod's or nobody's; private addresses have no names outside.
            "--domain-needed",
            "--bogus-priv",
            "--cache-size=1000",
            // Below a folder that only root may enter, an unprivileged server could not read the names.
            "--user=" + (readable ? "nobody" : "root"),
        ];
        return Spawn.Start(program, arguments, ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"], session: true);
    }

    private string LastWords()
    {
        try
        {
            var lines = File.ReadAllLines(LogFile);
            return lines.Length == 0 ? "it left no log" : lines[^1];
        }
        catch (IOException)
        {
            return "it left no log";
        }
    }

    /// <summary>A server that is starting: dnsmasq's first process ends when the sockets are open.</summary>
    internal sealed class Starting(FileLock? held, int pid, NameServer server) : IDisposable
    {
        private int _pid = pid;

        /// <summary>Waits until it answers; a sentence why it does not, or null.</summary>
        public string? Wait()
        {
            try
            {
                var child = Interlocked.Exchange(ref _pid, 0);
                var status = child == 0 ? 0 : Spawn.Wait(child);
                for (var attempt = 0; status == AddressInUse && attempt < StartAttempts; attempt++)
                {
                    Descriptors.Poll([], RetryMilliseconds);
                    status = Spawn.Wait(server.Start());
                }

                if (status == 0 && child != 0 && server.RunningPid() is { } running)
                {
                    ServiceCgroup.MoveOut(running, server._paths.Root);
                }

                return status == 0 ? null : $"dnsmasq of network {server._network.Name} ended with status {status} ({server.LastWords()})";
            }
            finally
            {
                held?.Dispose();
            }
        }

        public void Dispose() => Wait();
    }
}
