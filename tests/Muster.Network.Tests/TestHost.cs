using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Muster.Core;
using Muster.Linux;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network.Tests;

/// <summary>
/// The whole test program runs in a network namespace of its own, which plays the host: its forwarding, rules and ports are
/// nobody else's. Another namespace, <see cref="World"/>, is what lies behind the host's only uplink.
/// </summary>
public static partial class TestHost
{
    public const string HostV4 = "192.0.2.2";
    public const string HostV6 = "2001:db8::2";
    public const string WorldV4 = "192.0.2.1";
    public const string WorldV6 = "2001:db8::1";

    /// <summary>The file of the outer world's namespace.</summary>
    public static string World { get; } = Path.Combine(Path.GetTempPath(), $"muster-world-{Environment.ProcessId}");

    [ModuleInitializer]
    internal static void Enter()
    {
        if (Environment.GetEnvironmentVariable("MUSTER_TEST_VICTIM") is { Length: > 0 } directory)
        {
            Victim.Live(directory);
            return;
        }

        // Threads are made by the main thread or by those it made: all of them are in the new namespace.
        LinuxException.Check(unshare(0x40000000), "unshare");
        using var route = new RouteSocket();
        route.Execute(new NetlinkBatch().SetUp(1));
        using var inside = NetworkNamespace.Create(World, () => new RouteSocket());
        AppDomain.CurrentDomain.ProcessExit += (_, _) => NetworkNamespace.Remove(World);
        using var handle = NetworkNamespace.Open(World);
        route.Execute(new NetlinkBatch().AddVeth(new VethRequest { Name = "uplink", PeerName = "host", PeerNamespace = (int)handle.DangerousGetHandle() }));
        inside.Execute(new NetlinkBatch().SetUp(1).SetUp("host")
            .AddAddress(inside.Get("host").Index, IPAddress.Parse(WorldV4), 24)
            .AddAddress(inside.Get("host").Index, IPAddress.Parse(WorldV6), 64));
        var uplink = route.Get("uplink").Index;
        route.Execute(new NetlinkBatch()
            .AddAddress(uplink, IPAddress.Parse(HostV4), 24)
            .AddAddress(uplink, IPAddress.Parse(HostV6), 64)
            .AddRoute(IPAddress.Any, 0, IPAddress.Parse(WorldV4), uplink)
            .AddRoute(IPAddress.IPv6Any, 0, IPAddress.Parse(WorldV6), uplink));
    }

    /// <summary>Runs a program and returns what it wrote; fails the test with all of it when the status is not as wanted.</summary>
    public static string Run(string program, IEnumerable<string> arguments, int status = 0)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(status, "{0} {1} said {2}{3}", program, string.Join(' ', start.ArgumentList), output, error.Result);
        return output;
    }

    /// <summary>Runs a shell command in a pod's namespace (or the world's).</summary>
    public static string Inside(string path, string command, int status = 0) => Run("nsenter", ["--net=" + path, "sh", "-c", command], status);

    /// <summary>A TCP server in a namespace that answers every connection with the client's address.</summary>
    public static IDisposable Serve(string path, int port)
    {
        var listener = NetworkNamespace.Run(path, () =>
        {
            var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            socket.Listen(64);
            return socket;
        });
        _ = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptAsync();
                    await client.SendAsync(System.Text.Encoding.ASCII.GetBytes(((IPEndPoint)client.RemoteEndPoint!).Address.ToString()));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
            }
        });
        return listener;
    }

    /// <summary>Connects from a namespace (null: the host) and returns what the server said; null when nobody answers in a second.</summary>
    public static string? Call(string? from, string address, int port)
    {
        var to = IPAddress.Parse(address);
        Socket Make() => new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 2000, SendTimeout = 1000 };
        using var socket = from is null ? Make() : NetworkNamespace.Run(from, Make);
        try
        {
            if (!socket.ConnectAsync(new IPEndPoint(to, port)).Wait(1000))
            {
                return null;
            }

            var buffer = new byte[64];
            return System.Text.Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer));
        }
        catch (Exception e) when (e is SocketException or AggregateException)
        {
            return null;
        }
    }

    /// <summary>Waits for what happens a moment later, such as the end of a link whose namespace went.</summary>
    public static void Eventually(Func<bool> condition, string what, int seconds = 10)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            clock.Elapsed.TotalSeconds.Should().BeLessThan(seconds, what);
            Thread.Sleep(5);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);
}

