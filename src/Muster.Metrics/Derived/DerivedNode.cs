using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>What an expression is evaluated with: the values of one moment.</summary>
/// <param name="Time">When the values were.</param>
/// <param name="Values">The values of an operand.</param>
/// <param name="Selection">Which instances of a domain are wanted.</param>
/// <param name="Instances">The instances of a domain.</param>
internal sealed record DerivedInput(DateTimeOffset Time, Func<MetricId, ValueSet> Values, Func<InstanceDomainId, InstanceSelection> Selection, Func<InstanceDomainId, IReadOnlyList<MetricInstance>> Instances)
{
    private readonly Dictionary<InstanceDomainId, Dictionary<int, string>> _names = [];

    /// <summary>An instance's name; null when nobody knows it. A domain is asked for once.</summary>
    public string? Name(InstanceDomainId domain, int instance)
    {
        if (!_names.TryGetValue(domain, out var names))
        {
            _names.Add(domain, names = []);
            foreach (var known in Instances(domain))
            {
                names[known.Id] = known.Name;
            }
        }

        return names.GetValueOrDefault(instance);
    }
}

/// <summary>
/// A part of an expression whose metrics are known. It remembers the values before where a function needs them: one tree serves
/// one reader, and is evaluated once for each of its readings.
/// </summary>
internal abstract class DerivedNode(DerivedMeta meta)
{
    /// <summary>The values; valid until the next evaluation.</summary>
    protected ValueSet Result { get; } = new();

    public DerivedMeta Meta => meta;

    /// <summary>The metrics that are needed, with repetitions; with whether their change is needed.</summary>
    public virtual IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => [];

    /// <summary>The values of this moment, or why there are none.</summary>
    public abstract ValueSet Evaluate(DerivedInput input);

    /// <summary>The one value of a scalar, or the one of an instance.</summary>
    protected static MetricValue? Find(ValueSet values, bool isScalar, int instance)
    {
        foreach (var value in values.Values)
        {
            if (isScalar || value.Instance == instance)
            {
                return value.Value;
            }
        }

        return null;
    }

    /// <summary>An empty result, or one with the operand's error.</summary>
    protected bool Begin(ValueSet operand)
    {
        Result.Clear();
        if (operand.Error != 0)
        {
            Result.Fail(operand.Error);
        }

        return operand.Error == 0;
    }
}

/// <summary>A metric's own values.</summary>
internal sealed class OperandNode(MetricDescriptor metric) : DerivedNode(new DerivedMeta(metric.Type, metric.Instances, metric.Semantics, metric.Units))
{
    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => [(metric, false)];

    public override ValueSet Evaluate(DerivedInput input)
    {
        var values = input.Values(metric.Id);
        if (!Begin(values))
        {
            return Result;
        }

        var wanted = metric.Instances == InstanceDomainId.None ? InstanceSelection.Everything : input.Selection(metric.Instances);
        foreach (var value in values.Values)
        {
            if (value.Instance < 0 || wanted.IsEverything || wanted.Wants(value.Instance))
            {
                Result.Add(value.Instance, value.Value);
            }
        }

        return Result;
    }
}

/// <summary>A number, for each instance where <c>mkconst</c> gives it some.</summary>
internal sealed class ConstantNode(DerivedMeta meta, MetricValue value) : DerivedNode(meta)
{
    public override ValueSet Evaluate(DerivedInput input)
    {
        Result.Clear();
        if (Meta.IsScalar)
        {
            Result.Add(value);
            return Result;
        }

        var wanted = input.Selection(Meta.Instances);
        foreach (var instance in input.Instances(Meta.Instances))
        {
            if (wanted.Wants(instance.Id))
            {
                Result.Add(instance.Id, value);
            }
        }

        return Result;
    }
}

/// <summary><c>anon()</c> and <c>novalue()</c>.</summary>
internal sealed class NothingNode(DerivedMeta meta, bool isChosen) : DerivedNode(meta)
{
    /// <summary>Whether it is the side of a choice that gives no value.</summary>
    public bool IsChosen => isChosen;

    public override ValueSet Evaluate(DerivedInput input) => Result;
}

/// <summary><c>-x</c>.</summary>
internal sealed class NegativeNode(DerivedMeta meta, DerivedNode of) : DerivedNode(meta)
{
    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => of.Operands;

    public override ValueSet Evaluate(DerivedInput input)
    {
        var values = of.Evaluate(input);
        if (Begin(values))
        {
            foreach (var value in values.Values)
            {
                var type = of.Meta.Type;
                Result.Add(value.Instance, type is MetricType.Float or MetricType.Double ? MetricValue.From(-value.Value.Real) : DerivedNumber.Of(unchecked(-DerivedNumber.ToInt64(value.Value, type)), Meta.Type));
            }
        }

        return Result;
    }
}

/// <summary><c>!x</c>: 1 where x is 0, else 0, in the type of x.</summary>
internal sealed class NotNode(DerivedNode of) : DerivedNode(of.Meta)
{
    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => of.Operands;

    public override ValueSet Evaluate(DerivedInput input)
    {
        var values = of.Evaluate(input);
        if (Begin(values))
        {
            foreach (var value in values.Values)
            {
                Result.Add(value.Instance, DerivedNumber.Of(DerivedNumber.IsZero(value.Value, of.Meta.Type) ? 1L : 0L, Meta.Type));
            }
        }

        return Result;
    }
}

/// <summary>Two operands and a sign between them: instance by instance, or each instance with the one value of the other side.</summary>
internal sealed class OperatorNode : DerivedNode
{
    private readonly DerivedTokenKind _sign;
    private readonly DerivedNode _left;
    private readonly DerivedNode _right;
    private readonly double _leftScale;
    private readonly double _rightScale;

