using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary><c>rate</c> and <c>delta</c>: the change since the values before, of instances that were there then. A rate of a counter that went backwards is unknown.</summary>
internal sealed class ChangeNode(DerivedMeta meta, DerivedNode of, bool isRate) : DerivedNode(meta)
{
    private readonly double _factor = isRate && of.Meta.Units.Time == 1 ? DerivedUnits.Seconds(of.Meta.Units.TimeScale) : 1;
    private Dictionary<int, MetricValue> _last = [];
    private Dictionary<int, MetricValue> _now = [];
    private DateTimeOffset _lastTime;

    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => of.Operands.Select(o => (o.Metric, true));

    public override ValueSet Evaluate(DerivedInput input)
    {
        var values = of.Evaluate(input);
        var elapsed = (input.Time - _lastTime).TotalSeconds;
        (_last, _now) = (_now, _last);
        _now.Clear();
        _lastTime = input.Time;
        if (!Begin(values))
        {
            return Result;
        }

        foreach (var value in values.Values)
        {
            _now[value.Instance] = value.Value;
            if (_last.TryGetValue(value.Instance, out var before) && Change(before, value.Value, elapsed) is { } change)
            {
                Result.Add(value.Instance, change);
            }
        }

        return Result;
    }

    private MetricValue? Change(MetricValue before, MetricValue now, double elapsed)
    {
        var type = of.Meta.Type;
        if (!isRate)
        {
            return type switch
            {
                MetricType.UInt64 => MetricValue.From((double)now.Unsigned - before.Unsigned),
                MetricType.Float => MetricValue.From((double)((float)now.Real - (float)before.Real)),
                MetricType.Double => MetricValue.From(now.Real - before.Real),
                _ => DerivedNumber.Of(unchecked(DerivedNumber.ToInt64(now, type) - DerivedNumber.ToInt64(before, type)), Meta.Type),
            };
        }

        if (elapsed <= 0 || (of.Meta.IsCounter && DerivedNumber.Compare(now, type, before, type) is not >= 0))
        {
            return null;
        }

        // Whole numbers are subtracted as such: beyond 2^53 their difference is still exact.
        var change = type switch
        {
            MetricType.Float or MetricType.Double => now.Real - before.Real,
            MetricType.UInt64 => (double)((Int128)now.Unsigned - before.Unsigned),
            _ => (double)((Int128)DerivedNumber.ToInt64(now, type) - DerivedNumber.ToInt64(before, type)),
        };
        return MetricValue.From(change / elapsed * _factor);
    }
}

/// <summary>The same values under another description: <c>instant</c>.</summary>
internal sealed class RenamedNode(DerivedMeta meta, DerivedNode of) : DerivedNode(meta)
{
    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => of.Operands;

    public override ValueSet Evaluate(DerivedInput input) => of.Evaluate(input);
}

/// <summary><c>scalar</c>: the first value, without its instance.</summary>
internal sealed class ScalarNode(DerivedMeta meta, DerivedNode of) : DerivedNode(meta)
{
    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => of.Operands;

    public override ValueSet Evaluate(DerivedInput input)
    {
        var values = of.Evaluate(input);
        if (Begin(values) && values.Values.Length > 0)
        {
            Result.Add(values.Values[0].Value);
        }

        return Result;
    }
}

/// <summary><c>rescale</c>: the same quantity in other units.</summary>
internal sealed class RescaleNode(DerivedMeta meta, DerivedNode of, (Int128 Multiplier, Int128 Divisor) conversion) : DerivedNode(meta)
{
    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => of.Operands;

    public override ValueSet Evaluate(DerivedInput input)
    {
        var values = of.Evaluate(input);
        if (Begin(values))
        {
            foreach (var value in values.Values)
            {
                Result.Add(value.Instance, Convert(value.Value));
            }
        }

        return Result;
    }