/// <summary>A root of its own for one test; at its end nothing of it may be left.</summary>
public sealed class TestRoot : IDisposable
{
    public TestRoot()
    {
        var directory = Path.Combine(Path.GetTempPath(), "mn" + Guid.NewGuid().ToString("n")[..8]);
        Directory.CreateDirectory(directory);
        Root = new MusterRoot(directory);
        Networks = new PodNetworks(Root, TimeProvider.System) { Warn = Warnings.Add };
    }

    public MusterRoot Root { get; }

    public PodNetworks Networks { get; }

    public List<string> Warnings { get; } = [];

    public static NetworkRequest Request(string name = "web", params PortMapping[] ports) => new()
    {
        Pod = Guid.NewGuid(),
        PodName = name,
        AppNames = ["app"],
        Networks = [new NetworkChoice("default", new Dictionary<string, string>())],
        Ports = ports,
    };

    public PodNetworkState SetUp(NetworkRequest request) => Networks.SetUpAsync(request, default).GetAwaiter().GetResult();

    public void TearDown(NetworkRequest request) => Networks.TearDownAsync(request.Pod, default).GetAwaiter().GetResult();

    public void Sweep() => Networks.SweepAsync(_ => false, default).GetAwaiter().GetResult();

    public void Define(string file, string text)
    {
        Directory.CreateDirectory(Path.Combine(Root.Etc, "net.d"));
        File.WriteAllText(Path.Combine(Root.Etc, "net.d", file), text);
    }

    public void AssertNothingIsLeft()
    {
        using var route = new RouteSocket();
        TestHost.Eventually(() => !route.Links().Any(l => l.Name.StartsWith("mst" + Root.Tag, StringComparison.Ordinal)), "links are left: " + string.Join(", ", route.Links().Select(l => l.Name)));
        using var netfilter = new NetfilterSocket();
        netfilter.Tables("muster").Should().NotContain(Root.NftTable);
        File.ReadAllText("/proc/self/mountinfo").Should().NotContain(Root.Directory! + "/");
        Directory.EnumerateFileSystemEntries(Root.NetworkNamespaces).Should().BeEmpty();
        Directory.EnumerateDirectories(Path.Combine(Root.Run, "network", "pods")).Should().BeEmpty();
        Directory.EnumerateFiles(Path.Combine(Root.Run, "network", "ports")).Should().BeEmpty();
        Directory.EnumerateFiles(Path.Combine(Root.Run, "network", "networks"), "*", SearchOption.AllDirectories)
            .Where(f => f.Contains("/addresses/", StringComparison.Ordinal) || f.Contains("/hosts/", StringComparison.Ordinal)).Should().BeEmpty();
        TestHost.Eventually(() => Dnsmasq().Count == 0, "a dnsmasq is left");
    }

    public List<int> Dnsmasq()
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                if (int.TryParse(Path.GetFileName(folder), out var pid) && File.ReadAllText(folder + "/cmdline") is var line
                    && line.Contains("dnsmasq", StringComparison.Ordinal) && line.Contains(Root.Directory!, StringComparison.Ordinal))
                {
                    found.Add(pid);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }

        return found;
    }

    public void Dispose()
    {
        Networks.SweepAsync(_ => false, default).GetAwaiter().GetResult();
        if (Directory.Exists(Path.Combine(Root.Run, "network")))
        {
            AssertNothingIsLeft();
        }

        Directory.Delete(Root.Directory!, recursive: true);
    }
}
