using System.Globalization;
using Muster.Core;
using Muster.Metrics.Derived;
using Muster.Metrics.Export;
using Muster.Metrics.Names;

namespace Muster.Metrics.Rules;

/// <summary>
/// One side of a condition's comparison (pmie(1)): metrics, numbers, <c>+ - * / ( )</c>, and the functions
/// <c>rate delta instant sum avg min max count matchinst</c>. Anything else is refused with the place where it stands.
/// A counter stands for its rate but inside of <c>rate</c>, <c>delta</c> and <c>instant</c>, all values are in bytes, seconds
/// and ones, and numbers may have units: <c>100 Mbyte</c>, <c>5 min</c>, <c>10 count/sec</c>, <c>80%</c>. That is what sets
/// it apart from the language of derived metrics (Muster.Metrics.Derived).
/// </summary>
internal sealed class ConditionNodeParser
{
    /// <summary>A line that a person writes.</summary>
    public const int MaxLength = 4096;

    // Parentheses and functions inside one another: deeper is no expression but an attack on the stack.
    private const int MaxDepth = 50;

    private readonly string _text;
    private readonly MetricNames _names;
    private int _at;
    private int _depth;
    private int _raw;

    private ConditionNodeParser(string text, MetricNames names) => (_text, _names) = (text, names);

    /// <summary>One side of a comparison.</summary>
    public static ConditionNode Parse(string text, MetricNames names)
    {
        if (text.Length > MaxLength)
        {
            throw new MusterException(ErrorKind.Invalid, $"The expression has {text.Length} characters, more than {MaxLength}");
        }

        var parser = new ConditionNodeParser(text, names);
        var root = parser.Sum();
        return parser.Next() == '\0' ? root : throw parser.Refused("an operator is expected");
    }

    private ConditionNode Sum()
    {
        var left = Product();
        while (Next() is '+' or '-')
        {
            var op = _text[_at++];
            left = new OperationNode(op, left, Product());
        }

        return left;
    }

    private ConditionNode Product()
    {
        var left = Factor();
        while (Next() is '*' or '/')
        {
            var op = _text[_at++];
            left = new OperationNode(op, left, Factor());
        }

        return left;
    }

    private ConditionNode Factor()
    {
        if (++_depth > MaxDepth)
        {
            throw Refused($"parentheses are nested deeper than {MaxDepth}");
        }

        try
        {
            switch (Next())
            {
                case '(':
                    return Inside();
                case '-':
                    _at++;
                    return new OperationNode('*', new ConstantNode(-1), Factor());
                case >= '0' and <= '9' or '.':
                    return Number();
                case var c when char.IsAsciiLetter(c):
                    return Word();
                default:
                    throw Refused("a metric, a number or a parenthesis is expected");
            }
        }
        finally
        {
            _depth--;
        }
    }

    private ConditionNode Inside()
    {
        _at++;
        var node = Sum();
        if (Next() != ')')
        {
            throw Refused("a closing parenthesis is expected");
        }

        _at++;
        return node;
    }

