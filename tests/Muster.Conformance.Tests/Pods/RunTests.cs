using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary><c>muster run</c> in the foreground, as a shell or an init system uses it.</summary>
public sealed class RunTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    public RunTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    private ProgramRun Sh(string script, params string[] options) => _root.Muster(["run", "--net=none", .. options, _image, "--", "-c", script]);

    [Fact]
    public void Gives_the_apps_output_and_status()
    {
        var run = Sh("echo out; echo err >&2; exit 7");
        run.Status.Should().Be(7);
        run.Out.Should().Be("out\n");
        run.Error.Should().Be("err\n");
    }

    [Theory]
    [InlineData("--stdout=null", "", "err\n")]
    [InlineData("--stderr=null", "out\n", "")]
    public void Throws_away_a_stream_when_asked(string option, string output, string error)
    {
        var run = Sh("echo out; echo err >&2", option).Succeeded();
        run.Out.Should().Be(output);
        run.Error.Should().Be(error);
    }

    [Fact]
    public void Hands_on_standard_input_to_its_end()
    {
        var text = string.Concat(Enumerable.Repeat("0123456789abcdef\n", 60_000));
        var run = _root.MusterWith(text, "run", "--net=none", _image, "--", "-c", "cat");
        run.Succeeded().Out.Should().Be(text);
    }

    [Theory]
    [InlineData("/nope", 127)]
    [InlineData("/etc/passwd", 126)]
    [InlineData("/nope", 127, "--detach")]
    [InlineData("/etc/passwd", 126, "--detach", "--runtime=runc")]
    public void Tells_as_a_shell_does_when_the_program_cannot_start(string program, int status, params string[] options)
    {
        var run = _root.Muster(["run", "--net=none", .. options, _image, "--exec", program]);
        run.Status.Should().Be(status);
        run.Error.Should().StartWith("muster: App \"busybox\" did not start: ").And.HaveLength(run.Error.TrimEnd().Length + 1, "it is one sentence");
    }

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    [InlineData("HUP", 129)]
    public void Ends_by_a_signal_that_the_app_does_not_handle(string signal, int status)
    {
        using var process = _root.Start("run", "--net=none", "--name=victim", _image, "--", "-c", "exec sleep 100");
        TestRoot.Until(() => _root.Muster("status", "victim") is { Status: 0 } s && s.Out.Contains("state=running") && _root.Muster("exec", "victim", "true").Status == 0, "the app runs");
        ProgramRun.Of("/bin/kill", ["-" + signal, process.Id.ToString()]).Succeeded();
        process.WaitForExit(10_000).Should().BeTrue();
        process.ExitCode.Should().Be(status);
    }

    [Fact]
    public void Hands_a_signal_to_an_app_that_handles_it()
    {
        using var process = _root.Start("run", "--net=none", _image, "--", "-c", "trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.1; done");
        process.StandardOutput.ReadLine().Should().Be("ready");
        ProgramRun.Of("/bin/kill", ["-USR1", process.Id.ToString()]).Succeeded();
        process.StandardOutput.ReadLine().Should().Be("got");
        process.WaitForExit(10_000).Should().BeTrue();
        process.ExitCode.Should().Be(5);
    }

    [Fact]
    public void Kills_an_app_that_ignores_its_stop_signal_after_the_grace()
    {
        using var process = _root.Start("run", "--net=none", "--name=stubborn", "--stop-timeout=500ms", _image, "--", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done");
        process.StandardOutput.ReadLine().Should().Be("ready");
        _root.Muster("stop", "stubborn").Succeeded();
        process.WaitForExit(10_000).Should().BeTrue();
        process.ExitCode.Should().Be(137);
    }

    [Fact]
    public void Confines_an_app_as_the_defaults_say()
    {
        var run = Sh("grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; cat /proc/self/cgroup | grep -v ':/$'; mount -t tmpfs x /tmp; reboot -f; touch /proc/sys/kernel/x; head -c1 /proc/kcore | wc -c; unshare -m true; echo done").Succeeded();
        run.Out.Should().Contain("CapEff:\t00000000a80425fb").And.Contain("CapBnd:\t00000000a80425fb").And.Contain("NoNewPrivs:\t1").And.Contain("Seccomp:\t2").And.Contain("done");
        run.Out.Should().NotContain("muster-", "the cgroup namespace hides where the app is");
        run.Error.Should().Contain("mount").And.Contain("unshare");
    }

    [Fact]
    public void Loosens_only_what_is_asked_and_shows_it()
    {
        var run = _root.Muster("run", "--net=none", "--name=loose", "--insecure-options=seccomp,capabilities", _image, "--", "-c", "grep -E '^(CapEff|Seccomp):' /proc/self/status").Succeeded();
        run.Out.Should().Contain("Seccomp:\t0");
        run.Out.Should().NotContain("a80425fb");
        _root.Muster("status", "loose").Out.Should().Contain("insecure=seccomp,capabilities");
    }

    [Fact]
    public void Limits_memory_processes_and_cpu()
    {
        var run = Sh("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max; cat /proc/self/oom_score_adj", "--memory=32Mi", "--pids=20", "--cpu=500m", "--oom-score-adj=300").Succeeded();
        run.Out.Split('\n')[..4].Should().Equal("33554432", "20", "50000", "300");
    }

    [Fact]
    public void Runs_as_the_user_that_the_images_passwd_names()
    {
        var run = _root.Muster("run", "--net=none", _image, "--user=web", "--working-dir=/tmp", "--environment=A=1", "--", "-c", "id; pwd; echo $A $HOME").Succeeded();
        run.Out.Should().Contain("uid=1000(web) gid=1000(web) groups=2000(extra)").And.Contain("/tmp\n").And.Contain("1 /home/web");
    }

    [Fact]
    public void Mounts_volumes_and_refuses_sources_that_are_missing_or_links()
    {
        var folder = Path.Combine(_root.Work, "data");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "f"), "hello\n");
        File.CreateSymbolicLink(Path.Combine(_root.Work, "link"), folder);
        ProgramRun With(string source, string script) => _root.Muster("run", "--net=none", $"--volume=v,kind=host,source={source},readOnly=true", _image, "--mount=volume=v,target=/data", "--", "-c", script);
        With(folder, "cat /data/f; touch /data/x || echo read-only").Succeeded().Out.Should().Be("hello\nread-only\n");
        With(folder + "x", "true").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("never created"));
        With(Path.Combine(_root.Work, "link"), "true").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("symbolic link"));
    }

    [Fact]
    public void Keeps_the_root_read_only_when_asked()
    {
        Sh("touch /x; echo $?", "--readonly-rootfs").Succeeded().Out.Should().Be("1\n");
    }

    [Fact]
    public void Gives_a_user_namespace_whose_root_is_nobody_outside()
    {
        var run = Sh("cat /proc/self/uid_map; touch /tmp/x && stat -c %u /tmp/x /bin/busybox", "--private-users").Succeeded();
        run.Out.Should().MatchRegex("^ +0 +[0-9]{9,} +65536\n0\n0\n$");
    }

    [Fact]
    public void Refuses_a_second_pod_of_one_name_and_names_the_first()
    {
        var first = _root.Muster("run", "--net=none", "--detach", "--name=one", _image, "--", "-c", "sleep 100").Succeeded().Out.Trim();
        var second = _root.Muster("run", "--net=none", "--name=one", _image, "--", "-c", "true");
        second.Status.Should().Be(254);
        second.Error.Should().Contain(first);
        _root.State("one").Should().Be("running");
    }

    [Fact]
    public void Shows_wrong_words_with_status_2_and_changes_nothing()
    {
        foreach (var words in new[] { new[] { "run" }, ["run", "--nope", _image], ["prepare", "--detach", _image], ["run", "--memory=x", _image], ["run", "--port=http", _image], ["run", "--net=host", "-p", "1:2", _image], ["rum", _image], ["run", "--format=json", _image],
            ["run", "no such"], ["prepare", ":1"], ["fetch", "docker://UP/case"], ["image", "rm", "a b"], ["image", "inspect", "a@@"], ["image", "copy", _image, "oci:"] })
        {
            var run = _root.Muster(words);
            run.Status.Should().Be(2, string.Join(' ', words));
            run.Error.Should().StartWith("muster: ");
        }

        _root.Muster("list", "-q").Out.Should().BeEmpty();
    }

    [Fact]
    public void Removes_the_pod_at_its_end_when_asked()
    {
        Sh("true", "--rm").Succeeded();
        _root.Muster("list", "-q").Out.Should().BeEmpty();
        Directory.GetDirectories(Path.Combine(_root.Pods, "exited")).Should().BeEmpty();
    }

    [Fact]
    public void Gives_a_terminal_when_interactive()
    {
        // script(1) gives muster a terminal of its own.
        var run = ProgramRun.Of("/usr/bin/script", ["-qec", $"{Repository.Program("muster")} --root {_root.Folder} run --net=none --interactive {_image} -- -c 'tty; stty size; exit 3'", "/dev/null"]);
        run.Status.Should().Be(3);
        run.Out.Should().Contain("/dev/pts/0").And.NotContain("not a tty");
    }
}
