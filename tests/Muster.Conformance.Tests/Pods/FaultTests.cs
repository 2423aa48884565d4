using System.Diagnostics;
using Muster.Linux;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>What a killed supervisor or command line leaves, and what the next verb makes of it.</summary>
public sealed class FaultTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    public FaultTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_full_disk_behind_the_callers_streams_ends_no_pod()
    {
        // A shell, for streams that are files and for one that is closed.
        ProgramRun Shell(string name, string script, string streams) => ProgramRun.Of("/bin/sh", ["-c", $"exec {Repository.Program("muster")} --root {_root.Folder} run --net=none --name={name} {_image} -- -c '{script}' {streams}"]);
        var full = Shell("full", "echo a; sleep 0.2; echo b; exit 4", ">/dev/full");
        full.Status.Should().Be(4);
        full.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().ContainSingle().Which.Should().StartWith("muster: standard output takes no more");
        _root.Muster("logs", "full").Succeeded().Out.Should().Be("a\nb\n");
        Shell("mute", "echo a; echo b >&2; exit 5", ">/dev/full 2>/dev/full").Status.Should().Be(5);
        Shell("closed", "cat; echo end", "<&-").Should().Match<ProgramRun>(r => r.Status == 0 && r.Out == "end\n");
        Shell("folder", "cat; echo end", "</tmp").Should().Match<ProgramRun>(r => r.Status == 0 && r.Out == "end\n");
    }

    [Theory]
    [InlineData("--detach")]
    [InlineData("--detach", "--rm")]
    [InlineData("--rm")]
    public void A_supervisor_that_dies_without_a_word_is_no_pod(params string[] options)
    {
        // The same muster beside a muster-shim that does nothing.
        var programs = Directory.CreateDirectory(Path.Combine(_root.Work, "programs")).FullName;
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(Repository.Program("muster"))!).Where(f => Path.GetFileName(f) is not ("muster-shim" or "musterd")))
        {
            File.Copy(file, Path.Combine(programs, Path.GetFileName(file)));
        }

        File.WriteAllText(Path.Combine(programs, "muster-shim"), "#!/bin/sh\nexit 254\n");
        File.SetUnixFileMode(Path.Combine(programs, "muster-shim"), (UnixFileMode)0b111_101_101);
        ProgramRun.Of(Path.Combine(programs, "muster"), ["--root", _root.Folder, "run", "--net=none", "--name=mute", .. options, _image, "--", "-c", "true"]).Status.Should().Be(254);
        _root.Muster("list", "-q", "--all").Succeeded().Out.Should().BeEmpty();
        _root.Muster("run", "--rm", "--net=none", "--name=mute", _image, "--", "-c", "true").Succeeded();
    }

    [Fact]
    public void Collects_the_empty_cgroups_of_pods_that_are_gone_and_no_others()
    {
        var alive = _root.Muster("run", "--net=none", "--detach", _image, "--", "-c", "exec sleep 100").Succeeded().Out.Trim();
        var gone = Guid.NewGuid().ToString();
        var populated = Guid.NewGuid().ToString();
        var parents = Directory.GetDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(h => $"{h}/muster-{_root.Tag}").Where(Directory.Exists).ToList();
        foreach (var parent in parents)
        {
            Directory.CreateDirectory($"{parent}/{gone}/app");
            Directory.CreateDirectory($"{parent}/{populated}");
            Directory.CreateDirectory($"{parent}-other/{gone}");
        }

        using var sleeper = ProgramRun.Start("/bin/sleep", ["100"]);
        var held = parents.Find(p => File.Exists($"{p}/{populated}/cgroup.procs") && p.Contains("pids", StringComparison.Ordinal)) ?? parents[0];
        File.WriteAllText($"{held}/{populated}/cgroup.procs", sleeper.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        _root.Muster("gc").Succeeded();
        parents.Should().OnlyContain(p => !Directory.Exists($"{p}/{gone}"));
        parents.Should().OnlyContain(p => Directory.Exists($"{p}-other/{gone}"), "another root's are not ours");
        Directory.Exists($"{held}/{populated}").Should().BeTrue();
        _root.State(alive).Should().Be("running");
        sleeper.Kill();
        sleeper.WaitForExit();
        foreach (var parent in parents)
        {
            Directory.Delete($"{parent}-other/{gone}");
            Directory.Delete($"{parent}-other");
        }

        TestRoot.Until(() => _root.Muster("gc").Status == 0 && !Directory.Exists($"{held}/{populated}"), "what has ended is collected too");
    }

    [Fact]
    public void An_orphan_that_was_not_to_be_kept_goes_with_its_stop()
    {
        var uuid = _root.Muster("run", "--rm", "--net=none", "--detach", _image, "--", "-c", "exec sleep 100").Succeeded().Out.Trim();
        var shim = int.Parse(TestRoot.Field(_root.Muster("status", uuid).Out, "pid"));
        ProgramRun.Of("/bin/kill", ["-KILL", shim.ToString()]).Succeeded();
        TestRoot.Until(() => _root.State(uuid) == "orphaned", "it is orphaned");
        _root.Muster("start", uuid).Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("muster stop"));
        _root.Muster("stop", "--force", uuid).Succeeded();
        _root.Muster("list", "-q", "--all").Out.Should().NotContain(uuid);
    }

    [Fact]
    public void Tells_that_a_pod_is_orphaned_and_ends_it()
    {
        _root.Muster("run", "--detach", "--name=orphan", _image, "--", "-c", "while :; do sleep 0.2; done").Succeeded();
        var shim = int.Parse(TestRoot.Field(_root.Muster("status", "orphan").Out, "pid"));
        ProgramRun.Of("/bin/kill", ["-9", shim.ToString()]).Succeeded();
        TestRoot.Until(() => !Directory.Exists($"/proc/{shim}"), "the shim is gone");
        _root.State("orphan").Should().Be("orphaned");
        _root.Muster("gc", "--grace-period=0s").Succeeded();
        _root.State("orphan").Should().Be("orphaned", "nothing of a pod whose processes live is touched");
        _root.Muster("exec", "orphan", "echo", "alive").Succeeded().Out.Should().Be("alive\n");
        _root.Muster("stop", "--timeout=1s", "orphan").Succeeded();
        _root.Muster("status", "orphan").Out.Should().Contain("state=exited").And.Contain("error=supervisor lost");
    }

    [Fact]
    public void Stops_a_pod_whose_supervisor_cannot_be_asked_and_says_when_it_cannot()
    {
        var folder = Path.Combine(_root.Folder, "var/pods/run", _root.Muster("run", "--detach", "--name=deaf", _image, "--", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done").Succeeded().Out.Trim());
        var shim = TestRoot.Field(_root.Muster("status", "deaf").Out, "pid");
        File.Delete(folder + "/control");
        File.Move(folder + "/status.json", folder + "/kept");
        var refused = _root.Muster("stop", "deaf");
        refused.Status.Should().Be(254);
        refused.Error.Should().Contain("runs on").And.Contain("send SIGTERM to its muster-shim");
        Directory.Exists("/proc/" + shim).Should().BeTrue();
        File.Move(folder + "/kept", folder + "/status.json");
        _root.Muster("stop", "deaf").Succeeded();
        _root.Muster("status", "deaf").Out.Should().Contain("state=exited").And.NotContain("supervisor lost");
        TestRoot.Until(() => !Directory.Exists("/proc/" + shim), "the supervisor is gone");
    }

    [Fact]
    public void Keeps_for_its_time_a_pod_whose_end_a_full_disk_kept_from_being_written()
    {
        _root.Muster("run", "--net=none", "--name=ended", _image, "--", "-c", "true").Succeeded();
        var status = Path.Combine(Directory.GetDirectories(Path.Combine(_root.Pods, "exited"))[0], "status.json");
        File.WriteAllText(status, System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(status), "\"exitedAt\":\"[^\"]*\",?", ""));
        _root.Muster("gc").Succeeded();
        _root.State("ended").Should().Be("exited");
        _root.Muster("gc", "--grace-period=0s").Succeeded();
        _root.Muster("list", "-q", "--all").Out.Should().BeEmpty();
    }

    [Fact]
    public void Releases_everything_of_a_pod_killed_with_its_supervisor()
    {
        _root.Muster("run", "--detach", "--name=dead", "-p", "18093:80", _image, "--", "-c", "exec sleep 100").Succeeded();
        var status = _root.Muster("status", "--format=json", "dead").Out;
        var view = System.Text.Json.JsonDocument.Parse(status).RootElement;
        var app = view.GetProperty("apps")[0].GetProperty("pid").GetInt32();
        ProgramRun.Of("/bin/kill", ["-9", view.GetProperty("pid").GetInt32().ToString(), app.ToString()]).Succeeded();
        TestRoot.Until(() => _root.Muster("status", "dead").Out.Contains("state=exited"), "the next verb sees the end");
        // The name, the port and the address are free again.
        _root.Muster("rm", "dead").Succeeded();
        _root.Muster("run", "--detach", "--name=dead", "-p", "18093:80", _image, "--", "-c", "exec sleep 100").Succeeded();
    }

    [Fact]
    public void Leaves_nothing_when_killed_at_any_moment()
    {
        // Both the command line and, after the exec, the shim live under the same pid: the delay decides which is hit.
        for (var delay = 0; delay < 60; delay += 2)
        {
            using var process = _root.Start("run", "--name=hit", _image, "--", "-c", "exec sleep 0.05");
            Thread.Sleep(delay);
            process.Kill();
            process.WaitForExit();
            TestRoot.Until(() => !_root.Muster("list").Succeeded().Out.Contains("orphaned"), "the short app has ended");
            _root.Muster("gc", "--grace-period=0s", "--expire-prepared=0s").Succeeded();
            _root.Muster("list", "-q").Out.Should().BeEmpty($"the pod killed after {delay} ms was collected");
            // A runtime that was being tried out ends by itself.
            TestRoot.Until(() => _root.Muster("gc").Status == 0 && !_root.Leftovers().Any(l => l.Contains("probe-", StringComparison.Ordinal)), "the runtime's trial has ended");
            _root.Leftovers().Should().BeEmpty($"nothing is left after a kill at {delay} ms");
        }
    }

    [Fact]
    public void Leaves_nothing_when_the_clearing_of_an_ended_pod_is_killed()
    {
        for (var delay = 0; delay < 24; delay += 3)
        {
            _root.Muster("run", "--rm", "--name=brief", _image, "--", "-c", "true").Succeeded();
            Thread.Sleep(delay);
            foreach (var clearing in _root.Leftovers().Where(l => l.Contains("--clear", StringComparison.Ordinal)))
            {
                _ = ProgramRun.Of("/bin/kill", ["-9", clearing.Split(' ')[1]]);
            }

            _root.Muster("gc").Succeeded();
            _root.Muster("list", "-q", "--all").Out.Should().BeEmpty();
            TestRoot.Until(() => _root.Leftovers().Count == 0, $"nothing is left of the pod whose clearing was killed after {delay} ms");
            Directory.GetFileSystemEntries(Path.Combine(_root.Folder, "var", "pods", "garbage")).Should().BeEmpty();
        }
    }

    [Theory]
    [InlineData("gc")]
    [InlineData("doctor")]
    public void Sweeps_what_a_trial_of_the_runtime_left_that_was_killed(string verb)
    {
        using var ended = ProgramRun.Start("/bin/true", []);
        ended.WaitForExit();
        var (here, since) = (Environment.ProcessId, ProcessControl.StartTime(Environment.ProcessId));
        string[] dead = [$"{_root.Tag}-probe-{ended.Id}", $"{_root.Tag}-probe-{ended.Id}-{since}", $"{_root.Tag}-probe-{here}-{since + 1}"];
        string[] alive = [$"{_root.Tag}-probe-{here}-{since}", $"{_root.Tag}-probe-{here}", $"{_root.Tag}0-probe-{ended.Id}"];
        var places = CgroupHierarchies.Load().All.Select(h => h.MountPoint + "/muster-").ToList();
        using var inside = ProgramRun.Start("/bin/sleep", ["100"]);
        try
        {
            foreach (var name in dead.Concat(alive))
            {
                places.ForEach(p => Directory.CreateDirectory(p + name));
                Directory.CreateDirectory(Path.Combine(_root.Folder, "run", name[(name.IndexOf('-', StringComparison.Ordinal) + 1)..], "rootfs"));
            }

            File.WriteAllText(places[^1] + dead[0] + "/cgroup.procs", inside.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
            _ = _root.Muster(verb);
            places.SelectMany(p => dead.Where(n => Directory.Exists(p + n))).Should().BeEmpty();
            places.SelectMany(p => alive.Where(n => !Directory.Exists(p + n))).Should().BeEmpty("who lives is at work on it, and what another root has is not ours");
            Directory.GetDirectories(Path.Combine(_root.Folder, "run"), "probe-*").Select(Path.GetFileName).Should().BeEquivalentTo($"probe-{here}-{since}", $"probe-{here}");
        }
        finally
        {
            inside.Kill();
            inside.WaitForExit();
            foreach (var group in places.SelectMany(p => dead.Concat(alive).Select(n => p + n)).Where(Directory.Exists))
            {
                Directory.Delete(group);
            }
        }
    }

    [Fact]
    public void Keeps_pods_running_while_the_daemon_comes_and_goes()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=steady", _image, "--", "-c", "exec sleep 100").Succeeded();
        using var daemon = _root.Start("daemon");
        var socket = Path.Combine(_root.Folder, "run", "muster.socket");
        TestRoot.Until(() => File.Exists(socket) && ProgramRun.Of("/usr/bin/curl", ["-s", "--unix-socket", socket, "http://localhost/health"]).Out.Contains("\"status\":\"ok\""), "the daemon is healthy");
        ProgramRun.Of("/usr/bin/setpriv", ["--reuid=12345", "--regid=12345", "--clear-groups", "/usr/bin/curl", "-s", "--unix-socket", socket, "http://localhost/health"]).Status.Should().NotBe(0, "only root and the group muster may enter");
        daemon.Kill();
        daemon.WaitForExit();
        _root.State("steady").Should().Be("running");
        using var second = _root.Start("daemon");
        TestRoot.Until(() => ProgramRun.Of("/usr/bin/curl", ["-s", "--unix-socket", socket, "http://localhost/health"]).Status == 0, "a second daemon replaces the dead one's socket");
        ProgramRun.Of("/bin/kill", ["-TERM", second.Id.ToString()]).Succeeded();
        second.WaitForExit(10_000).Should().BeTrue();
        second.ExitCode.Should().Be(0);
        File.Exists(socket).Should().BeFalse();
        _root.State("steady").Should().Be("running");
    }
}
