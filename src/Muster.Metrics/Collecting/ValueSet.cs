using System.Runtime.InteropServices;
using Muster.Metrics.Names;

namespace Muster.Metrics.Collecting;

/// <summary>The values of one metric at one moment, or why there are none. Kept and cleared between fetches: filling it again allocates nothing.</summary>
public sealed class ValueSet
{
    private readonly List<InstanceValue> _values = [];

    /// <summary>0, or a PCP error code (negative): then there are no values.</summary>
    public int Error { get; private set; }

    public ReadOnlySpan<InstanceValue> Values => CollectionsMarshal.AsSpan(_values);

    public void Add(int instance, MetricValue value) => _values.Add(new InstanceValue(instance, value));

    /// <summary>The one value of a metric without instances.</summary>
    public void Add(MetricValue value) => Add(-1, value);

    public void Fail(int error)
    {
        _values.Clear();
        Error = error;
    }

    public void Clear()
    {
        _values.Clear();
        Error = 0;
    }
}

/// <summary>One instance's value; the instance is -1 for a metric without instances.</summary>
public readonly record struct InstanceValue(int Instance, MetricValue Value);
