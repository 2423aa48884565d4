using System.Text.Json;
using Muster.Containers.Pods;
using Muster.Containers.Runtime;
using Muster.Core.Supervision;

namespace Muster.Containers.Tests.Runtime;

public sealed class BundleWriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-bundle-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private JsonElement Write(PodRecord pod, Func<BundleContext, BundleContext>? change = null, IReadOnlyList<string>? handler = null)
    {
        var context = new BundleContext { Pod = pod, PodDirectory = "/pods/p", Cgroup = "/muster/p" };
        BundleWriter.WriteApp(_folder, change is null ? context : change(context), pod.Apps[0], handler);
        return JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder, "config.json"))).RootElement;
    }

    private static IEnumerable<string?> Texts(JsonElement list) => list.EnumerateArray().Select(e => e.GetString());

    [Fact]
    public void Writes_the_members_that_the_runtime_specification_requires()
    {
        var config = Write(Kit.Pod());
        config.GetProperty("ociVersion").GetString().Should().Be("1.0.2");
        var process = config.GetProperty("process");
        Texts(process.GetProperty("args")).Should().Equal("/bin/web", "--verbose", "");
        Texts(process.GetProperty("env")).Should().Equal("PATH=/bin", "EMPTY=", "SIGNS=a=b");
        process.GetProperty("cwd").GetString().Should().Be("/srv");
        process.GetProperty("noNewPrivileges").GetBoolean().Should().BeTrue();
        process.GetProperty("user").GetRawText().Should().Be("""{"uid":1000,"gid":1001,"additionalGids":[5,6]}""");
        Texts(process.GetProperty("capabilities").GetProperty("bounding")).Should().Equal(Capabilities.Default);
        config.GetProperty("root").GetProperty("path").GetString().Should().Be("/pods/p/apps/web/rootfs");
        config.GetProperty("hostname").GetString().Should().Be("web");
        var linux = config.GetProperty("linux");
        linux.GetProperty("namespaces").EnumerateArray().Select(n => n.GetProperty("type").GetString()).Should().BeEquivalentTo("mount", "cgroup", "pid", "uts", "ipc", "network");
        linux.GetProperty("cgroupsPath").GetString().Should().Be("/muster/p/web");
        linux.GetProperty("sysctl").GetProperty("net.core.somaxconn").GetString().Should().Be("128");
        Texts(linux.GetProperty("maskedPaths")).Should().Contain("/proc/kcore");
        Texts(linux.GetProperty("readonlyPaths")).Should().Contain("/proc/sys");
        linux.GetProperty("resources").GetProperty("pids").GetProperty("limit").GetInt64().Should().Be(100);
        linux.GetProperty("seccomp").GetProperty("defaultAction").GetString().Should().Be("SCMP_ACT_ERRNO");
    }

    [Fact]
    public void Mounts_volumes_below_others_after_them_and_read_only_where_asked()
    {
        var mounts = Write(Kit.Pod()).GetProperty("mounts").EnumerateArray().ToList();
        var targets = mounts.ConvertAll(m => m.GetProperty("destination").GetString()!);
        targets.Should().OnlyHaveUniqueItems().And.OnlyContain(t => t.StartsWith('/'));
        targets.IndexOf("/data").Should().BeLessThan(targets.IndexOf("/data/sub"));
        var sub = mounts[targets.IndexOf("/data/sub")];
        sub.GetProperty("source").GetString().Should().EndWith("/host-volumes/data", "the runtime binds what the shim has mounted, never a path that an app can change");
        Texts(sub.GetProperty("options")).Should().Contain("bind").And.Contain("ro").And.NotContain("rbind");
        Texts(mounts[targets.IndexOf("/data")].GetProperty("options")).Should().Contain("rw");
        Texts(mounts[targets.IndexOf("/sys")].GetProperty("options")).Should().Contain("ro");
    }

    [Fact]
    public void Asks_for_limits_only_where_there_are_some()
    {
        Write(Kit.Pod()).GetProperty("linux").GetProperty("resources").TryGetProperty("memory", out _).Should().BeFalse();
        var limited = Kit.App() with { Isolation = Kit.Plain with { MemoryLimit = 1 << 30, CpuLimitMillis = 1500, CpuShares = 512, OomScoreAdj = -5, MaskPaths = false } };
        var config = Write(Kit.Pod(limited));
        var resources = config.GetProperty("linux").GetProperty("resources");
        resources.GetProperty("memory").GetRawText().Should().Be("""{"limit":1073741824}""");
        resources.GetProperty("cpu").GetRawText().Should().Be("""{"shares":512,"quota":150000,"period":100000}""");
        config.GetProperty("process").GetProperty("oomScoreAdj").GetInt32().Should().Be(-5);
        config.GetProperty("linux").TryGetProperty("maskedPaths", out _).Should().BeFalse();
        var devices = resources.GetProperty("devices").EnumerateArray().ToList();
        devices[0].GetRawText().Should().Be("""{"allow":false,"access":"rwm"}""");
        devices.Where(d => d.GetProperty("allow").GetBoolean() && !d.TryGetProperty("major", out _)).Should().OnlyContain(d => d.GetProperty("access").GetString() == "m");
    }

    [Fact]
    public void Joins_the_namespaces_that_an_infra_process_holds()
    {
        var config = Write(Kit.Pod(), c => c with { HasInfra = true, NetworkNamespace = "/run/netns/p" });
        var paths = config.GetProperty("linux").GetProperty("namespaces").EnumerateArray().ToDictionary(n => n.GetProperty("type").GetString()!, n => n.TryGetProperty("path", out var p) ? p.GetString() : null);
        paths.Should().BeEquivalentTo(new Dictionary<string, string?> { ["mount"] = null, ["cgroup"] = null, ["pid"] = "/pods/p/ns/pid", ["uts"] = "/pods/p/ns/uts", ["ipc"] = "/pods/p/ns/ipc", ["network"] = "/run/netns/p" });
        config.TryGetProperty("hostname", out _).Should().BeFalse("only the infra process may set it");
    }

    [Fact]
    public void Maps_ids_of_a_pod_with_private_users()
    {
        var config = Write(Kit.Pod() with { IdMap = [new IdRange(0, 100_000, 65_536)] });
        foreach (var key in (string[])["uidMappings", "gidMappings"])
        {
            config.GetProperty("linux").GetProperty(key)[0].GetRawText().Should().Be("""{"containerID":0,"hostID":100000,"size":65536}""");
        }

        config.GetProperty("linux").GetProperty("namespaces").EnumerateArray().Select(n => n.GetProperty("type").GetString()).Should().Contain("user");
    }

    [Fact]
    public void Runs_a_handler_in_the_apps_place_without_its_terminal()
    {
        var config = Write(Kit.Pod(Kit.App() with { Terminal = true }), c => c with { MetadataUrl = "http://169.254.169.255/" }, ["/bin/hook"]);
        Texts(config.GetProperty("process").GetProperty("args")).Should().Equal("/bin/hook");
        config.GetProperty("process").GetProperty("terminal").GetBoolean().Should().BeFalse();
        Texts(config.GetProperty("process").GetProperty("env")).Should().Contain("AC_METADATA_URL=http://169.254.169.255/");
        config.GetProperty("linux").GetProperty("cgroupsPath").GetString().Should().NotBe("/muster/p/web");
    }

    [Fact]
    public void Hands_a_compiled_filter_to_the_runtime()
    {
        var config = Write(Kit.Pod(), c => c with { CompiledFilter = _ => [1, 2, 3] });
        config.GetProperty("annotations").GetProperty("run.oci.seccomp_bpf_data").GetString().Should().Be("AQID");
        config.GetProperty("linux").TryGetProperty("seccomp", out _).Should().BeTrue();
    }
}
