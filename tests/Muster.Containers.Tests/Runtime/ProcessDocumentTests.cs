using System.Text.Json;
using Muster.Containers.Accounts;
using Muster.Containers.Runtime;

namespace Muster.Containers.Tests.Runtime;

public sealed class ProcessDocumentTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-process-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Confines_an_added_command_as_its_app_is(bool noNewPrivileges)
    {
        var app = Kit.App() with { Isolation = Kit.Plain with { NoNewPrivileges = noNewPrivileges, Capabilities = ["CAP_KILL"], OomScoreAdj = 7 } };
        BundleWriter.WriteApp(_folder, new BundleContext { Pod = Kit.Pod(app), PodDirectory = "/pods/p", Cgroup = "/muster/p" }, app);
        var before = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder, "config.json"))).RootElement.GetProperty("process");
        var after = JsonDocument.Parse(ProcessDocument.Make(_folder, new AddedProcess
        {
            Arguments = ["id", ""],
            Environment = ["A=b=c"],
            WorkingDirectory = "/tmp",
            Identity = new Identity(5, 6, [7], null),
            Terminal = true,
        })).RootElement;

        after.EnumerateObject().Select(m => m.Name).Should().BeEquivalentTo(before.EnumerateObject().Select(m => m.Name));
        foreach (var same in (string[])["capabilities", "noNewPrivileges", "oomScoreAdj"])
        {
            after.GetProperty(same).GetRawText().Should().Be(before.GetProperty(same).GetRawText());
        }

        after.GetProperty("noNewPrivileges").GetBoolean().Should().Be(noNewPrivileges);
        after.GetProperty("args").GetRawText().Should().Be("""["id",""]""");
        after.GetProperty("env").GetRawText().Should().Be("""["A=b=c"]""");
        after.GetProperty("cwd").GetString().Should().Be("/tmp");
        after.GetProperty("user").GetRawText().Should().Be("""{"uid":5,"gid":6,"additionalGids":[7]}""");
        after.GetProperty("terminal").GetBoolean().Should().BeTrue();
    }

    [Fact]
    public void Adds_to_the_apps_environment()
    {
        ProcessDocument.Environment(["PATH=/bin", "HOME=/root", "X=1"], "/home/web", ["X=2", "NEW=", "TERM=x"]).Should().Equal("PATH=/bin", "HOME=/home/web", "X=2", "NEW=", "TERM=x");
        ProcessDocument.Environment(["PATH=/bin", "HOME=/root"], null, []).Should().Equal("PATH=/bin", "HOME=/root");
    }

    [Theory]
    [InlineData("tool", 0, ProgramVerdict.Fine)]
    [InlineData("/bin/tool", 0, ProgramVerdict.Fine)]
    [InlineData("bin/link", 0, ProgramVerdict.Fine)]
    [InlineData("plain", 0, ProgramVerdict.NotExecutable)]
    [InlineData("/bin", 0, ProgramVerdict.NotExecutable)]
    [InlineData("owners", 0, ProgramVerdict.Fine)]
    [InlineData("owners", 1000, ProgramVerdict.NotExecutable)]
    [InlineData("tool", 1000, ProgramVerdict.Fine)]
    [InlineData("/bin/nothing", 0, ProgramVerdict.Missing)]
    [InlineData("nothing", 0, ProgramVerdict.Missing)]
    [InlineData("", 0, ProgramVerdict.Missing)]
    [InlineData("outside", 0, ProgramVerdict.Missing)]
    [InlineData("script", 0, ProgramVerdict.Fine)]
    [InlineData("broken", 0, ProgramVerdict.Missing)]
    public void Tells_beforehand_what_a_shell_would_say_of_a_program(string program, uint uid, ProgramVerdict expected)
    {
        var bin = Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName;
        void Make(string name, int mode, string text = "x")
        {
            File.WriteAllText(Path.Combine(bin, name), text);
            File.SetUnixFileMode(Path.Combine(bin, name), (UnixFileMode)mode);
        }

        Make("tool", 0b111_101_101);
        Make("plain", 0b110_100_100);
        Make("owners", 0b111_000_000);
        Make("script", 0b111_101_101, "#! /bin/tool -x\n");
        Make("broken", 0b111_101_101, "#!/bin/nothing\n");
        File.CreateSymbolicLink(Path.Combine(bin, "link"), "/bin/tool");
        File.CreateSymbolicLink(Path.Combine(bin, "outside"), "/usr/bin/env");
        ProgramLookup.Judge(_folder, program, ["PATH=/sbin:/bin"], "/", new Identity(uid, uid, [], null)).Should().Be(expected);
    }

    [Theory]
    [InlineData("""{"msg":"executable file `/nope` not found in $PATH: No such file or directory","level":"error"}""", 127)]
    [InlineData("""{"level":"error","msg":"exec failed: unable to start container process: exec: \"/x\": permission denied"}""", 126)]
    [InlineData("""{"level":"error","msg":"container is gone"}""", 254)]
    [InlineData("""{"level":"warning","msg":"exec: no such file or directory"}""", null)]
    [InlineData("{\"level", null)]
    [InlineData("", null)]
    public void Reads_why_a_runtime_failed(string log, int? status)
    {
        var file = Path.Combine(_folder, "log");
        File.WriteAllText(file, log);
        RuntimeLog.Failure(file)?.Status.Should().Be(status);
        (RuntimeLog.Failure(file) is null).Should().Be(status is null);
    }
}
