using System.Text.Json;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Export;

namespace Muster.Metrics.Tests.Export;

/// <summary>The REST interface; the shapes are those that pmproxy 6.0.3 gave for the same requests.</summary>
public sealed class PmapiTests
{
    private readonly SampleAgent _agent = new();
    private readonly Clock _time = new();
    private readonly PmapiContexts _contexts;
    private readonly int _context;

    public PmapiTests()
    {
        _contexts = new PmapiContexts(new DoorState([_agent], _time, _ => { }));
        _context = Get("context", ("hostspec", "pcp://localhost:44321"), ("polltimeout", "60")).GetProperty("context").GetInt32();
    }

    private PmapiAnswer Ask(string path, params (string Name, string Value)[] parameters) =>
        _contexts.Answer(path, parameters.ToDictionary(p => p.Name, p => p.Value), MetricView.Host);

    private JsonElement Get(string path, params (string Name, string Value)[] parameters)
    {
        var answer = Ask(path, parameters);
        answer.Status.Should().Be(200, System.Text.Encoding.UTF8.GetString(answer.Json.Span));
        return JsonDocument.Parse(answer.Json).RootElement;
    }

    private JsonElement In(string verb, params (string Name, string Value)[] parameters) => Get($"{_context}/{verb}", parameters);

    private string Refused(string verb, params (string Name, string Value)[] parameters)
    {
        var answer = Ask($"{_context}/{verb}", parameters);
        answer.Status.Should().BeOneOf(400, 403);
        var root = JsonDocument.Parse(answer.Json).RootElement;
        root.GetProperty("success").GetBoolean().Should().BeFalse();
        return root.GetProperty("message").GetString()!;
    }

    [Fact]
    public void Describes_metrics()
    {
        var metric = In("metric", ("names", "network.interface.in.bytes,no.such")).GetProperty("metrics");
        metric[0].GetProperty("pmid").GetString().Should().Be("60.3.0");
        metric[0].GetProperty("indom").GetString().Should().Be("60.3");
        metric[0].GetProperty("type").GetString().Should().Be("u64");
        metric[0].GetProperty("sem").GetString().Should().Be("counter");
        metric[0].GetProperty("units").GetString().Should().Be("byte");
        metric[0].GetProperty("series").GetString().Should().MatchRegex("^[0-9a-f]{40}$");
        metric[0].GetProperty("labels").GetProperty("agent").GetString().Should().Be("linux");
        metric[0].GetProperty("text-oneline").GetString().Should().Be("bytes received");
        metric[1].GetProperty("message").GetString().Should().Be("Unknown metric name");
        In("metric", ("pmids", "60.12.4")).GetProperty("metrics")[0].GetProperty("name").GetString().Should().Be("kernel.uname.nodename");
        In("metric", ("prefix", "kernel")).GetProperty("metrics").GetArrayLength().Should().Be(2);
        Refused("metric", ("name", "no.such")).Should().Be("no.such traversal failed - Unknown metric name");
    }

    [Fact]
    public void Fetches_values_with_and_without_instances()
    {
        var answer = In("fetch", ("names", "kernel.all.load,kernel.uname.nodename,no.such,sample.unsigned,sample.broken"));
        answer.GetRawText().Should().Contain("\"timestamp\":1800000000.000000000");
        answer.GetProperty("values").GetRawText().Should().Be("""
            [{"pmid":"60.2.0","name":"kernel.all.load","instances":[{"instance":1,"value":3.62},{"instance":5,"value":2.79},{"instance":15,"value":1.2}]},{"pmid":"60.12.4","name":"kernel.uname.nodename","instances":[{"instance":null,"value":"vm"}]},{"pmid":"60.100.2","name":"sample.unsigned","instances":[{"instance":null,"value":4000000000}]}]
            """.Trim());
        In("fetch", ("pmids", "60.2.0")).GetProperty("values")[0].GetProperty("name").GetString().Should().Be("kernel.all.load");
        In("fetch", ("names", "no.such")).GetProperty("values").GetArrayLength().Should().Be(0);
        Refused("fetch", ("name", "no.such")).Should().StartWith("bad parameters passed");
        Refused("fetch").Should().StartWith("bad parameters passed");
    }

