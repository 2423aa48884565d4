using CsCheck;
using Muster.Core;
using Muster.Fuzz;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;

namespace Muster.Metrics.Tests.Derived;

public sealed class DerivedLanguageTests
{
    private readonly DerivedDefinitions _definitions = new(TimeProvider.System);
    private readonly SampleAgent _agent = new();

    private MetricReading Read(params string[] definitions)
    {
        Array.ForEach(definitions, d => _definitions.Add(d, isOwn: true));
        using var reader = new MetricReader(new MetricCatalog([_agent]).With(_definitions), ["t"], MetricView.Host, TimeProvider.System);
        return reader.Read();
    }

    private double One(string expression) => Read("t.x = " + expression).Values.Should().ContainSingle().Subject is var value ? value.Value.ToDouble(value.Metric.Type) : 0;

    [Theory]
    [InlineData("2 + 3 * 4", 14)]
    [InlineData("2 - 3.0 - 4", -5)]
    [InlineData("-2.0 * 3 + 10", 4)]
    [InlineData("12 / 4 / 3", 1)]
    [InlineData("1 + 1 < 3", 1)]
    [InlineData("3 > 2 != 0", 1)]
    [InlineData("1 || 0 && 0", 0)]
    [InlineData("!1 > 2", 1)]
    [InlineData("!0 || 1", 1)]
    [InlineData("1 ? 2 : 3", 2)]
    [InlineData("0 ? 2 : 1 ? 4 : 5", 4)]
    [InlineData("1 ? 0 : 3 ? 4 : 5", 5)]
    [InlineData("1 - 2", 4294967295)]
    [InlineData("0 / 0", 0)]
    [InlineData("5 / 0", double.PositiveInfinity)]
    public void Has_the_precedence_of_the_grammar(string expression, double result) => One(expression).Should().Be(result);

    [Fact]
    public void Has_instances_where_an_operand_has()
    {
        var values = Read("t.a = network.interface.in.bytes[eth0]", "t.b = matchinst(!/^l/, network.interface.in.bytes)", "t.c = scalar(t.a) - 3", "t.d = mkconst(7, indom=60.3)").Values;
        values.Select(v => $"{v.Name}[{v.Instance?.Name}]={v.Value.Unsigned}").Should().Equal("t.a[eth0]=5000000003", "t.b[eth0]=5000000003", "t.d[lo]=7", "t.d[eth0]=7");
    }

    [Fact]
    public void Gives_no_value_where_that_is_said()
    {
        Read("t.x = sample.signed < 0 ? novalue() : sample.signed", "t.y = sample.signed < 0 ? sample.signed : novalue(type=32, units=count)").Values
            .Should().ContainSingle().Which.Value.Signed.Should().Be(-42);
    }

    [Fact]
    public void Uses_definitions_that_came_before_and_no_others()
    {
        Read("t.a = sample.stored * 2", "t.b = t.a + 1").Values.Select(v => v.Value.Signed).Should().Equal(14, 15);
        _definitions.Add("t.c = t.late", isOwn: true);
        _definitions.Add("t.late = sample.stored", isOwn: true);
        _definitions.Add("t.self = t.self + 1", isOwn: true);
        var names = new MetricCatalog([_agent]).With(_definitions).Current;
        names.WhyNot("t.c").Should().Contain("no metric t.late");
        names.WhyNot("t.self").Should().Contain("no metric t.self");
    }

    [Fact]
    public void Does_not_grow_beyond_measure()
    {
        _definitions.Add("t.a0 = sample.stored", isOwn: true);
        for (var i = 1; i < 40; i++)
        {
            _definitions.Add($"t.a{i} = t.a{i - 1} + t.a{i - 1}", isOwn: true);
        }

        var names = new MetricCatalog([_agent]).With(_definitions).Current;
        names.Find("t.a8").Should().NotBeNull();
        names.WhyNot("t.a39").Should().NotBeNull();
    }

