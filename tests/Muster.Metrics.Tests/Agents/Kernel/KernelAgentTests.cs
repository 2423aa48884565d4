using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;
using Muster.Metrics.Tests.Agents.Containers;

namespace Muster.Metrics.Tests.Agents.Kernel;

public sealed class KernelAgentTests
{
    private static readonly IMetricAgent Agent = KernelAgent.Create(ContainerCatalog.Empty, "0.1");

    [Fact]
    public void Numbers_every_metric_once_and_within_its_domain()
    {
        Agent.Metrics.Should().OnlyHaveUniqueItems(m => m.Id).And.OnlyHaveUniqueItems(m => m.Name);
        Agent.Metrics.Should().OnlyContain(m => m.Id.Domain == 60 && (m.Instances == InstanceDomainId.None || m.Instances.Domain == 60));
        Agent.Metrics.Should().OnlyContain(m => m.OneLine.Length > 5 && m.OneLine.Length < 120);
        var domains = Agent.InstanceDomains.Select(d => d.Id).ToHashSet();
        Agent.Metrics.Where(m => m.Instances != InstanceDomainId.None).Should().OnlyContain(m => domains.Contains(m.Instances));
    }

    [Fact]
    public void Gives_every_listed_metric_a_value_or_none_but_no_error()
    {
        var sets = Agent.Fetch(MetricView.Host, Agent.Metrics);
        for (var i = 0; i < sets.Length; i++)
        {
            sets[i].Error.Should().Be(0, Agent.Metrics[i].Name);

            // High and low memory are names that tools ask for, without a value on a 64-bit kernel.
            if (Agent.Metrics[i].Instances == InstanceDomainId.None && !Agent.Metrics[i].Name.StartsWith("mem.util.high", StringComparison.Ordinal) && !Agent.Metrics[i].Name.StartsWith("mem.util.low", StringComparison.Ordinal))
            {
                sets[i].Values.Length.Should().Be(1, Agent.Metrics[i].Name);
            }
        }
    }

    [Fact]
    public void Names_every_instance_that_it_gives_a_value_for()
    {
        foreach (var domain in Agent.InstanceDomains)
        {
            var known = Agent.GetInstances(domain.Id, MetricView.Host);
            known.Should().OnlyHaveUniqueItems(i => i.Id).And.OnlyHaveUniqueItems(i => i.Name).And.OnlyContain(i => i.Name.Length > 0);
            foreach (var metric in Agent.Metrics.Where(m => m.Instances == domain.Id))
            {
                foreach (var value in Agent.Fetch(MetricView.Host, metric)[0].Values)
                {
                    known.Select(i => i.Id).Should().Contain(value.Instance, metric.Name);
                }
            }
        }
    }

    [Fact]
    public void Reads_only_the_instances_of_the_profile()
    {
        var cpu = Agent.Metric("kernel.percpu.cpu.user");
        var profile = new InstanceProfile(true, new Dictionary<InstanceDomainId, InstanceSelection> { [cpu.Instances] = new(true, [0]) });
        Agent.Fetch(MetricView.Host with { Profile = profile }, cpu)[0].Values.ToArray().Select(v => v.Instance).Should().Equal(0);
    }

    [Fact]
    public void Gives_no_value_of_an_unknown_container()
    {
        var view = MetricView.Host with { Container = "nobody" };
        Agent.Fetch(view, Agent.Metric("network.interface.in.bytes"))[0].Error.Should().Be(PcpError.NoContainer);
        Agent.Fetch(view, Agent.Metric("kernel.all.load"))[0].Error.Should().Be(0);
    }

    [Theory]
    [InlineData(ContainerState.Exited)]
    [InlineData(ContainerState.Prepared)]
    [InlineData(ContainerState.Restarting)]
    public void Gives_no_value_of_the_host_for_a_container_that_has_no_process(ContainerState state)
    {
        var ended = new ContainerDescription { Name = "ended", Id = "ended", Kind = ContainerKind.Pod, State = state, Cgroup = "/muster-test-no-such-group" };
        using var catalog = new ContainerCatalog([new FixedContainers { Current = [ended] }]);
        var agent = KernelAgent.Create(catalog, "0.1");
        var view = MetricView.Host with { Container = "ended" };
        string[] own =
        [
            "network.interface.in.bytes", "network.interface.inet_addr", "network.tcp.insegs", "network.sockstat.tcp.inuse", "network.tcpconn.established",
            "filesys.used", "kernel.uname.nodename", "mem.physmem", "mem.util.used", "kernel.all.cpu.user", "kernel.percpu.cpu.user", "hinv.ncpu",
        ];
        foreach (var name in own)
        {
            agent.Fetch(view, agent.Metric(name))[0].Error.Should().Be(PcpError.Value, $"{name} would be the host's");
        }

        agent.GetInstances(agent.Metric("network.interface.in.bytes").Instances, view).Should().BeEmpty();
        agent.Fetch(view, agent.Metric("kernel.all.load"))[0].Error.Should().Be(0, "it is the host's whoever asks");
    }

    [Fact]
    public void Counts_a_packet_on_loopback()
    {
        var before = Agent.ByInstance("network.interface.in.packets")["lo"].Unsigned;
        using var receiver = new System.Net.Sockets.UdpClient(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        using var sender = new System.Net.Sockets.UdpClient();
        for (var i = 0; i < 100; i++)
        {
            sender.Send([1, 2, 3], (System.Net.IPEndPoint)receiver.Client.LocalEndPoint!);
        }

        Agent.ByInstance("network.interface.in.packets")["lo"].Unsigned.Should().BeGreaterThanOrEqualTo(before + 100);
    }

    [Fact]
    public void Agrees_with_what_the_kernel_says_of_memory()
    {
        var total = long.Parse(File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemTotal:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
        Agent.Single("mem.physmem").Signed.Should().Be(total);
        Agent.Single("hinv.physmem").Signed.Should().Be(total / 1024);
        Agent.Single("hinv.ncpu").Signed.Should().Be(Environment.ProcessorCount);
    }

    [Fact]
    public void Asks_again_and_again_without_allocating()
    {
        var metrics = Agent.Metrics.Where(m => m.Name.StartsWith("mem.vmstat.", StringComparison.Ordinal) || m.Name.StartsWith("kernel.all.cpu.", StringComparison.Ordinal) || m.Name.StartsWith("disk.dev.read", StringComparison.Ordinal)).ToArray();
        var sets = metrics.Select(_ => new ValueSet()).ToArray();
        Collect();
        Collect();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Collect();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1024);

        void Collect()
        {
            foreach (var set in sets)
            {
                set.Clear();
            }

            Agent.Collect(metrics, MetricView.Host, sets);
        }
    }
}
