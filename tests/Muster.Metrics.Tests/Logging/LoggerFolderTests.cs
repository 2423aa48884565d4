using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Logging;
using Muster.Metrics.Names;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Logging;

/// <summary>A logger in a folder that is not its alone, and the bounds of what it keeps there.</summary>
public sealed class LoggerFolderTests : IDisposable
{
    private const string Plan = "log: [{every: 10ms, metrics: [kernel, sample.long]}]\n";

    private readonly TestFolder _folder = new();
    private readonly List<string> _lines = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Touches_nothing_that_it_did_not_write()
    {
        var files = new[] { "holiday.meta", "holiday.index", "backup.tar.gz.new", "foo.xz.new", "notes.meta", "notes.0", "thing.meta", "thing.0", "20260101.00.00.00.meta", "20260101.00.00.00.0", "20260101.00.00.00.0.xz.new", "20260102.00.00.00.meta" };
        foreach (var file in files)
        {
            _folder.Write(file, "this is " + file);
            File.SetLastWriteTimeUtc(_folder.At(file), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        await RunAsync(Plan + "keep: {age: 1s, size: 1}", 5);
        files.Should().OnlyContain(f => File.ReadAllText(_folder.At(f)) == "this is " + f);
        _lines.Where(l => l.Contains("left alone")).Should().ContainSingle().Which.Should().Contain("20260101.00.00.00").And.Contain("thing");
    }

    [Fact]
    public async Task Leaves_a_pmlogger_that_writes_there_and_what_it_wrote_alone()
    {
        _folder.Write("pl.conf", "log mandatory on 50 msec { kernel.all.load }\n");
        var pmlogger = ProgramRun.Start("pmlogger", ["-o", "-c", _folder.At("pl.conf"), "-l", _folder.At("pl.log"), _folder.At("site")]);
        try
        {
            TestRoot.Until(() => File.Exists(_folder.At("site.0")) && new FileInfo(_folder.At("site.0")).Length > 1000, "pmlogger writes");
            await RunAsync(Plan + "keep: {age: 1s, size: 1}", 5);
            File.Exists(_folder.At("site.0")).Should().BeTrue();
        }
        finally
        {
            pmlogger.Kill();
            pmlogger.WaitForExit();
            pmlogger.Dispose();
        }

        foreach (var file in Directory.GetFiles(_folder.Path, "site.*"))
        {
            File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        // As it is, and with a name such as ours.
        foreach (var ending in new[] { "meta", "index", "0" })
        {
            File.Copy(_folder.At("site." + ending), _folder.At("20200101.00.00.00." + ending));
        }

        await RunAsync(Plan + "keep: {age: 1s, size: 1}", 5);
        File.Exists(_folder.At("site.0")).Should().BeTrue();
        File.Exists(_folder.At("20200101.00.00.00.0")).Should().BeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Knows_its_own_archives_with_and_without_its_list(bool hasList)
    {
        var archive = await RunAsync(Plan + "compress: none", 20);
        if (!hasList)
        {
            File.WriteAllText(_folder.At(".logger"), "");
        }

        // Killed in the middle of a record, and of compressing.
        File.WriteAllBytes(archive + ".0", File.ReadAllBytes(archive + ".0")[..^5]);
        File.WriteAllText(archive + ".0.xz.new", "half");
        await RunAsync(Plan, 3);
        File.Exists(archive + ".0").Should().BeFalse();
        File.Exists(archive + ".0.xz.new").Should().BeFalse();
        ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
        await RunAsync(Plan + "keep: {size: 1}", 3);
        File.Exists(archive + ".meta").Should().BeFalse();
    }

    [Fact]
    public async Task Touches_no_archive_of_its_own_that_has_become_a_link_or_has_another_name()
    {
        var archive = await RunAsync(Plan + "compress: none", 5);
        var elsewhere = Directory.CreateDirectory(_folder.At("elsewhere")).FullName;
        File.Move(archive + ".0", Path.Combine(elsewhere, "data"));
        File.CreateSymbolicLink(archive + ".0", Path.Combine(elsewhere, "data"));
        var before = File.ReadAllBytes(Path.Combine(elsewhere, "data"));
        await RunAsync(Plan + "keep: {size: 1}", 3);
        File.ReadAllBytes(Path.Combine(elsewhere, "data")).Should().Equal(before);
        new FileInfo(archive + ".0").LinkTarget.Should().NotBeNull();
        _lines.Should().Contain(l => l.Contains("left alone"));
    }

    [Fact]
    public async Task Refuses_a_list_that_is_a_link()
    {
        var other = _folder.Write("precious", "precious");
        File.CreateSymbolicLink(_folder.At(".logger"), other);
        (await FluentActions.Awaiting(() => RunAsync(Plan, 1)).Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Forbidden);
        File.ReadAllText(other).Should().Be("precious");
    }

    [Theory]
    [InlineData("compress: none\nrotate: {size: 16384}", 100)]
    [InlineData("rotate: {size: 16384}", 100)]
    [InlineData("compress: none", 40)]
    public async Task Keeps_within_the_size_while_it_writes(string settings, int kilobytes)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        using var logger = Logger("log: [{every: 10ms, metrics: [kernel, network, sample]}]\nkeep: {size: " + kilobytes + "Ki}\n" + settings);
        var running = logger.RunFolderAsync(_folder.Path, new LogBounds(Samples: 400), end.Token);
        var most = 0L;
        while (!running.IsCompleted)
        {
            most = Math.Max(most, Directory.GetFiles(_folder.Path).Select(f => new FileInfo(f)).Where(f => f.Exists && !f.Name.EndsWith(".new", StringComparison.Ordinal) && f.Name != ".logger").Sum(f => f.Length));
            await Task.Delay(2, Ct);
        }

        (await running).Samples.Should().Be(400);
        most.Should().BeLessThanOrEqualTo(kilobytes * 1024);
        foreach (var archive in ArchiveFiles.In(_folder.Path))
        {
            ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
        }

        _lines.Should().NotContain(l => l.Contains("uncompressed") || l.Contains("cannot be deleted"));
        if (settings.StartsWith("compress: none", StringComparison.Ordinal))
        {
            // Compressed, so few records fit.
            most.Should().BeGreaterThan(kilobytes * 1024 / 3);
            _lines.Should().Contain(l => l.StartsWith("deleted the archive"));
        }
    }

    [Fact]
    public async Task Keeps_nothing_much_longer_than_the_age_while_it_writes()
    {
        var time = new ShiftedTime();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        using var logger = Logger(Plan + "keep: {age: 4h}", time);
        var running = logger.RunFolderAsync(_folder.Path, new LogBounds(), end.Token);
        TestRoot.Until(() => ArchiveFiles.In(_folder.Path).Count == 1, "it records");
        var first = ArchiveFiles.In(_folder.Path)[0];
        time.Shift = TimeSpan.FromMinutes(61);
        TestRoot.Until(() => ArchiveFiles.In(_folder.Path).Count == 2, "a new archive begins after a quarter of the age");
        time.Shift = TimeSpan.FromHours(6);
        TestRoot.Until(() => !ArchiveFiles.In(_folder.Path).Contains(first), "the old archive goes");
        await end.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Says_once_that_no_archive_fits()
    {
        await RunAsync("log: [{every: 10ms, metrics: [kernel, sample]}]\nkeep: {size: 1Ki}\ncompress: none", 20);
        _lines.Where(l => l.Contains("keep.size is")).Should().ContainSingle();
        ArchiveFiles.In(_folder.Path).Should().ContainSingle();
    }

    private async Task<string> RunAsync(string plan, int samples)
    {
        using var logger = Logger(plan);
        return (await logger.RunFolderAsync(_folder.Path, new LogBounds(Samples: samples), Ct)).Archive;
    }

    private MetricLogger Logger(string plan, TimeProvider? time = null) => new(LogPlan.Parse(plan, "log.yaml"), new MetricCatalog([new SampleAgent()]), time ?? TimeProvider.System, line =>
    {
        lock (_lines)
        {
            _lines.Add(line);
        }
    });

    private sealed class ShiftedTime : TimeProvider
    {
        private long _shift;

        public TimeSpan Shift
        {
            set => Interlocked.Exchange(ref _shift, value.Ticks);
        }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + new TimeSpan(Interlocked.Read(ref _shift));
    }
}
