using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Logging;
using Muster.Metrics.Names;
using Muster.Metrics.Rules;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Door;

public sealed class RegisteredMonitorsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tells_of_living_processes_and_follows_no_link_to_other_files()
    {
        var pid = Environment.ProcessId;
        var loggers = Directory.CreateDirectory(Path.Combine(_folder.Path, "pmlogger")).FullName;
        File.WriteAllText(Path.Combine(loggers, $"{pid}"), "4330\nvm\n/var/log/pcp/a\n");
        File.CreateSymbolicLink(Path.Combine(loggers, "primary"), Path.Combine(loggers, $"{pid}"));
        File.WriteAllText(Path.Combine(loggers, "4194304"), "4331\nvm\n/var/log/pcp/b\n");
        File.WriteAllText(Path.Combine(loggers, "noise"), "4331\nvm\n/var/log/pcp/b\n");
        File.WriteAllText(Path.Combine(_folder.Path, "secret"), "1\nhidden\nwords\n");
        File.CreateSymbolicLink(Path.Combine(loggers, "1"), Path.Combine(_folder.Path, "secret"));
        var parent = Parent();
        ProgramRun.Of("/usr/bin/mkfifo", [Path.Combine(loggers, parent)]).Succeeded();
        new RegisteredMonitors(_folder.Path).Loggers().OrderBy(l => l.Id).Should().Equal(
            new LoggerRecord(0, "primary", 4330, "vm", "/var/log/pcp/a"),
            new LoggerRecord(pid, $"{pid}", 4330, "vm", "/var/log/pcp/a"));
    }

    [Fact]
    public void Takes_a_folder_that_is_not_there_for_none() => new RegisteredMonitors("/nowhere").RuleEngines().Should().BeEmpty();

    [Fact]
    public async Task Shows_the_nodes_own_logger_and_rules_to_PCPs_summary()
    {
        using var logger = new MetricLogger(LogPlan.Parse("log: [{every: 1s, metrics: [sample.stored]}]", "log.yaml"), new MetricCatalog([new SampleAgent()]), TimeProvider.System, _ => { });
        var rules = RuleFile.Parse("rules:\n- {name: always, when: sample.stored > 0, every: 100ms, actions: [{log: true}]}\n- {name: never, when: sample.stored < 0, every: 100ms}\n", "rules.yaml");
        var progress = new RuleProgress("/etc/muster/rules.yaml", rules);
        using var door = new TestDoor();
        (door.Door.LogArchive, door.Door.Rules) = (() => logger.Archive, progress);
        using var end = new CancellationTokenSource();
        var logging = logger.RunArchiveAsync(_folder.At("archive"), new LogBounds(), end.Token);
        var evaluating = RuleEvaluation.RunAsync(rules, door.Door.Catalog, TimeProvider.System, (_, _) => { }, _ => { }, progress, end.Token);
        for (var attempt = 0; attempt < 500 && (progress.True < 3 || logger.Archive is null); attempt++)
        {
            ProgramRun.Of("/bin/sleep", ["0.02"]);
        }

        var all = door.Local("/usr/bin/pminfo", "-f", "pmcd.pmlogger", "pmcd.pmie").Succeeded().Out;
        all.Should().Contain($"inst [0 or \"primary\"] value \"{_folder.At("archive")}\"");
        all.Should().Contain("value \"/etc/muster/rules.yaml\"");
        all.Should().MatchRegex("pmcd.pmie.numrules\n    inst .* value 2\n").And.MatchRegex("pmcd.pmie.actions\n    inst .* value 1\n").And.MatchRegex("pmcd.pmie.eval.expected\n    inst .* value 20\n");
        (progress.True + progress.False).Should().BeGreaterThan(5);
        progress.False.Should().BePositive();
        await end.CancelAsync();
        await logging;
        await FluentActions.Awaiting(() => evaluating).Should().ThrowAsync<OperationCanceledException>();
    }

    private static string Parent() => File.ReadAllText("/proc/self/stat").Split(") ")[^1].Split(' ')[1];
}