    private MetricValue Convert(MetricValue value)
    {
        var (multiplier, divisor) = conversion;
        switch (Meta.Type)
        {
            case MetricType.Float:
                return MetricValue.From((double)((float)value.Real * ((float)multiplier / (float)divisor)));
            case MetricType.Double:
                return MetricValue.From(value.Real * ((double)multiplier / (double)divisor));
            default:
                // Half and more is rounded up, as pmConvScale(3) does; what is too large for 128 bits is too large for 64.
                Int128 whole = Meta.Type == MetricType.UInt64 ? value.Unsigned : DerivedNumber.ToInt64(value, Meta.Type);
                return DerivedNumber.Of(unchecked((long)(((whole * multiplier) + (divisor / 2)) / divisor)), Meta.Type);
        }
    }
}

/// <summary><c>avg count max min sum</c>: one value from those of all instances.</summary>
internal sealed class AggregateNode(DerivedMeta meta, DerivedNode of, string function) : DerivedNode(meta)
{
    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => of.Operands;

    public override ValueSet Evaluate(DerivedInput input)
    {
        var values = of.Evaluate(input);
        if (function == DerivedFunction.Count)
        {
            // A metric that cannot be read has no instances.
            Result.Clear();
            Result.Add(MetricValue.From((ulong)values.Values.Length));
            return Result;
        }

        if (Begin(values) && Combine(values.Values) is { } one)
        {
            Result.Add(one);
        }

        return Result;
    }

    private MetricValue? Combine(ReadOnlySpan<InstanceValue> values)
    {
        var type = of.Meta.Type;
        switch (function)
        {
            case DerivedFunction.Avg:
                var mean = 0f;
                foreach (var value in values)
                {
                    mean += (float)DerivedNumber.ToDouble(value.Value, type) / values.Length;
                }

                return MetricValue.From((double)mean);
            case DerivedFunction.Sum:
                var sum = DerivedNumber.Of(0L, type);
                foreach (var value in values)
                {
                    sum = DerivedNumber.Compute(DerivedTokenKind.Plus, type, sum, type, value.Value, type);
                }

                return sum;
            default:
                MetricValue? found = null;
                foreach (var value in values)
                {
                    var order = found is { } best ? DerivedNumber.Compare(value.Value, type, best, type) : null;
                    found = found is null || (function == DerivedFunction.Max ? order > 0 : order < 0) ? value.Value : found;
                }

                return found;
        }
    }
}

/// <summary><c>x[name]</c>: the value of one instance, by its whole name or what it has before its first space.</summary>
internal sealed class InstanceNode(DerivedNode of, string name) : DerivedNode(of.Meta)
{
    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => of.Operands;

    public override ValueSet Evaluate(DerivedInput input)
    {
        var values = of.Evaluate(input);
        if (!Begin(values) || Meta.IsScalar || InstanceMatch.Find(input.Instances(Meta.Instances), name) is not { } instance)
        {
            return Result;
        }

        if (Find(values, isScalar: false, instance.Id) is { } value)
        {
            Result.Add(instance.Id, value);
        }

        return Result;
    }
}

/// <summary><c>matchinst</c>: the values of instances whose names, up to the first space, match a pattern or do not.</summary>
internal sealed class MatchNode(DerivedNode of, PosixPattern pattern, bool isNegated) : DerivedNode(of.Meta)
{
    // Names of a domain like that of processes come and go: those remembered are begun anew at this number.
    private const int MaxRemembered = 100_000;

    private readonly Dictionary<string, bool> _known = new(StringComparer.Ordinal);

    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => of.Operands;

    public override ValueSet Evaluate(DerivedInput input)
    {
        var values = of.Evaluate(input);
        if (!Begin(values) || Meta.IsScalar)
        {
            return Result;
        }

        foreach (var value in values.Values)
        {
            if (input.Name(Meta.Instances, value.Instance) is { } name && IsMatch(name) != isNegated)
            {
                Result.Add(value.Instance, value.Value);
            }
        }

        return Result;
    }

    private bool IsMatch(string name)
    {
        if (!_known.TryGetValue(name, out var isMatch))
        {
            if (_known.Count >= MaxRemembered)
            {
                _known.Clear();
            }

            var space = name.IndexOf(' ', StringComparison.Ordinal);
            _known.Add(name, isMatch = pattern.IsMatch(space < 0 ? name : name[..space]));
        }

        return isMatch;
    }
}
