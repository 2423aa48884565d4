using Muster.Containers.Pods;
using Muster.Daemon.Metrics;
using Muster.Network;

namespace Muster.Daemon;

/// <summary>The place where parts are added to a node, in the order in which they start.</summary>
public static class NodeParts
{
    /// <summary>How often pods whose supervisor was killed are looked for.</summary>
    private static readonly TimeSpan RecoveryInterval = TimeSpan.FromSeconds(30);

    public static IReadOnlyList<NodePart> For(DaemonOptions options, TimeProvider time)
    {
        var metrics = new MetricsPart(options, time);
        return [Recovery(options, time), metrics.Part, metrics.Logger, metrics.Rules];
    }

    /// <summary>Puts right what killed supervisors left, at the start and from time to time, so that no verb has to wait for it.</summary>
    private static NodePart Recovery(DaemonOptions options, TimeProvider time)
    {
        var ending = new PodEnding(new PodStore(options.Root), new PodNetworks(options.Root, time), [Path.Combine(AppContext.BaseDirectory, "muster"), .. options.Root.Arguments], time);
        return new NodePart
        {
            Name = "recovery",
            RunAsync = async ct =>
            {
                while (true)
                {
                    await ending.RecoverAsync(ct);
                    await Task.Delay(RecoveryInterval, time, ct);
                }
            },
        };
    }
}
