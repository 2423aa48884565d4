using Microsoft.AspNetCore.Routing;

namespace Muster.Daemon;

/// <summary>
/// One part of a node: metrics, instances, services. It may answer on the door and may run in the background; the daemon
/// owns both and shows the part's health under its name.
/// </summary>
public sealed record NodePart
{
    /// <summary>A word, as <c>/health</c> shows it.</summary>
    public required string Name { get; init; }

    /// <summary>Adds the part's paths to the door.</summary>
    public Action<IEndpointRouteBuilder>? Map { get; init; }

    /// <summary>Runs until cancelled; ending before that is a failure of the part.</summary>
    public Func<CancellationToken, Task>? RunAsync { get; init; }
}
