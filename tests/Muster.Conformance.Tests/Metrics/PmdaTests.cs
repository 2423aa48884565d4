using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Metrics;

/// <summary>The published <c>muster pmda</c> behind the real pmcd, over the lives of a pod that the published muster runs.</summary>
public sealed partial class PmdaTests : IDisposable
{
    private const string Burning = "while :; do i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; sleep 0.05; done";

    private readonly TestRoot _root = new();
    private readonly string _image;
    private readonly Pmcd _pmcd;

    public PmdaTests()
    {
        _image = _root.Image();
        var names = _root.Muster("pmda", "--namespace", "450").Succeeded().Out.TrimEnd().TrimEnd('}');
        _pmcd = new Pmcd(_root.Work, $"pmcd 2 dso pmcd_init /var/lib/pcp/pmdas/pmcd/pmda_pmcd.so\nmuster 450 pipe binary {Repository.Program("muster")} --root {_root.Folder} pmda 450", names + "    pmcd\n}\npmcd {\n    pid 2:0:23\n    client\n}\npmcd.client {\n    whoami 2:6:0\n    container 2:6:1\n}\n");
    }

    public void Dispose()
    {
        _pmcd.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void Counters_and_numbers_of_a_pod_hold_over_its_restarts()
    {
        _root.Muster("run", "--detach", "--name=web", "--memory=64Mi", _image, "--", "-c", Burning).Succeeded();
        _root.Muster("run", "--detach", "--name=other", _image, "--", "-c", "exec sleep 1000").Succeeded();
        TestRoot.Until(() => Usage().GetValueOrDefault("web").Value > 100_000 && Usage().ContainsKey("other"), "both pods are measured");
        var first = Usage();
        InContainer("container.cpu.usage").Keys.Should().BeEquivalentTo("web", "web/busybox");
        for (var life = 1; life <= 2; life++)
        {
            var before = Usage();
            _root.Muster("restart", "web").Succeeded();
            foreach (var (name, (number, value)) in before)
            {
                var now = Usage()[name];
                now.Number.Should().Be(number, name);
                now.Value.Should().BeGreaterThanOrEqualTo(value, name);
            }

            TestRoot.Until(() => Usage()["web"].Value > before["web"].Value && Usage()["web/busybox"].Value > before["web/busybox"].Value, "the pod goes on to be counted");
            InContainer("container.cpu.usage").Should().ContainKeys("web", "web/busybox").And.NotContainKey("other");
            InContainer("container.memory.limit")["web"].Value.Should().Be(64 * 1024 * 1024);
            Values(_pmcd.Tool("pminfo", "-f", "container.restarts"))["web"].Value.Should().Be(life);
        }

        _root.Muster("stop", "web").Succeeded();
        var ended = Usage();
        ended["web"].Number.Should().Be(first["web"].Number);
        _root.Muster("start", "web").Succeeded();
        TestRoot.Until(() => Usage()["web"].Value > ended["web"].Value, "the pod that was started again is counted");
        Usage()["web"].Number.Should().Be(first["web"].Number);
        InContainer("container.cpu.usage").Should().ContainKey("web");
        _pmcd.Tool("pminfo", "--container=nosuch", "-f", "container.cpu.usage").Out.Should().NotContain("value");
    }

    [Fact]
    public void Takes_up_what_a_running_daemon_has_counted_of_pods_that_came_and_went_between_two_samples()
    {
        using var daemon = ProgramRun.Start(Repository.Program("musterd"), ["--root", _root.Folder]);
        try
        {
            TestRoot.Until(() => daemon.HasExited || File.Exists(Socket), "musterd answers");
            for (var run = 0; run < 3; run++)
            {
                _root.Muster("run", "--rm", "--name=job", _image, "--", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done").Succeeded();
            }

            _root.Muster("run", "--detach", "--name=job", _image, "--", "-c", "exec sleep 1000").Succeeded();
            var known = 0.0;
            TestRoot.Until(() => (known = Values(ProgramRun.Of("pminfo", ["-h", $"unix://{Socket}", "-f", "container.cpu.usage"])).GetValueOrDefault("job").Value) > 0, "the daemon has counted");
            TestRoot.Until(() => Usage().GetValueOrDefault("job").Value >= known, "the agent has counted as much");
        }
        finally
        {
            daemon.Kill();
            daemon.WaitForExit();
        }
    }

    [Fact]
    public void Pods_without_their_apps_are_chosen_as_the_manual_says()
    {
        _root.Muster("run", "--detach", "--name=web", _image, "--", "-c", "exec sleep 1000").Succeeded();
        TestRoot.Until(() => Usage().ContainsKey("web/busybox"), "the pod is measured");
        var file = Path.Combine(_root.Work, "derived.conf");
        File.WriteAllText(file, "pods.memory = matchinst(!/\\//, container.memory.usage)\napps.memory = matchinst(/\\//, container.memory.usage)\n");
        var run = ProgramRun.Of("pminfo", ["-h", "localhost", "-f", "pods.memory", "apps.memory"], environment: new Dictionary<string, string> { ["PMCD_PORT"] = $"{_pmcd.Port}", ["PCP_DERIVED_CONFIG"] = file }).Succeeded().Out;
        var ours = _root.Muster("metric", "get", "--derived", file, "--derive", @"all.memory = sum(matchinst(!/\//, container.memory.usage))", "pods.memory", "apps.memory", "all.memory").Succeeded().Out;
        run.Split("apps.memory")[0].Should().Contain("\"web\"").And.NotContain("web/busybox");
        run.Split("apps.memory")[1].Should().Contain("\"web/busybox\"").And.NotContain("\"web\"");
        ours.Should().Contain("pods.memory[web] ").And.Contain("apps.memory[web/busybox] ").And.NotContain("pods.memory[web/").And.NotContain("apps.memory[web] ");
        var numbers = Number().Matches(ours).ToDictionary(m => m.Groups["name"].Value, m => double.Parse(m.Groups["value"].Value, CultureInfo.InvariantCulture));
        numbers["all.memory"].Should().Be(numbers["pods.memory[web]"], "an app's use is part of its pod's");
    }

    private string Socket => Path.Combine(_root.Folder, "run", "pmcd.socket");

    private Dictionary<string, (int Number, double Value)> Usage() => Values(_pmcd.Tool("pminfo", "-f", "container.cpu.usage"));

    private Dictionary<string, (int Number, double Value)> InContainer(string metric) => Values(_pmcd.Tool("pminfo", "--container=web", "-f", metric));

    private static Dictionary<string, (int Number, double Value)> Values(ProgramRun run) =>
        Instance().Matches(run.Out).ToDictionary(m => m.Groups["name"].Value, m => (int.Parse(m.Groups["number"].Value, CultureInfo.InvariantCulture), double.Parse(m.Groups["value"].Value, CultureInfo.InvariantCulture)));

    [GeneratedRegex("inst \\[(?<number>[0-9]+) or \"(?<name>[^\"]+)\"\\] value (?<value>[-0-9.e+]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Instance();

    [GeneratedRegex("^(?<name>[^ ]+) +(?<value>[0-9]+) byte", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex Number();
}
