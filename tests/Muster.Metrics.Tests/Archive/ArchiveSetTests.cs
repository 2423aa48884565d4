using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;

namespace Muster.Metrics.Tests.Archive;

/// <summary>Archives of one folder that overlap in time, that are of several hosts, and what is no archive.</summary>
public sealed class ArchiveSetTests : IDisposable
{
    private static readonly DateTimeOffset Start = TestArchive.Start;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Reads_different_metrics_that_were_recorded_at_the_same_time()
    {
        Write("a", "tester", TimeSpan.Zero, TimeSpan.FromMinutes(1), 100, TestArchive.Load);
        Write("b", "tester", TimeSpan.FromMinutes(10.5), TimeSpan.FromMinutes(10), 5, TestArchive.Memory, "web");
        var rows = Rows();
        rows.Count(r => r.Metric == "sample.load").Should().Be(100);
        rows.Count(r => r.Metric == "container.memory.usage").Should().Be(5);
        rows.Select(r => r.Time).Should().BeInAscendingOrder();
        Rows("container.memory.usage").Should().HaveCount(5);
        var archives = ArchiveSet.Open([_folder.Path]);
        ArchiveReplay.Recorded(archives, ["sample.load"], new TimeWindow(Start + TimeSpan.FromMinutes(60), DateTimeOffset.MaxValue), isRaw: true).Should().HaveCount(40, "a folder's later archives do not hide what an earlier one goes on with");
        archives.Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).Should().NotContain(s => s.Sample.IsMark);
    }

    [Fact]
    public void Counts_what_is_the_same_once()
    {
        Write("a", "tester", TimeSpan.Zero, TimeSpan.FromMinutes(1), 20, TestArchive.Load);
        foreach (var ending in new[] { ".0", ".meta", ".index" })
        {
            File.Copy(_folder.At("a" + ending), _folder.At("copy" + ending));
        }

        Rows().Should().HaveCount(20);
    }

    [Fact]
    public void Containers_that_two_loggers_number_differently_stay_apart()
    {
        Write("a", "tester", TimeSpan.Zero, TimeSpan.FromMinutes(1), 10, TestArchive.Memory, "web", "db");
        Write("b", "tester", TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1), 10, TestArchive.Memory, "db");
        var rows = Rows();
        rows.Where(r => r.Instance == "web").Should().HaveCount(10).And.OnlyContain(r => r.Value < 1000);
        rows.Where(r => r.Instance == "db").Should().HaveCount(20).And.OnlyContain(r => r.Value == 1000 || r.Value < 1000);
    }

    [Fact]
    public void A_gap_stays_a_gap_although_another_archive_goes_on()
    {
        Write("a", "tester", TimeSpan.Zero, TimeSpan.FromMinutes(1), 10, TestArchive.Load);
        Write("b", "tester", TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1), 100, TestArchive.Memory, "web");
        Write("c", "tester", TimeSpan.FromMinutes(60), TimeSpan.FromMinutes(1), 10, TestArchive.Load);
        ArchiveSet.Open([_folder.Path]).Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, new HashSet<MetricId> { TestArchive.Load.Id }).Count(s => s.Sample.IsMark).Should().Be(1);
    }

    [Fact]
    public void Tells_several_hosts_apart()
    {
        Write("a", "one", TimeSpan.Zero, TimeSpan.FromMinutes(1), 10, TestArchive.Load);
        Write("b", "two", TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1), 10, TestArchive.Load);
        Write("c", "two", TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1), 10, TestArchive.Memory, "web");
        ArchiveSet.OpenHosts([_folder.Path]).Select(h => (h.HostName, h.Names.All.Count)).Should().Equal(("one", 1), ("two", 2));
        var archives = ArchiveSet.Open([_folder.Path]);
        var rows = ArchiveReplay.Recorded(archives, ArchiveReplay.Metrics(archives, []), new TimeWindow(DateTimeOffset.MinValue, DateTimeOffset.MaxValue), isRaw: true).ToList();
        rows.GroupBy(r => (r.Metric, r.Instance)).Select(g => (g.Key.Metric, g.Key.Instance, g.Count())).Should().BeEquivalentTo([("sample.load", "one", 10), ("sample.load", "two", 10), ("container.memory.usage", "two:web", 10)]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_mark_interrupts_only_what_its_own_archive_tells(bool isDerived)
    {
        Counter("a", "web", 0, 20, markAfter: 10);
        Counter("b", "db", 0.5, 20, markAfter: null);
        var archives = ArchiveSet.Open([_folder.Path]);
        if (isDerived)
        {
            var definitions = new Muster.Metrics.Derived.DerivedDefinitions(TimeProvider.System);
            definitions.Add("my.all = instant(container.cpu.usage)", isOwn: true);
            archives = archives.With(definitions);
        }

        var rows = ArchiveReplay.Recorded(archives, [isDerived ? "my.all" : "container.cpu.usage"], new TimeWindow(DateTimeOffset.MinValue, DateTimeOffset.MaxValue), isRaw: false).ToList();
        rows.Count(r => r.Instance == "db").Should().BeGreaterThanOrEqualTo(isDerived ? 20 : 19, "of the first value alone there is no rate");
        if (!isDerived)
        {
            rows.Count(r => r.Instance == "web").Should().Be(18, "nor of the one behind the mark");
            var series = SeriesReading.Read(archives, ["container.cpu.usage"], DateTimeOffset.MinValue, DateTimeOffset.MaxValue).ToDictionary(s => s.Instance!);
            series["db"].Points.ToArray().Count(p => double.IsNaN(p.Value)).Should().Be(0);
            series["web"].Points.ToArray().Count(p => double.IsNaN(p.Value)).Should().Be(1);
        }
    }

    [Fact]
    public void A_mark_counts_although_another_archive_has_a_record_of_its_time()
    {
        Counter("a", "web", 0, 20, markAfter: 10);
        Counter("b", "db", 0.001, 20, markAfter: null);
        ArchiveReplay.Recorded(ArchiveSet.Open([_folder.Path]), ["container.cpu.usage"], new TimeWindow(DateTimeOffset.MinValue, DateTimeOffset.MaxValue), isRaw: false).Count(r => r.Instance == "web").Should().Be(18);
    }

    private void Counter(string name, string instance, double from, int count, int? markAfter)
    {
        var start = Start + TimeSpan.FromSeconds(from);
        using var writer = new ArchiveWriter(_folder.At(name), new ArchiveLabel(ArchiveVersion.V3, 4711, start, "tester", "UTC0", ":Etc/UTC"));
        writer.AddDescriptor(TestArchive.Cpu, [TestArchive.Cpu.Name]);
        writer.AddInstances(start, TestArchive.Containers, [new MetricInstance(0, instance)]);
        for (var i = 0; i < count; i++)
        {
            writer.Write(start.AddSeconds(i + 1), TestArchive.Sets((TestArchive.Cpu, [i * 1000.0])));
            if (i == markAfter)
            {
                writer.Write(start.AddSeconds(i + 1).AddMilliseconds(1), []);
            }
        }
    }

    [Fact]
    public void Passes_over_what_is_no_archive_in_a_folder()
    {
        Write("a", "tester", TimeSpan.Zero, TimeSpan.FromMinutes(1), 10, TestArchive.Load);
        _folder.Write("thing.meta", "text");
        _folder.Write("thing.0", "text");
        _folder.Write("alone.meta", "text");
        var archives = ArchiveSet.Open([_folder.Path]);
        archives.Notes.Should().HaveCount(2).And.Contain(n => n.Contains("thing"));
        FluentActions.Invoking(() => ArchiveSet.Open([_folder.At("thing")])).Should().Throw<MusterException>();
    }

    [Theory]
    [InlineData("2026-03-01T12:00:00", "2026-03-01T12:00:00Z")]
    [InlineData("@ 2026-03-01 12:00", "2026-03-01T11:00:00Z")]
    [InlineData("@2026-03-01 12:00:30.5", "2026-03-01T11:00:30.5Z")]
    [InlineData("@ 2026-03-01 12:00 UTC", "2026-03-01T12:00:00Z")]
    [InlineData("@ 3/1/26 3:30 pm", "2026-03-01T14:30:00Z")]
    [InlineData("@ Sun Mar 1 13:07:47 2026", "2026-03-01T12:07:47Z")]
    [InlineData("@ Mar 2026", "2026-02-28T23:00:00Z")]
    [InlineData("@ Mar 4", "2026-03-03T23:00:00Z")]
    [InlineData("@10:00", "2026-03-01T09:00:00Z")]
    [InlineData("@00:30", "2026-03-01T23:30:00Z")]
    [InlineData("now", "2026-05-01T00:00:00Z")]
    [InlineData("@now", "2026-05-01T00:00:00Z")]
    [InlineData("@ yesterday", "2026-04-29T22:00:00Z")]
    [InlineData("+5m", "2026-03-01T00:05:00Z")]
    [InlineData("5m", "2026-03-01T01:05:00Z")]
    [InlineData("-5m", "2026-03-01T09:55:00Z")]
    public void Reads_times_as_PCPIntro_has_them(string text, string time) =>
        ArchiveTime.Parse(text, "start", Start.AddHours(1), () => Start, () => Start.AddHours(10), new Berlin()).Should().Be(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("@")]
    [InlineData("@ nonsense")]
    [InlineData("sometime")]
    [InlineData("@ 2026-13-01")]
    [InlineData("5 parsecs")]
    [InlineData("")]
    public void Refuses_what_is_no_time(string text) =>
        FluentActions.Invoking(() => ArchiveTime.Parse(text, "start", Start, () => Start, () => Start, new Berlin())).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Usage);

    private List<ReplayRow> Rows(params string[] metrics)
    {
        var archives = ArchiveSet.Open([_folder.Path]);
        return [.. ArchiveReplay.Recorded(archives, ArchiveReplay.Metrics(archives, metrics), new TimeWindow(DateTimeOffset.MinValue, DateTimeOffset.MaxValue), isRaw: true)];
    }

    private void Write(string name, string host, TimeSpan from, TimeSpan step, int count, MetricDescriptor metric, params string[] instances)
    {
        using var writer = new ArchiveWriter(_folder.At(name), new ArchiveLabel(ArchiveVersion.V3, 4711, Start + from, host, "UTC0", ":Etc/UTC"));
        writer.AddDescriptor(metric, [metric.Name]);
        if (instances.Length > 0)
        {
            writer.AddInstances(Start + from, metric.Instances, [.. instances.Select((n, i) => new MetricInstance(i, n))]);
        }

        for (var i = 0; i < count; i++)
        {
            writer.Write(Start + from + (step * i) + TimeSpan.FromMilliseconds(1), TestArchive.Sets((metric, [.. Enumerable.Range(0, Math.Max(1, instances.Length)).Select(n => i + (n * 900.0))])));
        }
    }

    private sealed class Berlin : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

        public override DateTimeOffset GetUtcNow() => new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);
    }
}
