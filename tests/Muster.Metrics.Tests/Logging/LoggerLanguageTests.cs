using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Logging;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Logging;

/// <summary>pmlogger's configuration language, beside the real pmlogger.</summary>
public sealed class LoggerLanguageTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Texts { get; } =
    [
        "log mandatory on 1 sec { hinv.ncpu }",
        "mandatory on 1 sec { hinv.ncpu }",
        "on 1 sec { hinv.ncpu }",
        "log on once hinv.ncpu",
        "log mandatory on 0 sec { hinv.ncpu }",
        "log mandatory on 5 { hinv.ncpu }",
        "log mandatory on 1.5 sec { hinv.ncpu }",
        "log mandatory on 1m30s { hinv.ncpu }",
        "log mandatory on every 1 day { hinv.ncpu }",
        "log mandatory on 10 SEC { hinv.ncpu }",
        "log mandatory on 10sec { hinv.ncpu }",
        "log mandatory on 60 s { hinv.ncpu }",
        "log mandatory on 100 millisecond { hinv.ncpu }",
        "log mandatory on 10 \n mins { hinv.ncpu\n } # x",
        "log mandatory on 300 hours { hinv.ncpu }",
        "log mandatory on 1 msec { hinv.ncpu }",
        "log mandatory on once { kernel.all.load [ 1 ] }",
        "log mandatory on once { kernel.all.load [ \"1 minute\" 5 , x ] }",
        "log mandatory on once { kernel.all.load [ 1 minute ] hinv.ncpu kernel.all.load [ 5 ] }",
        "log mandatory on once { kernel.all.load [ ] }",
        "log mandatory on once { kernel.all.load [ 1, ] }",
        "log mandatory on once { kernel.all.load [ \"\" ] }",
        "log mandatory on once { kernel.all.load [ 1.5 ] }",
        "log mandatory on once { kernel.all.load [ -1 ] }",
        "log mandatory on once { kernel.all.load [ a-b ] }",
        "log mandatory on once { kernel.all.load [ \"a\nb\" ] }",
        "log mandatory on once { }",
        "log mandatory on once { hinv.ncpu, hinv.ndisk }",
        "log mandatory on once { hinv.ncpu, , hinv.ndisk }",
        "log mandatory on once { hinv.ncpu, }",
        "log mandatory on once { hinv.ncpu ; }",
        "log mandatory on once { \"hinv.ncpu\" }",
        "log mandatory on once { a-b }",
        "log mandatory on once { 9a }",
        "log mandatory on once { log on mandatory }",
        "log mandatory on once log",
        "log log mandatory on once { hinv.ncpu }",
        "log advisory on every default { hinv.ncpu }",
        "log mandatory on every once { hinv.ncpu }",
        "on once hinv log mandatory off { hinv.ncpu }",
        "on once hinv log mandatory maybe { hinv.ncpu }",
        "on once hinv log advisory maybe { hinv.ncpu }",
        "on once hinv log advisory off hinv.ncpu",
        "on once hinv mandatory hinv.ncpu",
        "log mandatory on once hinv.ncpu [access]\nallow * : all;",
        "log mandatory on once { hinv.ncpu }\n[access]\nallow nonsense",
        "log mandatory on once { hinv.ncpu }\n[access]",
        "log mandatory on once { hinv.ncpu }\n[access]\nallow local:*, ::1, 10.1.* : enquire, advisory;\ndisallow 10.2.3.4 : all except enquire;",
        "log mandatory on once { hinv.ncpu }\n[access]\nallow * : write;",
        "log mandatory on once { hinv.ncpu }\n[access]\nallow * : all",
        "metrics please",
        "log: [1]",
        "%define f \"5 sec\"\nlog mandatory on %f { hinv.ncpu }",
        "%define f 5\nlog mandatory on %{f}sec { hinv.ncpu }",
        "%define f 5\nlog mandatory on %f5 sec { hinv.ncpu }",
        "%define f\nlog mandatory on once { hinv.ncpu %f }",
        "%define f \"1 minute\"\nlog mandatory on once { kernel.all.load [ \"%f\" ] }",
        "%define f %g\n%define g once\nlog mandatory on %f { hinv.ncpu }",
        "%ifdef x\ngarbage\n%else\nlog mandatory on once { hinv.ncpu }\n%endif",
        "%ifndef x\nlog mandatory on once { hinv.ncpu }\n%else\ngarbage\n%endif",
        "%undef f\nlog mandatory on once { hinv.ncpu }",
        "%include \"options.pmstat\"\n%ifdef have_disk_block_stats\nlog mandatory on once { hinv.ncpu }\n%else\ngarbage\n%endif",
        "%include <options.pmstat>\nlog mandatory on once { hinv.ncpu }",
        "%foo\nlog mandatory on once { hinv.ncpu }",
        "% define f \"5 sec\"\nlog mandatory on %f { hinv.ncpu }",
        "  %define f 5\nlog mandatory on %f sec { hinv.ncpu }",
        "log mandatory on %undefined { hinv.ncpu }",
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public void Takes_what_pmlogger_takes_and_refuses_what_it_refuses(string text)
    {
        var file = _folder.Write("config", text + "\n");
        var theirs = ProgramRun.Of("pmlogger", ["-o", "-C", "-c", file], folder: _folder.Path);
        string? refused = null;
        try
        {
            _ = LogPlan.Load(file);
        }
        catch (MusterException e)
        {
            refused = e.Message;
        }

        (refused is null).Should().Be(theirs.Status == 0, $"pmlogger says {theirs.Out}{theirs.Error}, and this one {refused}");
    }

    [Fact]
    public void Reads_the_configurations_that_Debian_ships()
    {
        foreach (var file in new[] { "/etc/pcp/pmlogger/config.pmstat", "/var/lib/pcp/config/pmlogger/config.pmstat" }.Where(File.Exists))
        {
            var group = LogPlan.Load(file).Groups.Should().ContainSingle().Subject;
            group.Interval.Should().Be(TimeSpan.FromMinutes(1));
            group.Metrics.Should().Contain(["kernel.all.load", "disk.all.blkread", "kernel.all.cpu.steal"]).And.NotContain("disk.all.read");
        }
    }

    [Fact]
    public async Task Records_instances_by_number_by_name_and_as_a_word()
    {
        (await Recorded("log mandatory on 20 msec { kernel.all.load [ 5 ] }")).Should().OnlyContain(r => r.Instance == "5 minute").And.NotBeEmpty();
        (await Recorded("log mandatory on 20 msec { kernel.all.load [ \"15 minute\" ] }")).Should().OnlyContain(r => r.Instance == "15 minute").And.NotBeEmpty();
        (await Recorded("log mandatory on 20 msec { kernel.all.load [ \"*\" ] sample.long }")).Should().OnlyContain(r => r.Metric == "sample.long", "a star is no pattern in this language");
    }

    [Theory]
    [InlineData("log mandatory off { kernel.all.load } log mandatory on 20 msec { kernel }", false, 0)]
    [InlineData("log mandatory off { kernel } log mandatory on 20 msec { kernel.all.load }", true, 3)]
    [InlineData("log mandatory off { kernel.all.load [ 1 ] } log mandatory on 20 msec { kernel }", true, 2)]
    [InlineData("log mandatory on 20 msec { kernel } log mandatory off { kernel.all.load }", true, 3)]
    [InlineData("log advisory off { kernel.all.load } log mandatory on 20 msec { kernel }", true, 3)]
    [InlineData("log advisory off { kernel.all.load } log advisory on 20 msec { kernel }", false, 0)]
    public async Task What_was_said_to_be_off_stays_out_of_a_statement_about_what_is_above_it(string text, bool isThere, int instances)
    {
        var rows = await Recorded(text + " log mandatory on 20 msec { sample.long }");
        rows.Any(r => r.Metric == "kernel.all.load").Should().Be(isThere);
        rows.Where(r => r.Metric == "kernel.all.load").Select(r => r.Instance).Distinct().Should().HaveCount(instances);
    }

    [Fact]
    public async Task What_is_logged_once_is_there_once()
    {
        (await Recorded("on 0 sec { sample.long } on 20 msec { kernel }")).Count(r => r.Metric == "sample.long").Should().Be(1);
        (await Recorded("on once { sample.long } on 20 msec { kernel }")).Count(r => r.Metric == "sample.long").Should().Be(1);
    }

    private async Task<List<ReplayRow>> Recorded(string text)
    {
        var path = _folder.At(Guid.NewGuid().ToString("N"));
        using (var logger = new MetricLogger(LogPlan.Parse(text, _folder.At("config")), new MetricCatalog([new SampleAgent()]), TimeProvider.System, _ => { }))
        {
            await logger.RunArchiveAsync(path, new LogBounds(Samples: 4), Ct);
        }

        var archives = ArchiveSet.Open([path]);
        return [.. ArchiveReplay.Recorded(archives, [.. ArchiveReplay.Metrics(archives, []).Where(m => m.StartsWith("kernel", StringComparison.Ordinal) || m.StartsWith("sample", StringComparison.Ordinal))], new TimeWindow(DateTimeOffset.MinValue, DateTimeOffset.MaxValue), isRaw: true)];
    }
}
