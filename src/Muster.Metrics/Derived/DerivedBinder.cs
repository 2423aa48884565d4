using System.Globalization;
using Muster.Core;
using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>Where a metric of an expression comes from.</summary>
/// <param name="Metric">A metric with values of its own.</param>
/// <param name="Definition">Or one that is derived itself.</param>
/// <param name="Find">What the names in that definition stand for.</param>
internal readonly record struct DerivedOperand(MetricDescriptor? Metric, DerivedDefinition? Definition, Func<string, DerivedOperand?>? Find);

/// <summary>
/// Finds out what an expression means with the metrics that there are: type, instances, semantics and units of each part by
/// the rules of pmRegisterDerived(3), and refuses what they do not allow with the place where it stands.
/// </summary>
internal sealed class DerivedBinder
{
    // Definitions that are made of definitions grow beyond measure in a few lines.
    private const int MaxNodes = 2000;

    private const int MaxDepth = 50;

    private static readonly DerivedMeta Truth = new(MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.None);

    private readonly Stack<(DerivedDefinition Definition, Func<string, DerivedOperand?> Find)> _inside = new();
    private int _nodes;

    /// <summary>The evaluable form of a definition; a new one for each reader.</summary>
    public DerivedNode Bind(DerivedDefinition definition, Func<string, DerivedOperand?> find)
    {
        if (_inside.Count > MaxDepth || _inside.Any(i => i.Definition == definition))
        {
            throw new MusterException(ErrorKind.Invalid, $"{definition.Name} is defined by itself, or by more than {MaxDepth} definitions one upon the other");
        }

        _inside.Push((definition, find));
        var node = Bind(definition.Syntax);
        _inside.Pop();
        return node;
    }

    private DerivedNode Bind(DerivedSyntax syntax)
    {
        if (++_nodes > MaxNodes)
        {
            throw Refused(syntax, $"the expression has more than {MaxNodes} parts, with those of the derived metrics in it");
        }

        return syntax switch
        {
            NameSyntax name => Name(name),
            ConstantSyntax constant => Constant(constant),
            UnarySyntax unary => Unary(unary),
            BinarySyntax binary => Binary(binary),
            ChoiceSyntax choice => Choice(choice),
            CallSyntax call => Call(call),
            RescaleSyntax rescale => Rescale(rescale),
            DefinedSyntax defined => new ConstantNode(Truth, MetricValue.From(Find(defined.Name) is null ? 0UL : 1UL)),
            AnonymousSyntax anonymous => new NothingNode(new DerivedMeta(anonymous.Type, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.None), isChosen: false),
            NoValueSyntax nothing => new NothingNode(Meta(nothing.Meta, new DerivedMeta(MetricType.Int32, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.None)), isChosen: true),
            InstanceSyntax instance => new InstanceNode(Bind(instance.Of), instance.Instance),
            _ => Match((MatchSyntax)syntax),
        };
    }

    private DerivedNode Name(NameSyntax name) => Find(name.Name) switch
    {
        { Metric: { } metric } => new OperandNode(metric),
        { Definition: { } definition, Find: { } find } => Bind(definition, find),
        _ => throw Refused(name, $"there is no metric {name.Name}"),
    };

    private DerivedOperand? Find(string name) => _inside.Peek().Find(name);

    private MatchNode Match(MatchSyntax match) => new(Bind(match.Of), match.Pattern, match.IsNegated);

    private ConstantNode Constant(ConstantSyntax constant)
    {
        var meta = Meta(constant.Meta, new DerivedMeta(constant.IsReal ? MetricType.Double : MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.None));
        return meta.IsNumeric ? new ConstantNode(meta, DerivedNumber.Parse(constant.Number, meta.Type)) : throw Refused(constant, "a number cannot have the type of a metric without numbers");
    }

    private DerivedMeta Meta(MetaSyntax? said, DerivedMeta otherwise)
    {
        if (said is null)
        {
            return otherwise;
        }

        var meta = said.Like is { } like ? Name(like).Meta : otherwise;
        return new DerivedMeta(said.Type ?? meta.Type, said.Instances ?? meta.Instances, said.Semantics ?? meta.Semantics, said.Units ?? meta.Units);
    }

    private DerivedNode Unary(UnarySyntax unary)
    {
        var of = Bind(unary.Of);
        var meta = of.Meta;
        if (!meta.IsNumeric)
        {
            throw Refused(unary, "what follows the sign has no numbers");
        }

        return unary.Sign == DerivedTokenKind.Not ? new NotNode(of) : new NegativeNode(meta with { Type = Signed(meta.Type), Semantics = MetricSemantics.Instant }, of);

        static MetricType Signed(MetricType type) => type switch
        {
            MetricType.UInt32 => MetricType.Int32,
            MetricType.UInt64 => MetricType.Int64,
            _ => type,
        };
    }

