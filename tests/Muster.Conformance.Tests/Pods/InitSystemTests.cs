using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>Pods under the init systems that <c>muster generate</c> writes for.</summary>
public sealed class InitSystemTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    public InitSystemTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    private ProgramRun Sv(string verb, string service) => ProgramRun.Of("/usr/bin/sv", ["-w", "30", verb, service]);

    [Fact]
    public void Is_kept_running_by_runit()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/runsv") && File.Exists("/usr/bin/sv"), "runit is not installed");
        _root.Muster("prepare", "--net=none", "--name=kept", _image, "--", "-c", "exec sleep 1000").Succeeded();
        var service = Path.Combine(_root.Work, "kept");
        Directory.CreateDirectory(service);
        var run = Path.Combine(service, "run");
        File.WriteAllText(run, _root.Muster("generate", "runit", "kept").Succeeded().Out);
        File.SetUnixFileMode(run, (UnixFileMode)0b111_101_101);
        using var runsv = ProgramRun.Start("/usr/bin/runsv", [service]);
        try
        {
            TestRoot.Until(() => Running(out _), "runit starts the pod");
            Sv("status", service).Succeeded().Out.Should().StartWith("run: ");
            Running(out var first);
            _root.Muster("kill", "kept").Succeeded();
            TestRoot.Until(() => Running(out var now) && now != first, "runit starts the killed pod again");
            Sv("down", service).Succeeded().Out.Should().StartWith("ok: down: ");
            TestRoot.Until(() => _root.State("kept") == "exited", "the pod ends with its service");
        }
        finally
        {
            _ = Sv("exit", service);
            if (!runsv.WaitForExit(30_000))
            {
                runsv.Kill();
            }
        }
    }

    [Fact]
    public void Has_a_unit_that_systemd_takes()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not installed");
        _root.Muster("prepare", "--net=none", "--name=unit", _image, "--", "-c", "true").Succeeded();
        var file = Path.Combine(_root.Work, "unit.service");
        var unit = _root.Muster("generate", "systemd", "unit").Succeeded().Out;
        unit.Should().Contain("\nDelegate=yes\n");
        File.WriteAllText(file, unit);
        var verified = ProgramRun.Of("/usr/bin/systemd-analyze", ["verify", "--man=no", file]);
        (verified.Status, verified.Error).Should().Be((0, ""), verified.Out);
    }

    [Fact]
    public void Takes_the_stop_signal_of_every_app_for_a_good_end()
    {
        var other = _root.Image("example.com/other", more: "stopsignal: SIGINT\n");
        _root.Muster("prepare", "--net=none", "--name=pair", _image, "--name=a", "---", other, "--name=b", "---", _image, "--name=c").Succeeded();
        _root.Muster("generate", "systemd", "pair").Succeeded().Out.Should().Contain("\nSuccessExitStatus=130 143\n");
    }

    private bool Running(out string pid)
    {
        var status = _root.Muster("status", "kept");
        pid = TestRoot.Field(status.Out, "pid");
        return status.Status == 0 && TestRoot.Field(status.Out, "state") == "running" && _root.Muster("exec", "kept", "true").Status == 0;
    }
}
