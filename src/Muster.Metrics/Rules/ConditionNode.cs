using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Export;
using Muster.Metrics.Names;

namespace Muster.Metrics.Rules;

/// <summary>A node of an expression: gives a number for each instance, or one for the instance -1.</summary>
internal abstract class ConditionNode
{
    protected static readonly Dictionary<int, double> Nothing = [];

    // Powers to seconds, as PM_TIME_* counts them.
    private static readonly double[] Seconds = [1e-9, 1e-6, 1e-3, 1, 60, 3600];

    public InstanceDomainId Instances { get; protected init; } = InstanceDomainId.None;

    public MetricUnits Units { get; protected init; }

    public MetricSemantics Semantics { get; protected init; } = MetricSemantics.Instant;

    /// <summary>A number that was written: it takes the units of what it stands beside.</summary>
    public virtual bool IsConstant => false;

    /// <summary>A number that was written as a share, in per cent.</summary>
    public virtual bool IsShare => false;

    public virtual IEnumerable<string> Metrics() => [];

    public abstract Dictionary<int, double> Evaluate(RuleInput input);

    /// <summary>What a value in some units is multiplied with to be in bytes, seconds and ones.</summary>
    protected internal static double ToBase(MetricUnits units) =>
        Math.Pow(1024, units.SpaceScale * units.Space) * Math.Pow(units.TimeScale < Seconds.Length ? Seconds[units.TimeScale] : 1, units.Time) * Math.Pow(10, units.CountScale * units.CountDimension);

    protected static bool HasDimension(MetricUnits units) => units.Space != 0 || units.Time != 0 || units.CountDimension != 0;

    /// <summary>Units of these dimensions in bytes, seconds and ones.</summary>
    protected internal static MetricUnits Base(int space, int time, int count) => Math.Abs(space) > 7 || Math.Abs(time) > 7 || Math.Abs(count) > 7
        ? throw new MusterException(ErrorKind.Invalid, "The units of the expression have an exponent beyond 7, which PCP cannot express")
        : MetricUnits.Of(space, time, count, timeScale: time != 0 ? 3 : 0);
}

internal sealed class ConstantNode : ConditionNode
{
    private readonly double _number;

    public ConstantNode(double number, MetricUnits units = default, bool isShare = false) => (_number, Units, IsShare) = (number, units, isShare);

    public override bool IsShare { get; }

    public override bool IsConstant => Units == MetricUnits.None;

    public override Dictionary<int, double> Evaluate(RuleInput input) => new() { [-1] = _number };
}

/// <summary>The same values in bytes, seconds and ones, as pmie(1) compares them.</summary>
internal sealed class CanonicalNode : ConditionNode
{
    private readonly ConditionNode _of;
    private readonly double _factor;

    public CanonicalNode(ConditionNode of)
    {
        (_of, _factor) = (of, ToBase(of.Units));
        (Instances, Semantics, Units) = (of.Instances, of.Semantics, Base(of.Units.Space, of.Units.Time, of.Units.CountDimension));
    }

    public override IEnumerable<string> Metrics() => _of.Metrics();

    public override Dictionary<int, double> Evaluate(RuleInput input) =>
        _of.Evaluate(input) is var values && _factor == 1 ? values : values.ToDictionary(v => v.Key, v => v.Value * _factor);
}

/// <summary>A metric's own values.</summary>
internal sealed class NameOperand : ConditionNode
{
    private readonly MetricDescriptor _metric;
    private readonly string _name;

    public NameOperand(string name, MetricDescriptor metric)
    {
        (_name, _metric, Instances, Units, Semantics) = (name, metric, metric.Instances, metric.Units, metric.Semantics);
        if (metric.Type is MetricType.String or MetricType.Aggregate or MetricType.Event or MetricType.HighResolutionEvent or MetricType.NotSupported)
        {
            throw new MusterException(ErrorKind.Invalid, $"{name} has no numbers, and nothing can be computed from it");
        }
    }

    public override IEnumerable<string> Metrics() => [_name];

    public override Dictionary<int, double> Evaluate(RuleInput input)
    {
        var values = new Dictionary<int, double>();
        foreach (var value in input.Values[_name].Values)
        {
            // A derived metric may be a quotient of nothing.
            if (value.Value.ToDouble(_metric.Type) is var number && double.IsFinite(number))
            {
                values[value.Instance] = number;
            }
        }

        return values;
    }
}

/// <summary><c>rate</c> and <c>delta</c>: the change since the fetch before, none after a gap. An instance that is new or went backwards has none.</summary>
internal sealed class ChangeNode : ConditionNode
{
    private readonly ConditionNode _of;
    private readonly bool _isRate;
    private readonly double _factor = 1;
    private Dictionary<int, double> _last = Nothing;
    private DateTimeOffset _lastTime;
    private readonly IReadOnlyList<string> _metrics;
    private Dictionary<int, long> _gaps = [];

    public ChangeNode(ConditionNode of, bool isRate)
    {
        (_of, _isRate, Instances, Units) = (of, isRate, of.Instances, of.Units);
        _metrics = [.. of.Metrics().Distinct(StringComparer.Ordinal)];
        if (isRate)
        {
            // Milliseconds a second is a share of the time: what had a dimension of time loses it and its scale.
            var units = of.Units;
            _factor = units.Time != 0 && units.TimeScale < 6 ? ToBase(MetricUnits.Of(time: units.Time, timeScale: units.TimeScale)) : 1;
            Units = MetricUnits.Of(units.Space, units.Time - 1, units.CountDimension, units.SpaceScale, units.Time - 1 == 0 ? 0 : 3, units.CountScale);
        }
    }

    public override IEnumerable<string> Metrics() => _of.Metrics();

