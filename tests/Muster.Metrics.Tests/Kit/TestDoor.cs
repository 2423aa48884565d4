using System.Net;
using System.Net.Sockets;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.TestKit;

namespace Muster.Metrics.Tests;

/// <summary>A door in this process on a socket of its own and a port that the kernel chose.</summary>
public sealed class TestDoor : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;
    private readonly PcpServer _server;

    public TestDoor(Func<DoorOptions, DoorOptions>? change = null, params IMetricAgent[] agents)
        : this(change, agents, isAlone: false)
    {
    }

    private TestDoor(Func<DoorOptions, DoorOptions>? change, IMetricAgent[] agents, bool isAlone)
    {
        Folder = Path.Combine(Path.GetTempPath(), "muster-door-" + Guid.NewGuid().ToString("N")[..8]);
        Directory.CreateDirectory(Folder);
        var options = new DoorOptions { SocketFolder = Folder, Tcp = new IPEndPoint(IPAddress.Loopback, 0) };
        options = change?.Invoke(options) ?? options;
        Agent = new SampleAgent();
        Door = new DoorState(isAlone ? agents : [Agent, .. agents], TimeProvider.System, Log.Add) { IsTlsOffered = options.Certificate is not null };
        _server = new PcpServer(Door, options);
        _running = Task.Run(() => _server.RunAsync(_end.Token));
    }

    /// <summary>A door with one agent and no sample.</summary>
    internal TestDoor(IMetricAgent only)
        : this(null, [only], isAlone: true)
    {
    }

    public string Folder { get; }

    public SampleAgent Agent { get; }

    public DoorState Door { get; }

    public List<string> Log { get; } = [];

    public IPEndPoint Tcp => _server.TcpAddress!;

    public string SocketPath => Path.Combine(Folder, "pmcd.socket");

    /// <summary>Runs one of PCP's tools over the Unix socket; the tools think that they are in no particular time zone.</summary>
    public ProgramRun Local(string tool, params string[] words) => Tool(tool, ["-h", $"unix://{SocketPath}", .. words]);

    /// <summary>Runs one of PCP's tools over TCP.</summary>
    public ProgramRun Remote(string tool, params string[] words) => Tool(tool, ["-h", "localhost", .. words]);

    /// <summary>Runs a tool with the environment that leads it here.</summary>
    public ProgramRun Tool(string tool, IEnumerable<string> words, IReadOnlyDictionary<string, string>? more = null)
    {
        var environment = new Dictionary<string, string> { ["PMCD_PORT"] = Tcp.Port.ToString(), ["PMCD_SOCKET"] = SocketPath, ["TZ"] = "UTC", ["PCP_TMPFILE_DIR"] = Folder };
        foreach (var (name, value) in more ?? new Dictionary<string, string>())
        {
            environment[name] = value;
        }

        return ProgramRun.Of(tool, words, environment: environment, folder: Folder);
    }

    /// <summary>A connection of our own; remote unless <paramref name="local"/>.</summary>
    public Socket Connect(bool local = false)
    {
        var socket = local ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.ReceiveTimeout = 20_000;
        socket.SendTimeout = 20_000;
        socket.Connect(local ? new UnixDomainSocketEndPoint(SocketPath) : Tcp);
        return socket;
    }

    public void Dispose()
    {
        _end.Cancel();
        _running.Wait(TimeSpan.FromSeconds(20));
        _server.Dispose();
        _end.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
