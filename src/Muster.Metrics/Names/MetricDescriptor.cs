namespace Muster.Metrics.Names;

/// <summary>How a value is encoded; the numbers are PCP's (pmDesc.type).</summary>
public enum MetricType
{
    NotSupported = -1,
    Int32 = 0,
    UInt32 = 1,
    Int64 = 2,
    UInt64 = 3,
    Float = 4,
    Double = 5,
    String = 6,
    Aggregate = 7,
    Event = 9,
    HighResolutionEvent = 10,
}

/// <summary>What two values in a row mean; the numbers are PCP's (pmDesc.sem).</summary>
public enum MetricSemantics
{
    /// <summary>Only grows; its rate is what people look at.</summary>
    Counter = 1,

    /// <summary>Changes at any time.</summary>
    Instant = 3,

    /// <summary>Changes rarely, and stays until it does.</summary>
    Discrete = 4,
}

/// <summary>
/// One metric: its name and all that PCP's pmDesc, help texts and labels say of it.
/// <see cref="OneLine"/> and <see cref="Help"/> are our own words.
/// </summary>
public sealed record MetricDescriptor(
    string Name,
    MetricId Id,
    MetricType Type,
    InstanceDomainId Instances,
    MetricSemantics Semantics,
    MetricUnits Units,
    string OneLine,
    string Help = "");

/// <summary>One instance of a domain: a CPU, a disk, a container.</summary>
/// <param name="Id">0 or more; stays with the name for as long as the node runs.</param>
/// <param name="Name">Unique up to its first space, as PCP's tools match it.</param>
public readonly record struct MetricInstance(int Id, string Name);