    public override Dictionary<int, double> Evaluate(RuleInput input)
    {
        var now = _of.Evaluate(input);
        var gaps = input.LastGap is { } lastGap ? now.Keys.ToDictionary(i => i, i => _metrics.Max(m => lastGap(m, i))) : [];
        var elapsed = (input.Time - _lastTime).TotalSeconds;
        var changes = new Dictionary<int, double>();
        foreach (var (instance, value) in now)
        {
            if (_last.TryGetValue(instance, out var before) && elapsed > 0 && _gaps.GetValueOrDefault(instance) == gaps.GetValueOrDefault(instance) && (value >= before || _of.Semantics != MetricSemantics.Counter))
            {
                changes[instance] = _isRate ? (value - before) * _factor / elapsed : value - before;
            }
        }

        (_last, _lastTime, _gaps) = (now, input.Time, gaps);
        return changes;
    }
}

/// <summary><c>instant</c>: the same numbers, no longer a counter's.</summary>
internal sealed class InstantNode : ConditionNode
{
    private readonly ConditionNode _of;

    public InstantNode(ConditionNode of) => (_of, Instances, Units) = (of, of.Instances, of.Units);

    public override IEnumerable<string> Metrics() => _of.Metrics();

    public override Dictionary<int, double> Evaluate(RuleInput input) => _of.Evaluate(input);
}

/// <summary><c>sum avg min max count</c>: one number from all instances.</summary>
internal sealed class AggregateNode : ConditionNode
{
    private readonly ConditionNode _of;
    private readonly string _function;

    public AggregateNode(ConditionNode of, string function)
    {
        (_of, _function) = (of, function);
        Units = function == "count" ? MetricUnits.None : of.Units;
        Semantics = function == "sum" ? of.Semantics : MetricSemantics.Instant;
    }

    public override IEnumerable<string> Metrics() => _of.Metrics();

    public override Dictionary<int, double> Evaluate(RuleInput input)
    {
        var values = _of.Evaluate(input).Values;
        return values.Count == 0 && _function != "count" ? Nothing : new Dictionary<int, double>
        {
            [-1] = _function switch
            {
                "sum" => values.Sum(),
                "avg" => values.Average(),
                "min" => values.Min(),
                "max" => values.Max(),
                _ => values.Count,
            },
        };
    }
}

/// <summary><c>+ - * /</c>: instance by instance, or each instance with the one number of the other side.</summary>
internal sealed class OperationNode : ConditionNode
{
    private readonly ConditionNode _left;
    private readonly ConditionNode _right;
    private readonly char _operator;
    private readonly double _leftFactor = 1;
    private readonly double _rightFactor = 1;

    public OperationNode(char op, ConditionNode left, ConditionNode right)
    {
        (_operator, _left, _right) = (op, left, right);
        if (left.Instances != InstanceDomainId.None && right.Instances != InstanceDomainId.None && left.Instances != right.Instances)
        {
            throw new MusterException(ErrorKind.Invalid, $"Both sides of {op} have instances, but of different domains, {left.Instances} and {right.Instances}: sum one of them");
        }

        Instances = left.Instances != InstanceDomainId.None ? left.Instances : right.Instances;
        var (a, b) = (left.Units, right.Units);
        if (op is '+' or '-')
        {
            if (!left.IsConstant && !right.IsConstant && (a.Space, a.Time, a.CountDimension) != (b.Space, b.Time, b.CountDimension))
            {
                throw new MusterException(ErrorKind.Invalid, $"Both sides of {op} have different dimensions, {PmapiJson.UnitsName(a)} and {PmapiJson.UnitsName(b)}");
            }

            Units = left.IsConstant ? b : a;
            _rightFactor = left.IsConstant || right.IsConstant ? 1 : ToBase(b) / ToBase(a);
            Semantics = left.Semantics == MetricSemantics.Counter && right.Semantics == MetricSemantics.Counter ? MetricSemantics.Counter : MetricSemantics.Instant;
            return;
        }

        Semantics = left.Semantics == MetricSemantics.Counter && right.IsConstant ? MetricSemantics.Counter : MetricSemantics.Instant;
        if (HasDimension(a) && HasDimension(b))
        {
            var sign = op == '*' ? 1 : -1;
            (_leftFactor, _rightFactor) = (ToBase(a), ToBase(b));
            Units = Base(a.Space + (sign * b.Space), a.Time + (sign * b.Time), a.CountDimension + (sign * b.CountDimension));
        }
        else if (HasDimension(b) && op == '/')
        {
            _rightFactor = ToBase(b);
            Units = Base(-b.Space, -b.Time, -b.CountDimension);
        }
        else
        {
            Units = HasDimension(a) ? a : b;
        }
    }

    public override bool IsConstant => _left.IsConstant && _right.IsConstant;

    public override bool IsShare => IsConstant && (_left.IsShare || _right.IsShare);

    public override IEnumerable<string> Metrics() => _left.Metrics().Concat(_right.Metrics());

    public override Dictionary<int, double> Evaluate(RuleInput input)
    {
        // Both are always evaluated: functions below remember what they saw.
        var (left, right) = (_left.Evaluate(input), _right.Evaluate(input));
        var result = new Dictionary<int, double>();
        foreach (var instance in Instances == InstanceDomainId.None || _left.Instances != InstanceDomainId.None ? left.Keys : right.Keys)
        {
            if ((left.TryGetValue(instance, out var a) || left.TryGetValue(-1, out a)) && (right.TryGetValue(instance, out var b) || right.TryGetValue(-1, out b)))
            {
                var number = Compute(a * _leftFactor, b * _rightFactor);
                if (double.IsFinite(number))
                {
                    result[instance] = number;
                }
            }
        }

        return result;
    }

    private double Compute(double a, double b) => _operator switch
    {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        _ => a / b,
    };
}
