using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>Pods that run by themselves, of one app and of several, from prepare to gc.</summary>
public sealed class LifeCycleTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    public LifeCycleTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    private string Detach(string script, params string[] options) => _root.Muster(["run", "--net=none", "--detach", .. options, _image, "--", "-c", script]).Succeeded().Out.Trim();

    [Fact]
    public void Keeps_no_lock_of_the_caller_in_what_stays_behind()
    {
        // As scripts lock: a descriptor of the shell's that every child inherits.
        var file = Path.Combine(_root.Work, "lock");
        var script = $"exec 9>{file}; flock 9; {Repository.Program("muster")} --root {_root.Folder} run --detach --name=locked --mds-register {_image} -- -c 'exec sleep 1000'";
        ProgramRun.Of("/bin/bash", ["-c", script]).Succeeded();
        ProgramRun.Of("flock", ["--nonblock", file, "true"]).Succeeded();
        _root.State("locked").Should().Be("running");
    }

    [Fact]
    public void Restarts_an_app_that_ends_at_the_moment_it_is_asked_to()
    {
        var uuid = Detach("exec sleep 1000", "--name=both");
        using var status = JsonDocument.Parse(File.ReadAllText(Path.Combine(_root.Pods, "run", uuid, "status.json")));
        var app = status.RootElement.GetProperty("apps").GetProperty("busybox").GetProperty("pid").GetInt32();
        var shim = TestRoot.Field(_root.Muster("status", "both").Out, "pid");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Path.Combine(_root.Pods, "run", uuid, "control")));
        Ask(socket, """{"v":1,"op":"status"}""");

        // While it stands still both come to its supervisor, which finds them in one look.
        Signal("STOP", shim);
        Signal("KILL", app.ToString(CultureInfo.InvariantCulture));
        TestRoot.Until(() => File.ReadAllText($"/proc/{app}/stat").Contains(") Z "), "the app has ended");
        socket.Send("{\"v\":1,\"op\":\"restart\"}\n"u8);
        Signal("CONT", shim);
        socket.Receive(new byte[256]).Should().BePositive();
        TestRoot.Until(() => _root.Muster("status", "--format=json", "both").Out.Contains("\"restarts\": 1") && _root.Muster("exec", "both", "true").Status == 0, "the app runs again");
    }

    private static void Signal(string name, string pid) => ProgramRun.Of("/bin/kill", ["-" + name, pid]).Succeeded();

    private static void Ask(Socket socket, string request)
    {
        socket.Send(Encoding.UTF8.GetBytes(request + "\n"));
        var answer = new byte[256];
        Encoding.UTF8.GetString(answer, 0, socket.Receive(answer)).Should().Contain("\"ok\":true");
    }

    [Fact]
    public void Prepares_now_and_runs_later()
    {
        var uuid = _root.Muster("prepare", "--net=none", "--name=later", _image, "--", "-c", "echo ran; exit 4").Succeeded().Out.Trim();
        _root.State("later").Should().Be("prepared");
        var run = _root.Muster("run-prepared", uuid[..8]);
        run.Status.Should().Be(4);
        run.Out.Should().Be("ran\n");
        _root.Muster("status", "later").Out.Should().Contain("state=exited").And.Contain("app-busybox=4");
        _root.Muster("run-prepared", uuid).Status.Should().Be(254);
    }

    [Fact]
    public void Starts_an_ended_pod_again_with_its_files()
    {
        Detach("echo run >> /log; wc -l < /log", "--name=again");
        _root.Muster("status", "--wait", "again").Succeeded();
        _root.Muster("start", "again").Succeeded();
        _root.Muster("status", "--wait=10s", "again").Succeeded();
        _root.Muster("logs", "again").Succeeded().Out.Should().Be("1\n2\n");
    }

    [Fact]
    public void Logs_every_line_and_rotates()
    {
        Detach("seq 1 20000", "--name=noisy", "--log-max-size=64Ki", "--log-max-files=2");
        _root.Muster("status", "--wait=30s", "noisy").Succeeded();
        var logs = Directory.GetFiles(Path.Combine(_root.Pods, "exited", TestRoot.Field(_root.Muster("status", "noisy").Out, "uuid"), "logs"));
        logs.Should().HaveCount(3);
        logs.Should().OnlyContain(f => new FileInfo(f).Length <= 80 * 1024);
        _root.Muster("logs", "--tail=2", "noisy").Succeeded().Should().Match<ProgramRun>(r => r.Out == "19999\n20000\n" && r.Error.Length == 0);

        // Of two streams nobody knows which was written to first.
        Detach("echo end >&2", "--name=quiet");
        _root.Muster("status", "--wait=30s", "quiet").Succeeded();
        _root.Muster("logs", "quiet").Succeeded().Should().Match<ProgramRun>(r => r.Out.Length == 0 && r.Error == "end\n");
    }

    [Fact]
    public void Follows_a_log_until_the_pod_ends()
    {
        Detach("for i in 1 2 3; do echo line $i; sleep 0.3; done", "--name=slow");
        _root.Muster("logs", "-f", "slow").Succeeded().Out.Should().Be("line 1\nline 2\nline 3\n");
    }

    [Fact]
    public void Follows_a_log_through_its_rotations_and_loses_and_doubles_nothing()
    {
        Detach("for i in $(seq 1 400); do seq $((i * 50 - 49)) $((i * 50)); done", "--name=turning", "--log-max-size=4Ki", "--log-max-files=1000");
        var expected = string.Concat(Enumerable.Range(1, 20_000).Select(i => $"{i}\n"));
        _root.Muster("logs", "-f", "turning").Succeeded().Out.Should().Be(expected);
        _root.Muster("logs", "turning").Succeeded().Out.Should().Be(expected);
    }

    [Theory]
    [InlineData("-f")]
    [InlineData("--tail=60")]
    [InlineData("--since=1h")]
    public void Shows_the_logs_of_several_apps_in_the_order_of_their_time(string option)
    {
        // Each app writes when the other has: the volume is the baton.
        static string Turns(string mine, string theirs) => $"i=0; while [ $i -lt 30 ]; do while [ ! -e /turn/{mine}$i ]; do sleep 0.01; done; echo {mine}$i; i=$((i+1)); touch /turn/{theirs}; done";
        _root.Muster(
            "run", "--net=none", "--detach", "--name=two", "--log-max-size=4Ki", "--log-max-files=100", "--volume=turn,kind=empty",
            _image, "--name=a", "--mount=volume=turn,target=/turn", "--", "-c", "touch /turn/a0; " + Turns("a", "b$((i-1))"), "---",
            _image, "--name=b", "--mount=volume=turn,target=/turn", "--", "-c", Turns("b", "a$i")).Succeeded();
        if (option != "-f")
        {
            _root.Muster("status", "--wait=60s", "two").Succeeded();
        }

        // A line has the time at which the supervisor read it: what both said before that may come in either order.
        var lines = _root.Muster("logs", option, "--timestamps", "two").Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Select(l => l.Split(' ')[0]).Should().BeInAscendingOrder(StringComparer.Ordinal).And.HaveCount(60);
        foreach (var app in (string[])["a", "b"])
        {
            lines.Select(l => l.Split(' ', 2)[1]).Where(l => l[0] == app[0]).Should().Equal(Enumerable.Range(0, 30).Select(i => $"{app} | {app}{i}"));
        }

        var apps = _root.Muster("logs", "-f", "--format=json", "two").Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("app").GetString()).ToList();
        apps.IndexOf("b").Should().BeLessThan(apps.LastIndexOf("a"), "they took turns");
    }

    [Fact]
    public void Pauses_resumes_and_enters()
    {
        Detach("i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.05; done", "--name=counter");
        _root.Muster("exec", "counter", "id").Succeeded().Out.Should().Contain("uid=0");
        _root.Muster("exec", "--user=web", "counter", "sh", "-c", "id -u; exit 9").Should().Match<ProgramRun>(r => r.Status == 9 && r.Out == "1000\n");
        _root.Muster("enter", "counter", "--", "echo", "--", "x").Succeeded().Out.Should().Be("-- x\n");
        _root.Muster("pause", "counter").Succeeded();
        _root.State("counter").Should().Be("paused");
        _root.Muster("exec", "counter", "true").Status.Should().Be(254);
        _root.Muster("resume", "counter").Succeeded();
        _root.State("counter").Should().Be("running");
        _root.Muster("stop", "counter").Succeeded();
        _root.State("counter").Should().Be("exited");
    }

    [Fact]
    public void Restarts_an_app_with_growing_pauses_until_stopped()
    {
        Detach("exit 1", "--name=crash", "--restart=on-failure");
        TestRoot.Until(() => int.TryParse(TestRoot.Field(_root.Muster("status", "crash").Out, "restarts-busybox"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= 3, "it was restarted three times");
        _root.State("crash").Should().Be("running");
        _root.Muster("stop", "crash").Succeeded();
        _root.State("crash").Should().Be("exited");
    }

    [Fact]
    public void Shares_namespaces_but_not_roots_between_apps()
    {
        var run = _root.Muster("run", "--net=none", "--hostname=shared",
            _image, "--name=a", "--", "-c", "echo from-a > /own; sleep 1 | nc -l -p 7000 > /heard; echo a heard $(cat /heard)",
            "---", _image, "--name=b", "--", "-c", "sleep 0.5; ls /own 2>&1; hostname; cat /proc/1/cmdline | tr '\\0' ' '; echo; echo hi | nc 127.0.0.1 7000");
        run.Succeeded().Out.Should().Contain("a heard hi").And.Contain("No such file").And.Contain("shared\n").And.Contain("/catatonit -P");
    }

    [Fact]
    public void Ends_the_pod_with_the_status_of_the_first_app_that_fails()
    {
        var run = _root.Muster("run", "--net=none", _image, "--name=a", "--", "-c", "sleep 100", "---", _image, "--name=b", "--", "-c", "sleep 0.3; exit 9");
        run.Status.Should().Be(9);
    }

    [Fact]
    public void Runs_handlers_before_and_after_the_app_in_its_root()
    {
        var image = _root.Image("example.com/hooks", "aci");
        // The build file has no handlers: a PodManifest replaces the app section whole.
        var id = _root.Muster("image", "list", "--format=json").Succeeded().Out;
        var full = System.Text.Json.JsonDocument.Parse(id).RootElement.EnumerateArray().First(r => r.GetRawText().Contains("hooks")).GetProperty("id").GetString();
        var manifest = Path.Combine(_root.Work, "pod.json");
        File.WriteAllText(manifest, $$$"""
            {"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"hooked","image":{"id":"{{{full}}}"},
             "app":{"exec":["/bin/sh","-c","cat /pre; echo main > /main; echo main"],"user":"0","group":"0",
              "eventHandlers":[{"name":"pre-start","exec":["/bin/sh","-c","echo pre > /pre"]},{"name":"post-stop","exec":["/bin/sh","-c","echo post after $(cat /main)"]}]}}]}
            """);
        var run = _root.Muster("run", "--net=none", "--pod-manifest=" + manifest);
        run.Succeeded();
        (run.Out + run.Error).Should().Contain("pre\n").And.Contain("main\n").And.Contain("post after main");
        image.Should().NotBeEmpty();
    }

    [Fact]
    public void Attaches_to_input_and_output()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=echoer", _image, "--stdin=stream", "--", "-c", "while read l; do echo got $l; done; echo over").Succeeded();
        var attached = _root.MusterWith("one\ntwo\n", "attach", "echoer");
        attached.Out.Should().Be("got one\ngot two\nover\n");
        _root.Muster("status", "--wait=10s", "echoer").Out.Should().Contain("app-busybox=0");
    }

    [Fact]
    public void Collects_what_is_old_enough_and_nothing_else()
    {
        Detach("true", "--name=old");
        Detach("sleep 100", "--name=alive");
        _root.Muster("prepare", "--net=none", "--name=waiting", _image).Succeeded();
        _root.Muster("status", "--wait=10s", "old").Succeeded();
        _root.Muster("gc").Succeeded().Out.Should().BeEmpty();
        _root.Muster("gc", "--grace-period=0s").Succeeded().Out.Should().Contain("it has ended");
        _root.Muster("status", "old").Status.Should().Be(254);
        _root.State("alive").Should().Be("running");
        _root.State("waiting").Should().Be("prepared");
        _root.Muster("rm", "alive").Status.Should().Be(254);
        _root.Muster("rm", "--force", "alive").Succeeded();
    }
}
