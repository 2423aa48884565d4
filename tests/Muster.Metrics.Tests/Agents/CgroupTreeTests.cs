using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;
using Muster.Metrics.Tests.Agents.Containers;

namespace Muster.Metrics.Tests.Agents;

public sealed class CgroupTreeTests
{
    [Fact]
    public void Knows_a_group_as_soon_as_it_is_made_and_forgets_it_when_it_is_removed()
    {
        using var tree = new CgroupTree(CgroupHierarchies.Load());
        var hierarchy = tree.Hierarchies[0];
        tree.Groups(hierarchy);
        using (var container = new TestContainer())
        {
            tree.Groups(hierarchy).Find(container.Path).Should().NotBeNull();
            using var inner = new TestContainer(container.Path + "/inner");
            tree.Groups(hierarchy).Find(inner.Path).Should().NotBeNull();
        }

        tree.Groups(hierarchy).All.Should().NotContain(n => n.Path.Contains($"muster-test-{Environment.ProcessId}-", StringComparison.Ordinal) && !Directory.Exists(n.Folder));
    }

    [Fact]
    public void Keeps_a_groups_number_when_it_is_made_anew_but_not_its_epoch()
    {
        using var tree = new CgroupTree(CgroupHierarchies.Load());
        using var container = new TestContainer();
        var hierarchy = tree.Hierarchies[0];
        var first = tree.Groups(hierarchy).Find(container.Path)!;
        var epoch = Muster.Metrics.Agents.Containers.ContainerCgroups.Epoch(first);
        container.Remove();
        container.Make();
        var second = tree.Groups(hierarchy).Find(container.Path)!;
        second.Should().NotBeSameAs(first);
        second.Instance.Should().Be(first.Instance);
        Muster.Metrics.Agents.Containers.ContainerCgroups.Epoch(second).Should().NotBe(epoch);
    }

    [Fact]
    public void Gives_the_same_values_however_few_descriptors_it_may_keep()
    {
        using var container = new TestContainer();
        container.Run("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done");
        ulong[] usages = [.. new[] { 0, 1, 1000 }.Select(places =>
        {
            using var tree = new CgroupTree(CgroupHierarchies.Load(), places);
            var agent = ProcessAgent.Create(ContainerCatalog.Empty, tree);
            _ = agent.ByInstance("cgroup.cpuacct.usage");
            return agent.ByInstance("cgroup.cpuacct.usage")[container.Path].Unsigned;
        })];
        usages.Should().AllBeEquivalentTo(usages[0]).And.OnlyContain(u => u > 0);
    }

    [Fact]
    public void Gives_no_process_to_a_client_whose_user_is_not_known()
    {
        var agent = ProcessAgent.Create(ContainerCatalog.Empty);
        var unknown = new MetricView();
        agent.GetInstances(agent.Metric("proc.psinfo.pid").Instances, unknown).Should().BeEmpty();
        agent.Fetch(unknown, agent.Metric("proc.psinfo.pid"))[0].Error.Should().Be(PcpError.Permission);
        agent.Fetch(unknown, agent.Metric("cgroup.mounts.count"))[0].Error.Should().Be(0);
    }

    [Fact]
    public void Shows_a_user_of_other_users_processes_what_everybody_may_read()
    {
        var agent = ProcessAgent.Create(ContainerCatalog.Empty);
        var mine = MetricView.Host with { Profile = Only(agent, Environment.ProcessId) };
        var theirs = mine with { UserId = 12345 };
        agent.Fetch(theirs, agent.Metric("proc.psinfo.pid"))[0].Values.Length.Should().Be(1);
        agent.Fetch(mine, agent.Metric("proc.fd.count"))[0].Values.Length.Should().Be(1);
        agent.Fetch(theirs, agent.Metric("proc.fd.count"))[0].Values.Length.Should().Be(0);
        agent.Fetch(theirs, agent.Metric("proc.psinfo.environ"))[0].Values.Length.Should().Be(0);
    }

    [Theory]
    [InlineData("/muster-1a2b3c/01234567-89ab-cdef-0123-456789abcdef/web", "01234567-89ab-cdef-0123-456789abcdef")]
    [InlineData("/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("/machine.slice/libpod-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("/lxc.payload.web", "web")]
    [InlineData("/system.slice/ssh.service", "")]
    public void Finds_the_container_that_a_path_names(string path, string id) => ContainerGroups.Identification(path).Should().Be(id);

    private static InstanceProfile Only(IMetricAgent agent, int instance) =>
        new(true, new Dictionary<InstanceDomainId, InstanceSelection> { [agent.Metric("proc.psinfo.pid").Instances] = new(true, [instance]) });
}
