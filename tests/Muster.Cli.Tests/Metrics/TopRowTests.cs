using Muster.Cli.Commands.Metrics;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.TestKit;

namespace Muster.Cli.Tests.Metrics;

public sealed class TopRowTests
{
    private static readonly InstanceDomainId Containers = InstanceDomainId.Of(450, 0);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Shows_counters_as_rates_and_amounts_beside_their_limits()
    {
        var rates = new MetricRates();
        rates.Next(Reading(0, cpu: 1_000_000, periods: 10, throttled: 1));
        var reading = Reading(2, cpu: 2_000_000, periods: 30, throttled: 6);
        var row = TopRow.Of(reading, rates.Next(reading)).Should().ContainSingle().Which;
        row.Should().Match<TopRow>(r => r.Name == "web" && r.Kind == "pod" && r.State == "running");
        row.Cpu.Should().BeApproximately(0.5, 1e-9, "one second of CPU in two");
        row.Throttled.Should().BeApproximately(0.25, 1e-9);
        row.Memory.Should().Be(1024 * 1024);
        row.MemoryLimit.Should().BeNull("2^64-1 is no limit");
    }

    [Fact]
    public void Counts_a_counter_that_began_anew_from_nothing()
    {
        var rates = new MetricRates();
        rates.Next(Reading(0, cpu: 5_000_000, periods: 0, throttled: 0));
        var reading = Reading(1, cpu: 250_000, periods: 0, throttled: 0);
        TopRow.Of(reading, rates.Next(reading))[0].Cpu.Should().BeApproximately(0.25, 1e-9);
    }

    [Theory]
    [InlineData(null, "-")]
    [InlineData(0d, "0")]
    [InlineData(999d, "999")]
    [InlineData(1536d, "1.50K")]
    [InlineData(12_345_678d, "11.8M")]
    [InlineData(1e18, "888P")]
    public void Writes_bytes_in_five_characters(double? bytes, string expected) => TopRow.Bytes(bytes).Should().Be(expected);

    [Fact]
    public void Sorts_the_largest_first_and_leaves_out_what_was_not_asked_for()
    {
        IReadOnlyList<TopColumn> columns = [new("name", "NAME", r => r.Name, null, 'N'), new("cpu", "CPU%", r => TopRow.Percent(r.Cpu), r => r.Cpu, 'c')];
        TopRow[] rows =
        [
            new() { Name = "idle", Kind = "pod", State = "running", Cpu = 0.01 },
            new() { Name = "unknown", Kind = "pod", State = "running" },
            new() { Name = "busy", Kind = "docker", State = "running", Cpu = 1.5 },
            new() { Name = "busy/app", Kind = "app", State = "running", Cpu = 1.4 },
            new() { Name = "ended", Kind = "pod", State = "exited", Cpu = 9 },
        ];
        var view = new TopView(columns, "cpu", apps: false, all: false, []);
        view.Choose(rows).Select(r => r.Name).Should().Equal("busy", "idle", "unknown");
        view.Apps = true;
        view.Sort = "name";
        view.Choose(rows).Select(r => r.Name).Should().Equal("busy", "busy/app", "idle", "unknown");
        new TopView(columns, "cpu", apps: false, all: true, ["e*"]).Choose(rows).Select(r => r.Name).Should().Equal("ended");
        view.Lines([rows[2]], 80).Should().Equal("NAME   CPU%", "busy  150.0");
        view.Lines([new TopRow { Name = "a\e[2Jb" }], 80).Last().Should().StartWith("a?[2Jb");
    }