    [Fact]
    public void Puts_what_is_ones_own_before_what_is_for_all_and_the_nodes_before_both()
    {
        _definitions.Add("t.x", "sample.stored + 100");
        Read("t.x = sample.stored + 1", "t.y = t.x + 1").Values.Select(v => v.Value.Signed).Should().Equal(8, 9);
        _definitions.Add("sample.stored", "sample.signed");
        _definitions.Add("kernel.all", "sample.signed");
        _definitions.Add("sample.stored.below", "sample.signed");
        _definitions.Add("kernel.all.more", "sample.signed");
        var names = new MetricCatalog([_agent]).With(_definitions).Current;
        names.Find("sample.stored")!.Agent.Should().BeSameAs(_agent);
        names.Conflicts.Should().Contain(c => c.Contains("there is a metric of that name")).And.Contain(c => c.Contains("names begin so")).And.Contain(c => c.Contains("nothing is below it"));
        names.Node("kernel.all")!.Children.Select(c => c.Segment).Should().Equal("load", "more");
        names.Find("t.x")!.Descriptor.Id.ToString().Should().Be("511.2047.1023");
        names.Find("kernel.all.more")!.Descriptor.Id.ToString().Should().Be("511.0.7");
        names.All.Should().HaveCount(_agent.Metrics.Count + 3);
    }

    [Fact]
    public void Reads_operands_once_and_with_the_rest()
    {
        _definitions.Add("t.x = sample.stored + sample.stored * sample.signed", isOwn: true);
        using var reader = new MetricReader(new MetricCatalog([_agent]).With(_definitions), ["t", "sample.stored"], MetricView.Host, TimeProvider.System);
        reader.Read().Values.Should().HaveCount(2);
        _agent.Collected.Should().Be(1);
        _agent.AskedLast.Should().BeEquivalentTo("sample.stored", "sample.signed");
    }

    [Fact]
    public void Gives_the_error_of_an_operand()
    {
        Read("t.x = sample.broken + 1", "t.n = count(sample.broken)").Values.Should().BeEquivalentTo([new { Name = "t.x", Error = PcpError.Again }, new { Name = "t.n", Error = 0 }], o => o.ExcludingMissingMembers());
    }

    [Fact]
    public void Remembers_for_each_client_what_it_saw()
    {
        _definitions.Add("t.d = delta(sample.stored)", isOwn: true);
        var catalog = new MetricCatalog([_agent]).With(_definitions);
        var (one, other) = (MetricView.Host with { Client = new ClientMemory() }, MetricView.Host with { Client = new ClientMemory() });
        using var first = new MetricReader(catalog, ["t"], one, TimeProvider.System);
        using var second = new MetricReader(catalog, ["t"], other, TimeProvider.System);
        first.Read().Values.Should().BeEmpty();
        _agent.Store(_agent.Metrics.Single(m => m.Name == "sample.stored"), -1, MetricValue.From(20L), MetricView.Host);
        second.Read().Values.Should().BeEmpty();
        _agent.Store(_agent.Metrics.Single(m => m.Name == "sample.stored"), -1, MetricValue.From(21L), MetricView.Host);
        second.Read().Values.Single().Value.Signed.Should().Be(1);
        first.Read().Values.Single().Value.Signed.Should().Be(14);
    }

    [Fact]
    public void Follows_metrics_that_come_and_go()
    {
        _definitions.Add("t.x = sample.later + 1", isOwn: true);
        var catalog = new MetricCatalog([_agent]).With(_definitions);
        catalog.Current.Find("t.x").Should().BeNull();
        _agent.Metrics = [.. _agent.Metrics, new MetricDescriptor("sample.later", MetricId.Of(60, 200, 0), MetricType.Int32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "")];
        _agent.Generation++;
        catalog.Current.Find("t.x").Should().NotBeNull();
    }