    private OperatorNode Binary(BinarySyntax binary)
    {
        var (left, right) = (Bind(binary.Left), Bind(binary.Right));
        var (a, b) = (left.Meta, right.Meta);
        var isArithmetic = binary.Sign is DerivedTokenKind.Plus or DerivedTokenKind.Minus or DerivedTokenKind.Star or DerivedTokenKind.Slash;
        if (Fault(binary, a, b) is { } fault)
        {
            throw Refused(binary, fault);
        }

        // A metric or an expression says more than a number does.
        var candidate = binary.Left is ConstantSyntax ? b : a;
        var semantics = a.IsCounter || b.IsCounter ? candidate.Semantics
            : a.Semantics == MetricSemantics.Discrete && b.Semantics == MetricSemantics.Discrete ? MetricSemantics.Discrete : MetricSemantics.Instant;
        var scales = binary.Sign is DerivedTokenKind.And or DerivedTokenKind.Or ? (1, 1) : DerivedUnits.Scales(a.Units, b.Units);
        var type = !isArithmetic ? MetricType.UInt32
            : binary.Sign == DerivedTokenKind.Slash || scales != (1, 1) ? MetricType.Double : DerivedNumber.Promote(a.Type, b.Type);
        var units = !isArithmetic ? MetricUnits.None
            : DerivedUnits.Of(binary.Sign, a.Units, b.Units, candidate.Units) ?? throw Refused(binary, "the units of the result have an exponent outside of -8 to 7, which PCP cannot express");
        return new OperatorNode(new DerivedMeta(type, a.IsScalar ? b.Instances : a.Instances, semantics, units), binary.Sign, left, right, scales);
    }

    private static string? Fault(BinarySyntax binary, DerivedMeta a, DerivedMeta b)
    {
        var isSum = binary.Sign is DerivedTokenKind.Plus or DerivedTokenKind.Minus;
        var isProduct = binary.Sign is DerivedTokenKind.Star or DerivedTokenKind.Slash;
        var isJunction = binary.Sign is DerivedTokenKind.And or DerivedTokenKind.Or;
        if ((isSum || isProduct) && CounterFault(binary, isSum, a, b) is { } fault)
        {
            return fault;
        }

        if (!a.IsNumeric || !b.IsNumeric)
        {
            return $"the {(a.IsNumeric ? "right" : "left")} side of {binary.Word} has no numbers";
        }

        // libpcp compares a U32 with anything, for it means a whole number that is written; a real one is no different.
        var isAnything = !isSum && !isProduct && !isJunction && (a.Type == MetricType.UInt32 || b.Type == MetricType.UInt32 || binary.Left is ConstantSyntax || binary.Right is ConstantSyntax);
        if (!isProduct && !isJunction && !isAnything && !DerivedUnits.AreComparable(a.Units, b.Units))
        {
            return $"the sides of {binary.Word} have different dimensions, \"{a.Units}\" and \"{b.Units}\"";
        }

        if (isJunction && !(DerivedUnits.IsDimensionless(a.Units) && DerivedUnits.IsDimensionless(b.Units)))
        {
            return $"the sides of {binary.Word} must be without units, and are \"{a.Units}\" and \"{b.Units}\": compare them with something";
        }

        if (!isSum && !isJunction && a.IsCounter != b.IsCounter && !DerivedUnits.IsDimensionless(a.IsCounter ? b.Units : a.Units))
        {
            return $"one side of {binary.Word} is a counter, the other is none and must therefore be without units, and is \"{(a.IsCounter ? b.Units : a.Units)}\": take the counter's rate() or instant()";
        }

        return !a.IsScalar && !b.IsScalar && a.Instances != b.Instances
            ? $"both sides of {binary.Word} have instances, but of different domains, {a.Instances} and {b.Instances}: take the sum() or scalar() of one of them"
            : null;
    }

    private static string? CounterFault(BinarySyntax binary, bool isSum, DerivedMeta a, DerivedMeta b) => (a.IsCounter, b.IsCounter) switch
    {
        (true, true) when !isSum => $"two counters cannot be joined by {binary.Word}, only added and subtracted: take their delta() or rate()",
        (true, false) when isSum => $"{binary.Word} cannot join a counter and what is none, only * and / can: take the counter's rate() or instant()",
        (false, true) when binary.Sign != DerivedTokenKind.Star => $"{binary.Word} cannot join what is no counter and a counter, only * can: take the counter's rate() or instant()",
        _ => null,
    };

    private ChoiceNode Choice(ChoiceSyntax choice)
    {
        var guard = Bind(choice.Guard);
        if (!guard.Meta.IsNumeric)
        {
            throw Refused(choice, "what stands before the ? has no numbers");
        }

        // What is known now decides now: the other side may even name metrics that are not there.
        var decided = Decide(choice.Guard);
        var yes = decided is false ? null : Bind(choice.Yes);
        var no = decided is true ? null : Bind(choice.No);
        var meta = yes is null ? no!.Meta : no is null ? yes.Meta : Agreed(choice, yes, no);
        if (decided is null && meta.IsScalar && !guard.Meta.IsScalar)
        {
            throw Refused(choice, "the condition has instances, and neither of the values has: take its sum(), max() or scalar()");
        }

        return !meta.IsScalar && !guard.Meta.IsScalar && guard.Meta.Instances != meta.Instances
            ? throw Refused(choice, $"the condition has instances of another domain than the values, {guard.Meta.Instances} and {meta.Instances}")
            : new ChoiceNode(meta, guard, yes, no);
    }

