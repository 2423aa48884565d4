using Muster.Linux;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;
using Muster.Metrics.Tests.Agents.Containers;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Agents.Processes;

public sealed class ProcessControlTests
{
    private readonly IMetricAgent _agent = ProcessAgent.Create(ContainerCatalog.Empty);
    private readonly MetricView _view = new() { UserId = 0, Client = new ClientMemory() };
    private readonly MetricView _other = new() { UserId = 0, Client = new ClientMemory() };

    [Fact]
    public void Shows_threads_to_the_client_that_wants_them_and_to_nobody_else()
    {
        var thread = Directory.GetDirectories($"/proc/{Environment.ProcessId}/task").Select(p => int.Parse(Path.GetFileName(p))).First(t => t != Environment.ProcessId);
        Store("proc.control.perclient.threads", MetricValue.From(1L)).Should().Be(0);
        Ids(_view).Should().Contain([thread, Environment.ProcessId]);
        Ids(_other).Should().Contain(Environment.ProcessId).And.NotContain(thread);
        _agent.Single("proc.control.perclient.threads", _view).Signed.Should().Be(1);
        _agent.Single("proc.control.perclient.threads", _other).Signed.Should().Be(0);
        _agent.Single("proc.nprocs", _view).Signed.Should().BeGreaterThan(_agent.Single("proc.nprocs", _other).Signed);

        // A thread's own time, not its process's.
        var time = _agent.Metric("proc.psinfo.utime");
        var sum = _agent.Fetch(_other, time)[0].Values.ToArray().Single(v => v.Instance == Environment.ProcessId).Value.Signed;
        _agent.Fetch(_view, time)[0].Values.ToArray().Single(v => v.Instance == thread).Value.Signed.Should().BeLessThan(Math.Max(1, sum));
        Store("proc.control.perclient.threads", MetricValue.From(2L)).Should().Be(PcpError.BadStore);
        Store("proc.control.perclient.threads", MetricValue.From(0L)).Should().Be(0);
        Ids(_view).Should().NotContain(thread);
    }

    [Fact]
    public void Shows_threads_to_all_when_root_says_so()
    {
        var somebody = new MetricView { UserId = 1000, Client = new ClientMemory() };
        _agent.Store(_agent.Metric("proc.control.all.threads"), -1, MetricValue.From(1L), somebody).Should().Be(PcpError.Permission);
        Store("proc.control.all.threads", MetricValue.From(1L)).Should().Be(0);
        Ids(_other).Should().HaveCountGreaterThan(Directory.GetDirectories("/proc").Count(p => int.TryParse(Path.GetFileName(p), out _)));
    }

    [Fact]
    public void Shows_the_processes_of_the_chosen_group_alone()
    {
        using var group = new TestContainer();
        var process = group.Start("echo up; read line");
        process.StandardOutput.ReadLine();
        Store("proc.control.perclient.cgroups", MetricValue.From(group.Path)).Should().Be(0);
        Ids(_view).Should().Equal(process.Id);
        Ids(_other).Should().Contain([process.Id, Environment.ProcessId]);
        Store("proc.control.perclient.cgroups", MetricValue.From("no path")).Should().Be(PcpError.BadStore);
        Store("proc.control.perclient.cgroups", MetricValue.From("/muster-no-such-group")).Should().Be(0);
        Ids(_view).Should().BeEmpty();
        Store("proc.control.perclient.cgroups", MetricValue.From("")).Should().Be(0);
        Ids(_view).Should().Contain(Environment.ProcessId);
    }

    [Fact]
    public void Lets_a_client_of_PCPs_library_choose_for_itself()
    {
        using var door = new TestDoor(null, _agent);
        var script = """
            import sys, os
            from ctypes import byref
            from pcp import pmapi
            import cpmapi as c
            context = pmapi.pmContext(c.PM_CONTEXT_HOST, "unix:" + sys.argv[1])
            ids = context.pmLookupName(["proc.control.perclient.threads", "proc.nprocs"])
            descs = context.pmLookupDescs(ids)
            def count():
                result = context.pmFetch(ids)
                return context.pmExtractValue(result.contents.get_valfmt(1), result.contents.get_vlist(1, 0), descs[1].contents.type, c.PM_TYPE_U32).ul
            before = count()
            result = context.pmFetch(context.pmLookupName(["proc.control.perclient.threads"]))
            result.contents.vset[0].contents.vlist[0].value.lval = 1
            context.pmStore(result)
            print(before, count())
            """;
        var run = ProgramRun.Of("/usr/bin/python3", ["-c", script, door.SocketPath], environment: new Dictionary<string, string> { ["PYTHONPATH"] = "/usr/lib/python3/dist-packages" });
        var counts = run.Succeeded().Out.Trim().Split(' ').Select(int.Parse).ToArray();
        counts[1].Should().BeGreaterThan(counts[0]);
    }

    private List<int> Ids(MetricView view) => [.. _agent.Fetch(view, _agent.Metric("proc.psinfo.pid"))[0].Values.ToArray().Select(v => v.Instance).Order()];

    private int Store(string name, MetricValue value) => _agent.Store(_agent.Metric(name), -1, value, _view);
}
