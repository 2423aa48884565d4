using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Agents.Processes.Hot;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Agents.Processes;

public sealed class HotProcessesTests
{
    private static readonly HotSample Process = new() { ProcessId = 7, UserId = 33, UserName = "www", FileName = "sh", Arguments = "sh -c true", CpuBurn = 0.5, VirtualSize = 2048 };

    [Theory]
    [InlineData("uid == 33", true)]
    [InlineData("33 == uid && uname != \"root\"", true)]
    [InlineData("cpuburn > 0.5", false)]
    [InlineData("cpuburn >= .5 # half a CPU", true)]
    [InlineData("!(fname == \"sh\")", false)]
    [InlineData("psargs ~ /^sh -[cd] t/", true)]
    [InlineData("psargs !~ /true/ || virtualsize == 2048", true)]
    [InlineData("false || true && false", false)]
    [InlineData("(false || true) && !false", true)]
    public void Decides_as_the_predicate_says(string text, bool holds)
    {
        var predicate = HotPredicate.Parse(text, out var error)!;
        error.Should().BeEmpty();
        predicate.Holds(Process).Should().Be(holds);
        var again = HotPredicate.Parse(predicate.ToString(), out _)!;
        again.ToString().Should().Be(predicate.ToString(), "what is shown can be stored");
        again.Holds(Process).Should().Be(holds);
    }

    [Theory]
    [InlineData("cpuburn >", "The end stands where a variable or a number should")]
    [InlineData("foo == 1", "\"foo\" stands where a variable or a number should")]
    [InlineData("fname == \"sh", "A text has no end on its line")]
    [InlineData("fname > \"sh\"", "\">\" stands where ==, !=, ~, !~ should")]
    [InlineData("uid == 1 uid == 2", "\"uid\" stands where && or || should")]
    [InlineData("(uid == 1", "The end stands where ) should")]
    [InlineData("uid == 1.2.3", "1.2.3 is no number")]
    [InlineData("uid = 1", "The character = has no meaning in a predicate")]
    [InlineData("syscalls > 1", "The kernel does not count system calls: leave syscalls out")]
    public void Refuses_what_is_no_predicate(string text, string sentence)
    {
        HotPredicate.Parse(text, out var error).Should().BeNull();
        error.Should().Be(sentence);
    }

    [Fact]
    public void Refuses_endless_nesting_and_patterns_that_cannot_end_soon()
    {
        HotPredicate.Parse(new string('(', 2000) + "true", out _).Should().BeNull();
        HotPredicate.Parse(new string('!', 2000) + "true", out _).Should().BeNull();
        HotPredicate.Parse("fname ~ /(a)\\1/", out var error).Should().BeNull();
        error.Should().StartWith("A pattern cannot be used");
    }

    [Fact]
    public void Chooses_the_processes_that_were_there_for_a_whole_interval()
    {
        using var hot = new HotProcesses(new StillTime(), null);
        var agent = ProcessAgent.Create(ContainerCatalog.Empty, new CgroupTree(CgroupHierarchies.Load()), hot);
        var script = $"while :; do : {Guid.NewGuid()}; done";
        using var busy = ProgramRun.Start("/bin/sh", ["-c", script]);
        try
        {
            Store(agent, "hotproc.control.config", MetricValue.From($"psargs == \"/bin/sh -c {script}\" && cpuburn > 0.01"), MetricView.Host).Should().Be(0);
            agent.Single("hotproc.control.config_gen").Signed.Should().Be(1);
            hot.Refresh();
            agent.Single("hotproc.nprocs").Signed.Should().Be(0, "no interval has passed");
            var end = ProcessFilesCpu(busy.Id) + 20;
            while (ProcessFilesCpu(busy.Id) < end)
            {
                ProgramRun.Of("/bin/sleep", ["0.05"]);
            }

            hot.Refresh();
            agent.ByInstance("hotproc.psinfo.pid").Values.Select(v => (int)v.Signed).Should().Equal(busy.Id);
            agent.ByInstance("hotproc.psinfo.cmd").Values.Single().Text.Should().Be("sh");
            agent.ByInstance("hotproc.predicate.cpuburn").Values.Single().Real.Should().BeGreaterThan(0.01);
            agent.Single("hotproc.total.cpuburn").Real.Should().BeGreaterThan(0.01);
            agent.Fetch(new MetricView(), agent.Metric("hotproc.psinfo.pid"))[0].Error.Should().Be(PcpError.Permission);

            Store(agent, "hotproc.control.config", MetricValue.From(""), MetricView.Host).Should().Be(0);
            agent.ByInstance("hotproc.psinfo.pid").Should().BeEmpty();
        }
        finally
        {
            busy.Kill();
            busy.WaitForExit();
        }
    }

    [Fact]
    public void Lets_root_alone_change_it_and_only_to_what_makes_sense()
    {
        using var hot = new HotProcesses(new StillTime(), null);
        var agent = ProcessAgent.Create(ContainerCatalog.Empty, new CgroupTree(CgroupHierarchies.Load()), hot);
        var somebody = new MetricView { UserId = 1000, Client = new ClientMemory() };
        Store(agent, "hotproc.control.config", MetricValue.From("uid == 0"), somebody).Should().Be(PcpError.Permission);
        Store(agent, "hotproc.control.refresh", MetricValue.From(1L), somebody).Should().Be(PcpError.Permission);
        Store(agent, "hotproc.control.config", MetricValue.From("uid =="), MetricView.Host).Should().Be(PcpError.BadStore);
        Store(agent, "hotproc.control.refresh", MetricValue.From(1_000_000L), MetricView.Host).Should().Be(PcpError.BadStore);
        Store(agent, "hotproc.control.reload_config", MetricValue.From(1L), MetricView.Host).Should().Be(PcpError.BadStore, "there is no file");
        Store(agent, "hotproc.nprocs", MetricValue.From(1L), MetricView.Host).Should().Be(PcpError.Permission);
        agent.Single("hotproc.control.config").Text.Should().BeEmpty();
        agent.Single("hotproc.control.refresh").Signed.Should().Be(10);
    }

    [Fact]
    public void Takes_the_predicate_of_its_file()
    {
        using var folder = new TestFolder();
        var file = Path.Combine(folder.Path, "hotproc.conf");
        File.WriteAllText(file, "# what is hot here\ncpuburn > 0.2\n");
        using var hot = new HotProcesses(new StillTime(), file);
        hot.Predicate.Should().Be("(cpuburn > 0.2)");
        File.WriteAllText(file, "uid == 0\n");
        hot.Reload().Should().BeTrue();
        hot.Predicate.Should().Be("(uid == 0)");
        File.WriteAllText(file, "uid ==\n");
        hot.Reload().Should().BeFalse();
        hot.Predicate.Should().Be("(uid == 0)");
    }

    private static long ProcessFilesCpu(int pid) => long.Parse(File.ReadAllText($"/proc/{pid}/stat").Split(' ')[13]);

    private static int Store(IMetricAgent agent, string name, MetricValue value, MetricView view) => agent.Store(agent.Metric(name), -1, value, view);

    // Looks when it is told to.
    private sealed class StillTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();

        private sealed class NoTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
