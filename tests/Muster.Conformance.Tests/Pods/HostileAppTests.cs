using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>Apps that are root in their container and mean harm, with what every app may do.</summary>
public sealed class HostileAppTests : IDisposable
{
    /// <summary>What a pipe holds unless somebody changes it (pipe(7)).</summary>
    private const int PipeBytes = 64 * 1024;

    private readonly TestRoot _root = new();
    private readonly string _image;

    public HostileAppTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    private string Shell(params string[] words) => string.Join(' ', [Repository.Program("muster"), "--root", _root.Folder, .. words]);

    private static ProgramRun Bash(string script) => ProgramRun.Of("/bin/bash", ["-c", script]);

    [Fact]
    public void What_it_wrote_is_removed_whatever_the_names_and_nothing_of_the_host()
    {
        var host = Directory.CreateDirectory(Path.Combine(_root.Work, "host")).FullName;
        File.WriteAllText(Path.Combine(host, "precious"), "x");
        // A folder whose name is no text, and a link whose name is what a decoder makes of the other. Which of two names comes first is
        // up to the file system, so there are many.
        var script = $"for i in $(seq 1 30); do mkdir -p /e/$i; mkdir \"/e/$i/x$i$(printf '\\377')\"; ln -s {host} \"/e/$i/x$i$(printf '\\357\\277\\275')\"; done";
        _root.Muster("run", "--net=none", "--name=kept", _image, "--", "-c", script).Succeeded();
        _root.Muster("run", "--net=none", "--name=collected", _image, "--", "-c", script).Succeeded();
        _root.Muster("run", "--net=none", "--rm", _image, "--", "-c", script).Succeeded();
        _root.Muster("rm", "kept").Succeeded();
        _root.Muster("gc", "--grace-period=0s").Succeeded().Out.Should().Contain("it has ended");
        File.Exists(Path.Combine(host, "precious")).Should().BeTrue();
        TestRoot.Until(() => Directory.GetDirectories(_root.Pods).SelectMany(Directory.GetFileSystemEntries).ToList().Count == 0, "nothing is left of the pods");
    }

    [Fact]
    public void A_pod_that_cannot_be_removed_keeps_no_other()
    {
        var uuids = Enumerable.Range(0, 4).Select(_ => _root.Muster("run", "--net=none", "--detach", _image, "--", "-c", "echo x > /f").Succeeded().Out.Trim()).ToList();
        uuids.ForEach(u => _root.Muster("status", "--wait=10s", u).Succeeded());
        var first = Path.GetFileName(Directory.GetDirectories(Path.Combine(_root.Pods, "exited"))[0]);
        var file = Path.Combine(_root.Pods, "exited", first, "apps", "busybox", "upper", "f");
        ProgramRun.Of("chattr", ["+i", file]).Succeeded();
        try
        {
            _root.Muster("gc", "--grace-period=0s").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains(first));
            _root.Muster("list", "-q").Succeeded().Out.Trim().Should().Be(first);
        }
        finally
        {
            // It may have been moved out of sight by now.
            foreach (var left in Directory.GetFiles(_root.Pods, "f", SearchOption.AllDirectories))
            {
                ProgramRun.Of("chattr", ["-i", left]).Succeeded();
            }
        }

