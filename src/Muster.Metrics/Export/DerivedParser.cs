using System.Globalization;
using Muster.Core;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>
/// Expressions of derived metrics (pmRegisterDerived(3)): metrics, numbers, <c>+ - * / ( )</c>, and the functions
/// <c>rate delta instant sum avg min max count</c>. Anything else is refused with the place where it stands.
/// </summary>
internal sealed class DerivedParser
{
    /// <summary>A line that a person writes.</summary>
    public const int MaxLength = 4096;

    // Parentheses and functions inside one another: deeper is no expression but an attack on the stack.
    private const int MaxDepth = 50;

    private readonly string _text;
    private readonly MetricNames _names;
    private int _at;
    private int _depth;

    private DerivedParser(string text, MetricNames names) => (_text, _names) = (text, names);

    public static DerivedNode Parse(string text, MetricNames names)
    {
        if (text.Length > MaxLength)
        {
            throw new MusterException(ErrorKind.Invalid, $"The expression has {text.Length} characters, more than {MaxLength}");
        }

        var parser = new DerivedParser(text, names);
        var root = parser.Sum();
        if (parser.Next() != '\0')
        {
            throw parser.Refused("an operator is expected");
        }

        return root.IsConstant ? throw new MusterException(ErrorKind.Invalid, "The expression has no metric: nothing is derived from anything") : root;
    }

    private DerivedNode Sum()
    {
        var left = Product();
        while (Next() is '+' or '-')
        {
            var op = _text[_at++];
            left = new DerivedOperation(op, left, Product());
        }

        return left;
    }

    private DerivedNode Product()
    {
        var left = Factor();
        while (Next() is '*' or '/')
        {
            var op = _text[_at++];
            left = new DerivedOperation(op, left, Factor());
        }

        return left;
    }

    private DerivedNode Factor()
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
                    return new DerivedOperation('*', new DerivedConstant(-1), Factor());
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

    private DerivedNode Inside()
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

    private DerivedConstant Number()
    {
        var end = _at;
        while (end < _text.Length && (char.IsAsciiLetterOrDigit(_text[end]) || _text[end] == '.' || (_text[end] is '+' or '-' && _text[end - 1] is 'e' or 'E')))
        {
            end++;
        }

        if (!double.TryParse(_text.AsSpan(_at, end - _at), NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
        {
            throw Refused("this is no number");
        }

        _at = end;
        return new DerivedConstant(number);
    }

    private DerivedNode Word()
    {
        var start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '.' or '_'))
        {
            _at++;
        }

        var word = _text[start.._at];
        if (Next() == '(')
        {
            return word switch
            {
                "rate" => new DerivedChange(Inside(), isRate: true),
                "delta" => new DerivedChange(Inside(), isRate: false),
                "instant" => new DerivedInstant(Inside()),
                "sum" or "avg" or "min" or "max" or "count" => new DerivedAggregate(Inside(), word),
                _ => throw Refused($"there is no function {word}: there are rate, delta, instant, sum, avg, min, max and count"),
            };
        }

        return _names.Find(word) is { } metric ? new DerivedName(word, metric.Descriptor) : throw Refused($"there is no metric {word}");
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
