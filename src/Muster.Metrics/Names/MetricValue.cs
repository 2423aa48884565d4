namespace Muster.Metrics.Names;

/// <summary>
/// One value: a number in 64 bits, or a reference to a string, bytes or event records. Which of them it is, the metric's
/// type says; numbers never allocate.
/// </summary>
public readonly struct MetricValue
{
    private readonly long _bits;
    private readonly object? _object;

    private MetricValue(long bits, object? value)
    {
        _bits = bits;
        _object = value;
    }

    public static MetricValue From(long value) => new(value, null);

    public static MetricValue From(ulong value) => new((long)value, null);

    public static MetricValue From(double value) => new(BitConverter.DoubleToInt64Bits(value), null);

    public static MetricValue From(string value) => new(0, value);

    public static MetricValue From(byte[] value) => new(0, value);

    public static MetricValue From(IReadOnlyList<MetricEvent> value) => new(0, value);

    /// <summary>The number of an integer metric, sign extended.</summary>
    public long Signed => _bits;

    public ulong Unsigned => (ulong)_bits;

    /// <summary>The number of a float or double metric.</summary>
    public double Real => BitConverter.Int64BitsToDouble(_bits);

    public string Text => _object as string ?? "";

    public byte[] Bytes => _object as byte[] ?? [];

    public IReadOnlyList<MetricEvent> Events => _object as IReadOnlyList<MetricEvent> ?? [];

    /// <summary>The number of any numeric metric of <paramref name="type"/> as a double; not a number for the others.</summary>
    public double ToDouble(MetricType type) => type switch
    {
        MetricType.Int32 or MetricType.Int64 => _bits,
        MetricType.UInt32 => (uint)_bits,
        MetricType.UInt64 => (ulong)_bits,
        MetricType.Float or MetricType.Double => Real,
        _ => double.NaN,
    };
}

/// <summary>One event of an event metric.</summary>
/// <param name="Time">When it happened.</param>
/// <param name="Flags">PCP's: 1 point, 2 start, 4 end, 8 id, 16 parent; bit 31 alone says that <paramref name="Missed"/> events were lost.</param>
/// <param name="Parameters">What happened, each a metric's number with its type and value.</param>
/// <param name="Missed">How many events were lost, with bit 31 of the flags.</param>
public sealed record MetricEvent(DateTimeOffset Time, uint Flags, IReadOnlyList<MetricEventParameter> Parameters, int Missed = 0);

/// <summary>One parameter of an event.</summary>
public readonly record struct MetricEventParameter(MetricId Id, MetricType Type, MetricValue Value);
