using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Logging;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Logging;

public sealed class MetricLoggerTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly List<string> _lines = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Writes_an_archive_of_chosen_metrics_and_instances()
    {
        using var logger = Logger("log: [{every: 20ms, metrics: [kernel.all.load], instances: ['1 minute']}, {every: once, metrics: [kernel.uname]}]");
        var summary = await logger.RunArchiveAsync(_folder.At("a"), new LogBounds(Samples: 3), Ct);
        summary.Samples.Should().Be(3);
        ProgramRun.Of("pmlogcheck", [_folder.At("a")]).Succeeded().Out.Should().BeEmpty();
        var shown = ProgramRun.Of("pmdumplog", [_folder.At("a")]).Succeeded().Out;
        shown.Should().ContainAll("kernel.uname.nodename", "1 minute", "pmcd.pmlogger.host").And.NotContain("5 minute");
        shown.Split("kernel.uname.nodename").Should().HaveCount(2);
    }

    [Fact]
    public async Task Counts_as_a_record_only_what_was_recorded()
    {
        // Between two microseconds: a record's time, which has whole ones, then lies before that at which it was due.
        var time = new JumpingTime(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(7));
        using var logger = new MetricLogger(LogPlan.Parse("log: [{every: 10ms, metrics: [kernel.all.load]}]", "log.yaml"), new MetricCatalog([new SampleAgent()]), time, _ => { });
        var summary = await logger.RunArchiveAsync(_folder.At("a"), new LogBounds(Samples: 20), Ct);
        summary.Samples.Should().Be(20);
        ArchiveReplay.Recorded(ArchiveSet.Open([_folder.At("a")]), ["kernel.all.load"], new(DateTimeOffset.MinValue, DateTimeOffset.MaxValue), isRaw: true).Select(r => r.Time).Distinct().Should().HaveCount(20);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task PCPs_tools_read_an_archive_whose_ended_volumes_are_compressed_as_it_is_by_default(int version)
    {
        using var logger = Logger($"log: [{{every: 10ms, metrics: [kernel, network, sample.long]}}]\nrotate: {{size: 4096}}\nversion: {version}");
        var archive = (await logger.RunFolderAsync(_folder.At("archives"), new LogBounds(Samples: 60), Ct)).Archive;
        Directory.GetFiles(_folder.At("archives"), "*.xz").Should().HaveCountGreaterThan(1);
        File.Exists(archive + ".0").Should().BeFalse();
        ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
        ProgramRun.Of("pmdumplog", [archive]).Succeeded().Out.Split("value -9000000000").Should().HaveCount(61);
        ProgramRun.Of("pmval", ["-a", archive, "-t", "10msec", "sample.long"]).Succeeded().Out.Split("-9000000000").Should().HaveCountGreaterThan(40);
        ProgramRun.Of("pmlogextract", [archive, _folder.At("extracted")]).Succeeded().Error.Should().BeEmpty();
        Samples(archive).Should().Be(61);
        Samples(_folder.At("extracted")).Should().BeGreaterThanOrEqualTo(60);
    }

    [Fact]
    public async Task Rotates_compresses_and_deletes_in_a_folder()
    {
        using var logger = Logger("log: [{every: 10ms, metrics: [kernel, network, sample.long]}]\nrotate: {size: 4096, every: 300ms}\nkeep: {size: 30Ki}\ncompress: zstd");
        await logger.RunFolderAsync(_folder.At("archives"), new LogBounds(Samples: 120), Ct);
        var archives = ArchiveFiles.In(_folder.At("archives"));
        archives.Should().HaveCountGreaterThanOrEqualTo(2);
        Directory.GetFiles(_folder.At("archives"), "*.zst").Should().NotBeEmpty();
        Directory.GetFiles(_folder.At("archives"), "*.new").Should().BeEmpty();
        foreach (var file in Directory.GetFiles(_folder.At("archives"), "*.zst"))
        {
            ProgramRun.Of("zstd", ["-q", "-d", "--rm", file]).Succeeded();
        }

        foreach (var archive in archives)
        {
            ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
        }

        using var again = Logger("log: [{every: 10ms, metrics: [kernel]}]\nkeep: {size: 1}");
        var last = await again.RunFolderAsync(_folder.At("archives"), new LogBounds(Samples: 1), Ct);
        ArchiveFiles.In(_folder.At("archives")).Should().Equal(last.Archive);
        _lines.Should().Contain(l => l.StartsWith("deleted the archive"));
    }

    [Fact]
    public async Task One_logger_writes_into_a_folder()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        using var logger = Logger("log: [{every: 10ms, metrics: [kernel]}]");
        var running = logger.RunFolderAsync(_folder.At("archives"), new LogBounds(), end.Token);
        using var other = Logger("log: [{every: 10ms, metrics: [kernel]}]");
        var refused = await FluentActions.Awaiting(() => other.RunFolderAsync(_folder.At("archives"), new LogBounds(Samples: 1), Ct)).Should().ThrowAsync<MusterException>();
        refused.Which.Kind.Should().Be(ErrorKind.Busy);
        await end.CancelAsync();
        (await running).Samples.Should().BePositive();
    }

    [Fact]
    public async Task Goes_on_after_a_kill_in_the_middle_of_any_write()
    {
        using (var logger = Logger("log: [{every: 10ms, metrics: [kernel, network]}]"))
        {
            await logger.RunFolderAsync(_folder.At("archives"), new LogBounds(Samples: 5), Ct);
        }

        var archive = ArchiveFiles.In(_folder.At("archives"))[0];
        var whole = Samples(archive);
        var originals = new[] { ".meta", ".0", ".index" }.ToDictionary(e => archive + e, e => File.ReadAllBytes(archive + e));

        // A kill leaves a file that ends anywhere: each place of the last two records, some of the index, and nothing at all.
        foreach (var cut in Enumerable.Range(1, 40).Select(i => i * 9))
        {
            foreach (var (file, bytes) in originals)
            {
                File.WriteAllBytes(file, file.EndsWith(".meta", StringComparison.Ordinal) ? bytes : bytes[..Math.Max(0, bytes.Length - (file.EndsWith(".index", StringComparison.Ordinal) ? cut % 70 : cut))]);
            }

            ArchiveRepair.Repair(archive).Should().BeTrue();
            ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
            Samples(archive).Should().BeGreaterThanOrEqualTo(whole - 3);
        }

        File.WriteAllBytes(archive + ".0", []);
        using var next = Logger("log: [{every: 10ms, metrics: [kernel]}]");
        var summary = await next.RunFolderAsync(_folder.At("archives"), new LogBounds(Samples: 2), Ct);
        ArchiveFiles.In(_folder.At("archives")).Should().Equal(summary.Archive);
    }

    [Fact]
    public void Refuses_metrics_that_nobody_has() =>
        FluentActions.Invoking(() => Logger("log: [{every: 1s, metrics: [no.such]}]")).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.NotFound);

    [Fact]
    public async Task Logs_living_containers_alone_and_those_that_are_wanted()
    {
        using var logger = new MetricLogger(LogPlan.Parse("log: [{every: 10ms, metrics: [container.memory]}]\ncontainers: {except: [test*]}", "log.yaml"), new MetricCatalog([new ContainerSample()]), TimeProvider.System, _lines.Add);
        await logger.RunArchiveAsync(_folder.At("a"), new LogBounds(Samples: 3), Ct);
        ProgramRun.Of("pmlogcheck", [_folder.At("a")]).Succeeded().Out.Should().BeEmpty();
        var rows = Muster.Metrics.Reporting.ArchiveReplay.Recorded(ArchiveSet.Open([_folder.At("a")]), ["container.memory.usage"], new(DateTimeOffset.MinValue, DateTimeOffset.MaxValue), isRaw: true).Select(r => r.Instance).ToList();

        // The third fetch finds that db has ended and that new is there.
        rows.Should().Equal("web", "db", "web", "db", "web", "new");
        ProgramRun.Of("pmdumplog", ["-i", _folder.At("a")]).Succeeded().Out.Should().ContainAll("\"db\"", "\"new\"").And.NotContain("test-1").And.NotContain("gone");
    }

    private static int Samples(string archive) => MetricArchive.Open(archive).Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).Count();

    private MetricLogger Logger(string plan) => new(LogPlan.Parse(plan, "log.yaml"), new MetricCatalog([new SampleAgent()]), TimeProvider.System, _lines.Add);

    /// <summary>A clock that moves by a tick when it is looked at, and by waiting, which takes no time.</summary>
    private sealed class JumpingTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now = now.AddTicks(1);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            now += dueTime > TimeSpan.Zero ? dueTime : TimeSpan.Zero;
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}
