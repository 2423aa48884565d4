using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;
using Muster.Metrics.Rules;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Rules;

/// <summary>Rules over time: when they are evaluated, and what is said of which instance.</summary>
public sealed class RuleArchiveTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(10_000, 2, "10s", "10sec")]
    [InlineData(1_000, 3, "1s", "1sec")]
    [InlineData(1_000, 0, "700ms", "0.7sec")]
    [InlineData(3_000, 40, "2s", "2sec")]
    public void Is_evaluated_at_the_times_at_which_pmie_is(int interval, int jitter, string every, string pmies)
    {
        var random = new Random(7);
        Write("a", TestArchive.Start, 60, i => TimeSpan.FromMilliseconds((i * interval) + 500 + random.Next(-jitter, jitter + 1)), i => [i % 2 == 0 ? 90 : 10, 5], i => [(i / 3) * interval * 3.0, 0]);
        foreach (var condition in (string[])["container.memory.usage > 50", "container.cpu.usage > 0.0005"])
        {
            var mine = Evaluate($"rules: [{{name: r, every: {every}, repeat: 100ms, when: \"{condition}\"}}]", out _, "a").Where(n => n.State == RuleStanding.Firing).Select(n => n.Time.ToString("HH:mm:ss", CultureInfo.InvariantCulture)).ToList();
            _folder.Write("rules.pmie", $"truth = some_inst ({condition});\n");
            var said = ProgramRun.Of("pmie", ["-v", "-z", "-t", pmies, "-a", _folder.At("a"), _folder.At("rules.pmie")], folder: _folder.Path).Succeeded();
            var theirs = said.Out.Split('\n').Select(l => Regex.Match(l, @" (\d\d:\d\d:\d\d) 2026\): (.*)")).Where(m => m.Success && m.Groups[2].Value.Contains("true", StringComparison.Ordinal)).Select(m => m.Groups[1].Value).ToList();
            mine.Should().NotBeEmpty().And.Equal(theirs, condition);
        }
    }

    [Fact]
    public void Two_that_take_turns_are_neither_of_them_over_for_the_hold_time()
    {
        Write("a", TestArchive.Start, 120, i => TimeSpan.FromMinutes(i), i => i % 2 == 0 ? [90, 10] : [10, 90]);
        Evaluate("rules: [{name: r, every: 1m, for: 10m, when: container.memory.usage > 50}]", out var states, "a").Should().BeEmpty();
        states[0].State.Should().Be(RuleStanding.Pending);
    }

    [Fact]
    public void Evaluates_each_of_several_hosts_by_itself()
    {
        Directory.CreateDirectory(_folder.At("all"));
        foreach (var (host, factor) in new[] { ("north", 1), ("south", 2) })
        {
            using var archive = new TestArchive(_folder.At("all/" + host), host: host);
            archive.Instances(TimeSpan.Zero, "web");
            for (var i = 1; i < 100; i++)
            {
                archive.Write(TimeSpan.FromSeconds(i * 10), (TestArchive.Memory, [i * factor]), (TestArchive.Load, [factor]));
            }
        }

        using (var other = new ArchiveWriter(_folder.At("all/east"), new ArchiveLabel(ArchiveVersion.V3, 4711, TestArchive.Start, "east", "UTC0", ":Etc/UTC")))
        {
            other.AddDescriptor(TestArchive.Load, [TestArchive.Load.Name]);
            other.Write(TestArchive.Start.AddSeconds(5), TestArchive.Sets((TestArchive.Load, [9])));
        }

        // The archive of one ends earlier: what fires then is not over for it.
        using (var late = new ArchiveWriter(_folder.At("all/late"), new ArchiveLabel(ArchiveVersion.V3, 4711, TestArchive.Start.AddHours(1), "south", "UTC0", ":Etc/UTC")))
        {
            late.AddDescriptor(TestArchive.Load, [TestArchive.Load.Name]);
            late.Write(TestArchive.Start.AddHours(1).AddSeconds(5), TestArchive.Sets((TestArchive.Load, [9])));
        }

        var hosts = ArchiveSet.OpenHosts([_folder.At("all")]);
        var (news, notes) = (new List<RuleEvent>(), new List<string>());
        var states = RuleEvaluation.Replay(RuleFile.Parse("rules: [{name: m, every: 10s, when: container.memory.usage > 50}]", "rules.yaml"), hosts, TimeWindow.Parse(null, null, hosts), news.Add, notes.Add);
        news.Select(n => (n.Host, Text(n.Joined), (n.Time - TestArchive.Start).TotalSeconds)).Should().Equal(("south", "web", 260), ("north", "web", 510));
        states.Select(s => (s.Host, s.Rule, s.State)).Should().Equal(("north", "m", RuleStanding.Firing), ("south", "m", RuleStanding.Firing));
        notes.Should().ContainSingle().Which.Should().StartWith("east: ").And.Contain("left out for this host");
        FluentActions.Invoking(() => RuleEvaluation.Replay(RuleFile.Parse("rules: [{name: m, when: no.such > 50}]", "rules.yaml"), hosts, TimeWindow.Parse(null, null, hosts), news.Add, notes.Add)).Should().Throw<MusterException>();
    }

    [Fact]
    public void What_is_computed_over_a_long_time_is_read_in_portions()
    {
        // Two days, a record a minute; what goes on from one portion to the next is not lost between them.
        Write("a", TestArchive.Start, 2880, i => TimeSpan.FromMinutes(i), i => [i, 1], i => [i * 30e6, i * 6e6]);
        var definitions = new DerivedDefinitions(TimeProvider.System);
        definitions.Add("my.cores = sum(rate(container.cpu.usage))", isOwn: true);
        var archives = ArchiveSet.Open([_folder.At("a")]).With(definitions);
        var news = new List<RuleEvent>();
        RuleEvaluation.Replay(RuleFile.Parse("rules: [{name: r, every: 1m, when: my.cores > 0.59}, {name: e, every: 1m, when: my.cores > 0.61}]", "rules.yaml"), [archives], TimeWindow.Parse(null, null, archives), news.Add, _ => { });
        news.Should().ContainSingle("it never stops").Which.State.Should().Be(RuleStanding.Firing);
        var series = new MovingSeries(archives, ["container.cpu.usage"]);
        for (var hour = 0; hour < 48; hour++)
        {
            var now = series.At(TestArchive.Start.AddHours(hour))["container.cpu.usage"].ToList();
            now.Should().HaveCount(2);
            now.ForEach(s => s.Points.Length.Should().BeInRange(1, 500));
            (hour == 0 || !double.IsNaN(now[0].At(TestArchive.Start.AddHours(hour)))).Should().BeTrue();
        }
    }

    [Fact]
    public void A_mark_of_another_archive_is_no_gap()
    {
        Directory.CreateDirectory(_folder.At("f"));
        foreach (var (name, mark) in new[] { ("web", false), ("db", true) })
        {
            using var writer = new ArchiveWriter(_folder.At("f/" + name), new ArchiveLabel(ArchiveVersion.V3, 4711, TestArchive.Start, "tester", "UTC0", ":Etc/UTC"));
            writer.AddDescriptor(TestArchive.Cpu, [TestArchive.Cpu.Name]);
            writer.AddInstances(TestArchive.Start, TestArchive.Containers, [new MetricInstance(0, name)]);
            for (var i = 1; i < 60; i++)
            {
                writer.Write(TestArchive.Start.AddSeconds(i * 10), TestArchive.Sets((TestArchive.Cpu, [i * 9_000_000.0])));
                if (mark && i % 10 == 5)
                {
                    writer.Write(TestArchive.Start.AddSeconds(i * 10).AddMilliseconds(1), []);
                }
            }
        }

        // Unknown for three evaluations in a row would be the end of what holds.
        var definitions = new DerivedDefinitions(TimeProvider.System);
        definitions.Add("my.web = matchinst(/web/, container.cpu.usage)", isOwn: true);
        var archives = ArchiveSet.Open([_folder.At("f")]).With(definitions);
        foreach (var when in (string[])["delta(container.cpu.usage) #'web' > 80 sec", "container.cpu.usage #'web' > 0.5"])
        {
            var states = new List<RuleEvent>();
            RuleEvaluation.Replay(RuleFile.Parse($"rules: [{{name: r, every: 100s, when: \"{when}\"}}]", "rules.yaml"), [archives], TimeWindow.Parse(null, null, archives), states.Add, _ => { });
            states.Should().ContainSingle(when).Which.Joined.Should().Equal("web");
        }
    }

    [Fact]
    public void What_is_one_truth_stays_one()
    {
        Write("a", TestArchive.Start, 120, i => TimeSpan.FromMinutes(i), i => i % 2 == 0 ? [90, 10] : [10, 90]);
        foreach (var when in (string[])["some_inst container.memory.usage > 50", "sum(container.memory.usage) > 50"])
        {
            var news = Evaluate($"rules: [{{name: r, every: 1m, for: 10m, when: {when}}}]", out _, "a").Should().ContainSingle().Subject;
            (news.State, news.Joined).Should().Be((RuleStanding.Firing, null));
        }
    }

    [Fact]
    public void Says_who_joins_and_who_leaves()
    {
        Write("a", TestArchive.Start, 60, i => TimeSpan.FromMinutes(i), i => [i is > 2 and < 50 ? 90 : 10, i is > 30 and < 40 ? 80 : 10, i is > 2 and < 50 ? 70 : 10]);
        var news = Evaluate("rules: [{name: r, every: 1m, for: 5m, when: container.memory.usage > 50, message: \"{instances}!\"}]", out _, "a");
        news.Select(n => ((int)(n.Time - TestArchive.Start).TotalMinutes, n.State, n.Message, Text(n.Joined), Text(n.Left), n.Matches.Count)).Should().Equal(
            (8, RuleStanding.Firing, "web, job!", "web,job", "", 2),
            (36, RuleStanding.Firing, "db!", "db", "", 3),
            (40, RuleStanding.Firing, "r is over for db, and goes on for web, job", "", "db", 2),
            (50, RuleStanding.Calm, "r is over", "", "web,job", 0));
        var json = JsonDocument.Parse(JsonSerializer.Serialize(news[1], RuleJson.Default.RuleEvent)).RootElement;
        json.GetProperty("joined")[0].GetString().Should().Be("db");
        json.TryGetProperty("left", out _).Should().BeFalse();
        news[0].Since.Should().Be(TestArchive.Start.AddMinutes(3));
    }

    [Fact]
    public void Nothing_is_carried_over_a_gap_between_archives()
    {
        Write("f/a", TestArchive.Start, 60, i => TimeSpan.FromSeconds(i + 1), _ => [1, 1], i => [i, i]);
        Write("f/b", TestArchive.Start.AddSeconds(61.5), 60, i => TimeSpan.FromSeconds(i + 0.5), _ => [1, 1], i => [9e12 + i, 9e12 + i]);
        Evaluate("rules: [{name: r, every: 1s, when: container.cpu.usage > 1}, {name: d, every: 1s, when: delta(container.cpu.usage) > 1}]", out var states, "f").Should().BeEmpty();
        states.Should().AllSatisfy(s => s.State.Should().Be(RuleStanding.Calm));
    }

    [Fact]
    public void What_is_recorded_seldom_or_once_is_known_over_days()
    {
        using (var archive = new TestArchive(_folder.At("a")))
        {
            archive.Instances(TimeSpan.FromSeconds(1), "web");
            archive.Writer.AddDescriptor(Once, [Once.Name]);
            for (var i = 1; i <= 48 * 60; i++)
            {
                archive.Write(TimeSpan.FromMinutes(i), [(TestArchive.Load, [i >= 46 * 60 ? 9 : 1]), .. i == 1 ? new[] { (Once, new double[] { 4 }) } : [], .. i % 60 == 1 ? new[] { (TestArchive.Memory, new double[] { 100 }) } : []]);
            }
        }

        var news = Evaluate("rules: [{name: r, every: 1m, when: sample.load > sample.once and container.memory.usage > 50}]", out _, "a").Should().ContainSingle().Subject;
        news.Time.Should().Be(TestArchive.Start.AddHours(46));
    }

    [Fact]
    public async Task Waits_for_longer_than_a_timer_does()
    {
        using var end = new CancellationTokenSource();
        var count = 0;
        var rules = RuleFile.Parse("rules: [{name: r, every: 60d, when: sample.gauge > -1}]", "r");
        var names = new MetricCatalog([new SampleAgent()]);
        var rule = rules[0] with { When = "kernel.all.load > -1" };
        await FluentActions.Awaiting(() => RuleEvaluation.RunAsync([rule], names, TimeProvider.System, (_, _) => { }, _ => { count++; end.CancelAfter(300); }, null, end.Token)).Should().ThrowAsync<OperationCanceledException>();
        count.Should().Be(1);
    }

    [Fact]
    public async Task Says_that_there_is_no_system_log()
    {
        var lines = new List<string>();
        await using var delivery = new RuleDelivery(TimeProvider.System, lines.Add, _folder.At("none"));
        delivery.Deliver(new RuleEvent("high", "tester", TestArchive.Start, RuleStanding.Firing, TestArchive.Start, "high", "x > 1", []), [new RuleAction(RuleActionKind.Syslog, null, TimeSpan.FromSeconds(1))]);
        lines.Should().ContainSingle().Which.Should().EndWith("there is no such socket, so that no system log runs here");
    }

    [Theory]
    [InlineData("container.memory.usage > disk.sizes", "container.memory.usage and disk.sizes have different instances, and cannot be compared one by one")]
    [InlineData("container.memory.usage > 90%", "a share in per cent cannot be compared with \"byte\"")]
    public void Says_what_cannot_be_compared(string when, string why)
    {
        Write("a", TestArchive.Start, 1, i => TimeSpan.FromMinutes(i), _ => [1]);
        FluentActions.Invoking(() => Evaluate($"rules: [{{name: r, when: {when}}}]", out _, "a")).Should().Throw<MusterException>().Which.Message.Should().Contain(why).And.NotContain("Both sides of -");
    }

    private static readonly MetricDescriptor Once = new("sample.once", MetricId.Of(450, 3, 7), MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.None, "once");
    private static readonly MetricDescriptor Sizes = new("disk.sizes", MetricId.Of(450, 3, 8), MetricType.UInt64, InstanceDomainId.Of(450, 7), MetricSemantics.Instant, MetricUnits.Byte, "sizes");

    private static string Text(IReadOnlyList<string>? names) => string.Join(',', names ?? []);

    private void Write(string name, DateTimeOffset start, int count, Func<int, TimeSpan> at, Func<int, double[]> memory, Func<int, double[]>? cpu = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.At(name))!);
        using var archive = new TestArchive(_folder.At(name), start: start);
        archive.Writer.AddDescriptor(Sizes, [Sizes.Name]);
        archive.Instances(start - TestArchive.Start, ((string[])["web", "db", "job"])[..memory(0).Length]);
        for (var i = 1; i <= count; i++)
        {
            archive.Write(start - TestArchive.Start + at(i), [(TestArchive.Memory, memory(i)), .. cpu is null ? [] : new[] { (TestArchive.Cpu, cpu(i)) }]);
        }
    }

    private List<RuleEvent> Evaluate(string text, out IReadOnlyList<RuleStatus> states, string path)
    {
        var news = new List<RuleEvent>();
        var archives = ArchiveSet.Open([_folder.At(path)]);
        states = RuleEvaluation.Replay(RuleFile.Parse(text, "rules.yaml"), [archives], TimeWindow.Parse(null, null, archives), news.Add, _ => { });
        return news;
    }
}
