using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Agents.Containers;

/// <summary>What containers really use against what the agent says of them.</summary>
public sealed class ContainerAgentTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-container-").FullName;
    private readonly FixedContainers _source = new();
    private readonly ContainerCatalog _catalog;
    private readonly CgroupTree _tree = new(CgroupHierarchies.Load());
    private readonly ContainerAgent _agent;

    public ContainerAgentTests()
    {
        _catalog = new ContainerCatalog([_source]);
        _agent = new ContainerAgent(_catalog, _tree, Path.Combine(_folder, "counters.json"), TimeProvider.System);
    }

    public void Dispose()
    {
        _tree.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Numbers_every_metric_once()
    {
        _agent.Metrics.Should().OnlyHaveUniqueItems(m => m.Id).And.OnlyHaveUniqueItems(m => m.Name);
        _agent.Metrics.Should().OnlyContain(m => m.Id.Domain == ContainerAgent.Number);
    }

    [Fact]
    public void Shows_the_CPU_time_that_the_processes_say_they_used()
    {
        using var container = new TestContainer();
        _source.Current = [container.Describe("burner")];

        // times(1) of the shell writes what it and its children used: the truth to compare with.
        var process = container.Start("i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; times");
        process.StandardInput.Close();
        var said = process.StandardOutput.ReadToEnd().Split('\n')[0].Split(' ').Sum(Seconds);
        process.WaitForExit();
        var shown = _agent.ByInstance("container.cpu.usage")["burner"].Unsigned / 1e6;
        shown.Should().BeInRange(said * 0.98 - 0.02, said * 1.02 + 0.05);
    }

    [Fact]
    public void Shows_the_memory_that_a_process_holds()
    {
        using var container = new TestContainer();
        _source.Current = [container.Describe("holder")];
        const int size = 64 * 1024 * 1024;
        var process = container.Start($"x=$(head -c {size} /dev/zero | tr \"\\\\0\" a); echo held; read line");
        process.StandardOutput.ReadLine().Should().Be("held");
        var anon = (double)_agent.ByInstance("container.memory.anon")["holder"].Unsigned;
        var resident = Resident(process.Id);
        anon.Should().BeInRange(resident * 0.98 - 600_000, resident * 1.02 + 600_000).And.BeGreaterThan(size);
        _agent.ByInstance("container.memory.usage")["holder"].Unsigned.Should().BeGreaterThanOrEqualTo((ulong)anon);
        _agent.ByInstance("container.processes")["holder"].Signed.Should().Be(1);
        process.StandardInput.Close();
        process.WaitForExit();
    }

    [Fact]
    public void Shows_throttling_and_the_limit_that_caused_it()
    {
        using var container = new TestContainer();
        if (!container.Set("cpu", "cpu.cfs_quota_us", "10000") && !container.Set("cpu", "cpu.max", "10000 100000"))
        {
            Assert.Skip("The controller cpu is not available to children here");
        }

        _source.Current = [container.Describe("slow")];
        _agent.Sample();
        container.Run("i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done");
        _agent.ByInstance("container.cpu.limit")["slow"].Real.Should().BeApproximately(0.1, 0.001);
        _agent.ByInstance("container.cpu.throttled")["slow"].Unsigned.Should().BePositive();
        _agent.ByInstance("container.cpu.throttled_time")["slow"].Unsigned.Should().BePositive();
        _agent.ByInstance("container.events.throttled")["slow"].Events.Should().ContainSingle().Which.Parameters[0].Value.Unsigned.Should().BePositive();
    }

    [Fact]
    public void Shows_an_OOM_kill_as_a_count_and_as_an_event()
    {
        using var container = new TestContainer();
        if (!container.Set("memory", "memory.limit_in_bytes", "20971520") && !container.Set("memory", "memory.max", "20971520"))
        {
            Assert.Skip("The controller memory is not available to children here");
        }

        _source.Current = [container.Describe("greedy")];
        _agent.Sample();
        container.Run("x=$(head -c 100000000 /dev/zero | tr \"\\\\0\" a); echo $?").Should().NotBe(0);
        _agent.ByInstance("container.memory.limit")["greedy"].Unsigned.Should().Be(20971520);
        _agent.ByInstance("container.memory.oom_kills")["greedy"].Unsigned.Should().BePositive();
        _agent.ByInstance("container.memory.limit_hits")["greedy"].Unsigned.Should().BePositive();
        _agent.ByInstance("container.events.oom_kill")["greedy"].Events.Should().ContainSingle();
        _agent.ByInstance("container.events.oom_kill")["greedy"].Events.Should().ContainSingle("asking again makes no second event");
    }

    [Fact]
    public void Goes_on_counting_when_the_container_is_started_again()
    {
        using var container = new TestContainer();
        var started = DateTimeOffset.UnixEpoch.AddYears(50);
        _source.Current = [container.Describe("phoenix", started: started)];
        container.Run("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
        var before = _agent.ByInstance("container.cpu.usage")["phoenix"].Unsigned;
        container.Remove();
        _agent.ByInstance("container.cpu.usage")["phoenix"].Unsigned.Should().Be(before, "the counter outlives the group");

        container.Make();
        _source.Current = [container.Describe("phoenix", started: started.AddMinutes(1))];
        container.Run("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
        _agent.ByInstance("container.cpu.usage")["phoenix"].Unsigned.Should().BeGreaterThan(before);
        _agent.ByInstance("container.restarts")["phoenix"].Unsigned.Should().Be(1);
    }

    [Fact]
    public void Goes_on_counting_when_the_daemon_is_started_again()
    {
        using var container = new TestContainer();
        _source.Current = [container.Describe("steady")];
        container.Run("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
        var before = _agent.ByInstance("container.cpu.usage")["steady"].Unsigned;
        _agent.Save();
        using var tree = new CgroupTree(CgroupHierarchies.Load());
        var next = new ContainerAgent(_catalog, tree, Path.Combine(_folder, "counters.json"), TimeProvider.System);
        next.ByInstance("container.cpu.usage")["steady"].Unsigned.Should().Be(before, "what was counted is counted once");
    }

    [Fact]
    public void Counts_the_traffic_of_the_containers_network_namespace()
    {
        using var container = new TestContainer();
        // bash sends a datagram for each echo; the neighbour is made up, so that nothing else is on the wire.
        var process = container.Start("exec unshare -n bash -c \"sysctl -qw net.ipv6.conf.default.disable_ipv6=1; ip link add va type veth peer name vb; ip link set va up; ip link set vb up; ip addr add 192.0.2.1/24 dev va; ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:01 dev va; echo ready; read line; for i in {1..1000}; do echo -n 12345678 > /dev/udp/192.0.2.2/9; done; echo sent; read line\"");
        process.StandardOutput.ReadLine().Should().Be("ready");
        _source.Current = [container.Describe("talker", process.Id)];
        var before = _agent.ByInstance("container.network.out.packets");
        before.Keys.Should().BeEquivalentTo("talker::va", "talker::vb");
        process.StandardInput.WriteLine();
        process.StandardOutput.ReadLine().Should().Be("sent");
        var after = _agent.ByInstance("container.network.out.packets");
        (after["talker::va"].Unsigned - before["talker::va"].Unsigned).Should().BeInRange(1000, 1020);
        _agent.ByInstance("container.network.all.out.packets")["talker"].Unsigned.Should().Be(after["talker::va"].Unsigned + after["talker::vb"].Unsigned);
        process.StandardInput.Close();
        process.WaitForExit();
    }

    [Fact]
    public void Shows_a_named_container_its_own_machine()
    {
        using var container = new TestContainer();
        container.Set("memory", "memory.limit_in_bytes", "104857600");
        container.Set("cpu", "cpu.cfs_quota_us", "50000");
        var process = container.Start("exec unshare -n -u sh -c \"hostname inside; echo ready; read line\"");
        process.StandardOutput.ReadLine().Should().Be("ready");
        _source.Current = [container.Describe("boxed", process.Id)];
        var kernel = KernelAgent.Create(_catalog, "0.1");
        var view = MetricView.Host with { Container = "boxed" };
        kernel.ByInstance("network.interface.in.bytes", view).Keys.Should().Equal("lo");
        kernel.Single("kernel.uname.nodename", view).Text.Should().Be("inside");
        kernel.Single("kernel.uname.nodename").Text.Should().NotBe("inside");
        kernel.Single("mem.physmem", view).Signed.Should().Be(102400);
        kernel.Single("mem.util.used", view).Signed.Should().BeInRange(1, 102400);
        kernel.Single("hinv.ncpu", view).Signed.Should().Be(1);
        kernel.Single("kernel.all.cpu.user", view).Signed.Should().BeLessThan(kernel.Single("kernel.all.cpu.user").Signed);
        kernel.ByInstance("filesys.capacity", view).Should().NotBeEmpty();

        var processes = ProcessAgent.Create(_catalog, _tree);
        processes.ByInstance("proc.psinfo.pid", view).Values.Select(v => v.Signed).Should().Equal(process.Id);
        processes.ByInstance("cgroup.cpuacct.usage", view).Keys.Should().Equal(container.Path);
        _agent.ByInstance("container.state", view).Keys.Should().Equal("boxed");
        process.StandardInput.Close();
        process.WaitForExit();
    }

    [Fact]
    public void Adds_the_limits_and_the_throttling_of_apps_up_for_their_pod()
    {
        using var pod = new TestContainer();
        using var one = new TestContainer(pod.Path + "/one");
        using var two = new TestContainer(pod.Path + "/two");
        Assert.SkipUnless(one.Set("cpu", "cpu.cfs_quota_us", "20000") && two.Set("cpu", "cpu.cfs_quota_us", "30000"), "The controller cpu is not available to children here");
        _source.Current = [pod.Describe("pod")];
        _agent.ByInstance("container.cpu.limit")["pod"].Real.Should().BeApproximately(0.5, 0.001);
        one.Run("i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done");
        _agent.ByInstance("container.cpu.throttled")["pod"].Unsigned.Should().BePositive();
    }

    [Fact]
    public void Reads_only_the_containers_of_the_profile()
    {
        using var container = new TestContainer();
        _source.Current = [container.Describe("a"), container.Describe("b"), container.Describe("c")];
        var metric = _agent.Metric("container.cpu.usage");
        var b = _agent.GetInstances(metric.Instances, MetricView.Host).Single(i => i.Name == "b").Id;
        var view = MetricView.Host with { Profile = new InstanceProfile(true, new Dictionary<InstanceDomainId, InstanceSelection> { [metric.Instances] = new(true, [b]) }) };
        _agent.Fetch(view, metric)[0].Values.ToArray().Select(v => v.Instance).Should().Equal(b);
    }

    [Fact]
    public void Labels_a_container_with_what_it_runs()
    {
        _source.Current = [new TestContainer(null) is var container ? container.Describe("labelled") : null!];
        using (container)
        {
            var domain = _agent.Metric("container.state").Instances;
            var id = _agent.GetInstances(domain, MetricView.Host).Single().Id;
            _agent.GetLabels(new LabelTarget(LabelKind.Instance, domain.Value, id), MetricView.Host).Should().Contain(new KeyValuePair<string, string>("image", "example.com/a:1"));
        }
    }

    private static double Seconds(string text)
    {
        // "0m1.234s"
        var parts = text.TrimEnd('s').Split('m');
        return parts.Length == 2 ? (double.Parse(parts[0]) * 60) + double.Parse(parts[1]) : 0;
    }

    private static double Resident(int pid) =>
        double.Parse(File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;

    [Fact]
    public async Task Counts_what_a_container_did_up_to_its_end()
    {
        if (!File.Exists("/sys/fs/cgroup/cgroup.controllers") && !Directory.Exists("/sys/fs/cgroup/unified"))
        {
            Assert.Skip("Version 2 of control groups, whose cgroup.events tells of ends, is not mounted");
        }

        using var container = new TestContainer();
        using var end = new CancellationTokenSource();
        _source.Current = [container.Describe("short")];
        var following = _agent.FollowEndsAsync(end.Token);
        try
        {
            var process = container.Start("read line; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
            var before = _agent.ByInstance("container.cpu.usage")["short"].Unsigned;

            // Whether it is followed yet nobody tells: an end that is seen shows it.
            Until(() => _agent.Ends.IsFollowing);
            process.StandardInput.Close();
            process.WaitForExit();
            Until(() => _agent.Ends.Count > 0);
            container.Remove();
            _agent.ByInstance("container.cpu.usage")["short"].Unsigned.Should().BeGreaterThan(before + 10_000, "the loop took longer, and nobody asked before the group was gone");
        }
        finally
        {
            await end.CancelAsync();
            await following;
        }

        static void Until(Func<bool> isSo)
        {
            for (var attempt = 0; !isSo(); attempt++)
            {
                attempt.Should().BeLessThan(500);
                ProgramRun.Of("/bin/sleep", ["0.02"]);
            }
        }
    }

    [Fact]
    public void Counts_a_pod_made_anew_on_top_of_what_its_apps_were_restarted()
    {
        var started = DateTimeOffset.UnixEpoch.AddYears(50);
        ContainerDescription Pod(string id, int restarts) => new() { Name = "pod", Id = id, Kind = ContainerKind.Pod, State = ContainerState.Running, StartedAt = started, Restarts = restarts };
        long Restarts(ContainerDescription now)
        {
            _source.Current = [now];
            return (long)_agent.ByInstance("container.restarts")["pod"].Unsigned;
        }

        Restarts(Pod("1", 0)).Should().Be(0);
        Restarts(Pod("1", 2)).Should().Be(2);
        Restarts(Pod("2", 0)).Should().Be(3);
        Restarts(Pod("2", 3)).Should().Be(6);
    }

    [Fact]
    public void Gives_an_event_client_each_event_once()
    {
        var container = new ContainerDescription { Name = "again", Id = "1", Kind = ContainerKind.Docker, State = ContainerState.Exited };
        _source.Current = [container];
        _agent.Sample();
        _source.Current = [container with { Restarts = 1 }];
        _agent.Sample();
        using var door = new TestDoor(_agent);
        door.Local("/usr/bin/pminfo", "-f", "container.events.restart").Succeeded().Out.Should().Contain("[1 event record ");
        var unpacked = door.Local("/usr/bin/pminfo", "-x", "container.events.restart").Succeeded();
        (unpacked.Out + unpacked.Error).Should().MatchRegex(@"container\.events\.count \(450\.9\.3\)\s+value 1\s").And.NotContain("illegal instance");

        // One client that looks three times.
        var seen = door.Local("/usr/bin/pmevent", "-s", "3", "-t", "0.2", "container.events.restart").Succeeded().Out;
        seen.Split("1 event record").Length.Should().Be(2, seen);
    }
}
