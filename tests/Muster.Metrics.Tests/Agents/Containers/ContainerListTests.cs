using Muster.Linux;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Tests.Agents.Containers;

public sealed class ContainerListTests
{
    private const string Pod = "0a343698-cf22-4eb9-9bc9-871fb60ef9e0";

    [Fact]
    public void Lists_pods_and_apps_whatever_container_the_client_named()
    {
        var pod = new ContainerDescription { Name = "shop", Id = Pod, Kind = ContainerKind.Pod, State = ContainerState.Running, InitPid = 7, Cgroup = $"/muster/{Pod}" };
        var app = pod with { Name = "shop/web", Kind = ContainerKind.App, State = ContainerState.Restarting, InitPid = 0, Cgroup = $"/muster/{Pod}/web" };
        var old = new ContainerDescription { Name = "old", Id = "old", Kind = ContainerKind.Lxc, State = ContainerState.Exited };
        using var catalog = new ContainerCatalog([new FixedContainers { Current = [pod, app, old] }]);
        var agent = ContainerListAgent.Create(catalog, CgroupHierarchies.Load());
        var view = MetricView.Host with { Container = "old" };

        agent.GetInstances(agent.InstanceDomains[0].Id, view).Select(i => i.Name).Should().Equal(Pod, $"{Pod}/web", "old");
        agent.ByInstance("containers.name", view).Values.Select(v => v.Text).Should().Equal("shop", "shop/web", "old");
        agent.ByInstance("containers.engine").Values.Select(v => v.Text).Should().Equal("muster", "muster", "lxc");
        agent.ByInstance("containers.pid").Select(v => (v.Key, v.Value.Signed)).Should().Equal((Pod, 7));
        agent.ByInstance("containers.state.running").Values.Select(v => v.Signed).Should().Equal(1, 1, 0);
        agent.ByInstance("containers.state.restarting").Values.Select(v => v.Signed).Should().Equal(0, 1, 0);
        agent.ByInstance("containers.cgroup").Select(v => (v.Key, v.Value.Text)).Should().Equal((Pod, $"/muster/{Pod}"), ($"{Pod}/web", $"/muster/{Pod}/web"));
    }
}