    [Fact]
    public void Lists_instances_by_number_name_and_pattern()
    {
        Names(In("indom", ("name", "kernel.all.load"))).Should().Equal("1 minute", "5 minute", "15 minute");
        Names(In("indom", ("indom", "60.2"), ("instances", "5,15"))).Should().Equal("5 minute", "15 minute");
        Names(In("indom", ("indom", "60.2"), ("iname", "1"))).Should().Equal("1 minute");
        Names(In("indom", ("indom", "60.2"), ("match", "1*"))).Should().Equal("1 minute", "15 minute");
        In("indom", ("indom", "60.3")).GetProperty("instances")[0].GetProperty("labels").GetProperty("interface").GetString().Should().Be("lo");
        Refused("indom", ("indom", "60.77")).Should().Contain("failed to lookup indom");

        static IEnumerable<string?> Names(JsonElement answer) => answer.GetProperty("instances").EnumerateArray().Select(i => i.GetProperty("name").GetString()).ToList();
    }

    [Fact]
    public void Walks_the_names()
    {
        In("children", ("prefix", "kernel")).GetRawText().Should().EndWith("\"name\":\"kernel\",\"leaf\":[],\"nonleaf\":[\"all\",\"uname\"]}");
        In("children", ("prefix", "kernel.all")).GetProperty("leaf")[0].GetString().Should().Be("load");
        Refused("children", ("prefix", "zz")).Should().Be("zz child traversal failed - Unknown metric name");
    }

    [Fact]
    public void Keeps_a_profile()
    {
        In("profile", ("expr", "del"), ("indom", "60.2"));
        Loads().Should().BeEmpty();
        In("profile", ("expr", "add"), ("name", "kernel.all.load"), ("instances", "5"));
        Loads().Should().Equal(5);
        In("profile", ("expr", "add"), ("name", "kernel.all.load"), ("iname", "1"));
        Loads().Should().Equal(1, 5);
        In("profile", ("expr", "add"));
        Loads().Should().Equal(1, 5, 15);
        Refused("profile", ("expr", "maybe"));

        IEnumerable<int> Loads() => In("fetch", ("names", "kernel.all.load")).GetProperty("values")[0].GetProperty("instances").EnumerateArray().Select(i => i.GetProperty("instance").GetInt32()).ToList();
    }

    [Fact]
    public void Stores_for_root_alone_and_changes_its_own_container()
    {
        In("store", ("name", "sample.stored"), ("value", "-5")).GetProperty("success").GetBoolean().Should().BeTrue();
        _agent.Stored.Should().Be(-5);
        Refused("store", ("name", "sample.stored"), ("value", "many")).Should().Contain("no value for sample.stored");
        var foreign = _contexts.Answer("store", new Dictionary<string, string> { ["name"] = "sample.stored", ["value"] = "1" }, new MetricView());
        foreign.Status.Should().Be(403);
        In("store", ("name", "pmcd.client.container"), ("value", "box"));
        In("indom", ("indom", "60.3")).GetProperty("instances").GetArrayLength().Should().Be(1);
        In("context").GetProperty("labels").GetProperty("container").GetString().Should().Be("box");
    }

    [Fact]
    public void Takes_the_container_from_the_host_specification_and_refuses_other_hosts()
    {
        Get("context", ("hostspec", "local:?container=a%20box")).GetProperty("labels").GetProperty("container").GetString().Should().Be("a box");
        var other = Ask("context", ("hostspec", "pcp://elsewhere:44321"));
        other.Status.Should().Be(400);
        System.Text.Encoding.UTF8.GetString(other.Json.Span).Should().StartWith("{\"message\":\"cannot connect to PMCD: elsewhere");
    }

    [Fact]
    public void Ends_contexts_that_nobody_uses_and_bounds_their_number()
    {
        _time.Now += TimeSpan.FromSeconds(50);
        In("fetch", ("names", "sample.signed"));
        _time.Now += TimeSpan.FromSeconds(50);
        In("fetch", ("names", "sample.signed"));
        _time.Now += TimeSpan.FromSeconds(61);
        Refused("fetch", ("names", "sample.signed")).Should().Be($"unknown context identifier: {_context}");
        var idle = Get("context", ("polltimeout", "3600")).GetProperty("context").GetInt32();
        var used = Get("context", ("polltimeout", "3600")).GetProperty("context").GetInt32();
        for (var i = 0; i < PmapiContexts.MaxContexts; i++)
        {
            Get("context", ("polltimeout", "3600"));
            Ask($"{used}/fetch", ("names", "sample.signed")).Status.Should().Be(200, "whoever makes thousands takes nobody's who is there");
        }

        Ask($"{idle}/fetch", ("names", "sample.signed")).Status.Should().Be(400);
        _contexts.Count.Should().Be(PmapiContexts.MaxContexts);
    }

