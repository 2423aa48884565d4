namespace Muster.Metrics.Containers;

/// <summary>An engine whose containers are measured: Muster's pods, docker, podman, LXC. Read-only.</summary>
public interface IContainerSource : IDisposable
{
    /// <summary>The engine's name, for logs and <c>containers.engine</c>.</summary>
    string Name { get; }

    /// <summary>
    /// The containers there are now. Cheap when nothing has changed: the same list object is given again, so that a caller
    /// compares references.
    /// </summary>
    IReadOnlyList<ContainerDescription> Current { get; }
}
