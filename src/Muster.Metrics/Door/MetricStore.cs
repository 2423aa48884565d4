using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Door;

/// <summary>Stores received values into the agents' metrics (pmStore(3)); answers are PCP error codes, 0 is done.</summary>
internal static class MetricStore
{
    /// <summary>Stores all values of a result, up to the first that is refused.</summary>
    public static int All(MetricNames names, ReceivedResult store, MetricView view)
    {
        foreach (var set in store.Sets)
        {
            if (set.Error != 0 || set.Values.Count == 0)
            {
                return PcpError.Instance;
            }

            foreach (var value in set.Values)
            {
                if (One(names, set.Id, value, view) is var error && error != 0)
                {
                    return error;
                }
            }
        }

        return 0;
    }

    /// <summary>Whether a metric's value is each client's own, so that no rights are needed.</summary>
    public static bool IsClientsOwn(MetricNames names, MetricId id) => names.Find(id) is { } metric && metric.Agent.IsClientsOwn(metric.Descriptor);

    /// <summary>Stores one value; its type must be the metric's.</summary>
    public static int One(MetricNames names, MetricId id, ReceivedValue value, MetricView view)
    {
        if (names.Find(id) is not { } metric)
        {
            return PcpError.MetricId;
        }

        var descriptor = metric.Descriptor;
        var fits = value.Type is { } type ? type == descriptor.Type : ValueBlock.IsInPlace(descriptor.Type);
        return fits ? metric.Agent.Store(descriptor, value.Instance, Typed(descriptor.Type, value.Value), view) : PcpError.Type;
    }

    // A word in place is unsigned or signed as the descriptor says.
    private static MetricValue Typed(MetricType type, MetricValue value) =>
        type == MetricType.UInt32 ? MetricValue.From((ulong)(uint)value.Unsigned) : value;
}