    [Theory]
    [InlineData(200, "NAME KIND STATE CPU% OF% THR% MEM LIMIT MEM% READ/s WRITE/s IN/s OUT/s PIDS PSI OOM RST")]
    [InlineData(80, "NAME CPU% THR% MEM MEM% READ/s WRITE/s IN/s OUT/s PSI")]
    [InlineData(60, "NAME CPU% MEM MEM% READ/s WRITE/s")]
    [InlineData(30, "NAME CPU% MEM")]
    [InlineData(25, "NAME CPU%")]
    [InlineData(3, "NAM")]
    public void Leaves_out_what_does_not_fit_and_breaks_no_line(int width, string headings)
    {
        TopRow[] rows =
        [
            new() { Name = new string('x', 70), Kind = "docker", State = "running", Cpu = 7.5, CpuLimit = 8, Throttled = 1, Memory = 1e9, MemoryLimit = 1e9, ReadBytes = 1e9, WriteBytes = 1e8, NetworkIn = 5e7, NetworkOut = 12345, Processes = 3210, CpuPressure = 0.5, MemoryPressure = 0, IoPressure = 1, Restarts = 3, OutOfMemoryKills = 2 },
            new() { Name = "idle", Kind = "pod", State = "running" },
        ];
        var view = new TopView(MetricTopCommand.Columns, "cpu", apps: false, all: false, []);
        var plain = view.Lines(rows, width).ToList();
        plain.Should().OnlyContain(l => l.Length <= width);
        plain[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(w => w != "c/m/i%").Should().BeEquivalentTo(headings.Split(' '));

        // Renditions take no cell, and the heading fills its line.
        var styled = view.Lines(rows, width, (text, sgr) => $"\e[{sgr}m{text}\e[0m").Select(l => System.Text.RegularExpressions.Regex.Replace(l, "\e\\[[0-9;]*m", "")).ToList();
        styled[0].Length.Should().Be(width);
        styled.Select(l => l.TrimEnd()).Should().Equal(plain);
    }

    [Fact]
    public void On_a_terminal_it_draws_in_one_write_and_leaves_everything_as_it_was()
    {
        var root = Directory.CreateTempSubdirectory("muster-top-").FullName;
        try
        {
            var run = ProgramRun.Of("script", ["-qefc", $"stty rows 12 cols 64; {Path.Combine(AppContext.BaseDirectory, "muster")} --root {root} metric top -s 2 --interval 200ms; stty -a", "/dev/null"], environment: new Dictionary<string, string> { ["TERM"] = "xterm-256color" }).Succeeded();
            run.Out.Should().Contain("\e[?1049h\e[?25l\e[?7l").And.Contain("\e[?7h\e[?25h\e[?1049l").And.NotContain("\e[2J", "the screen does not flicker");
            var frames = run.Out.Split("\e[H").Skip(1).ToList();
            frames.Should().HaveCountGreaterThanOrEqualTo(2);
            frames[0].Split("\e[?7h")[0].Split("\r\n").Should().HaveCountLessThanOrEqualTo(12).And.OnlyContain(l => System.Text.RegularExpressions.Regex.Replace(l, "\e\\[[?0-9;]*[a-zA-Z]", "").Length <= 64);
            run.Out[run.Out.IndexOf("\e[?1049l", StringComparison.Ordinal)..].Should().MatchRegex(@"[^-]icanon").And.MatchRegex(@"[^-]echo ");
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static MetricReading Reading(int seconds, ulong cpu, ulong periods, ulong throttled)
    {
        var web = new MetricInstance(7, "web");
        ReadValue Value(string name, int item, MetricType type, MetricSemantics semantics, MetricUnits units, MetricValue value) =>
            new("container." + name, new MetricDescriptor("container." + name, MetricId.Of(450, 1, item), type, Containers, semantics, units, ""), web, value, 0);
        return new MetricReading(Start.AddSeconds(seconds),
        [
            Value("kind", 0, MetricType.String, MetricSemantics.Discrete, MetricUnits.None, MetricValue.From("pod")),
            Value("state", 1, MetricType.UInt32, MetricSemantics.Instant, MetricUnits.None, MetricValue.From(1L)),
            Value("cpu.usage", 2, MetricType.UInt64, MetricSemantics.Counter, MetricUnits.Microsecond, MetricValue.From(cpu)),
            Value("cpu.periods", 3, MetricType.UInt64, MetricSemantics.Counter, MetricUnits.Count, MetricValue.From(periods)),
            Value("cpu.throttled", 4, MetricType.UInt64, MetricSemantics.Counter, MetricUnits.Count, MetricValue.From(throttled)),
            Value("memory.working_set", 5, MetricType.UInt64, MetricSemantics.Instant, MetricUnits.Byte, MetricValue.From(1024UL * 1024)),
            Value("memory.limit", 6, MetricType.UInt64, MetricSemantics.Instant, MetricUnits.Byte, MetricValue.From(ulong.MaxValue)),
        ]);
    }
}