    [Fact]
    public void Bounds_what_contexts_derive()
    {
        var expression = string.Join('+', Enumerable.Repeat("kernel.all.load", 250));
        var first = Derive(out var refusal);
        refusal.Should().Contain("characters at most");
        Ask($"{first}/fetch", ("names", "my.a0")).Status.Should().Be(200);
        for (var i = 0; i < PmapiContexts.MaxDerivedText / PmapiContext.MaxDerivedText * 2; i++)
        {
            Derive(out _);
        }

        Ask($"{first}/fetch", ("names", "my.a0")).Status.Should().Be(400, "the one that was not used for longest makes room");
        Ask($"{Derive(out _)}/fetch", ("names", "my.a0")).Status.Should().Be(200);
        _contexts.Count.Should().BeLessThan(2 * PmapiContexts.MaxDerivedText / PmapiContext.MaxDerivedText);

        int Derive(out string refusal)
        {
            var context = Get("context", ("polltimeout", "3600")).GetProperty("context").GetInt32();
            for (var i = 0; ; i++)
            {
                var answer = Ask($"{context}/derive", ("name", $"my.a{i}"), ("expr", expression));
                if (answer.Status != 200)
                {
                    refusal = System.Text.Encoding.UTF8.GetString(answer.Json.Span);
                    return context;
                }
            }
        }
    }

    [Fact]
    public void Computes_derived_metrics()
    {
        In("derive", ("name", "my.twice"), ("expr", "kernel.all.load * 2"));
        Value("my.twice", 1).Should().BeApproximately(7.24, 1e-9);
        In("derive", ("name", "my.sum"), ("expr", "sum(kernel.all.load) - sample.stored"));
        Value("my.sum", null).Should().BeApproximately(7.61 - 7, 1e-6);
        In("derive", ("name", "my.rate"), ("expr", "rate(network.interface.in.bytes)"));
        In("metric", ("name", "my.rate")).GetProperty("metrics")[0].GetProperty("units").GetString().Should().Be("byte / sec");
        In("fetch", ("names", "my.rate")).GetProperty("values")[0].GetProperty("instances").GetArrayLength().Should().Be(0, "a rate needs two fetches");
        _time.Now += TimeSpan.FromSeconds(2);
        Value("my.rate", 3).Should().Be(0);
        In("derive", ("name", "my.twice"), ("expr", "kernel.all.load * 2"));
        Refused("derive", ("name", "my.twice"), ("expr", "kernel.all.load * 3")).Should().Contain("Duplicate");

        double Value(string name, int? instance) => In("fetch", ("names", name)).GetProperty("values")[0].GetProperty("instances").EnumerateArray()
            .First(i => instance is null || i.GetProperty("instance").GetInt32() == instance).GetProperty("value").GetDouble();
    }

    [Theory]
    [InlineData("foo bar", "an operator is expected")]
    [InlineData("no.such + 1", "no metric no.such")]
    [InlineData("kernel.all.load +", "is expected")]
    [InlineData("kernel.all.load kernel.all.load", "an operator is expected")]
    [InlineData("(kernel.all.load", "closing parenthesis")]
    [InlineData("novalue(kernel.all.load)", "stands alone")]
    [InlineData("kernel.uname.nodename * 2", "no numbers")]
    [InlineData("kernel.all.load + rate(network.interface.in.bytes)", "different dimensions")]
    [InlineData("kernel.all.load * instant(network.interface.in.bytes)", "different domains")]
    [InlineData("sum(kernel.all.load) + network.interface.in.bytes", "no counter and a counter")]
    [InlineData("1e999 * kernel.all.load", "an operator is expected")]
    [InlineData("4294967296 * kernel.all.load", "whole numbers end")]
    public void Refuses_expressions_with_the_place(string expression, string why) => Refused("derive", ("name", "my.bad"), ("expr", expression)).Should().Contain(why);

    [Fact]
    public void Refuses_an_expression_that_is_nested_without_end() =>
        Refused("derive", ("name", "my.deep"), ("expr", new string('(', 2000) + "kernel.all.load" + new string(')', 2000))).Should().Contain("nested");

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
