using Muster.Containers.Pods;
using Muster.Core;
using Muster.Containers.Metering;
using Muster.Metrics.Containers;

namespace Muster.Daemon.Tests;

public sealed class PodContainersTests : IDisposable
{
    private readonly MusterRoot _root = new(Directory.CreateTempSubdirectory("muster-pods-").FullName);

    public void Dispose() => Directory.Delete(_root.Directory!, recursive: true);

    [Fact]
    public void Knows_a_pod_at_once_through_all_its_states()
    {
        var store = new PodStore(_root);
        using var containers = new PodContainers(_root, TimeProvider.System);
        containers.Current.Should().BeEmpty();

        var uuid = Guid.Parse("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
        var pod = store.Create(uuid);
        pod.WriteRecord(new PodRecord { Uuid = uuid.ToString(), CreatedAt = TimeProvider.System.GetUtcNow(), Apps = [], Hostname = "h", UserLabels = [new("stack", "shop"), new("other", "x")] });
        pod.MoveTo(PodStore.Prepared).Should().BeTrue();
        var prepared = containers.Current.Should().ContainSingle().Subject;
        (prepared.Name, prepared.State, prepared.Cgroup).Should().Be(("0a1b2c3d4e5f", ContainerState.Prepared, $"{_root.Cgroup}/{uuid}"));
        prepared.Labels.Should().Contain(new KeyValuePair<string, string>("stack", "shop")).And.NotContain(l => l.Key == "other");
        containers.Current.Should().BeSameAs(containers.Current);

        pod.MoveTo(PodStore.Run);
        containers.Current.Single().State.Should().Be(ContainerState.Running, "its lock is held");

        var started = TimeProvider.System.GetUtcNow();
        File.WriteAllText(pod.File("status.json.new"), $$"""{"version":1,"bootId":"b","shimPid":1,"shimStartTime":1,"startedAt":"{{started:O}}","infraPid":{{Environment.ProcessId}},"apps":{} }""");
        File.Move(pod.File("status.json.new"), pod.File("status.json"), overwrite: true);
        containers.Current.Single().InitPid.Should().Be(Environment.ProcessId);

        pod.Dispose();
        pod.MoveTo(PodStore.Exited);
        containers.Current.Single().State.Should().Be(ContainerState.Exited);

        Directory.Delete(pod.Path, recursive: true);
        containers.Current.Should().BeEmpty();
    }
}
