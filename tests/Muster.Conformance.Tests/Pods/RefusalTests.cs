using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>Calls that cannot succeed: one sentence, and nothing is left of them.</summary>
public sealed class RefusalTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    public RefusalTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("is not installed", "--runtime=nope")]
    [InlineData("cannot be written to", "--uuid-file-save=/nodir/u1")]
    [InlineData("There is no file /nope", "--pod-manifest=/nope")]
    [InlineData("/tmp is a folder", "--pod-manifest=/tmp")]
    [InlineData("/dev/zero has more than 4194304 bytes", "--pod-manifest=/dev/zero")]
    public void Leaves_no_pod_behind(string sentence, string option)
    {
        var run = _root.Muster(["run", "--net=none", option, .. option.StartsWith("--pod", StringComparison.Ordinal) ? Array.Empty<string>() : [_image, "--", "-c", "true"]]);
        run.Status.Should().Be(254);
        run.Error.TrimEnd('\n').Should().StartWith("muster: ").And.Contain(sentence).And.NotContain("\n");
        _root.Muster("list", "-q", "--all").Succeeded().Out.Should().BeEmpty();
    }

    [Fact]
    public void Tells_an_ordinary_user_what_is_closed_to_him()
    {
        File.SetUnixFileMode(Path.Combine(_root.Folder, "var"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var words in (string[][])[["image", "list"], ["list"]])
        {
            var run = ProgramRun.Of("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", Repository.Program("muster"), "--root", _root.Folder, .. words]);
            run.Status.Should().Be(254, run.Out);
            run.Error.Should().Contain("run muster as root");
        }
    }

    [Fact]
    public void Tells_of_each_pod_as_JSON_what_came_of_it()
    {
        _root.Muster("run", "--net=none", "--detach", "--name=a", _image, "--", "-c", "exec sleep 100").Succeeded();
        var run = _root.Muster("stop", "--format=json", "--force", "a", "nosuch");
        run.Status.Should().Be(1);
        var rows = System.Text.Json.JsonDocument.Parse(run.Out).RootElement;
        rows.GetArrayLength().Should().Be(2);
        rows[0].GetProperty("uuid").GetGuid().Should().NotBeEmpty();
        rows[1].GetProperty("error").GetString().Should().Contain("nosuch");
        System.Text.Json.JsonDocument.Parse(_root.Muster("gc", "--format=json", "--grace-period=0s").Succeeded().Out).RootElement.GetArrayLength().Should().Be(1);
    }

    [Fact]
    public void Tells_as_JSON_what_was_started_and_what_can_be_attached_to()
    {
        static System.Text.Json.JsonElement Json(ProgramRun run) => System.Text.Json.JsonDocument.Parse(run.Succeeded().Out).RootElement;
        var uuid = Json(_root.Muster("run", "--net=none", "--detach", "--format=json", "--name=a", _image, "--", "-c", "exec sleep 100")).GetProperty("uuid").GetString();
        Json(_root.Muster("prepare", "--net=none", "--format=json", "--name=b", _image)).GetProperty("name").GetString().Should().Be("b");
        Json(_root.Muster("attach", "--mode=list", "--format=json", "a"))[1].GetProperty("stream").GetString().Should().Be("stderr");
        _root.Muster("stop", "--force", "a").Succeeded();
        Json(_root.Muster("start", "--format=json", "a"))[0].GetProperty("uuid").GetString().Should().Be(uuid);
        Json(_root.Muster("restart", "--format=json", "--timeout=0s", "a"))[0].GetProperty("uuid").GetString().Should().Be(uuid);
        Json(_root.Muster("restart", "--format=json", "--timeout=0s", "--app=busybox", "a"))[0].GetProperty("uuid").GetString().Should().Be(uuid);
        var two = _root.Muster("start", "--format=json", "nosuch", "a");
        two.Status.Should().Be(1);
        System.Text.Json.JsonDocument.Parse(two.Out).RootElement[0].GetProperty("error").GetString().Should().Contain("nosuch");
        _root.Muster("status", "-q", "a").Succeeded().Out.Should().Be("running\n");
    }

    [Fact]
    public void Shows_the_ports_that_a_pod_holds_and_none_of_one_that_has_ended()
    {
        _root.Muster("run", "--detach", "--name=a", "-p", "18094:80", _image, "--", "-c", "exec sleep 100").Succeeded();
        _root.Muster("list").Succeeded().Out.Should().Contain("18094->80");
        _root.Muster("stop", "--force", "a").Succeeded();
        _root.Muster("list").Succeeded().Out.Should().NotContain("18094");
        _root.Muster("status", "a").Succeeded().Out.Should().NotContain("port=");
    }

    [Fact]
    public void Prints_the_manifest_to_the_byte()
    {
        var layout = Path.Combine(_root.Work, "layout");
        _root.Muster("image", "export", _image, "oci:" + layout).Succeeded();
        var printed = ProgramRun.Of("bash", ["-c", $"'{Repository.Program("muster")}' --root '{_root.Folder}' image cat-manifest {_image} | sha256sum"]).Succeeded().Out[..64];
        File.Exists(Path.Combine(layout, "blobs", "sha256", printed)).Should().BeTrue();
    }
}
