using Muster.Linux;

namespace Muster.Metrics.Containers;

/// <summary>The other engines of the host.</summary>
public static class HostContainers
{
    /// <summary>Docker, podman and LXC, each read from its files as they are.</summary>
    public static IReadOnlyList<IContainerSource> All(TimeProvider time) =>
        [new DockerContainers(time), new PodmanContainers(time), new LxcContainers(time, CgroupHierarchies.Load())];
}