    [Fact]
    public void Reads_files_as_PCP_writes_them()
    {
        var faults = new List<string>();
        DerivedFiles.Parse(
            """
            # disk.dev.read_pct of the manual
            t.size = delta(sample.stored) / \
                 delta(sample.signed)

            t.size(oneline) = how large
            t.size ( helptext ) = '\
            It\'s long,
            and has "lines".'
              t.b=1 \
            + \
            2
            t.bad = (
            nothing
            t.size(color) = red
            t.none(oneline) = x
            t.size(oneline) = again
            t.open(oneline = x
            t.c = 5
            """,
            "here",
            _definitions,
            faults);
        _definitions.All.Select(d => d.Name).Should().Equal("t.size", "t.b", "t.c");
        _definitions.All[0].OneLine.Should().Be("how large");
        _definitions.All[0].Help.Should().Be("It's long,\nand has \"lines\".");
        faults.Select(f => f[..(f.IndexOf(':', StringComparison.Ordinal) + 1)]).Should().Equal("here, line 12:", "here, line 13:", "here, line 14:", "here, line 15:", "here, line 16:", "here, line 17:");
    }

    [Fact]
    public void Takes_the_files_that_PCP_brings()
    {
        if (Directory.Exists("/var/lib/pcp/config/derived"))
        {
            _definitions.AddFiles("/var/lib/pcp/config/derived:/no/such/file").Should().ContainSingle().Which.Should().StartWith("/no/such/file");
            _definitions.All.Select(d => d.Name).Should().Contain("disk.dev.await").And.HaveCountGreaterThan(30);
        }
    }

    [Theory]
    [InlineData("a|b*", "xxb", true)]
    [InlineData("^(lo)|(vbir)", "vbir0", true)]
    [InlineData("^eth[0-9]+$", "eth10", true)]
    [InlineData("^eth[0-9]+$", "eth10\n", false)]
    [InlineData("[]x]", "]", true)]
    [InlineData("[^]x]", "x", false)]
    [InlineData(@"[\d]", "5", false)]
    [InlineData(@"[\d]", "\\", true)]
    [InlineData("[[:upper:]-]{2}", "A-", true)]
    [InlineData("a*?b", "b", true)]
    [InlineData("a{2,3}c", "aac", true)]
    [InlineData("a{2,3}c", "ac", false)]
    [InlineData("x)", "x)", true)]
    [InlineData(@"\.", "a", false)]
    public void Matches_as_POSIX_has_it(string pattern, string text, bool isMatch)
    {
        PosixPattern.TryParse(pattern, out var parsed, out var why).Should().BeTrue(why);
        parsed!.IsMatch(text).Should().Be(isMatch);
        Muster.TestKit.ProgramRun.Of("grep", ["-qzE", pattern], text).Status.Should().Be(isMatch ? 0 : 1, "grep is of the same opinion");
    }

