using System.Globalization;
using System.Text.RegularExpressions;

namespace Muster.Metrics.Agents.Processes.Hot;

/// <summary>A predicate over processes in the language of PCP's hotproc (pmdaproc(1), HOTPROC CONFIGURATION); immutable.</summary>
internal abstract record HotPredicate
{
    /// <summary>The longest text: a predicate is a line.</summary>
    public const int MaxLength = 4096;

    public abstract bool Holds(HotSample process);

    /// <summary>Reads a predicate; null, with one sentence, for what is none.</summary>
    public static HotPredicate? Parse(string text, out string error)
    {
        error = "";
        try
        {
            return new HotParser(text).Whole();
        }
        catch (FormatException e)
        {
            error = e.Message;
            return null;
        }
    }

    /// <summary>The predicate with every parenthesis, which reads as the same predicate.</summary>
    public abstract override string ToString();
}

internal sealed record HotConstant(bool Value) : HotPredicate
{
    public override bool Holds(HotSample process) => Value;

    public override string ToString() => Value ? "(true)" : "(false)";
}

internal sealed record HotNegation(HotPredicate Of) : HotPredicate
{
    public override bool Holds(HotSample process) => !Of.Holds(process);

    public override string ToString() => $"(! {Of})";
}

internal sealed record HotConnection(HotPredicate Left, bool IsAnd, HotPredicate Right) : HotPredicate
{
    public override bool Holds(HotSample process) => IsAnd ? Left.Holds(process) && Right.Holds(process) : Left.Holds(process) || Right.Holds(process);

    public override string ToString() => $"({Left} {(IsAnd ? "&&" : "||")} {Right})";
}

/// <summary>A number: a variable's or a literal.</summary>
internal readonly record struct HotNumber(HotVariable? Variable, double Literal)
{
    public double Of(HotSample process) => Variable is { } variable ? process.Number(variable) : Literal;

    public override string ToString() => Variable is { } variable ? HotParser.Word(variable) : Literal.ToString("0.######", CultureInfo.InvariantCulture);
}

internal sealed record HotComparison(HotNumber Left, string Operator, HotNumber Right) : HotPredicate
{
    public override bool Holds(HotSample process)
    {
        var (left, right) = (Left.Of(process), Right.Of(process));
        return Operator switch
        {
            "<" => left < right,
            "<=" => left <= right,
            ">" => left > right,
            ">=" => left >= right,
            "==" => left == right,
            _ => left != right,
        };
    }

    public override string ToString() => $"({Left} {Operator} {Right})";
}

/// <summary>A text: a variable's or a literal.</summary>
internal readonly record struct HotText(HotVariable? Variable, string Literal)
{
    public string Of(HotSample process) => Variable is { } variable ? process.Text(variable) : Literal;

    public override string ToString() => Variable is { } variable ? HotParser.Word(variable) : $"\"{Literal}\"";
}

internal sealed record HotEquality(HotText Left, bool IsEqual, HotText Right) : HotPredicate
{
    public override bool Holds(HotSample process) => string.Equals(Left.Of(process), Right.Of(process), StringComparison.Ordinal) == IsEqual;

    public override string ToString() => $"({Left} {(IsEqual ? "==" : "!=")} {Right})";
}

internal sealed record HotMatch(HotText Left, bool IsMatch, Regex Pattern) : HotPredicate
{
    public override bool Holds(HotSample process) => Pattern.IsMatch(Left.Of(process)) == IsMatch;

    public override string ToString() => $"({Left} {(IsMatch ? "~" : "!~")} /{Pattern}/)";
}