    // Whether a condition is always true or always false: made of defined(), numbers, !, && and ||.
    private bool? Decide(DerivedSyntax guard) => guard switch
    {
        DefinedSyntax defined => Find(defined.Name) is not null,
        ConstantSyntax { IsReal: false } constant => constant.Number.Trim('0').Length > 0,
        UnarySyntax { Sign: DerivedTokenKind.Not } not => !Decide(not.Of),
        BinarySyntax { Sign: DerivedTokenKind.Or } either => Decide(either.Left) is not false ? Decide(either.Left) : Decide(either.Right),
        BinarySyntax { Sign: DerivedTokenKind.And } both => Decide(both.Left) is not true ? Decide(both.Left) : Decide(both.Right),
        _ => null,
    };

    private DerivedMeta Agreed(ChoiceSyntax choice, DerivedNode yes, DerivedNode no)
    {
        var (a, b) = (yes.Meta, no.Meta);
        if (yes is NothingNode { IsChosen: true })
        {
            return b with { Instances = b.IsScalar ? a.Instances : b.Instances };
        }

        if (no is NothingNode { IsChosen: true })
        {
            return a with { Instances = a.IsScalar ? b.Instances : a.Instances };
        }

        var difference = a.Type != b.Type ? $"types, {a.Type} and {b.Type}"
            : !a.IsScalar && !b.IsScalar && a.Instances != b.Instances ? $"instance domains, {a.Instances} and {b.Instances}"
            : a.Semantics != b.Semantics ? $"semantics, {a.Semantics} and {b.Semantics}".ToLowerInvariant()
            : a.Units != b.Units ? $"units, \"{a.Units}\" and \"{b.Units}\"" : null;
        return difference is null
            ? a with { Instances = a.IsScalar ? b.Instances : a.Instances }
            : throw Refused(choice, $"the values on both sides of the : have different {difference}: mkconst() gives a number what it needs");
    }

    private DerivedNode Call(CallSyntax call)
    {
        var of = Bind(call.Of);
        var meta = of.Meta;
        switch (call.Function)
        {
            case DerivedFunction.Count:
                return new AggregateNode(new DerivedMeta(MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Count), of, call.Function);
            case DerivedFunction.Instant:
                return new RenamedNode(meta with { Semantics = meta.IsCounter ? MetricSemantics.Instant : meta.Semantics }, of);
            case DerivedFunction.Scalar:
                return new ScalarNode(meta with { Instances = InstanceDomainId.None }, of);
        }

        if (!meta.IsNumeric)
        {
            throw Refused(call, $"what {call.Function}() is to be taken of has no numbers");
        }

        switch (call.Function)
        {
            case DerivedFunction.Rate when meta.Units.Time is not (0 or 1):
                throw Refused(call, $"a rate() can be taken of what has no time in its units, or time alone to the power of 1, and these are \"{meta.Units}\"");
            case DerivedFunction.Rate:
                return new ChangeNode(meta with { Type = MetricType.Double, Semantics = MetricSemantics.Instant, Units = PerSecond(meta.Units) }, of, isRate: true);
            case DerivedFunction.Delta:
                var type = meta.Type switch
                {
                    MetricType.UInt32 => MetricType.Int64,
                    MetricType.UInt64 => MetricType.Double,
                    _ => meta.Type,
                };
                return new ChangeNode(meta with { Type = type, Semantics = MetricSemantics.Instant }, of, isRate: false);
            default:
                var one = meta with { Instances = InstanceDomainId.None, Semantics = call.Function == DerivedFunction.Sum ? meta.Semantics : MetricSemantics.Instant };
                return new AggregateNode(call.Function == DerivedFunction.Avg ? one with { Type = MetricType.Float } : one, of, call.Function);
        }
    }

    private static MetricUnits PerSecond(MetricUnits units) =>
        MetricUnits.Of(units.Space, units.Time - 1, units.CountDimension, units.SpaceScale, units.Time == 1 ? 0 : MetricUnits.Second.TimeScale, units.CountScale);

    private RescaleNode Rescale(RescaleSyntax rescale)
    {
        var of = Bind(rescale.Of);
        if (!of.Meta.IsNumeric)
        {
            throw Refused(rescale, "what is to be rescaled has no numbers");
        }

        return DerivedUnits.Conversion(of.Meta.Units, rescale.Units) is { } conversion
            ? new RescaleNode(of.Meta with { Units = rescale.Units }, of, conversion)
            : throw Refused(rescale, $"\"{of.Meta.Units}\" cannot be rescaled to \"{rescale.Units}\": the dimensions differ");
    }

    private MusterException Refused(DerivedSyntax at, string why) => new(
        ErrorKind.Invalid,
        string.Create(CultureInfo.InvariantCulture, $"Semantic error in \"{_inside.Peek().Definition.Expression}\" at character {at.At + 1}: {why}"));
}
