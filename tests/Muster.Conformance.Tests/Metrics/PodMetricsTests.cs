using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Metrics;

/// <summary>A pod that the published muster runs, as PCP's own client sees it through the published musterd.</summary>
public sealed partial class PodMetricsTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;
    private readonly Process _daemon;

    public PodMetricsTests()
    {
        _image = _root.Image();
        _daemon = ProgramRun.Start(Repository.Program("musterd"), ["--root", _root.Folder]);
        TestRoot.Until(() => _daemon.HasExited || File.Exists(Socket), "musterd answers");
    }

    private string Socket => Path.Combine(_root.Folder, "run", "pmcd.socket");

    public void Dispose()
    {
        _daemon.Kill();
        _daemon.WaitForExit();
        _daemon.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void Shows_a_pods_own_network_memory_and_processors()
    {
        _root.Muster("run", "--detach", "--name=measured", "--memory=96Mi", "--cpu=1", _image, "--", "-c", "exec sleep 100").Succeeded();
        TestRoot.Until(() => Info("--container=measured", "-f", "containers.state.running").Contains("value 1", StringComparison.Ordinal) || Info("--container=measured", "-f", "network.interface.in.bytes").Contains("\"eth0\"", StringComparison.Ordinal), "the pod is measured");

        Info("--container=measured", "-f", "network.interface.in.bytes").Should().Contain("\"eth0\"").And.NotContain("mst", "links of the host are not the pod's");
        Info("--container=measured", "-f", "mem.physmem").Should().Contain($"value {96 * 1024}");
        Info("--container=measured", "-f", "hinv.ncpu").Should().MatchRegex("value [0-9]+");
        Value("container.memory.limit", "measured").Should().Be(96 * 1024 * 1024);
        Value("container.cpu.limit", "measured").Should().Be(1);
    }

    [Fact]
    public void Counts_what_a_pod_writes_past_the_page_cache()
    {
        const int bytes = 32 * 1024 * 1024;
        var (image, data) = (Path.Combine(_root.Work, "disk"), Path.Combine(_root.Work, "data"));
        Directory.CreateDirectory(data);
        using (var disk = File.Create(image))
        {
            disk.SetLength(2 * bytes);
        }

        ProgramRun.Of("mkfs.ext4", ["-q", "-O", "^has_journal", image]).Succeeded();
        ProgramRun.Of("mount", ["-o", "loop", image, data]).Succeeded();
        try
        {
            _root.Muster("run", "--detach", "--name=writer", $"--volume=data,kind=host,source={data}", "--mount=volume=data,target=/data", _image, "--", "-c",
                "while [ ! -e /data/go ]; do sleep 0.1; done; dd if=/dev/zero of=/data/file bs=1048576 count=32 oflag=direct && touch /data/done; exec sleep 100").Succeeded();
            TestRoot.Until(() => Info("-f", "container.io.write_bytes").Contains("\"writer\"", StringComparison.Ordinal), "the pod is measured");
            CountDevice(data);
            var before = Value("container.io.write_bytes", "writer");
            File.WriteAllText(Path.Combine(data, "go"), "");
            TestRoot.Until(() => File.Exists(Path.Combine(data, "done")), "the file is written");
            (Value("container.io.write_bytes", "writer") - before).Should().BeInRange(bytes * 0.98, bytes * 1.02);
        }
        finally
        {
            _root.Muster("stop", "--force", "writer");
            ProgramRun.Of("umount", [data]).Succeeded();
        }
    }

    [Fact]
    public async Task Counts_all_that_pods_of_one_name_did_however_short_they_lived()
    {
        const int runs = 3;
        const int bytes = 1_000_000;
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var taken = TakeAllAsync(listener, runs);
        var script = $$"""
            while :; do read -r line < /proc/self/stat; set -- $line; [ $(({{"${14}"}} + {{"${15}"}})) -lt 30 ] || break; done
            set -- $(ip route); dd if=/dev/zero bs=1000 count=1000 2>/dev/null | nc $3 {{((IPEndPoint)listener.LocalEndpoint).Port}}
            """;
        for (var run = 0; run < runs; run++)
        {
            // Nothing of a pod is kept, and of the second and third all is removed before any sample of the node.
            _root.Muster("run", "--rm", "--name=job", "--net=default", _image, "--", "-c", script).Succeeded();
        }

        (await taken).Should().Be(runs * bytes);
        _root.Muster("run", "--detach", "--name=job", "--net=default", _image, "--", "-c", "exec sleep 100").Succeeded();
        TestRoot.Until(() => Info("-f", "container.cpu.usage").Contains("\"job\"", StringComparison.Ordinal), "the last pod is measured");
        Value("container.cpu.usage", "job").Should().BeGreaterThan(runs * 0.3e6, "each burned 0.3 s, in microseconds");
        Value("container.network.out.bytes", "job::eth0").Should().BeInRange(runs * bytes, runs * bytes * 1.1, "with headers and little else");
        Value("container.restarts", "job").Should().Be(runs);
    }

    private static async Task<long> TakeAllAsync(TcpListener listener, int connections)
    {
        long taken = 0;
        var buffer = new byte[64 * 1024];
        for (var i = 0; i < connections; i++)
        {
            using var connection = await listener.AcceptTcpClientAsync();
            int read;
            while ((read = await connection.GetStream().ReadAsync(buffer)) > 0)
            {
                taken += read;
            }
        }

        return taken;
    }

    // Version 1 counts a disk from the first limit on: one that is never reached, in the pod's own group, for the test's own disk.
    private void CountDevice(string folder)
    {
        var pid = System.Text.Json.JsonDocument.Parse(_root.Muster("status", "--format=json", "writer").Succeeded().Out).RootElement.GetProperty("apps")[0].GetProperty("pid").GetInt32();
        var line = File.ReadLines($"/proc/{pid}/cgroup").FirstOrDefault(l => l.Split(':')[1].Split(',').Contains("blkio"));
        if (line is not null)
        {
            var device = ProgramRun.Of("mountpoint", ["-d", folder]).Succeeded().Out.Trim();
            File.WriteAllText($"/sys/fs/cgroup/blkio{line.Split(':', 3)[2]}/blkio.throttle.write_bps_device", $"{device} 1099511627776");
        }
    }

    private string Info(params string[] words)
    {
        var run = ProgramRun.Of("pminfo", ["-h", $"unix://{Socket}", .. words]);
        return run.Out + run.Error;
    }

    private double Value(string metric, string instance)
    {
        var text = Info("-f", metric);
        var found = Instance().Matches(text).FirstOrDefault(m => m.Groups["name"].Value == instance);
        found.Should().NotBeNull(text);
        return double.Parse(found!.Groups["value"].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("inst \\[[0-9]+ or \"(?<name>[^\"]+)\"\\] value (?<value>[-0-9.e+]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Instance();
}
