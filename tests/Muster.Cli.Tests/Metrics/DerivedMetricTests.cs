using Muster.TestKit;

namespace Muster.Cli.Tests.Metrics;

/// <summary>Derived metrics on the command line: defined by words, files, the environment and the node.</summary>
public sealed class DerivedMetricTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("muster-derived-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private ProgramRun Muster(params string[] words) => Captured.Muster(["--root", _root, "metric", .. words]);

    [Fact]
    public void Defines_metrics_upon_each_other()
    {
        var run = Muster("get", "--format=json", "--derive", "my.twice = hinv.ncpu * 2", "--derive", "my.more = my.twice + hinv.ncpu", "my.more", "hinv.ncpu").Succeeded();
        var values = System.Text.Json.JsonDocument.Parse(run.Out).RootElement.EnumerateArray().Select(v => v.GetProperty("value").GetInt64()).ToList();
        values.Should().HaveCount(2);
        values[0].Should().Be(values[1] * 3);
        Muster("info", "--derive", "my.use = rate(kernel.all.cpu.user) / hinv.ncpu", "my.use").Succeeded().Out.Should().Contain("double").And.Contain("rate(kernel.all.cpu.user) / hinv.ncpu");
        Muster("watch", "-s", "1", "-t", "200ms", "--derive", "my.use = rate(kernel.all.cpu.user) / hinv.ncpu", "my").Succeeded().Out.Should().MatchRegex("my\\.use +[0-9.]+");
    }

    [Theory]
    [InlineData("my.x = hinv.ncpu +", "at character 12")]
    [InlineData("my.x = no.such.metric", "there is no metric no.such.metric")]
    [InlineData("hinv.ncpu = 1", "there is a metric of that name")]
    [InlineData("my.x", "write NAME = EXPRESSION")]
    [InlineData("9x = 1", "no name of a metric")]
    public void Refuses_a_definition_with_one_sentence(string definition, string why)
    {
        var run = Muster("get", "--derive", definition, "hinv.ncpu");
        run.Status.Should().NotBe(0);
        run.Error.Should().Contain(why);
        run.Error.Trim().Split('\n').Should().ContainSingle();
    }

    [Fact]
    public void Knows_the_definitions_of_the_node_the_environment_and_a_file()
    {
        var (node, environment, file) = (Path.Combine(_root, "node.conf"), Path.Combine(_root, "environment.conf"), Path.Combine(_root, "file.conf"));
        File.WriteAllText(node, "my.node = hinv.ncpu + 1\nmy.missing = no.such.metric\n");
        File.WriteAllText(environment, "# of PCP's tools\nmy.environment = my.node + \\\n 1\nmy.broken = (\n");
        File.WriteAllText(file, "my.file = my.environment + 1\nmy.file(oneline) = from a file\n");
        Directory.CreateDirectory(Path.Combine(_root, "etc"));
        File.WriteAllText(Path.Combine(_root, "etc", "muster.yaml"), $"metrics:\n  derived: {node}\n");
        Muster("list", "-q", "my").Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().Equal("my.node");
        Muster("get", "my.missing").Error.Should().Contain("no metric no.such.metric");
        var run = ProgramRun.Of(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [typeof(global::Muster.Cli.CommandLine.Command).Assembly.Location, "--root", _root, "metric", "list", "--derived", file, "my"], environment: new Dictionary<string, string> { ["PCP_DERIVED_CONFIG"] = environment }).Succeeded();
        run.Out.Should().Contain("my.node").And.Contain("my.environment").And.MatchRegex("my\\.file .*from a file");
        run.Error.Should().Contain("PCP_DERIVED_CONFIG").And.Contain("line 4");
        Muster("list", "--derived", environment, "my").Error.Should().Contain("line 4", "what is named here and now must be right");
    }

    [Fact]
    public void Records_derived_metrics_and_derives_from_records()
    {
        var archive = Path.Combine(_root, "archive");
        Muster("record", "-t", "200ms", "-s", "4", "--derive", "my.use = rate(kernel.all.cpu.user) + rate(kernel.all.cpu.sys)", archive, "my", "kernel.all.cpu", "hinv.ncpu").Succeeded();
        ProgramRun.Of("pminfo", ["-d", "-m", "-a", archive, "my.use"]).Succeeded().Out.Should().Contain("511.").And.Contain("double");
        ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
        var rows = Muster("replay", "--csv", "--derive", "your.use = rate(kernel.all.cpu.user) + rate(kernel.all.cpu.sys)", archive, "my.use", "your.use").Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        rows.Should().HaveCount(4, "a first record has no rate");
        foreach (var cells in rows.Skip(1).Select(r => r.Split(',')))
        {
            double.Parse(cells[1], System.Globalization.CultureInfo.InvariantCulture).Should().BeApproximately(double.Parse(cells[2], System.Globalization.CultureInfo.InvariantCulture), 0.2 + (0.2 * double.Parse(cells[2], System.Globalization.CultureInfo.InvariantCulture)));
        }

        Muster("replay", "--derive", "my.x = no.such", archive, "my.x").Error.Should().Contain("there is no metric no.such");
        Muster("replay", "-t", "200ms", "--derive", "your.idle = 1 - rate(kernel.all.cpu.user)", archive, "your.idle").Succeeded().Out.Should().Contain("your.idle");
        Muster("rule", "--archive", archive, "--check", "--derive", "your.use = rate(kernel.all.cpu.user)", Rules("your.use > 1")).Succeeded();
    }

    private string Rules(string condition)
    {
        var file = Path.Combine(_root, "rules.yaml");
        File.WriteAllText(file, $"rules:\n  - name: a\n    when: {condition}\n");
        return file;
    }
}
