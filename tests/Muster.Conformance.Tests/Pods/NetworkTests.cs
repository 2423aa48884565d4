using System.Text.Json;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>Pods with addresses, names and published ports.</summary>
public sealed class NetworkTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    public NetworkTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Reaches_a_pod_by_address_name_and_published_port()
    {
        _root.Muster("run", "--detach", "--name=web", "-p", "18094:80", _image, "--", "-c", "echo hello from web > /index.html; exec httpd -f -p 80 -h /").Succeeded();
        var view = JsonDocument.Parse(_root.Muster("status", "--format=json", "web").Out).RootElement;
        var address = view.GetProperty("networks")[0].GetProperty("addresses")[0].GetString()!.Split('/')[0];
        TestRoot.Until(() => Get($"http://{address}/").Contains("hello"), "the pod answers on its address");
        Get("http://127.0.0.1:18094/").Should().Be("hello from web\n");
        _root.Muster("run", _image, "--", "-c", "wget -q -O - http://web/").Succeeded().Out.Should().Be("hello from web\n");
        _root.Muster("port", "web").Out.Should().Contain("18094");
    }

    [Fact]
    public void Runs_pods_one_after_the_other_in_a_network_with_room_for_one()
    {
        _root.Muster("network", "create", "tiny", "--subnet", "10.99.88.0/29").Succeeded();
        for (var i = 0; i < 4; i++)
        {
            _root.Muster("run", "--detach", "--net=tiny", $"--name=stays-{i}", _image, "--", "-c", "exec sleep 1000").Succeeded();
        }

        for (var i = 0; i < 8; i++)
        {
            _root.Muster("run", "--rm", "--net=tiny", _image, "--", "-c", "true").Succeeded();
        }

        _root.Muster("run", "--detach", "--net=tiny", "--name=last", _image, "--", "-c", "exec sleep 1000").Succeeded();
        _root.Muster("run", "--rm", "--net=tiny", _image, "--", "-c", "true").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("has no free address"));
    }

    [Fact]
    public void A_network_is_removed_right_after_the_pod_that_was_not_kept()
    {
        for (var i = 0; i < 4; i++)
        {
            _root.Muster("network", "create", "brief", "--subnet", "10.99.87.0/24").Succeeded();
            _root.Muster("run", "--rm", "--net=brief", _image, "--", "-c", "true").Succeeded();
            _root.Muster("network", "rm", "brief").Succeeded();
        }
    }

    [Fact]
    public async Task A_pod_that_is_being_cleared_is_no_fault_of_its_network_and_holds_it_only_so_long()
    {
        // A network of CNI whose plugin needs its time to let a pod go.
        var go = Path.Combine(_root.Work, "go");
        var plugin = Path.Combine(_root.Work, "slow");
        var leaving = Path.Combine(_root.Work, "leaving");
        File.WriteAllText(plugin, $$"""
            #!/bin/sh
            case $CNI_COMMAND in
            ADD) echo '{"cniVersion": "0.4.0"}' ;;
            CHECK) [ ! -e {{leaving}} ] || { echo '{"code": 11, "msg": "it has left"}'; exit 1; } ;;
            DEL) touch {{leaving}}; while [ ! -e {{go}} ]; do sleep 0.05; done ;;
            esac
            """);
        File.SetUnixFileMode(plugin, (UnixFileMode)0b111_101_101);
        Directory.CreateDirectory(Path.Combine(_root.Folder, "etc", "net.d"));
        File.WriteAllText(Path.Combine(_root.Folder, "etc", "net.d", "slow.conf"), """{"cniVersion": "0.4.0", "name": "slow", "type": "slow"}""");
        var environment = new Dictionary<string, string> { ["CNI_PATH"] = _root.Work };
        ProgramRun Muster(params string[] words) => ProgramRun.Of(Repository.Program("muster"), ["--root", _root.Folder, .. words], environment: environment);
        try
        {
            Muster("run", "--rm", "--net=slow", _image, "--", "-c", "true").Succeeded();
            TestRoot.Until(() => File.Exists(leaving), "the pod is being cleared");
            Muster("network", "check").Out.Should().Contain("nft").And.NotMatchRegex(@"(?m)^(yes|no) +pod ");
            Muster("network", "list", "--filter", "name=slow", "--format=json").Succeeded().Out.Should().Contain("\"pods\": []");
            var removal = Task.Run(() => Muster("network", "rm", "slow"));
            File.WriteAllText(go, "");
            (await removal).Succeeded();
        }
        finally
        {
            File.WriteAllText(go, "");
        }
    }

    [Fact]
    public void Takes_the_port_and_the_address_of_a_pod_that_was_killed_with_its_supervisor()
    {
        _root.Muster("network", "create", "lan", "--subnet", "10.99.89.0/24").Succeeded();
        string[] same = ["--net=lan:IP=10.99.89.7", "-p", "18099:80"];
        _root.Muster(["run", "--detach", "--name=dead", .. same, _image, "--", "-c", "exec sleep 1000"]).Succeeded();
        var view = JsonDocument.Parse(_root.Muster("status", "--format=json", "dead").Out).RootElement;
        ProgramRun.Of("/bin/kill", ["-9", view.GetProperty("pid").GetInt32().ToString(), view.GetProperty("apps")[0].GetProperty("pid").GetInt32().ToString()]).Succeeded();
        TestRoot.Until(() => !Directory.Exists($"/proc/{view.GetProperty("pid").GetInt32()}") && !Directory.Exists($"/proc/{view.GetProperty("apps")[0].GetProperty("pid").GetInt32()}"), "its processes are gone");
        _root.Muster(["run", "--rm", .. same, _image, "--", "-c", "true"]).Succeeded();
        _root.Muster(["run", "--detach", "--name=alive", .. same, _image, "--", "-c", "exec sleep 1000"]).Succeeded();
        _root.Muster(["run", "--rm", .. same, _image, "--", "-c", "true"]).Status.Should().Be(254, "what a living pod has is not taken from it");
    }

    [Fact]
    public void Is_reached_as_localhost_though_the_resolver_names_IPv6_first()
    {
        _root.Muster("run", "--detach", "--name=web", "-p", "18097:80", _image, "--", "-c", "echo hello > /index.html; exec httpd -f -p 80 -h /").Succeeded();
        TestRoot.Until(() => Get("http://127.0.0.1:18097/").Contains("hello"), "the pod answers");
        ProgramRun.Of("curl", ["-s", "--max-time", "20", "--resolve", "localhost:18097:[::1],127.0.0.1", "http://localhost:18097/"]).Succeeded().Out.Should().Be("hello\n");
        ProgramRun.Of("curl", ["-s", "--max-time", "20", "http://[::1]:18097/"]).Status.Should().Be(7, "it is refused, and does not hang (28)");
        _root.Muster("run", "-p", "[::1]:18098:80", _image, "--", "-c", "true").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("use 127.0.0.1"));
    }

    [Fact]
    public void Refuses_a_host_port_twice_and_says_whose_it_is()
    {
        _root.Muster("run", "--detach", "--name=first", "-p", "18095:80", _image, "--", "-c", "exec sleep 100").Succeeded();
        var second = _root.Muster("run", "--name=second", "-p", "18095:80", _image, "--", "-c", "true");
        second.Status.Should().Be(254);
        second.Error.Should().Contain("18095");
        _root.Muster("status", "second").Status.Should().Be(254, "a pod that did not start leaves nothing");
    }

    [Fact]
    public async Task Starts_many_pods_at_once_and_leaves_nothing()
    {
        const int count = 12;
        var runs = Enumerable.Range(0, count).Select(i => Task.Run(() => _root.Muster("run", "--rm", _image, "--", "-c", "ip -4 -o addr show eth0 | grep -c 10.209"))).ToArray();
        foreach (var run in await Task.WhenAll(runs))
        {
            run.Succeeded().Out.Should().Be("1\n");
        }

        _root.Muster("gc").Succeeded();
        _root.Leftovers().Should().BeEmpty();
    }

    [Fact]
    public void Gives_no_address_with_none_and_the_hosts_own_with_host()
    {
        _root.Muster("run", "--net=none", _image, "--", "-c", "ip -o addr").Succeeded().Out.Should().Contain("127.0.0.1").And.NotContain("eth0");
        var host = new DirectoryInfo("/proc/self/ns/net").LinkTarget!;
        _root.Muster("run", "--net=host", _image, "--", "-c", "readlink /proc/self/ns/net").Succeeded().Out.Trim().Should().Be(host);
    }

    private static string Get(string url) => ProgramRun.Of("/usr/bin/curl", ["-s", "--max-time", "5", url]).Out;
}
