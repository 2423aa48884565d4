using CsCheck;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Tests.Names;

public sealed class MetricNamesTests
{
    private static readonly InstanceDomainId None = InstanceDomainId.None;

    private static MetricDescriptor Metric(string name, int item, int domain = 60) =>
        new(name, MetricId.Of(domain, 1, item), MetricType.Int32, None, MetricSemantics.Instant, MetricUnits.None, "");

    private static MetricNames Names(params string[] names) =>
        new MetricCatalog([new SampleAgent { Metrics = [.. names.Select((n, i) => Metric(n, i))] }]).Current;

    [Fact]
    public void Finds_metrics_by_name_and_number_and_nodes_by_the_beginning()
    {
        var names = Names("a.b.c", "a.b.d", "a.e");
        names.Find("a.b.c")!.Descriptor.Id.Should().Be(MetricId.Of(60, 1, 0));
        names.Find(MetricId.Of(60, 1, 2))!.Names.Should().Equal("a.e");
        names.Find("a.b").Should().BeNull();
        names.Node("a.b")!.Leaves().Select(l => l.Name).Should().Equal("a.b.c", "a.b.d");
        names.Node("")!.Children.Select(c => c.Segment).Should().Equal("a");
        names.Node("a")!.Children.Select(c => (c.Segment, c.Metric is null)).Should().Equal(("b", true), ("e", false));
        foreach (var unknown in new[] { "b", "a.b.c.d", "a.", ".a", "a..b", "." })
        {
            names.Node(unknown).Should().BeNull(unknown);
        }
    }

    [Fact]
    public void Gives_a_number_all_of_its_names()
    {
        var agent = new SampleAgent { Metrics = [Metric("one", 1), Metric("other", 1)] };
        var names = new MetricCatalog([agent]).Current;
        names.Find(MetricId.Of(60, 1, 1))!.Names.Should().Equal("one", "other");
        names.Conflicts.Should().BeEmpty();
    }

    [Theory]
    [InlineData("a.b", "a.b.c")]
    [InlineData("a.b.c", "a.b")]
    [InlineData("a.b", "a.b")]
    public void Leaves_out_a_name_that_stands_in_the_way_of_another(string first, string second)
    {
        var names = Names(first, second);
        names.All.Select(m => m.Name).Should().Equal(first);
        names.Conflicts.Should().ContainSingle();
        names.Find(MetricId.Of(60, 1, 1)).Should().BeNull();
    }

    [Fact]
    public void Leaves_out_what_lies_outside_of_the_agents_domain_or_is_no_name()
    {
        var names = new MetricCatalog([new SampleAgent { Metrics = [Metric("a", 1, domain: 61), Metric("1.x", 2), Metric("ok", 3)] }]).Current;
        names.All.Select(m => m.Name).Should().Equal("ok");
        names.Conflicts.Should().HaveCount(2);
    }

    [Fact]
    public void Keeps_a_snapshot_until_a_generation_grows()
    {
        var agent = new SampleAgent { Metrics = [Metric("a", 1)] };
        var catalog = new MetricCatalog([agent]);
        var before = catalog.Current;
        catalog.Current.Should().BeSameAs(before);
        agent.Metrics = [Metric("a", 1), Metric("b", 2)];
        catalog.Current.Should().BeSameAs(before, "the agent has not said so");
        agent.Generation++;
        catalog.Current.Find("b").Should().NotBeNull();
        catalog.Current.Version.Should().Be(before.Version + 1);
        before.Find("b").Should().BeNull("a snapshot never changes");
    }

    [Fact]
    public void Finds_every_metric_that_was_added_and_no_other()
    {
        var part = Gen.String[Gen.Char["abz_9"], 1, 4].Select(s => "n" + s);
        var name = part.Array[1, 5].Select(p => string.Join('.', p));
        name.HashSet[1, 30].Sample(set =>
        {
            var names = Names([.. set]);
            var kept = names.All.Select(m => m.Name).ToHashSet();
            kept.Should().BeSubsetOf(set);
            foreach (var one in set)
            {
                (names.Find(one) is not null).Should().Be(kept.Contains(one));
                kept.Should().NotContain(k => k.StartsWith(one + ".", StringComparison.Ordinal) && kept.Contains(one));
                kept.Should().Contain(k => k == one || k.StartsWith(one + ".", StringComparison.Ordinal) || one.StartsWith(k + ".", StringComparison.Ordinal), "it is there, or another stands at its beginning or below it");
            }

            (kept.Count + names.Conflicts.Count).Should().Be(set.Count);
        }, iter: 200);
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("1 minute", 1)]
    [InlineData("15", 15)]
    [InlineData("minute", null)]
    [InlineData("1 min", null)]
    [InlineData("", null)]
    public void Matches_instances_up_to_the_first_space(string name, int? expected) =>
        (InstanceMatch.Find([new(1, "1 minute"), new(15, "15 minute")], name)?.Id).Should().Be(expected);
}