    private ConstantNode Number()
    {
        var end = _at;
        while (end < _text.Length && (char.IsAsciiDigit(_text[end]) || _text[end] == '.'))
        {
            end++;
        }

        var power = end + 1 < _text.Length && _text[end] is 'e' or 'E' ? end + (_text[end + 1] is '+' or '-' ? 2 : 1) : end;
        if (power > end && power < _text.Length && char.IsAsciiDigit(_text[power]))
        {
            for (end = power; end < _text.Length && char.IsAsciiDigit(_text[end]);)
            {
                end++;
            }
        }

        if (!double.TryParse(_text.AsSpan(_at, end - _at), NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
        {
            throw Refused("this is no number");
        }

        _at = end;
        return Scaled(number);
    }

    // 100 Mbyte, 10 count/sec, 3 Kbyte / hour, 80%.
    private ConstantNode Scaled(double number)
    {
        if (Next() == '%')
        {
            _at++;
            return new ConstantNode(number / 100, isShare: true);
        }

        var (factor, space, time, count, sign) = (1.0, 0, 0, 0, 1);
        if (char.IsAsciiLetter(Next()) && !TakeScale(out _, isTaken: false))
        {
            throw Refused("an operator is expected, or a unit such as Mbyte, sec, min, count/sec or %");
        }

        while (TakeScale(out var unit, isTaken: true) || TakeScaleBelow(out unit))
        {
            sign = unit.IsBelow ? -1 : 1;
            factor *= Math.Pow(ConditionNode.ToBase(unit.Units), sign);
            (space, time, count) = (space + (sign * unit.Units.Space), time + (sign * unit.Units.Time), count + (sign * unit.Units.CountDimension));
        }

        return new ConstantNode(number * factor, ConditionNode.Base(space, time, count));
    }

    private bool TakeScaleBelow(out (MetricUnits Units, bool IsBelow) unit)
    {
        unit = default;
        var start = _at;
        if (Next() == '/')
        {
            _at++;
            if (TakeScale(out unit, isTaken: true))
            {
                unit.IsBelow = true;
                return true;
            }
        }

        _at = start;
        return false;
    }

    // A word that a dot or a parenthesis follows is a metric or a function.
    private bool TakeScale(out (MetricUnits Units, bool IsBelow) unit, bool isTaken)
    {
        unit = default;
        _ = Next();
        var end = _at;
        while (end < _text.Length && char.IsAsciiLetterOrDigit(_text[end]))
        {
            end++;
        }

        var next = end < _text.Length ? _text[end] : ' ';
        var isFound = next is not ('.' or '_' or '(') && MetricScale.TryFind(_text[_at..end], out unit.Units);
        _at = isFound && isTaken ? end : _at;
        return isFound;
    }

    private ConditionNode Word()
    {
        var start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '.' or '_'))
        {
            _at++;
        }

        var word = _text[start.._at];
        var isFunction = Next() == '(' || (word is "rate" or "delta" or "instant" && char.IsAsciiLetter(Next()));
        return word == InstancePattern.Word && isFunction ? Match(start) : isFunction ? Function(word) : Metric(word);
    }

    private MatchNode Match(int start)
    {
        if (!InstancePattern.TryRead(_text, start, out var end, out var pattern, out var isNegated))
        {
            throw Refused(InstancePattern.Form);
        }

        if (!PosixPattern.TryParse(pattern, out var parsed, out var why))
        {
            throw Refused($"/{pattern}/ is no pattern: {why}");
        }

        _at = end;
        if (Next() != ',')
        {
            throw Refused("a comma is expected, and what is chosen from: " + InstancePattern.Form);
        }

        // Read like a parenthesis.
        return new MatchNode(Inside(), parsed, isNegated);
    }

    private ConditionNode Function(string word)
    {
        var isRaw = word is "rate" or "delta" or "instant";
        _raw += isRaw ? 1 : 0;
        var of = Next() == '(' ? Inside() : Factor();
        _raw -= isRaw ? 1 : 0;
        return word switch
        {
            "rate" => new ChangeNode(of, isRate: true),
            "delta" => new ChangeNode(of, isRate: false),
            "instant" => new InstantNode(of),
            "sum" or "avg" or "min" or "max" or "count" => new AggregateNode(of, word),
            _ => throw Refused($"there is no function {word}: there are rate, delta, instant, sum, avg, min, max, count and matchinst"),
        };
    }

    private ConditionNode Metric(string word)
    {
        if (_names.Find(word) is not { } metric)
        {
            throw Refused($"there is no metric {word}");
        }

        ConditionNode node = new NameOperand(word, metric.Descriptor);
        return new CanonicalNode(_raw == 0 && node.Semantics == MetricSemantics.Counter ? new ChangeNode(node, isRate: true) : node);
    }

    private char Next()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
        {
            _at++;
        }

        return _at < _text.Length ? _text[_at] : '\0';
    }

    private MusterException Refused(string why) => new(ErrorKind.Invalid, $"Syntax Error in \"{_text}\" at character {_at + 1}: {why}");
}
