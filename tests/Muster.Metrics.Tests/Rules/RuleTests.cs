using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CsCheck;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;
using Muster.Metrics.Rules;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Rules;

public sealed class RuleTests : IDisposable
{
    private static readonly MetricDescriptor Size = new("sample.size", MetricId.Of(450, 3, 2), MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Kibibyte, "A size");
    private static readonly MetricDescriptor Sent = new("sample.sent", MetricId.Of(450, 3, 3), MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Counter, MetricUnits.Kibibyte, "What was sent");
    private static readonly MetricDescriptor Age = new("sample.age", MetricId.Of(450, 3, 4), MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Millisecond, "An age");

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("container.memory.usage > 50", "1-5 7-9")]
    [InlineData("some_inst container.memory.usage / container.memory.limit > 0.5", "1-5 7-9")]
    [InlineData("all_inst container.memory.usage > 50", "3-5")]
    [InlineData("50%_inst container.memory.usage > 50", "1-5 7-9")]
    [InlineData("container.memory.usage #'db' > 50", "3-5")]
    [InlineData("container.memory.usage #'w*' > 50", "1-5 7-9")]
    [InlineData("not container.memory.usage > 50", "1-2 6-10")]
    [InlineData("not some_inst container.memory.usage > 50", "6-6 10-10")]
    [InlineData("container.memory.usage > 50 and container.memory.usage < 65", "1-5 7-9")]
    [InlineData("container.memory.usage > 50 and container.memory.limit - container.memory.usage < 35", "3-5")]
    [InlineData("all_inst (container.memory.usage > 50 and container.memory.usage < 75)", "3-5")]
    [InlineData("100 %_inst (container.memory.usage > 50 or container.cpu.usage > 50%)", "3-5")]
    [InlineData("some_inst container.memory.usage > 50 and sample.load > 8", "9-9")]
    [InlineData("container.cpu.usage > 50%", "5-6")]
    [InlineData("container.cpu.usage > 1 min/hour and container.cpu.usage < 0.5", "2-4 7-10")]
    [InlineData("instant(container.cpu.usage) > 2 sec", "6-10")]
    [InlineData("instant container.cpu.usage > 2000msec", "6-10")]
    [InlineData("container.memory.usage >= 0.06Kbyte", "3-5")]
    [InlineData("sum(container.memory.usage) > 0.1 Ki", "3-5")]
    [InlineData("sample.load >= 3 and (sample.load < 5 or sample.load == 8)", "3-4 8-8")]
    [InlineData("(sample.load + 1) * 2 > 16", "8-10")]
    [InlineData("rate(container.cpu.usage) > 0.5", "5-6")]
    [InlineData("delta(container.cpu.usage) > 500 msec", "5-6")]
    [InlineData("!(sample.load != 4) || sample.load > 9", "4-4 10-10")]
    [InlineData("matchinst(/^d[b<>]$/, container.memory.usage) > 50", "3-5")]
    [InlineData("matchinst(!/^web/, container.memory.usage) > 50 and sample.load > 3", "4-5")]
    [InlineData("(sum(matchinst(/^(web|db)$/, container.memory.usage)) > 0.1 Ki)", "3-5")]
    [InlineData("count(matchinst( ! /^w/ , container.memory.usage)) + 0 == 1", "1-10")]
    [InlineData("count(matchinst(/nobody or > 3/, container.memory.usage)) == 0", "0-10")]
    [InlineData("rate(matchinst(/web/, container.cpu.usage)) > 0.5 or matchinst(/web/, container.cpu.usage) > 0.5", "5-6")]
    public void Fires_while_the_condition_holds(string when, string expected)
    {
        var news = Replay($"rules: [{{name: r, every: 1s, when: \"{when}\"}}]", out _);
        Spans(news).Should().Be(expected);
    }

    [Fact]
    public void Waits_for_the_hold_time_and_says_when_it_is_over()
    {
        var news = Replay("rules: [{name: high, every: 1s, for: 2s, when: container.memory.usage > 50, message: \"{name}: {instances} at {values}\"}]", out var states);
        news.Select(n => ((n.Time - TestArchive.Start).TotalSeconds, n.State, n.Message)).Should().Equal(
            (3, RuleStanding.Firing, "high: web at web 60 B"), (5, RuleStanding.Firing, "high: db at db 70 B"), (6, RuleStanding.Calm, "high is over"),
            (9, RuleStanding.Firing, "high: web at web 60 B"), (10, RuleStanding.Calm, "high is over"));
        states.Should().ContainSingle().Which.State.Should().Be(RuleStanding.Calm);
    }

    [Fact]
    public void Says_again_what_goes_on_when_it_is_to()
    {
        Replay("rules: [{name: r, every: 1s, repeat: 2s, when: container.memory.usage > 50}]", out _).Count(n => n.State == RuleStanding.Firing).Should().Be(5);
    }

    [Theory]
    [InlineData("rules: []", "1 to")]
    [InlineData("rules:\n- {when: sample.load > 1}", "rules.yaml is not valid: line 2: the rule has no name")]
    [InlineData("rules:\n- {name: a, when: x > 1}\n- {name: a, when: x > 1}", "line 3: the name a is given twice")]
    [InlineData("rules:\n- name: a\n  when: x > 1\n  for: [1]\n", "rules.yaml, line 4, is not valid: rules[0].for: the value has the wrong type")]
    [InlineData("rules:\n- name: a\n  when: x > 1\n  for: soon\n", "line 4: for=soon is not")]
    [InlineData("rules:\n- name: a\n  when: x > 1\n  every: 400d\n  repeat: 1x\n", "line 4: every is longer than 366 days; line 5: repeat=1x is not")]
    [InlineData("rules:\n- name: a\n  when: x > 1\n  actions:\n  - log: true\n    timeout: abc\n- {name: b}", "line 6: timeout=abc is not a length of time: write for example 90s, 30m or 24h; line 7: the rule has no when")]
    [InlineData("every: abc\nrules:\n- {name: a, when: x > 1}\n- {name: b, when: x > 1}", "rules.yaml is not valid: line 1: every=abc is not a length of time: write for example 90s, 30m or 24h")]
    [InlineData("rules: [{name: a, when: x > 1, actions: [{webhook: 'file:///etc/passwd'}]}]", "no http")]
    [InlineData("rules: [{name: a, when: x > 1, actions: [{}]}]", "does nothing")]
    [InlineData("rules: [{name: a, when: x > 1, wen: 3}]", "wen")]
    [InlineData("rules: [{name: a, when: x > 1, every: 1ms}]", "more often")]
    [InlineData("- 1", "not valid")]
    [InlineData("rules: &a [*a]", "anchors")]
    public void Refuses_a_file_that_is_wrong(string text, string why) =>
        FluentActions.Invoking(() => RuleFile.Parse(text, "rules.yaml")).Should().Throw<MusterException>().Which.Message.Should().Contain(why).And.NotContain("\n");

    [Theory]
    [InlineData("sample.load")]
    [InlineData("sample.load > ")]
    [InlineData("sample.load > 1 2")]
    [InlineData("(sample.load > 1")]
    [InlineData("no.such > 1")]
    [InlineData("1 > 2")]
    [InlineData("sample.load # > 2")]
    [InlineData("container.cpu.usage > container.memory.usage")]
    [InlineData("container.memory.usage > 5 sec")]
    [InlineData("container.memory.usage > 5 Mbyte/sec")]
    [InlineData("container.cpu.usage > 5 sec")]
    [InlineData("container.memory.usage > 5 furlongs")]
    [InlineData("container.memory.usage > 5 Mbyte 3")]
    [InlineData("container.memory.usage > 10 %_inst")]
    [InlineData("container.memory.usage > 90%")]
    [InlineData("2 * 45% < container.memory.usage")]
    [InlineData("101%_inst container.memory.usage > 5")]
    [InlineData("matchinst(container.memory.usage) > 5")]
    [InlineData("matchinst(/web, container.memory.usage) > 5")]
    [InlineData("matchinst(/w(eb/, container.memory.usage) > 5")]
    [InlineData("matchinst(/web/ container.memory.usage) > 5")]
    [InlineData("matchinst(/web/, container.memory.usage > 5")]
    [InlineData("matchinst(/web/, sample.load) > 5")]
    public void Refuses_a_condition_that_is_wrong(string when)
    {
        Write();
        FluentActions.Invoking(() => Evaluate($"rules: [{{name: r, when: \"{when}\"}}]", out _)).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Invalid);
    }

    [Theory]
    [InlineData("container.memory.usage > 60", "container.memory.usage > 60")]
    [InlineData("container.cpu.usage > 0.5", "container.cpu.usage > 0.5")]
    [InlineData("sample.size > 2 Mbyte", "sample.size > 2 Mbyte")]
    [InlineData("sample.size > 3000000", "sample.size > 3000000")]
    [InlineData("sample.sent >= 1 Kbyte/sec", "sample.sent >= 1 Kbyte/sec")]
    [InlineData("sample.sent < 3.5 Mbyte/hour", "sample.sent < 3.5 Mbyte/hour")]
    [InlineData("instant(sample.sent) > 5 Kbyte", "instant sample.sent > 5 Kbyte")]
    [InlineData("sample.age > 1 min", "sample.age > 1 min")]
    [InlineData("all_inst container.memory.usage > 15", "all_inst container.memory.usage > 15")]
    [InlineData("some_inst (container.memory.usage > 50 and container.memory.usage < 65)", "some_inst (container.memory.usage > 50 && container.memory.usage < 65)")]
    [InlineData("all_inst (container.memory.usage > 50 or container.cpu.usage > 0.05)", "all_inst (container.memory.usage > 50 || container.cpu.usage > 0.05)")]
    [InlineData("some_inst container.memory.usage > 50 and some_inst container.memory.usage < 20", "some_inst (container.memory.usage > 50) && some_inst (container.memory.usage < 20)")]
    [InlineData("50%_inst container.memory.usage > 65", "50 %_inst container.memory.usage > 65")]
    [InlineData("80%_inst container.memory.usage > 50", "80 %_inst container.memory.usage > 50")]
    [InlineData("all_inst not container.memory.usage > 50", "all_inst (! (container.memory.usage > 50))")]
    [InlineData("container.memory.usage / container.memory.limit > 65% and sample.load > 3", "container.memory.usage / container.memory.limit > 0.65 && sample.load > 3")]
    [InlineData("sum(container.memory.usage) > 100", "sum_inst container.memory.usage > 100")]
    [InlineData("container.memory.usage #'db' > 50", "container.memory.usage #'db' > 50")]
    public void Conditions_are_true_when_pmie_says_so(string ours, string pmies)
    {
        Write();
        var mine = new List<int>();
        foreach (var one in Evaluate($"rules: [{{name: r, every: 1s, repeat: 500ms, when: \"{ours}\"}}]", out _))
        {
            if (one.State == RuleStanding.Firing)
            {
                mine.Add((int)(one.Time - TestArchive.Start).TotalSeconds);
            }
        }

        _folder.Write("rules.pmie", $"truth = {pmies};\n");
        var said = ProgramRun.Of("pmie", ["-v", "-z", "-t", "1sec", "-a", _folder.At("a"), _folder.At("rules.pmie")], folder: _folder.Path).Succeeded();
        said.Error.Should().NotContain("error");
        var theirs = said.Out.Split('\n').Select(l => System.Text.RegularExpressions.Regex.Match(l, @"00:00:(\d\d) 2026\): (.*)")).Where(m => m.Success && m.Groups[2].Value.Contains("true", StringComparison.Ordinal)).Select(m => int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        mine.Should().NotBeEmpty().And.Equal(theirs);
    }

    [Fact]
    public void Tells_all_conditions_that_do_not_fit_with_their_lines()
    {
        Write();
        var rules = RuleFile.Parse("rules:\n  - name: a\n    when: sample.load > 1\n  - name: b\n    when: sample.laod > 1\n  - name: c\n    when: >-\n      container.memory.usage\n      > 5 sec\n", "rules.yaml");
        FluentActions.Invoking(() => RuleEvaluation.Check(rules, ArchiveSet.Open([_folder.At("a")]).Names)).Should().Throw<MusterException>().Which.Message
            .Should().Contain("rules.yaml, line 5: ").And.Contain("there is no metric sample.laod").And.Contain("rules.yaml, line 7: ").And.Contain("\"byte\" cannot be compared with \"sec\"").And.NotContain("\n");
    }

    [Theory]
    [InlineData("kernel.all.load #'1 minute' > 8", "in YAML what follows \" #\" is a comment")]
    [InlineData("sum(matchinst(container.cpu.usage)) > 8", "matchinst takes a pattern between slashes")]
    public void Says_what_was_probably_meant(string when, string hint)
    {
        Write();
        var names = ArchiveSet.Open([_folder.At("a")]).Names;
        var rules = RuleFile.Parse($"rules:\n  - name: a\n    when: {when}\n", "rules.yaml");
        FluentActions.Invoking(() => RuleEvaluation.Check(rules, names)).Should().Throw<MusterException>().Which.Message.Should().Contain(hint);
    }

    [Fact]
    public void Any_text_is_a_condition_or_refused()
    {
        Write();
        var names = ArchiveSet.Open([_folder.At("a")]).Names;
        var words = Pick("sample.load", "container.memory.usage", "(", ")", ">", "<=", "!=", "!", "and", "or", "not", "some_inst", "50%_inst", "#'db'", "#", "'", "1", "-", "+", "/", "rate(", "instant", "container.cpu.usage", "Mbyte", "sec", "%", "10 %_inst", "all_inst", "5e", "min", "&&", "|", "matchinst(", "/w>b/", "/", ",", "matchinst(!/x/,");
        words.Array[0, 20].Sample(parts =>
        {
            try
            {
                _ = ConditionParser.Parse(string.Join(' ', parts), names);
            }
            catch (MusterException e)
            {
                e.Kind.Should().Be(ErrorKind.Invalid);
            }
        }, iter: 3000);
        FluentActions.Invoking(() => ConditionParser.Parse(string.Concat(Enumerable.Repeat("not ", 900)) + "sample.load > 1", names)).Should().Throw<MusterException>();
    }

    [Fact]
    public async Task Tells_the_log_syslog_and_a_webhook_that_first_refuses()
    {
        using var syslog = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        syslog.Bind(new UnixDomainSocketEndPoint(_folder.At("log")));
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var address = new Uri($"http://127.0.0.1:{((IPEndPoint)server.LocalEndpoint).Port}/hook");
        var bodies = Task.Run(async () => new[] { await AnswerAsync(server, "503 Busy"), await AnswerAsync(server, "204 Taken") }, TestContext.Current.CancellationToken);
        var lines = new List<string>();
        var news = new RuleEvent("high", "tester", TestArchive.Start, RuleStanding.Firing, TestArchive.Start, "high:\n<b>", "x > 1", [new RuleMatch("web", 60, "60 B")]);
        await using (var delivery = new RuleDelivery(TimeProvider.System, lines.Add, _folder.At("log")))
        {
            delivery.Deliver(news, [.. RuleFile.Parse($"rules: [{{name: a, when: x > 1, actions: [{{log: true, syslog: true, webhook: '{address}'}}]}}]", "x")[0].Actions]);
            var received = await bodies.WaitAsync(TestContext.Current.CancellationToken);
            received.Should().AllSatisfy(b => JsonDocument.Parse(b).RootElement.GetProperty("matches")[0].GetProperty("instance").GetString().Should().Be("web"));
        }

        lines.Should().ContainSingle().Which.Should().Be("high: <b>");
        var datagram = new byte[2000];
        Encoding.UTF8.GetString(datagram, 0, syslog.Receive(datagram)).Should().MatchRegex(@"^<28>muster\[\d+\]: high: <b>$");
    }

    private static async Task<string> AnswerAsync(TcpListener server, string status)
    {
        using var client = await server.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (true)
        {
            var n = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
            text.Append(Encoding.UTF8.GetString(buffer, 0, n));
            var head = text.ToString().IndexOf("\r\n\r\n", StringComparison.Ordinal);
            var length = head < 0 ? -1 : int.Parse(text.ToString()[..head].Split("\r\n").Single(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)).Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
            if (head >= 0 && text.Length >= head + 4 + length)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), TestContext.Current.CancellationToken);
                return text.ToString()[(head + 4)..];
            }
        }
    }

    // The seconds in which the rule fired, from the first to the last.
    private static string Spans(IReadOnlyList<RuleEvent> news)
    {
        var spans = new List<string>();
        double? from = null;
        foreach (var one in news)
        {
            var at = (one.Time - TestArchive.Start).TotalSeconds;
            if (one.State == RuleStanding.Firing)
            {
                from ??= at;
            }
            else if (from is not null)
            {
                spans.Add($"{from}-{at - 1}");
                from = null;
            }
        }

        return string.Join(' ', from is null ? spans : [.. spans, $"{from}-10"]);
    }

    private List<RuleEvent> Replay(string text, out IReadOnlyList<RuleStatus> states)
    {
        Write();
        return Evaluate(text, out states);
    }

    private List<RuleEvent> Evaluate(string text, out IReadOnlyList<RuleStatus> states)
    {
        var news = new List<RuleEvent>();
        var archives = ArchiveSet.Open([_folder.At("a")]);
        states = RuleEvaluation.Replay(RuleFile.Parse(text, "rules.yaml"), [archives], TimeWindow.Parse(null, null, archives), news.Add, _ => { });
        return news;
    }

    private void Write()
    {
        using var archive = new TestArchive(_folder.At("a"));
        archive.Instances(TimeSpan.FromSeconds(1), "web", "db");
        foreach (var metric in new[] { Size, Sent, Age })
        {
            archive.Writer.AddDescriptor(metric, [metric.Name]);
        }

        double[] web = [60, 60, 60, 60, 60, 10, 60, 60, 60, 10];
        double[] db = [10, 10, 70, 70, 70, 10, 10, 10, 10, 10];
        var cpu = 0.0;
        for (var i = 1; i <= 10; i++)
        {
            cpu += i is 5 or 6 ? 900_000 : 100_000;
            archive.Write(TimeSpan.FromSeconds(i), (TestArchive.Memory, [web[i - 1], db[i - 1]]), (TestArchive.Limit, [100, 100]), (TestArchive.Cpu, [cpu, 0]), (TestArchive.Load, [i]), (Size, [i * 400]), (Sent, [i < 6 ? i : 6]), (Age, [i * 10_000]));
        }
    }

    private static Gen<string> Pick(params string[] words) => Gen.Int[0, words.Length - 1].Select(i => words[i]);
}
