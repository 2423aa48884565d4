namespace Muster.Metrics.Names;

/// <summary>A metric's number (pmID): domain in bits 30-22, cluster in 21-10, item in 9-0.</summary>
public readonly record struct MetricId(uint Value)
{
    /// <summary>No metric.</summary>
    public static readonly MetricId None = new(0xffffffff);

    public int Domain => (int)(Value >> 22) & 0x1ff;

    public int Cluster => (int)(Value >> 10) & 0xfff;

    public int Item => (int)Value & 0x3ff;

    public static MetricId Of(int domain, int cluster, int item) => new(((uint)domain << 22) | ((uint)cluster << 10) | (uint)item);

    /// <summary>As PCP's tools write it: <c>60.2.0</c>.</summary>
    public override string ToString() => this == None ? "none" : $"{Domain}.{Cluster}.{Item}";
}

/// <summary>An instance domain's number (pmInDom): domain in bits 30-22, serial in 21-0.</summary>
public readonly record struct InstanceDomainId(uint Value)
{
    /// <summary>Of a metric with one value (PM_INDOM_NULL).</summary>
    public static readonly InstanceDomainId None = new(0xffffffff);

    public int Domain => (int)(Value >> 22) & 0x1ff;

    public int Serial => (int)Value & 0x3fffff;

    public static InstanceDomainId Of(int domain, int serial) => new(((uint)domain << 22) | (uint)serial);

    /// <summary>As PCP's tools write it: <c>60.2</c>.</summary>
    public override string ToString() => this == None ? "none" : $"{Domain}.{Serial}";
}
