using Muster.Metrics.Door;
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

    private static string Parent() => File.ReadAllText("/proc/self/stat").Split(") ")[^1].Split(' ')[1];
}
