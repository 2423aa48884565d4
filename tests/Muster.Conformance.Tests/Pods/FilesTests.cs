using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>An app's files from outside: copied, exported, and removed without touching what is shared.</summary>
public sealed class FilesTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    public FilesTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Copies_files_and_folders_both_ways()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=box", _image, "--", "-c", "mkdir -p /data/sub; echo inner > /data/sub/f; exec sleep 100").Succeeded();
        TestRoot.Until(() => _root.Muster("exec", "box", "cat", "/data/sub/f").Status == 0, "the file is there");
        _root.Muster("cp", "box:/data", _root.Work).Succeeded();
        File.ReadAllText(Path.Combine(_root.Work, "data", "sub", "f")).Should().Be("inner\n");
        File.WriteAllText(Path.Combine(_root.Work, "outer"), "outer\n");
        _root.Muster("cp", Path.Combine(_root.Work, "outer"), "box:/data/renamed").Succeeded();
        _root.Muster("exec", "box", "cat", "/data/renamed").Succeeded().Out.Should().Be("outer\n");
        _root.Muster("cp", Path.Combine(_root.Work, "data"), "box:/tmp/").Succeeded();
        _root.Muster("exec", "box", "cat", "/tmp/data/sub/f").Succeeded().Out.Should().Be("inner\n");
        _root.Muster("cp", "box:/nothing", _root.Work).Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("could not be read"));
        _root.State("box").Should().Be("running");
    }

    [Fact]
    public void Copies_by_the_kind_of_what_stands_at_the_target()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=box", _image, "--", "-c", "mkdir -p /data/sub /d; echo inner > /data/f; echo x > /data/sub/g; mkdir /d/f; echo in > /plain; exec sleep 100").Succeeded();
        TestRoot.Until(() => _root.Muster("exec", "box", "cat", "/plain").Status == 0, "the files are there");
        var time = new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        var into = Directory.CreateDirectory(Path.Combine(_root.Work, "into")).FullName;
        Directory.SetLastWriteTimeUtc(into, time);
        File.SetUnixFileMode(into, (UnixFileMode)0b111_000_000);

        // A folder that others use keeps its time and mode, but for the file that is new in it.
        _root.Muster("cp", "box:/data/.", into).Succeeded();
        File.ReadAllText(Path.Combine(into, "sub", "g")).Should().Be("x\n");
        File.GetUnixFileMode(into).Should().Be((UnixFileMode)0b111_000_000);
        Directory.GetLastWriteTimeUtc(into).Should().BeAfter(time);

        // Neither takes the other's place.
        File.WriteAllText(Path.Combine(_root.Work, "file"), "mine");
        Refused("cp", "box:/data", Path.Combine(_root.Work, "file")).Should().Contain("is no folder");
        Refused("cp", "box:/d/.", into).Should().Contain("is a file in the target and a folder in the source");
        Refused("cp", into, "box:/plain").Should().Contain("no folder");
        Refused("cp", Path.Combine(_root.Work, "file"), "box:/dev/null").Should().Contain("neither a file nor a folder");
        File.ReadAllText(Path.Combine(_root.Work, "file")).Should().Be("mine");
        File.ReadAllText(Path.Combine(into, "f")).Should().Be("inner\n");

        // Links of the host are followed, pipes and devices written to.
        File.CreateSymbolicLink(Path.Combine(_root.Work, "link"), "file");
        _root.Muster("cp", "box:/plain", Path.Combine(_root.Work, "link")).Succeeded();
        File.ReadAllText(Path.Combine(_root.Work, "file")).Should().Be("in\n");
        new FileInfo(Path.Combine(_root.Work, "link")).LinkTarget.Should().Be("file");
        var pipe = Path.Combine(_root.Work, "pipe");
        ProgramRun.Of("bash", ["-c", $"mkfifo {pipe}; cat {pipe} & '{Repository.Program("muster")}' --root {_root.Folder} cp box:/plain {pipe}; wait"]).Succeeded().Out.Should().Be("in\n");
        ProgramRun.Of("bash", ["-c", $"'{Repository.Program("muster")}' --root {_root.Folder} cp box:/plain /dev/stdout | cat"]).Succeeded().Out.Should().Be("in\n");
        Refused("cp", "box:/data", pipe).Should().Contain("is no folder");
        ProgramRun.Of("test", ["-p", pipe]).Succeeded();
        _root.Muster("cp", into + "/.", "box:/d/").Status.Should().Be(254, "/d/f is a folder there");
        _root.Muster("cp", into + "/.", "box:/tmp").Succeeded();
        _root.Muster("exec", "box", "cat", "/tmp/sub/g").Succeeded().Out.Should().Be("x\n");

        string Refused(params string[] words)
        {
            var run = _root.Muster(words);
            run.Status.Should().Be(254);
            return run.Error;
        }
    }

    [Fact]
    public void Keeps_links_of_the_app_inside_its_root_when_copying()
    {
        var secret = Path.Combine(_root.Work, "secret");
        Directory.CreateDirectory(secret);
        File.WriteAllText(Path.Combine(secret, "f"), "host\n");
        _root.Muster("run", "--net=none", "--detach", "--name=sly", _image, "--", "-c", $"ln -s {secret} /escape; exec sleep 100").Succeeded();
        TestRoot.Until(() => _root.Muster("exec", "sly", "readlink", "/escape").Status == 0, "the link is there");
        _root.Muster("cp", "sly:/escape/f", Path.Combine(_root.Work, "got")).Status.Should().Be(254);
        File.WriteAllText(Path.Combine(_root.Work, "evil"), "evil\n");
        _root.Muster("cp", Path.Combine(_root.Work, "evil"), "sly:/escape/f").Status.Should().Be(254);
        File.ReadAllText(Path.Combine(secret, "f")).Should().Be("host\n");
    }

    [Fact]
    public void Exports_an_ended_pod_as_an_image_that_runs()
    {
        _root.Muster("run", "--net=none", "--name=made", _image, "--", "-c", "echo kept > /kept; rm /bin/yes").Succeeded();
        var file = Path.Combine(_root.Work, "made.aci");
        _root.Muster("export", "made", file).Succeeded();
        _root.Muster("export", "made", file).Status.Should().Be(254, "a file that is there is not replaced");
        var run = _root.Muster("run", "--net=none", "--insecure-options=image", file, "--exec=/bin/sh", "--", "-c", "cat /kept; ls /bin/yes");
        run.Out.Should().Be("kept\n");
        run.Error.Should().Contain("/bin/yes");
    }

    [Theory]
    [InlineData("--private-users")]
    [InlineData("--init")]
    public void Removes_a_pod_of_any_shape_and_leaves_the_image_whole(string option)
    {
        _root.Muster("run", "--rm", "--net=none", option, _image, "--", "-c", "touch /new; rm /bin/yes").Succeeded().Error.Should().BeEmpty();
        _root.Muster("list", "-q").Out.Should().BeEmpty();
        _root.Muster("image", "verify", _image).Succeeded();
    }

    [Theory]
    [InlineData("crun")]
    [InlineData("runc")]
    [InlineData("crun", "--private-users")]
    [InlineData("runc", "--private-users")]
    public void Lets_no_user_of_the_host_run_what_an_app_made_setuid(string runtime, params string[] options)
    {
        _root.Muster(["run", "--net=none", "--detach", "--name=box", "--runtime=" + runtime, "--volume=v,kind=empty", .. options, _image, "--mount=volume=v,target=/v", "--", "-c", "cat /bin/busybox > /mine; cat /mine > /v/mine; chmod 4755 /mine /v/mine; touch /made; exec sleep 100"]).Succeeded();
        TestRoot.Until(() => _root.Muster("exec", "--user=web", "box", "ls", "/made").Status == 0, "the files are there");
        Closed("run");
        _root.Muster("stop", "--timeout=0s", "box").Succeeded();
        Closed("exited");

        void Closed(string state)
        {
            var pod = Directory.GetDirectories(Path.Combine(_root.Pods, state)).Single();
            foreach (var file in (string[])["/apps/busybox/upper/mine", "/volumes/v/mine"])
            {
                File.Exists(pod + file).Should().BeTrue();
                // By a shell: setpriv itself has its capabilities until it has become a program.
                ProgramRun.Of("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c", pod + file + " true"]).Should().Match<ProgramRun>(r => r.Status != 0 && r.Error.Contains("Permission denied"));
            }
        }
    }

    [Theory]
    [InlineData("run-prepared")]
    [InlineData("start")]
    public void Follows_no_link_that_was_put_in_the_place_of_a_volume(string verb)
    {
        var source = Directory.CreateDirectory(Path.Combine(_root.Work, "above", "source")).FullName;
        _root.Muster("prepare", "--net=none", "--name=box", "--volume=v,kind=host,source=" + source, _image, "--mount=volume=v,target=/v", "--", "-c", "ls /v").Succeeded();
        if (verb == "start")
        {
            _root.Muster("run-prepared", "box").Succeeded();
        }

        var state = _root.State("box");
        Directory.Delete(source);
        File.CreateSymbolicLink(source, "/etc");
        _root.Muster(verb, "box").Should().Match<ProgramRun>(r => r.Status == 254 && r.Out.Length == 0 && r.Error.Contains("leads through a symbolic link to /etc"));
        _root.State("box").Should().Be(state);
    }

    [Theory]
    [InlineData("crun", "")]
    [InlineData("runc", "")]
    [InlineData("crun", "--private-users")]
    public void Follows_no_link_that_an_app_puts_in_the_place_of_a_volume_before_it_starts_again(string runtime, string option)
    {
        var above = Directory.CreateDirectory(Path.Combine(_root.Work, "above")).FullName;
        Directory.CreateDirectory(Path.Combine(above, "source"));
        var secret = Directory.CreateDirectory(Path.Combine(_root.Work, "secret")).FullName;
        File.WriteAllText(Path.Combine(secret, "word"), "hidden\n");
        // The first time the app exchanges the folder for a link, and has itself started again: what is in /v then?
        string[] words =
        [
            "run", "--net=none", "--name=box", "--runtime=" + runtime, .. (ReadOnlySpan<string>)(option.Length > 0 ? [option] : []), "--restart=on-failure",
            "--volume=above,kind=host,source=" + above, "--volume=v,kind=host,source=" + above + "/source",
            _image, "--mount=volume=above,target=/above", "--mount=volume=v,target=/v", "--",
            "-c", $"if [ -L /above/source ]; then ls /v; cat /v/word; exit 0; fi; rmdir /above/source; ln -s {secret} /above/source; exit 1",
        ];
        _root.Muster(words).Should().Match<ProgramRun>(r => r.Status == 254 && r.Out.Length == 0 && r.Error.Contains($"source {above}/source of volume \"v\" leads through a symbolic link"));
    }

    [Theory]
    [InlineData("crun", "")]
    [InlineData("runc", "")]
    [InlineData("crun", "--private-users")]
    public void Gives_an_app_that_starts_again_the_file_that_replaced_a_volumes(string runtime, string option)
    {
        var above = Directory.CreateDirectory(Path.Combine(_root.Work, "above")).FullName;
        File.WriteAllText(above + "/file", "old\n");
        string[] words =
        [
            "run", "--net=none", "--name=box", "--runtime=" + runtime, .. (ReadOnlySpan<string>)(option.Length > 0 ? [option] : []), "--restart=on-failure",
            "--volume=above,kind=host,source=" + above, "--volume=v,kind=host,source=" + above + "/file",
            _image, "--mount=volume=above,target=/above", "--mount=volume=v,target=/v", "--",
            "-c", "cat /v; [ -e /above/done ] && exit 0; touch /above/done; echo new > /above/next; mv /above/next /above/file; exit 1",
        ];
        _root.Muster(words).Succeeded().Out.Should().Be("old\nnew\n");
        Directory.Delete(above, recursive: true);
        _root.Muster("rm", "box").Succeeded();
    }

    [Fact]
    public void Copies_no_device_out_of_an_app()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=box", _image, "--", "-c", "mkdir /d; echo x > /d/file; mknod /d/node c 1 1; chmod 666 /d/node; touch /made; exec sleep 100").Succeeded();
        TestRoot.Until(() => _root.Muster("exec", "box", "ls", "/made").Status == 0, "the files are there");
        foreach (var path in (string[])["/d", "/d/.", "/d/node", "/dev/zero"])
        {
            _root.Muster("cp", "box:" + path, _root.Work).Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("which would be one of the host's"), path);
        }

        ProgramRun.Of("find", [_root.Work, "-type", "c"]).Succeeded().Out.Should().BeEmpty();
        _root.Muster("cp", "box:/d/file", _root.Work).Succeeded();
    }

    [Theory]
    [InlineData]
    [InlineData("--private-users")]
    public void Nothing_comes_out_of_an_app_setuid(params string[] options)
    {
        _root.Muster(["run", "--net=none", "--detach", "--name=box", .. options, _image, "--", "-c", "mkdir /d; echo x > /d/su; echo y > /d/plain; chown 1000:1000 /d/su; chmod 6755 /d/su; touch /made; exec sleep 100"]).Succeeded();
        TestRoot.Until(() => _root.Muster("exec", "box", "ls", "/made").Status == 0, "the files are there");
        var run = _root.Muster("cp", "box:/d", _root.Work).Succeeded();
        run.Error.Should().Contain("warning: ./d/su came without its setuid and setgid bits").And.NotContain("plain");
        File.GetUnixFileMode(Path.Combine(_root.Work, "d", "su")).Should().Be((UnixFileMode)0b111_101_101);

        // Among the pod's own they mean what they meant, unless their owner becomes another.
        var file = Path.Combine(_root.Work, "own");
        File.WriteAllText(file, "z");
        File.SetUnixFileMode(file, (UnixFileMode)0b100_111_101_101);
        _root.Muster("cp", file, "box:/own").Succeeded().Error.Contains("came without").Should().Be(options.Length > 0);
        _root.Muster("exec", "box", "stat", "-c", "%a", "/own").Succeeded().Out.Should().Be(options.Length > 0 ? "755\n" : "4755\n");
    }

    [Fact]
    public void Copies_a_file_that_is_written_to_meanwhile()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=box", _image, "--", "-c", "mkdir /d; dd if=/dev/zero of=/d/log bs=1048576 count=100 2>/dev/null; touch /made; while :; do echo line >> /d/log; done").Succeeded();
        TestRoot.Until(() => _root.Muster("exec", "box", "ls", "/made").Status == 0, "the file is there");
        var run = _root.Muster("cp", "box:/d", _root.Work).Succeeded();
        run.Error.Should().Match(e => e == "" || e.Contains("warning: /d changed while it was copied"));
        new FileInfo(Path.Combine(_root.Work, "d", "log")).Length.Should().BeGreaterThanOrEqualTo(100 << 20);
    }

    [Fact]
    public void Says_what_cannot_be_copied_and_why()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=box", _image, "--", "-c", "mkdir /d; dd if=/dev/zero of=/d/huge bs=1 count=1 seek=1099511627776 2>/dev/null; mkfifo /fifo; touch /made; exec sleep 100").Succeeded();
        TestRoot.Until(() => _root.Muster("exec", "box", "ls", "/made").Status == 0, "the file is there");
        _root.Muster("cp", "box:/d", _root.Work).Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("/d cannot be copied: ") && r.Error.Contains("larger than"));
        var file = Path.Combine(_root.Work, "file");
        File.WriteAllText(file, "x");
        _root.Muster("cp", file, "box:/sys/file").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("read-only") && !r.Error.Contains("--root"));
        _root.Muster("cp", file, "box:/proc/1/comm").Should().Match<ProgramRun>(r => r.Status == 254 && !r.Error.Contains("Not a directory"));

        // A pipe of the app that nobody writes to is not waited for.
        var pipe = Path.Combine(_root.Work, "pipe");
        ProgramRun.Of("mkfifo", [pipe]).Succeeded();
        _root.Muster("cp", "box:/fifo", pipe).Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("is no file whose content"));
    }

    [Fact]
    public void Exports_a_file_of_holes_without_filling_the_disk()
    {
        _root.Muster("run", "--net=none", "--name=made", _image, "--", "-c", "dd if=/dev/zero of=/holes bs=1 count=1 seek=2147483647 2>/dev/null").Succeeded();
        var file = Path.Combine(_root.Work, "made.aci");
        _root.Muster("export", "made", file).Succeeded();
        new FileInfo(file).Length.Should().BeGreaterThan(2L << 30);
        long.Parse(ProgramRun.Of("stat", ["-c", "%b", file]).Succeeded().Out).Should().BeLessThan((256 << 20) / 512);
        ProgramRun.Of("tar", ["-tvf", file, "rootfs/holes"]).Succeeded().Out.Should().Contain("2147483648");
    }

    [Fact]
    public void Removes_a_pod_of_several_apps_at_its_end()
    {
        _root.Muster("run", "--rm", _image, "--name=a", "--", "-c", "true", "---", _image, "--name=b", "--", "-c", "sleep 0.2").Succeeded();
        _root.Muster("list", "-q").Out.Should().BeEmpty();
    }

    [Fact]
    public void Starts_an_app_again_that_has_ended_while_the_pod_goes_on()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=pair", _image, "--name=once", "--", "-c", "echo x >> /count; wc -l < /count", "---", _image, "--name=stays", "--", "-c", "exec sleep 100").Succeeded();
        TestRoot.Until(() => _root.Muster("logs", "--app=once", "pair").Out == "1\n", "it ran once");
        TestRoot.Until(() => _root.Muster("status", "pair").Out.Contains("app-once=0"), "it has ended");
        _root.Muster("restart", "--app=once", "pair").Succeeded();
        _root.Muster("restart", "--app=stays", "--timeout=0s", "pair").Succeeded();
        _root.Muster("pause", "pair").Succeeded();
        _root.Muster("restart", "--app=stays", "pair").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("paused"));
        _root.Muster("resume", "pair").Succeeded();
        TestRoot.Until(() => _root.Muster("logs", "--app=once", "pair").Out == "1\n2\n", "it ran again");
    }
}
