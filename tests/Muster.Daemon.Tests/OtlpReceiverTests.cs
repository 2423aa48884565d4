using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Muster.TestKit;

namespace Muster.Daemon.Tests;

/// <summary>What musterd pushes arrives in a real VictoriaMetrics, and is asked back there through Prometheus' HTTP API.</summary>
public sealed class OtlpReceiverTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("muster-otlp-").FullName;
    private readonly List<Process> _processes = [];
    private readonly int _port = FreePort();

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void VictoriaMetrics_takes_values_names_units_and_labels()
    {
        Receive();
        Directory.CreateDirectory(Path.Combine(_root, "etc"));
        File.WriteAllText(Path.Combine(_root, "etc", "muster.yaml"), $"metrics:\n  otlp-endpoint: http://127.0.0.1:{_port}/opentelemetry/v1/metrics\n  otlp-interval: 1s\n  otlp-names: mem.physmem hinv.ncpu kernel.all.load kernel.all.cpu.user network.interface.in.bytes\n");
        var before = Processor();
        _processes.Add(ProgramRun.Start(Path.Combine(AppContext.BaseDirectory, "musterd"), ["--root", _root]));
        TestRoot.Until(() => Ask("mem_physmem_bytes").Count > 0 && Ask("kernel_all_cpu_user_seconds_total").Count > 0, "values arrive");

        // A whole number, converted to bytes, of the host that pushed it.
        var (labels, memory) = Ask("mem_physmem_bytes").Should().ContainSingle().Subject;
        memory.Should().Be(File.ReadLines("/proc/meminfo").Where(l => l.StartsWith("MemTotal:", StringComparison.Ordinal)).Select(l => double.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)).Single() * 1024);
        labels.Should().Contain("service_name", "muster").And.Contain("service_instance_id", Dns.GetHostName());
        Ask("hinv_ncpu").Single().Value.Should().Be(Environment.ProcessorCount);

        // Instances with a space in their names; the links of a machine.
        Ask("kernel_all_load").Select(l => l.Labels["instname"]).Should().BeEquivalentTo("1 minute", "5 minute", "15 minute");
        Ask("network_interface_in_bytes_total").Select(l => l.Labels["instname"]).Should().Contain("lo");

        // A counter of milliseconds in seconds, and no lower than before.
        Ask("kernel_all_cpu_user_seconds_total").Single().Value.Should().BeInRange(before, Processor() + 0.02);
    }

    private static double Processor() => File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries) is var f ? double.Parse(f[1], CultureInfo.InvariantCulture) / 100 : 0;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Receive()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append(Path.Combine(Repository.Folder, "artifacts", "tools")).Select(f => Path.Combine(f, "victoria-metrics")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "victoria-metrics is not installed: eng/bootstrap.sh --tests fetches it from Debian trixie");
        _processes.Add(ProgramRun.Start(program, [$"-storageDataPath={_root}/storage", $"-httpListenAddr=127.0.0.1:{_port}", "-opentelemetry.usePrometheusNaming", "-search.latencyOffset=0s", "-memory.allowedBytes=64MB", "-loggerLevel=ERROR"]));
        TestRoot.Until(() => ProgramRun.Of("curl", ["-sf", $"http://127.0.0.1:{_port}/health"]).Status == 0, "VictoriaMetrics is ready");
    }

    private List<(Dictionary<string, string> Labels, double Value)> Ask(string query) =>
        [.. JsonDocument.Parse(Get($"query?query={query}")).RootElement.GetProperty("data").GetProperty("result").EnumerateArray()
            .Select(r => (r.GetProperty("metric").EnumerateObject().ToDictionary(l => l.Name, l => l.Value.GetString()!), double.Parse(r.GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture)))];

    private string Get(string path) => ProgramRun.Of("curl", ["-sf", $"http://127.0.0.1:{_port}/api/v1/{path}"]).Succeeded().Out;
}
