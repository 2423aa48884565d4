using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>The numbers of derived metrics, as libpcp gives them (pmRegisterDerived(3), "PMIDs and masking").</summary>
internal static class DerivedIds
{
    /// <summary>PCP's domain of metrics that are made on the spot.</summary>
    public const int Domain = 511;

    // Item 0 is no metric; 1 and 2 are libpcp's event.flags and event.missed.
    private const int FirstItem = 3;
    private const int Items = 1023;
    private const int LastCluster = 2047;
    private const int Archived = 2048;

    /// <summary>The number of a definition that is for all: they ascend.</summary>
    public static MetricId Of(int index) => MetricId.Of(Domain, (index + FirstItem - 1) / Items, ((index + FirstItem - 1) % Items) + 1);

    /// <summary>The number of one use's own definition: they descend.</summary>
    public static MetricId OfOwn(int index) => MetricId.Of(Domain, LastCluster - (index / Items), Items - (index % Items));

    public static bool IsDerived(MetricId id) => id.Domain == Domain && id.Cluster < Archived && id.Item != 0;

    /// <summary>The number in an archive, where a derived metric has values of its own.</summary>
    public static MetricId InArchive(MetricId id) => IsDerived(id) ? MetricId.Of(id.Domain, id.Cluster + Archived, id.Item) : id;
}