        _root.Muster("gc", "--grace-period=0s").Succeeded();
    }

    [Fact]
    public void Children_that_write_on_do_not_keep_its_supervisor()
    {
        // A line of two bytes is eighty in the log: it is written faster than the supervisor can read.
        var uuid = _root.Muster("run", "--net=none", "--detach", "--init", "--name=flood", _image, "--", "-c", "yes & sleep 1; exit 3").Succeeded().Out.Trim();
        _root.Muster("status", "--wait=60s", "flood").Out.Should().Contain("app-busybox=3");

        // Whether a supervisor that reads to the end comes to one is chance: what it read after the app's end tells.
        var pod = Path.Combine(_root.Pods, "exited", uuid);
        using var status = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(pod, "status.json")));
        var ended = status.RootElement.GetProperty("apps").GetProperty("busybox").GetProperty("exitedAt").GetDateTimeOffset();
        const int begin = 9;
        Directory.GetFiles(Path.Combine(pod, "logs")).SelectMany(File.ReadLines).Count(l => DateTimeOffset.Parse(l.AsSpan(begin, l.IndexOf('"', begin) - begin), System.Globalization.CultureInfo.InvariantCulture) > ended)
            .Should().BeLessThanOrEqualTo(PipeBytes / 2, "no more was in the pipe");
        _root.Muster("rm", "flood").Succeeded();
    }

    [Fact]
    public void A_handler_that_it_made_endless_does_not_keep_the_pod()
    {
        var full = System.Text.Json.JsonDocument.Parse(_root.Muster("image", "list", "--format=json").Succeeded().Out).RootElement[0].GetProperty("id").GetString();
        var manifest = Path.Combine(_root.Work, "pod.json");
        File.WriteAllText(manifest, $$$"""
            {"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"a","image":{"id":"{{{full}}}"},
             "app":{"exec":["/bin/sh","-c","echo 'sleep 1000' > /hook; exit 4"],"user":"0","group":"0",
              "eventHandlers":[{"name":"pre-start","exec":["/bin/sh","-c","echo true > /hook"]},{"name":"post-stop","exec":["/bin/sh","/hook"]}]}}]}
            """);
        var uuid = _root.Muster("run", "--net=none", "--detach", "--name=hooked", "--stop-timeout=1s", "--pod-manifest=" + manifest).Succeeded().Out.Trim();
        var hook = Path.Combine(_root.Folder, "var/pods/run", uuid, "apps/a/upper/hook");
        TestRoot.Until(() => File.Exists(hook) && File.ReadAllText(hook).Contains("sleep", StringComparison.Ordinal), "the app has run");
        _root.Muster("stop", "hooked").Succeeded();
        _root.Muster("status", "hooked").Out.Should().Contain("app-a=4");
        // The same where the pod is told to end before the handler begins.
        _root.Muster("rm", "hooked").Succeeded();
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("exit 4", "exec sleep 1000", StringComparison.Ordinal));
        _root.Muster("run", "--net=none", "--detach", "--name=hooked", "--stop-timeout=1s", "--pod-manifest=" + manifest).Succeeded();
        _root.Muster("rm", "--force", "hooked").Succeeded();
    }

    [Fact]
    public void A_command_beside_it_gets_no_file_or_terminal_of_the_callers()
    {
        var input = Path.Combine(_root.Work, "input");
        File.WriteAllText(input, "first\nsecond\n");
        _root.Muster("run", "--net=none", "--detach", "--name=box", _image, "--", "-c", "while :; do for f in /proc/[0-9]*/fd/[0-2]; do [ -f $f ] && echo pwned > $f; done; sleep 0.05; done").Succeeded();
        Bash(Shell("exec", "box", "sh", "-c", "'sleep 0.5; cat'") + " < " + input).Succeeded().Out.Should().Be("first\nsecond\n");
        Bash(Shell("exec", "box", "sh", "-c", "'echo pwned > /proc/self/fd/0'") + " < " + input).Succeeded();
        File.ReadAllText(input).Should().Be("first\nsecond\n");

        // What the command writes arrives whole, in its order, and nothing else can be written or read.
        var output = Path.Combine(_root.Work, "output");
        File.WriteAllText(output, "before\n");
        Bash(Shell("exec", "box", "sh", "-c", "'sleep 0.5; for i in $(seq 1 3000); do echo out $i; echo err $i >&2; done'") + $" >> {output} 2>&1").Succeeded();
        File.ReadAllText(output).Should().Be("before\n" + string.Concat(Enumerable.Range(1, 3000).Select(i => $"out {i}\nerr {i}\n")));

        // What the command does not read is there for whoever comes next, as in a loop of a script.
        Bash($"{{ {Shell("exec", "box", "dd", "bs=1", "count=6")} 2> /dev/null; {Shell("exec", "box", "true")}; cat; }} < {input}").Succeeded().Out.Should().Be("first\nsecond\n");
        Bash(Shell("exec", "box", "ls", "/proc/self/fd/0/") + " < /etc").Out.Should().BeEmpty();
        Bash(Shell("exec", "box", "sh", "-c", "'exit 9'") + $" < {input} > {output}").Status.Should().Be(9);
        ProgramRun.Of("/usr/bin/script", ["-qec", Shell("exec", "-T", "box", "sh", "-c", "'for f in 0 1 2; do readlink /proc/self/fd/$f; done; exit 6'"), "/dev/null"])
            .Should().Match<ProgramRun>(r => r.Status == 6 && r.Out.Contains("pipe:") && !r.Out.Contains("/dev/"));
    }

    [Fact]
    public void Its_pipes_and_devices_hold_up_no_copying()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=box", _image, "--", "-c", "mknod /pipe p; mknod /disk b 8 0; ln -s pipe /link; touch /made; exec sleep 100").Succeeded();
        TestRoot.Until(() => _root.Muster("exec", "box", "ls", "/made").Status == 0, "they are there");
        foreach (var path in (string[])["/pipe", "/disk", "/link"])
        {
            _root.Muster("cp", "box:" + path, "/dev/null").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("is no file"), path);
        }
    }

    [Fact]
    public void One_that_may_trace_the_runtime_is_warned_of()
    {
        string[] pair = [_image, "--caps-retain=CAP_SYS_PTRACE", "--", "-c", "true", "---", _image, "--name=b", "--", "-c", "true"];
        _root.Muster(["run", "--net=none", "--rm", .. pair]).Succeeded().Error.Should().Contain("CAP_SYS_PTRACE");
        _root.Muster(["run", "--net=none", "--rm", "--private-users", .. pair]).Succeeded().Error.Should().NotContain("CAP_SYS_PTRACE");
        _root.Muster(["run", "--net=none", "--rm", .. pair[..5]]).Succeeded().Error.Should().BeEmpty();
    }
}
