using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>What reaches a paused pod, and when.</summary>
public sealed class PausedTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    public PausedTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    private void Pause(string script, params string[] options)
    {
        _root.Muster(["run", "--net=none", "--detach", "--name=box", .. options, _image, "--", "-c", script]).Succeeded();
        _root.Muster("pause", "box").Succeeded();
        _root.Muster("status", "-q", "box").Succeeded().Out.Should().Be("paused\n");
    }

    private void HasEnded(int status) => _root.Muster("status", "--wait=60s", "box").Succeeded().Out.Should().Contain("state=exited").And.Contain($"status={status}\n");

    [Theory]
    [InlineData("crun")]
    [InlineData("runc")]
    public void A_kill_ends_it(string runtime)
    {
        Pause("exec sleep 100", "--runtime=" + runtime);
        _root.Muster("kill", "box").Succeeded().Error.Should().BeEmpty();
        HasEnded(137);
    }

    [Fact]
    public void Another_signal_waits_for_its_going_on_and_that_is_said()
    {
        Pause("trap 'exit 6' USR1; while :; do sleep 0.1; done");
        _root.Muster("kill", "--signal=USR1", "box").Succeeded().Error.Should().Contain("is paused").And.Contain("muster resume");
        _root.State("box").Should().Be("paused");
        _root.Muster("resume", "box").Succeeded();
        HasEnded(6);
    }

    [Fact]
    public void A_signal_to_its_supervisor_ends_it()
    {
        Pause("exec sleep 100");
        ProgramRun.Of("/bin/kill", ["-TERM", TestRoot.Field(_root.Muster("status", "box").Out, "pid")]).Succeeded();
        HasEnded(143);
    }

    [Fact]
    public void It_can_be_ended_though_its_supervisor_was_killed()
    {
        Pause("exec sleep 100");
        ProgramRun.Of("/bin/kill", ["-KILL", TestRoot.Field(_root.Muster("status", "box").Out, "pid")]).Succeeded();
        TestRoot.Until(() => _root.State("box") == "orphaned", "it is orphaned");
        _root.Muster("stop", "--force", "box").Succeeded();
        _root.State("box").Should().Be("exited");
    }
}
