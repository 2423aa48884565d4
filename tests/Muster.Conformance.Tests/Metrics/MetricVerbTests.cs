using Muster.TestKit;

namespace Muster.Conformance.Tests.Metrics;

/// <summary>The published <c>muster metric</c> among other programs.</summary>
public sealed class MetricVerbTests : IDisposable
{
    private readonly TestRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("metric watch -t 100ms kernel.all.load")]
    [InlineData("metric watch -t 100ms --format=json kernel.all.load")]
    [InlineData("metric top -b -t 100ms")]
    public void Ends_when_nobody_reads_any_more(string words)
    {
        var run = ProgramRun.Of("bash", ["-c", $"'{Repository.Program("muster")}' --root '{_root.Folder}' {words} | head -1; exit ${{PIPESTATUS[0]}}"]);
        run.Status.Should().Be(141, run.Error);
        run.Out.Should().NotBeEmpty();
        run.Error.Should().BeEmpty();
    }

    [Fact]
    public void Measures_for_an_ordinary_user_where_a_daemon_has_counted()
    {
        // As the daemon leaves it.
        Directory.CreateDirectory(Path.Combine(_root.Folder, "run"));
        var counters = Path.Combine(_root.Folder, "run", "metrics-counters.json");
        File.WriteAllText(counters, """{"version":1,"bootId":"b","containers":{}}""");
        File.SetUnixFileMode(counters, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _root.Muster("metric", "get", "hinv.ncpu").Succeeded();
        var run = ProgramRun.Of("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", Repository.Program("muster"), "--root", _root.Folder, "metric", "get", "hinv.ncpu"]);
        run.Succeeded().Out.Should().Contain(Environment.ProcessorCount.ToString());
    }
}
