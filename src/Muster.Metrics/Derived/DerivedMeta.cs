using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>What PCP's pmDesc says of a part of an expression.</summary>
internal readonly record struct DerivedMeta(MetricType Type, InstanceDomainId Instances, MetricSemantics Semantics, MetricUnits Units)
{
    /// <summary>A number from -2^63 on or a real one: what can be computed with.</summary>
    public bool IsNumeric => Type is >= MetricType.Int32 and <= MetricType.Double;

    public bool IsScalar => Instances == InstanceDomainId.None;

    public bool IsCounter => Semantics == MetricSemantics.Counter;
}