    public OperatorNode(DerivedMeta meta, DerivedTokenKind sign, DerivedNode left, DerivedNode right, (double Left, double Right) scales)
        : base(meta) => (_sign, _left, _right, _leftScale, _rightScale) = (sign, left, right, scales.Left, scales.Right);

    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => _left.Operands.Concat(_right.Operands);

    public override ValueSet Evaluate(DerivedInput input)
    {
        // Both are always evaluated: functions below remember what they saw.
        var (left, right) = (_left.Evaluate(input), _right.Evaluate(input));
        if (!Begin(left) || !Begin(right))
        {
            return Result;
        }

        var (isLeft, isRight) = (_left.Meta.IsScalar, _right.Meta.IsScalar);
        var byInstance = !isLeft && !isRight ? ById(right) : null;
        foreach (var value in isLeft && !isRight ? right.Values : left.Values)
        {
            var a = isLeft && !isRight ? Find(left, isScalar: true, 0) : value.Value;
            var b = isLeft && !isRight ? value.Value : byInstance is null ? Find(right, isScalar: true, 0) : byInstance.TryGetValue(value.Instance, out var found) ? found : null;
            if (a is { } x && b is { } y)
            {
                Result.Add(value.Instance, Compute(x, y));
            }
        }

        return Result;
    }

    private static Dictionary<int, MetricValue> ById(ValueSet values)
    {
        var byId = new Dictionary<int, MetricValue>(values.Values.Length);
        foreach (var value in values.Values)
        {
            byId[value.Instance] = value.Value;
        }

        return byId;
    }

    private MetricValue Compute(MetricValue a, MetricValue b)
    {
        var (leftType, rightType) = (_left.Meta.Type, _right.Meta.Type);
        var isScaled = _leftScale != 1 || _rightScale != 1;
        var (x, y) = isScaled ? (DerivedNumber.ToDouble(a, leftType) * _leftScale, DerivedNumber.ToDouble(b, rightType) * _rightScale) : default;
        switch (_sign)
        {
            case DerivedTokenKind.Plus or DerivedTokenKind.Minus or DerivedTokenKind.Star or DerivedTokenKind.Slash:
                return isScaled ? MetricValue.From(DerivedNumber.Compute(_sign, x, y)) : DerivedNumber.Compute(_sign, Meta.Type, a, leftType, b, rightType);
            case DerivedTokenKind.And:
                return Truth(!DerivedNumber.IsZero(a, leftType) && !DerivedNumber.IsZero(b, rightType));
            case DerivedTokenKind.Or:
                return Truth(!DerivedNumber.IsZero(a, leftType) || !DerivedNumber.IsZero(b, rightType));
        }

        var order = isScaled ? DerivedNumber.Compare(x, y) : DerivedNumber.Compare(a, leftType, b, rightType);
        return Truth(_sign switch
        {
            DerivedTokenKind.Less => order < 0,
            DerivedTokenKind.LessOrEqual => order <= 0,
            DerivedTokenKind.Equal => order == 0,
            DerivedTokenKind.GreaterOrEqual => order >= 0,
            DerivedTokenKind.Greater => order > 0,
            _ => order != 0,
        });

        static MetricValue Truth(bool isTrue) => MetricValue.From(isTrue ? 1UL : 0UL);
    }
}

/// <summary><c>guard ? yes : no</c>, for each instance or as a whole. A side that is never chosen is null.</summary>
internal sealed class ChoiceNode(DerivedMeta meta, DerivedNode guard, DerivedNode? yes, DerivedNode? no) : DerivedNode(meta)
{
    public override IEnumerable<(MetricDescriptor Metric, bool IsChange)> Operands => guard.Operands.Concat(yes?.Operands ?? []).Concat(no?.Operands ?? []);

    public override ValueSet Evaluate(DerivedInput input)
    {
        var (conditions, first, second) = (guard.Evaluate(input), yes?.Evaluate(input), no?.Evaluate(input));
        if (!Begin(conditions) || (first is not null && !Begin(first)) || (second is not null && !Begin(second)))
        {
            return Result;
        }

        // A choice among what is there: with a side that has no values there is none, unless that is what it is for.
        if (conditions.Values.Length == 0 || IsMissing(yes, first) || IsMissing(no, second))
        {
            return Result;
        }

        if (Meta.IsScalar)
        {
            Add(conditions, first, second, -1);
            return Result;
        }

        var instances = new HashSet<int>();
        foreach (var (side, values) in new[] { (yes, first), (no, second) })
        {
            if (side?.Meta.IsScalar is not false)
            {
                continue;
            }

            foreach (var value in values!.Values)
            {
                if (instances.Add(value.Instance))
                {
                    Add(conditions, first, second, value.Instance);
                }
            }
        }

        return Result;
    }

    private static bool IsMissing(DerivedNode? side, ValueSet? values) => side is not null and not NothingNode { IsChosen: true } && values!.Values.Length == 0;

    private void Add(ValueSet conditions, ValueSet? first, ValueSet? second, int instance)
    {
        if (Find(conditions, guard.Meta.IsScalar, instance) is not { } condition)
        {
            return;
        }

        var isTrue = yes is not null && (no is null || !DerivedNumber.IsZero(condition, guard.Meta.Type));
        if (Find(isTrue ? first! : second!, (isTrue ? yes! : no!).Meta.IsScalar, instance) is { } value)
        {
            Result.Add(instance, value);
        }
    }
}
