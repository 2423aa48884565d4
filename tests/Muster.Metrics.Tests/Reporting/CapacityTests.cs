using System.Text.Json;
using System.Xml.Linq;
using CsCheck;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Reporting;

namespace Muster.Metrics.Tests.Reporting;

public sealed class CapacityTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tells_percentile_peak_trend_headroom_days_to_full_and_a_proposal()
    {
        var report = Report("web");
        report.Host.Should().Be("tester");
        var subject = report.Subjects.Should().ContainSingle().Subject;
        subject.Name.Should().Be("web");
        var cpu = subject.Resources.Single(r => r.Resource == "cpu");
        cpu.Mean.Should().BeApproximately(0.5, 1e-6);
        cpu.Limit.Should().BeNull();
        cpu.Proposal.Should().BeApproximately(0.6, 1e-9);
        var memory = subject.Resources.Single(r => r.Resource == "memory");

        // 100 MiB, and 10 MiB more each day for four days, of 200 MiB.
        memory.TrendPerDay.Should().BeApproximately(10 * 1048576.0, 1000);
        memory.Fit.Should().BeApproximately(1, 1e-6);
        memory.Peak.Should().BeApproximately(140 * 1048576.0, 100);
        memory.PeakAt.Should().Be(TestArchive.Start.AddDays(4));
        memory.Percentile95.Should().BeApproximately(138 * 1048576.0, 1048576);
        memory.Headroom.Should().BeApproximately(0.31, 0.01);
        memory.DaysToFull.Should().BeApproximately(6, 0.01);
        memory.Proposal.Should().BeInRange(138 * 1.2 * 1048576, 172 * 1048576.0);
    }

    [Fact]
    public void The_page_is_well_formed_needs_nothing_from_elsewhere_and_quotes_names()
    {
        var report = Report("<script>alert(1)</script>&\"'");
        var page = ReportPage.Render(report);
        page.Should().NotContain("<script").And.NotContain("http://").And.NotContain("https://").And.NotContain("@import").And.NotContain("url(");
        page.Should().ContainAll("prefers-color-scheme:dark", "@media print", "<title>2026-03-", "<svg", "<table");
        var document = Page(page);
        document.Descendants("figure").Descendants("svg").Should().HaveCount(2);
        document.Descendants("table").First().Descendants("svg").Should().HaveCount(2);
        document.Descendants("svg").Descendants("text").Should().Contain(t => t.Value == "limit 200 MiB");
        JsonDocument.Parse(JsonSerializer.Serialize(report, CapacityJson.Default.CapacityReport)).RootElement.GetProperty("subjects")[0].GetProperty("resources").GetArrayLength().Should().Be(2);
    }

    [Fact]
    public void What_is_throttled_stalled_or_was_killed_is_not_proposed_less_than_it_has()
    {
        StrainedArchive.Write(_folder.At("a"), days: 3, [.. Enumerable.Range(0, 25).Select(i => $"c{i}")]);
        var report = Plan();
        var all = Enumerable.Range(0, 25).ToDictionary(i => i, i => report.Subjects.Single(s => s.Name == $"c{i}"));

        // Throttled in 40 % of its periods: use alone says 0.75 cores.
        var throttled = Use(4, "cpu");
        (throttled.Limit, throttled.Percentile95).Should().Be((1, throttled.Percentile95)).And.Match<(double?, double)>(p => p.Item2 < 0.61);
        throttled.Proposal.Should().BeApproximately(1.4, 1e-6);
        throttled.Reason.Should().Contain("40 %");
        all[4].Strain!.ThrottledPeriods.Should().BeApproximately(0.4, 1e-6);

        // Waits for a processor a quarter of the time, and is not throttled: it keeps what it has.
        Use(3, "cpu stalled").Percentile95.Should().BeApproximately(0.25, 1e-6);
        Use(3, "cpu").Proposal.Should().Be(1);

        // Waits for memory 15 % of the time; lost three processes, and three more before the archive began.
        Use(6, "memory").Proposal.Should().BeApproximately(256 * 1.2 * 1048576, 8 * 1048576);
        Use(9, "memory").Proposal.Should().Be(1536 * 1048576.0);
        all[9].Strain!.OomKills.Should().Be(3);

        // One that suffers nothing is proposed what it needs.
        Use(1, "memory").Reason.Should().BeNull();
        Use(1, "memory").Proposal.Should().BeLessThan(300 * 1048576.0);
        Use(0, "cpu").Proposal.Should().BeLessThan(0.2);
        report.Subjects[0].Name.Should().Be("c9", "what lost a process comes first");

        ResourceUse Use(int container, string resource) => all[container].Resources.First(r => r.Resource == resource);
    }

    [Fact]
    public void Tells_block_IO_in_bytes_and_operations_and_the_share_of_time_that_was_stalled()
    {
        StrainedArchive.Write(_folder.At("a"), days: 1, "idle", "x", "busy");
        var resources = Plan().Subjects.Single(s => s.Name == "busy").Resources.ToDictionary(r => (r.Resource, r.Unit));
        resources[("io read", "bytes/s")].Percentile95.Should().BeApproximately(2 * 1048576, 1);
        resources[("io read", "ops/s")].Peak.Should().BeApproximately(120, 1e-6);
        resources[("io write", "ops/s")].Mean.Should().BeApproximately(30, 1e-6);
        resources[("io write", "bytes/s")].Peak.Should().BeGreaterThan(resources[("io write", "bytes/s")].Percentile95);
        resources[("io stalled", "share")].Percentile95.Should().BeApproximately(0.04, 1e-6);
        resources[("io stalled", "share")].Proposal.Should().BeNull();
        resources[("memory stalled", "share")].Peak.Should().Be(0);
    }

    [Fact]
    public void Says_first_what_is_to_be_done_and_draws_every_container()
    {
        StrainedArchive.Write(_folder.At("a"), days: 3, [.. Enumerable.Range(0, 50).Select(i => i == 7 ? "a-name-that-is-as-long-as-a-container-of-an-orchestrator-may-have-with-its-namespace/and-its-app-0123456789" : $"c{i}")]);
        var report = Plan();
        var advice = ReportAdvice.Of(report);
        advice[0].Text.Should().Be("Raise the memory limit from 256 MiB to 384 MiB: 3 processes were killed because memory ran out.");
        advice.Select(a => a.Kind).Should().BeInAscendingOrder().And.Contain([AdviceKind.Now, AdviceKind.Soon, AdviceKind.Saving]);
        var page = ReportPage.Render(report);
        Page(page).Descendants("details").Should().HaveCount(50);
        page.Should().Contain("throttled 40 %").And.Contain("OOM").And.Contain("Stalled for I/O");
        page.Length.Should().BeLessThan(6 * 1024 * 1024);
    }

    [Fact]
    public void Refuses_an_archive_that_has_nothing_to_report()
    {
        using (var archive = new TestArchive(_folder.At("a")))
        {
            archive.Write(TimeSpan.FromSeconds(1), (TestArchive.Load, [1]));
        }

        FluentActions.Invoking(() => Plan()).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.NotFound);
    }

    [Fact]
    public void Percentiles_lie_between_the_values_and_lines_are_found_again()
    {
        Gen.Select(Gen.Select(Gen.Double[-1e6, 1e6], Gen.Long[0, 1000]).Array[1, 50], Gen.Double[0, 1]).Sample((values, share) =>
            UseStatistics.Percentile([.. values.Select(v => new SpanPoint(0, v.Item1, v.Item2))], share) is var p && values.Any(v => v.Item1 == p));
        Gen.Select(Gen.Double[-1000, 1000], Gen.Double[-1000, 1000], Gen.Int[3, 60]).Sample((slope, start, count) =>
        {
            var points = Enumerable.Range(0, count).Select(i => new SpanPoint(TestArchive.Start.AddHours(i * 7).UtcTicks, start + (slope * i * 7 / 24), TimeSpan.TicksPerHour)).ToList();
            var (found, intercept, _) = UseStatistics.Trend(points);
            found.Should().BeApproximately(slope, 1e-4);
            intercept.Should().BeApproximately(start, 1e-3);
        });
    }

    private static XDocument Page(string page) =>
        XDocument.Parse(page.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal).Replace("<meta charset=\"utf-8\">", "", StringComparison.Ordinal)
            .Replace("initial-scale=1\">", "initial-scale=1\"/>", StringComparison.Ordinal).Replace("content=\"light dark\">", "content=\"light dark\"/>", StringComparison.Ordinal));

    private CapacityReport Report(string name)
    {
        using (var archive = new TestArchive(_folder.At("a")))
        {
            archive.Instances(TimeSpan.FromSeconds(1), name);
            for (var i = 0; i <= 96; i++)
            {
                archive.Write(i == 0 ? TimeSpan.FromSeconds(1) : TimeSpan.FromHours(i), (TestArchive.Memory, [(100 + (i * 10 / 24.0)) * 1048576]), (TestArchive.Limit, [200 * 1048576]), (TestArchive.Cpu, [i == 0 ? 500_000 : i * 3600 * 500_000.0]));
            }
        }

        return Plan();
    }

    private CapacityReport Plan()
    {
        var archives = ArchiveSet.Open([_folder.At("a")]);
        return CapacityPlanning.Of([archives], TimeWindow.Parse(null, null, archives), CapacityPlanning.DefaultMargin);
    }
}
