using CsCheck;
using Muster.Metrics.Reporting;

namespace Muster.Metrics.Tests.Reporting;

/// <summary>What a report keeps of values over a long time.</summary>
public sealed class UseSeriesTests
{
    private static readonly DateTimeOffset Start = TestArchive.Start;

    [Fact]
    public void A_level_that_is_joined_keeps_its_mean_over_time_and_its_highest()
    {
        // High for one second in ten, once very high; the stretch is a minute.
        var level = Level(60, [.. Enumerable.Range(0, 6000).Select(i => (i, i == 3777 ? 5000.0 : i % 10 == 0 ? 100 : 1))]);
        var spans = level.Spans();
        spans.Count.Should().BeInRange(100, 104);
        Mean(spans).Should().BeApproximately(10.9 + (4999 / 6000.0), 0.01);
        spans.Max(s => s.High).Should().Be(5000);
        spans.Max(s => s.Value).Should().BeLessThan(120, "it held for a second only");
        spans[^1].Value.Should().Be(1, "the last value is told as it is");
    }

    [Fact]
    public void A_counter_that_is_joined_keeps_its_mean_rate_and_the_highest_between_two_records()
    {
        var counted = 0.0;
        var counter = new UseSeries("c", TestArchive.Cpu, null, default, new UseGrid(TimeSpan.FromMinutes(1), 100_000));
        for (var i = 0; i <= 6000; i++)
        {
            counter.Take(Start.AddSeconds(i), counted);
            counted += i == 3000 ? 900 : 3;
        }

        var spans = counter.Spans();
        spans.Count.Should().BeInRange(100, 102);
        Mean(spans).Should().BeApproximately(3 + (897 / 6000.0), 1e-9);
        spans.Max(s => s.High).Should().BeApproximately(900, 1e-9);
        counter.Growth.Should().Be((5999 * 3) + 900);
    }

    [Fact]
    public void Joining_changes_no_mean_and_no_highest_whatever_the_values_and_times()
    {
        var gen = Gen.Select(Gen.Int[1, 90], Gen.Double[0, 1000]).Array[2, 200];
        Gen.Select(gen, Gen.Int[1, 600]).Sample((steps, stretch) =>
        {
            var time = 0;
            var points = steps.Select(s => (time += s.Item1, s.Item2)).ToArray();
            var (joined, whole) = (Level(stretch, points).Spans(), Level(0, points).Spans());
            joined.Sum(s => s.Span).Should().Be(whole.Sum(s => s.Span));
            Mean(joined).Should().BeApproximately(Mean(whole), 1e-6);
            joined.Max(s => s.High).Should().Be(whole.Max(s => s.High));
        });
    }

    [Fact]
    public void Memory_is_bounded_however_many_series_and_values_there_are()
    {
        var grid = new UseGrid(TimeSpan.Zero, 1000);
        var all = Enumerable.Range(0, 20).Select(_ => new UseSeries("l", TestArchive.Memory, null, default, grid)).ToList();
        for (var i = 0; i < 5000; i++)
        {
            all.ForEach(s => s.Take(Start.AddSeconds(i), i == 2500 ? 99 : i % 3));
        }

        all.Sum(s => s.Spans().Count).Should().BeLessThan(1100);
        all.Should().AllSatisfy(s => Mean(s.Spans()).Should().BeApproximately(1, 0.03));
        all.Should().AllSatisfy(s => s.Spans().Max(p => p.High).Should().Be(99));
    }

    [Fact]
    public void The_highest_of_several_counters_together_is_that_of_one_moment()
    {
        // Each is busy in turns: never more than one processor together.
        var grid = new UseGrid(TimeSpan.FromMinutes(2), 100_000);
        var sum = new UseSum(grid);
        var (one, other) = (new UseSeries("a", TestArchive.Cpu, null, default, grid) { Sums = [sum] }, new UseSeries("b", TestArchive.Cpu, null, default, grid) { Sums = [sum] });
        var (a, b) = (0.0, 0.0);
        for (var i = 0; i <= 3600; i++)
        {
            one.Take(Start.AddSeconds(i), a);
            other.Take(Start.AddSeconds(i), b);
            (a, b) = i % 2 == 0 ? (a + 1000, b) : (a, b + 700);
        }

        var spans = sum.Of([one, other]);
        spans.Count.Should().BeInRange(30, 33);
        spans.Max(s => s.High).Should().Be(1000);
        Mean(spans).Should().BeApproximately(850, 1e-6);
    }

    private static UseSeries Level(int stretch, (int Second, double Value)[] points)
    {
        var level = new UseSeries("l", TestArchive.Memory, null, default, new UseGrid(TimeSpan.FromSeconds(stretch), 100_000));
        foreach (var (second, value) in points)
        {
            level.Take(Start.AddSeconds(second), value);
        }

        return level;
    }

    private static double Mean(IReadOnlyList<SpanPoint> spans) => spans.Sum(s => s.Value * s.Span) / spans.Sum(s => (double)s.Span);
}
