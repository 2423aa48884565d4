using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>A part of an expression as it is written; what it means, <see cref="DerivedBinder"/> finds out with the metrics there are.</summary>
/// <param name="At">Where it begins in the expression, from 0.</param>
internal abstract record DerivedSyntax(int At);

/// <summary>A number that is written, with what <c>mkconst</c> says of it.</summary>
internal sealed record ConstantSyntax(int At, string Number, bool IsReal, MetaSyntax? Meta) : DerivedSyntax(At);

/// <summary>Tags of <c>mkconst</c> and <c>novalue</c>; null where nothing is said.</summary>
internal sealed record MetaSyntax(MetricType? Type, MetricSemantics? Semantics, MetricUnits? Units, InstanceDomainId? Instances, NameSyntax? Like);

internal sealed record NameSyntax(int At, string Name) : DerivedSyntax(At);

/// <summary><c>-x</c> and <c>!x</c>.</summary>
internal sealed record UnarySyntax(int At, DerivedTokenKind Sign, DerivedSyntax Of) : DerivedSyntax(At);

/// <summary>Two operands and the sign between them, at which it stands.</summary>
internal sealed record BinarySyntax(int At, DerivedTokenKind Sign, string Word, DerivedSyntax Left, DerivedSyntax Right) : DerivedSyntax(At);

/// <summary><c>guard ? yes : no</c>.</summary>
internal sealed record ChoiceSyntax(int At, DerivedSyntax Guard, DerivedSyntax Yes, DerivedSyntax No) : DerivedSyntax(At);

/// <summary><c>avg count delta max min sum rate instant scalar</c> of an expression.</summary>
internal sealed record CallSyntax(int At, string Function, DerivedSyntax Of) : DerivedSyntax(At);

internal sealed record RescaleSyntax(int At, DerivedSyntax Of, MetricUnits Units) : DerivedSyntax(At);

internal sealed record DefinedSyntax(int At, string Name) : DerivedSyntax(At);

/// <summary><c>anon(PM_TYPE_U32)</c>: a metric without values.</summary>
internal sealed record AnonymousSyntax(int At, MetricType Type) : DerivedSyntax(At);

/// <summary><c>novalue()</c>, an operand of a choice.</summary>
internal sealed record NoValueSyntax(int At, MetaSyntax? Meta) : DerivedSyntax(At);

/// <summary><c>x[instance]</c>.</summary>
internal sealed record InstanceSyntax(int At, DerivedSyntax Of, string Instance) : DerivedSyntax(At);

/// <summary><c>matchinst(/pattern/, x)</c>, or with a <c>!</c> those that do not match.</summary>
internal sealed record MatchSyntax(int At, DerivedSyntax Of, PosixPattern Pattern, bool IsNegated) : DerivedSyntax(At);