    [Theory]
    [InlineData("(a")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a{5,2}")]
    [InlineData("a{1000}")]
    [InlineData("(a)\\1")]
    [InlineData("[[:nothing:]]")]
    [InlineData("[z-a]")]
    [InlineData("a\\")]
    public void Refuses_what_is_no_pattern_or_would_run_away(string pattern) => PosixPattern.TryParse(pattern, out _, out _).Should().BeFalse();

    [Fact]
    public void Does_not_run_away_with_a_pattern()
    {
        PosixPattern.TryParse("^(([a-z])+.)+[A-Z]([a-z])+$", out var pattern, out _).Should().BeTrue();
        var start = TimeProvider.System.GetTimestamp();
        pattern!.IsMatch(new string('a', 50_000)).Should().BeFalse();
        TimeProvider.System.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("Kbyte / sec")]
    [InlineData("count x 10^3")]
    [InlineData("byte^2 / hour count")]
    [InlineData("/ millisec")]
    [InlineData("")]
    public void Reads_the_units_that_PCP_writes(string text)
    {
        UnitsText.TryParse(text, out var units, out var why).Should().BeTrue(why);
        units.ToString().Should().Be(text.Length == 0 ? "none" : text);
    }

    [Fact]
    public void Reads_every_units_that_it_writes() =>
        Gen.Select(Gen.Int[-8, 7], Gen.Int[-8, 7], Gen.Int[-8, 7], Gen.Int[0, 6], Gen.Int[0, 5], Gen.Int[-8, 7]).Sample(u =>
        {
            var units = MetricUnits.Of(u.Item1, u.Item2, u.Item3, u.Item1 == 0 ? 0 : u.Item4, u.Item2 == 0 ? 0 : u.Item5, u.Item3 == 0 ? 0 : u.Item6 == 1 ? 2 : u.Item6);

            // Ten to the power of 1, squared, PCP writes as ten to the power of 2.
            return UnitsText.TryParse(units.ToString().Replace("none", "", StringComparison.Ordinal), out var read, out _) && read == units;
        });

    [Fact]
    public void Computes_as_its_words_are_bracketed()
    {
        var number = Gen.Int[1, 9].Select(n => ($"{n}.0", (double)n));
        var tree = Gen.Recursive<(string, double)>((depth, inner) => depth > 4 ? number : Gen.OneOf(number, Gen.Select(inner, Gen.Char["+-*/"], inner).Select(t =>
            ($"({t.Item1.Item1} {t.Item2} {t.Item3.Item1})", DerivedNumber.Compute(t.Item2 switch { '+' => DerivedTokenKind.Plus, '-' => DerivedTokenKind.Minus, '*' => DerivedTokenKind.Star, _ => DerivedTokenKind.Slash }, t.Item1.Item2, t.Item3.Item2)))));
        tree.Sample(t =>
        {
            var definitions = new DerivedDefinitions(TimeProvider.System);
            definitions.Add("t.x", t.Item1);
            using var reader = new MetricReader(new MetricCatalog([_agent]).With(definitions), ["t.x"], MetricView.Host, TimeProvider.System);
            return reader.Read().Values.Single().Value.Real.Equals(t.Item2);
        }, iter: 300);
    }

    [Fact]
    public void Takes_or_refuses_any_text()
    {
        string[] words = ["sample.stored", "kernel.all.load", "network.interface.in.bytes", "kernel.uname.nodename", "no.such", "1", "2.5", "+", "-", "*", "/", "(", ")", "?", ":", "<", "==", "&&", "||", "!", "sum(", "rate(", "delta(", "count(", "instant(", "scalar(", "mkconst(1,type=32)", "novalue()", "rescale(", ",\"Kbyte\")", "matchinst(/a/,", "[lo]", "defined(", " "];
        Gen.Int[0, words.Length - 1].Array[0, 12].Select(w => string.Join(' ', w.Select(i => words[i]))).Sample(text => DerivedTarget.Run(System.Text.Encoding.UTF8.GetBytes("t.x = " + text)), iter: 2000);
        foreach (var seed in DerivedTarget.Seeds)
        {
            DerivedTarget.Run(seed);
            for (var i = 0; i < seed.Length; i++)
            {
                DerivedTarget.Run(seed.AsSpan(0, i));
            }
        }
    }

    [Theory]
    [InlineData("novalue()", "stands alone")]
    [InlineData("sum (kernel.all.load)", "must stand together")]
    [InlineData("nothing(kernel.all.load)", "there is no function nothing")]
    [InlineData("rescale(sample.long, \"10 byte\")", "multiplier")]
    [InlineData("kernel.all.load[1] > 0 ? network.interface.in.bytes : network.interface.in.bytes", "instances of another domain")]
    [InlineData("!kernel.uname.nodename", "no numbers")]
    [InlineData("sample.signed > 0 ? novalue() : novalue()", "one side")]
    public void Says_what_is_wrong(string expression, string why)
    {
        var act = () =>
        {
            var definition = _definitions.Add("t.x = " + expression, isOwn: true);
            throw new MusterException(ErrorKind.Invalid, new MetricCatalog([_agent]).With(_definitions).Current.WhyNot(definition) ?? "taken");
        };
        act.Should().Throw<MusterException>().Which.Message.Should().Contain(why);
    }
}
