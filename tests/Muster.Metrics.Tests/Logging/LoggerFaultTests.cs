using Muster.Metrics.Archive;
using Muster.Metrics.Logging;
using Muster.Metrics.Names;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Logging;

/// <summary>A disk that is full and a clock that is set back, while a logger writes.</summary>
public sealed class LoggerFaultTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly List<string> _lines = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("rotate: {size: 4096}\ncompress: none")]
    [InlineData("rotate: {size: 4096}")]
    [InlineData("rotate: {size: 100Mi}")]
    public async Task Says_once_that_the_disk_is_full_and_goes_on_when_there_is_room(string settings)
    {
        var disk = Directory.CreateDirectory(_folder.At("disk")).FullName;
        ProgramRun.Of("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]).Succeeded();
        try
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            using var logger = Logger("log: [{every: 10ms, metrics: [kernel, network, sample.long]}]\n" + settings, TimeProvider.System);
            var running = logger.RunFolderAsync(_folder.At("disk"), new LogBounds(), end.Token);
            TestRoot.Until(() => ArchiveFiles.In(disk) is [var first, ..] && new FileInfo(first + ".meta").Length > 500, "it records");
            Fill(disk);
            TestRoot.Until(() => Lines("cannot be written").Count > 0, "the disk is full");

            // What is there is whole while nothing can be added.
            var archive = ArchiveFiles.In(disk).Should().ContainSingle().Subject;
            ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
            var samples = Samples(archive);
            Lines("cannot be written").Should().ContainSingle().Which.Should().Contain("nothing is recorded until");
            Directory.GetFiles(disk, "*.new").Should().BeEmpty();
            File.Delete(_folder.At("disk/filler"));
            TestRoot.Until(() => Lines("is recorded again").Count > 0 && Samples(archive) > samples + 5, "it goes on");
            await end.CancelAsync();
            await running;
            Lines("cannot be written").Should().ContainSingle();
            ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
            ProgramRun.Of("pmval", ["-a", archive, "-t", "20msec", "sample.long"]).Succeeded().Out.Should().Contain("-9000000000");
        }
        finally
        {
            ProgramRun.Of("umount", [disk]).Succeeded();
        }
    }

    [Fact]
    public async Task Begins_a_new_archive_when_the_clock_is_set_back()
    {
        var time = new SettableTime();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        using var logger = Logger("log: [{every: 20ms, metrics: [kernel]}, {every: once, metrics: [sample.long]}]", time);
        var running = logger.RunFolderAsync(_folder.At("archives"), new LogBounds(), end.Token);
        TestRoot.Until(() => Directory.Exists(_folder.At("archives")) && ArchiveFiles.In(_folder.At("archives")) is [var a] && Samples(a) > 3, "it records");
        var first = ArchiveFiles.In(_folder.At("archives"))[0];
        time.Shift = -TimeSpan.FromHours(2);
        TestRoot.Until(() => ArchiveFiles.In(_folder.At("archives")).Where(a => a != first).Any(a => Samples(a) > 3), "it goes on in a new archive");
        await end.CancelAsync();
        await running;
        var archives = ArchiveFiles.In(_folder.At("archives"));
        archives.Should().HaveCount(2);
        foreach (var archive in archives)
        {
            ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
            ProgramRun.Of("pmdumplog", [archive]).Succeeded().Out.Split("value -9000000000").Should().HaveCount(2, "what is logged once is in each archive");
        }

        Lines("the clock was set back").Should().ContainSingle();
    }

    [Fact]
    public async Task An_archive_of_its_own_name_goes_on_when_the_clock_is_set_back()
    {
        var time = new SettableTime();
        using var logger = Logger("log: [{every: 20ms, metrics: [kernel]}]", time);
        var running = logger.RunArchiveAsync(_folder.At("a"), new LogBounds(Samples: 30), Ct);
        TestRoot.Until(() => Samples(_folder.At("a")) > 3, "it records");
        time.Shift = -TimeSpan.FromHours(2);
        (await running).Samples.Should().Be(30);
        ProgramRun.Of("pmlogcheck", [_folder.At("a")]).Succeeded().Out.Should().BeEmpty();
        var times = MetricArchive.Open(_folder.At("a")).Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).Select(s => s.Time).ToList();
        times.Should().BeInAscendingOrder();
        times.Zip(times.Skip(1)).Skip(1).Should().OnlyContain(t => t.Second - t.First > TimeSpan.FromMilliseconds(1), "the values keep their distance");
        Lines("the clock was set back").Should().ContainSingle();
    }

    private static int Samples(string archive)
    {
        try
        {
            return MetricArchive.Open(archive).Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).Count();
        }
        catch (Muster.Core.MusterException)
        {
            // It is just being made, or a volume is renamed.
            return 0;
        }
    }

    private static void Fill(string folder)
    {
        using var file = new FileStream(Path.Combine(folder, "filler"), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 });
        try
        {
            while (true)
            {
                file.Write(new byte[4096]);
            }
        }
        catch (IOException)
        {
            // That was the last page.
        }
    }

    private List<string> Lines(string part)
    {
        lock (_lines)
        {
            return [.. _lines.Where(l => l.Contains(part, StringComparison.Ordinal))];
        }
    }

    private MetricLogger Logger(string plan, TimeProvider time) => new(LogPlan.Parse(plan, "log.yaml"), new MetricCatalog([new SampleAgent()]), time, line =>
    {
        lock (_lines)
        {
            _lines.Add(line);
        }
    });

    private sealed class SettableTime : TimeProvider
    {
        private long _shift;

        public TimeSpan Shift
        {
            get => new(Interlocked.Read(ref _shift));
            set => Interlocked.Exchange(ref _shift, value.Ticks);
        }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
