using System.Text.Json;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>Commands run beside an app: confined as it is, in its environment, whichever runtime starts them.</summary>
public sealed class EnterTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    public EnterTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    private void Detach(string runtime, params string[] options) =>
        _root.Muster(["run", "--net=none", "--detach", "--name=box", "--runtime=" + runtime, "--set-env=FROM=app", .. options, _image, "--", "-c", "exec sleep 100"]).Succeeded();

    private string App(string pod) => JsonDocument.Parse(_root.Muster("status", "--format=json", pod).Succeeded().Out).RootElement.GetProperty("apps")[0].GetProperty("pid").GetRawText();

    private static int InNamespaceOf(string process)
    {
        var wanted = new FileInfo($"/proc/{process}/ns/pid").LinkTarget;
        return Directory.GetDirectories("/proc").Count(p =>
        {
            try
            {
                return int.TryParse(Path.GetFileName(p), out _) && new FileInfo(p + "/ns/pid").LinkTarget == wanted;
            }
            catch (IOException)
            {
                return false;
            }
        });
    }

    [Theory]
    [InlineData("crun")]
    [InlineData("runc")]
    public void A_command_is_confined_as_its_app_and_has_its_environment(string runtime)
    {
        Detach(runtime, "--oom-score-adj=77");
        const string fields = "grep -E '^(Cap(Eff|Bnd|Prm|Inh|Amb)|NoNewPrivs|Seccomp):' /proc/$1/status; cat /proc/$1/oom_score_adj";
        var app = _root.Muster("exec", "box", "sh", "-c", fields, "x", "1").Succeeded().Out;
        app.Should().Contain("NoNewPrivs:\t1");
        _root.Muster("exec", "box", "sh", "-c", fields, "x", "self").Succeeded().Out.Should().Be(app);
        _root.Muster("exec", "-e", "MORE=1", "box", "env").Succeeded().Out.Should().Contain("FROM=app").And.Contain("MORE=1").And.Contain("PATH=/").And.Contain("HOME=/root");
        var web = _root.Muster("exec", "--user=web", "box", "sh", "-c", "id; echo $HOME").Succeeded().Out;
        web.Should().Contain("uid=1000(web) gid=1000(web) groups=2000(extra)").And.EndWith("/home/web\n");
        _root.Muster("exec", "-e", "=x", "box", "env").Status.Should().Be(2);
        ProgramRun.Of("/usr/bin/script", ["-qec", $"{Repository.Program("muster")} --root {_root.Folder} exec box sh -c 'tty; echo $FROM $TERM; exit 3'", "/dev/null"], environment: new Dictionary<string, string> { ["TERM"] = "vt100" })
            .Should().Match<ProgramRun>(r => r.Status == 3 && r.Out.Contains("/dev/pts/") && r.Out.Contains("app vt100"));
    }

    [Theory]
    [InlineData("crun")]
    [InlineData("runc")]
    public void A_command_that_cannot_be_started_is_told_as_a_shell_would_and_leaves_no_process(string runtime)
    {
        Detach(runtime);
        _root.Muster("exec", "box", "/nope").Should().Match<ProgramRun>(r => r.Status == 127 && r.Error.StartsWith("muster: ") && r.Error.Split('\n').Length == 2);
        _root.Muster("exec", "box", "nope").Should().Match<ProgramRun>(r => r.Status == 127 && r.Error.StartsWith("muster: "));
        _root.Muster("exec", "box", "/etc/passwd").Should().Match<ProgramRun>(r => r.Status == 126 && r.Error.StartsWith("muster: ") && r.Error.Split('\n').Length == 2);
        _root.Muster("exec", "--tty", "box", "true").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("--tty needs") && !r.Error.Contains("ioctl"));
        _root.Muster("exec", "--working-dir=/nope", "box", "true").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("/nope"));
        _root.Muster("exec", "box", "sh", "-c", "exit 255").Should().Match<ProgramRun>(r => r.Status == 255 && r.Error.Length == 0);
        // What no look beforehand finds: the runtime says it, and what it leaves is reaped.
        _root.Muster("exec", "box", "sh", "-c", "echo garbage > /g; chmod 755 /g").Succeeded();
        _root.Muster("exec", "box", "/g").Status.Should().NotBe(0);
        _root.Muster("exec", "box", "ps").Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(3, "the app, ps and the heading");
    }

    [Theory]
    [InlineData("crun")]
    [InlineData("runc")]
    public void A_command_that_did_not_begin_because_its_app_ended_is_told_so(string runtime)
    {
        // A runtime that stands still in the middle of a start: it is in the pod already and has the command still to execute.
        var slow = Path.Combine(_root.Work, runtime);
        File.WriteAllText(slow, $"#!/bin/sh\ncase \" $* \" in *' exec '*) exec strace -f -qq -o /dev/null -e trace=capset -e inject=capset:delay_enter=60000000 /usr/bin/{runtime} \"$@\" ;; esac\nexec /usr/bin/{runtime} \"$@\"\n");
        File.SetUnixFileMode(slow, (UnixFileMode)0b111_101_101);
        Detach(slow);
        using var exec = _root.Start("exec", "box", "sleep", "100");
        var app = App("box");
        TestRoot.Until(() => InNamespaceOf(app) > 1, "the runtime's process is in the pod");
        ProgramRun.Of("/bin/kill", ["-9", app]).Succeeded();
        var said = exec.StandardError.ReadToEnd();
        exec.WaitForExit(60_000).Should().BeTrue();
        exec.ExitCode.Should().Be(254, said);
        said.Should().MatchRegex("(?m)^muster: App \"busybox\" of pod [0-9a-f-]{36} ended (before the command could be|while the command was being) started.*: start it again with \"muster start").And.NotContain("did not start");
    }

    [Theory]
    [InlineData("crun")]
    [InlineData("runc")]
    public void A_command_that_was_killed_because_its_app_ended_has_that_status_and_is_told_why(string runtime)
    {
        Detach(runtime);
        using var exec = _root.Start("exec", "box", "sh", "-c", "echo ready; exec sleep 100");
        exec.StandardOutput.ReadLine().Should().Be("ready");
        ProgramRun.Of("/bin/kill", ["-9", App("box")]).Succeeded();
        exec.StandardError.ReadToEnd().Should().MatchRegex("^muster: App \"busybox\" of pod [0-9a-f-]{36} ended while the command ran, [^\n]*\n$");
        exec.WaitForExit(60_000).Should().BeTrue();
        exec.ExitCode.Should().Be(137);

        _root.Muster("run", "--net=none", "--detach", "--name=alive", "--runtime=" + runtime, _image, "--", "-c", "exec sleep 100").Succeeded();
        _root.Muster("exec", "alive", "sh", "-c", "kill -9 $$").Should().Match<ProgramRun>(r => r.Status == 137 && r.Error.Length == 0, "nothing but itself ended it");
        ProgramRun.Of("/bin/kill", ["-9", App("alive")]).Succeeded();
        TestRoot.Until(() => _root.State("alive") == "exited", "the pod has ended");
        _root.Muster("exec", "alive", "true").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("muster start"));
    }

    [Fact]
    public void A_detached_pod_can_be_entered_as_soon_as_its_start_is_told()
    {
        for (var i = 0; i < 15; i++)
        {
            Detach("crun");
            _root.Muster("exec", "box", "true").Succeeded();
            _root.Muster("rm", "--force", "box").Succeeded();
        }
    }

    [Fact]
    public void A_signal_to_exec_reaches_the_command()
    {
        Detach("crun");
        using var exec = _root.Start("exec", "box", "sh", "-c", "trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.1; done");
        exec.StandardOutput.ReadLine().Should().Be("ready");
        ProgramRun.Of("/bin/kill", ["-TERM", exec.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]).Succeeded();
        exec.WaitForExit(10_000).Should().BeTrue();
        exec.ExitCode.Should().Be(5);
    }
}
