using System.Text.Json;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Metrics;

/// <summary>Containers that the real podman and the real LXC run, as the published muster sees them from outside.</summary>
public sealed class ForeignEngineTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _name = "muster-" + Guid.NewGuid().ToString("N")[..8];

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Measures_a_container_of_podman()
    {
        var layout = Path.Combine(_root.Work, "layout");
        _root.Muster("image", "export", _root.Image(), "oci:" + layout).Succeeded();
        var image = Podman("pull", "-q", "oci:" + layout).Succeeded().Out.Trim();
        try
        {
            Podman("run", "--detach", "--name", _name, "--network=none", "--memory=64m", "--ulimit=nofile=1024:4096", "--ulimit=nproc=1024:1024", image, "-c", "exec sleep 100").Succeeded();
            Measures("podman", Podman("inspect", _name, "--format={{.State.Pid}}"));
            Value("container.memory.limit").Should().Be(64 * 1024 * 1024);
            Podman("pause", _name).Succeeded();
            Value("container.state").Should().Be(2);
            Podman("unpause", _name).Succeeded();
            Value("container.state").Should().Be(1);
            Podman("kill", _name).Succeeded();
            TestRoot.Until(() => Value("container.state") == 4, "the container has ended");
        }
        finally
        {
            _ = Podman("rm", "--force", "--time=0", _name);
            _ = Podman("rmi", "--force", image);
        }
    }

    [Fact]
    public void Measures_a_container_of_LXC()
    {
        ProgramRun.Of("lxc-create", ["-n", _name, "-t", "none"]).Succeeded();
        var folder = Path.Combine("/var/lib/lxc", _name);
        try
        {
            var files = Path.Combine(folder, "rootfs");
            foreach (var name in (ReadOnlySpan<string>)["bin", "proc", "sys", "dev", "tmp", "etc"])
            {
                Directory.CreateDirectory(Path.Combine(files, name));
            }

            File.Copy("/usr/bin/busybox", Path.Combine(files, "bin", "sleep"));
            File.SetUnixFileMode(Path.Combine(files, "bin", "sleep"), (UnixFileMode)0b111_101_101);
            File.WriteAllText(Path.Combine(folder, "config"), $"lxc.rootfs.path = dir:{files}\nlxc.uts.name = {_name}\nlxc.net.0.type = empty\nlxc.apparmor.profile = unconfined\nlxc.execute.cmd = /bin/sleep 100\nlxc.init.cmd = /bin/sleep 100\n");
            Lxc("start").Succeeded();
            Measures("lxc", Lxc("info", "-p", "-H"));
            Lxc("freeze").Succeeded();
            Value("container.state").Should().Be(2);
            Lxc("unfreeze").Succeeded();
            Lxc("stop", "-k").Succeeded();
            TestRoot.Until(() => Value("container.state") == 4, "the container has ended");
        }
        finally
        {
            _ = Lxc("destroy", "-f");
        }
    }

    private void Measures(string engine, ProgramRun pid)
    {
        Text("container.kind").Should().Be(engine);
        Value("container.state").Should().Be(1);
        Value("container.pid").Should().Be(double.Parse(pid.Succeeded().Out));
        Value("container.processes").Should().BeGreaterThan(0);
        Value("container.memory.usage").Should().BeGreaterThan(0);
        Value("container.start_time").Should().BeApproximately(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), 60);
    }

    private ProgramRun Podman(params string[] words) => ProgramRun.Of("podman", ["--cgroup-manager=cgroupfs", "--events-backend=none", .. words]);

    private ProgramRun Lxc(string verb, params string[] words) => ProgramRun.Of("lxc-" + verb, ["-n", _name, .. words]);

    private double Value(string metric) => Read(metric).GetProperty("value").GetDouble();

    private string? Text(string metric) => Read(metric).GetProperty("value").GetString();

    private JsonElement Read(string metric)
    {
        var run = _root.Muster("metric", "get", "--format=json", "--instance=" + _name, metric).Succeeded();
        return JsonDocument.Parse(run.Out).RootElement.EnumerateArray().Single();
    }
}
