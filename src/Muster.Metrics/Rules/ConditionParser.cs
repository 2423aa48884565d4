using System.Globalization;
using System.Text;
using Muster.Core;
using Muster.Metrics.Export;
using Muster.Metrics.Names;

namespace Muster.Metrics.Rules;

/// <summary>
/// Reads conditions (pmie(1)): <c>EXPRESSION [#'INSTANCE'…] &gt;|&gt;=|&lt;|&lt;=|==|!= EXPRESSION</c>, joined instance by instance by
/// <c>and</c>, <c>or</c>, <c>not</c> and parentheses (also <c>&amp;&amp; || !</c>). <c>all_inst</c>, <c>some_inst</c> and <c>N%_inst</c>
/// before a comparison or a parenthesis make one truth of those of all instances; the whole condition may hold for some instances and for others not.
/// </summary>
internal sealed class ConditionParser
{
    // Deeper is no condition but an attack on the stack.
    private const int MaxDepth = 50;

    private static readonly string[] Signs = [">=", "<=", "==", "!=", ">", "<"];

    private readonly string _text;
    private readonly MetricNames _names;
    private int _at;
    private int _depth;

    private ConditionParser(string text, MetricNames names) => (_text, _names) = (text, names);

    public static Condition Parse(string text, MetricNames names)
    {
        if (text.Length > ConditionNodeParser.MaxLength)
        {
            throw new MusterException(ErrorKind.Invalid, $"The condition has {text.Length} characters, more than {ConditionNodeParser.MaxLength}");
        }

        var parser = new ConditionParser(text, names);
        var condition = parser.Or();
        parser.Skip();
        return parser._at == text.Length ? condition : throw parser.Refused("\"and\", \"or\" or the end is expected");
    }

    private Condition Or()
    {
        var left = And();
        while (TakeWord("or") || TakeSign("||"))
        {
            left = Join(false, left, And());
        }

        return left;
    }

    private Condition And()
    {
        var left = Not();
        while (TakeWord("and") || TakeSign("&&"))
        {
            left = Join(true, left, Not());
        }

        return left;
    }

    private JoinedCondition Join(bool isAnd, Condition left, Condition right) =>
        left.Instances == InstanceDomainId.None || right.Instances == InstanceDomainId.None || left.Instances == right.Instances
            ? new JoinedCondition(isAnd, left, right)
            : throw Refused($"{left.Metrics().First()} and {right.Metrics().First()} have different instances, and cannot be joined one by one: write some_inst or all_inst before each of them");

    private Condition Not()
    {
        if (++_depth > MaxDepth)
        {
            throw Refused($"conditions are nested deeper than {MaxDepth}");
        }

        try
        {
            if (TakeWord("not") || TakeNegation())
            {
                return new NotCondition(Not());
            }

            if (TakeQuantifier() is { } quantifier)
            {
                return new QuantifiedCondition(quantifier, Not());
            }

            Skip();
            if (_at < _text.Length && _text[_at] == '(' && IsCondition())
            {
                _at++;
                var inner = Or();
                return TakeSign(")") ? inner : throw Refused("a closing parenthesis is expected");
            }

            return Compare();
        }
        finally
        {
            _depth--;
        }
    }

    // A parenthesis around a comparison holds a sign of one; around a part of an expression it does not.
    private bool IsCondition()
    {
        var depth = 0;
        for (var i = _at; i < _text.Length; i++)
        {
            depth += _text[i] == '(' ? 1 : _text[i] == ')' ? -1 : 0;
            if (depth == 0)
            {
                return false;
            }

            if (InstancePattern.TryRead(_text, i, out var behind, out _, out _))
            {
                depth++;
                i = behind - 1;
            }
            else if (_text[i] == '\'' && _text.IndexOf('\'', i + 1) is var end && end > 0)
            {
                i = end;
            }
            else if (_text[i] is '<' or '>' or '=' or '!')
            {
                return true;
            }
        }

        return false;
    }

    private Comparison Compare()
    {
        var instances = new List<string>();
        var left = Expression(instances);
        Skip();
        var sign = Array.Find(Signs, s => _text.AsSpan(_at).StartsWith(s)) ?? throw Refused("a comparison is expected: > >= < <= == or !=" + (_at == _text.Length ? "; in YAML what follows \" #\" is a comment: put a condition with #'…' in quotes" : ""));
        _at += sign.Length;
        var right = Expression(instances);
        var (leftNode, rightNode) = (ConditionNodeParser.Parse(left, _names), ConditionNodeParser.Parse(right, _names));
        if (!leftNode.Metrics().Concat(rightNode.Metrics()).Any())
        {
            throw Refused("a comparison without a metric is always the same");
        }

        if (leftNode.Instances != InstanceDomainId.None && rightNode.Instances != InstanceDomainId.None && leftNode.Instances != rightNode.Instances)
        {
            throw Refused($"{leftNode.Metrics().First()} and {rightNode.Metrics().First()} have different instances, and cannot be compared one by one: make one number of either with sum, avg, min or max");
        }

        CheckUnits(leftNode, rightNode);

        // One side is parsed once more to be shown, since what remembers values serves one place alone.
        var shown = ConditionNodeParser.Parse(leftNode.Metrics().Any() ? left : right, _names);
        return new Comparison(shown, new OperationNode('-', leftNode, rightNode), sign, instances);
    }

    // pmie compares megabytes with seconds; whoever wrote that meant something else.
    private void CheckUnits(ConditionNode left, ConditionNode right)
    {
        var (a, b) = (left.Units, right.Units);
        if ((left.IsShare && b != MetricUnits.None) || (right.IsShare && a != MetricUnits.None))
        {
            throw Refused($"a share in per cent cannot be compared with {Words(left.IsShare ? b : a)}: divide by what it is a share of, as in mem.util.free / mem.physmem < 10%");
        }

        if (left.IsConstant || right.IsConstant || (a.Space, a.Time, a.CountDimension) == (b.Space, b.Time, b.CountDimension))
        {
            return;
        }

        var isRate = (a.Space, a.CountDimension) == (b.Space, b.CountDimension) && Math.Abs(a.Time - b.Time) == 1;
        throw Refused($"{Words(a)} cannot be compared with {Words(b)}{(isRate ? "; a counter stands for its rate per second: write instant(METRIC) for what it has counted, or compare with a rate such as 1 Mbyte/sec" : "")}");

        static string Words(MetricUnits units) => units == MetricUnits.None ? "a number without a unit" : $"\"{units}\"";
    }

    private Quantifier? TakeQuantifier()
    {
        Skip();
        if (TakeWord("all_inst"))
        {
            return Quantifier.All;
        }

        if (TakeWord("some_inst"))
        {
            return Quantifier.Some;
        }

        var end = _at;
        while (end < _text.Length && char.IsAsciiDigit(_text[end]))
        {
            end++;
        }

        // pmie has a space before the sign.
        var sign = _text.AsSpan(end).TrimStart(' ');
        if (end > _at && sign.StartsWith("%_inst") && int.TryParse(_text.AsSpan(_at, end - _at), NumberStyles.None, CultureInfo.InvariantCulture, out var share) && share is >= 1 and <= 100)
        {
            _at = _text.Length - sign.Length + "%_inst".Length;
            return new Quantifier(share / 100.0, false);
        }

        return null;
    }

    // Up to a sign, a word that joins, or a parenthesis that closes an outer one; #'…' is taken out of it.
    private string Expression(List<string> instances)
    {
        var text = new StringBuilder();
        var depth = 0;
        for (Skip(); _at < _text.Length; _at++)
        {
            var c = _text[_at];
            var isWordStart = _at == 0 || !(char.IsAsciiLetterOrDigit(_text[_at - 1]) || _text[_at - 1] is '_' or '.');
            if (isWordStart && InstancePattern.IsCall(_text, _at))
            {
                if (!InstancePattern.TryRead(_text, _at, out var behind, out _, out _))
                {
                    throw Refused(InstancePattern.Form);
                }

                // Slashes and signs of a pattern mean nothing here.
                text.Append(_text.AsSpan(_at, behind - _at));
                _at = behind - 1;
                depth++;
                continue;
            }

            if (c is '<' or '>' or '=' or '!' or '&' or '|' || (depth == 0 && c == ')') || (depth == 0 && isWordStart && (IsWord("and") || IsWord("or"))))
            {
                break;
            }

            if (c == '#')
            {
                Skip();
                var end = _at + 1 < _text.Length && _text[_at + 1] == '\'' ? _text.IndexOf('\'', _at + 2) : -1;
                if (end < 0)
                {
                    throw Refused("an instance is written #'name'");
                }

                instances.Add(_text[(_at + 2)..end]);
                _at = end;
                text.Append(' ');
                continue;
            }

            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            text.Append(c);
        }

        return text.ToString().Trim() is { Length: > 0 } expression ? expression : throw Refused("an expression is expected");
    }

    private bool IsWord(string word)
    {
        var end = _at + word.Length;
        return _text.AsSpan(_at).StartsWith(word, StringComparison.Ordinal) && (end == _text.Length || !(char.IsAsciiLetterOrDigit(_text[end]) || _text[end] is '_' or '.'));
    }

    private bool TakeWord(string word)
    {
        Skip();
        var found = IsWord(word);
        _at += found ? word.Length : 0;
        return found;
    }

    private bool TakeSign(string sign)
    {
        Skip();
        var found = _text.AsSpan(_at).StartsWith(sign, StringComparison.Ordinal);
        _at += found ? sign.Length : 0;
        return found;
    }

    private bool TakeNegation() => !_text.AsSpan(_at).StartsWith("!=", StringComparison.Ordinal) && TakeSign("!");

    private void Skip()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
        {
            _at++;
        }
    }

    private MusterException Refused(string why) => new(ErrorKind.Invalid, $"The condition \"{_text}\" cannot be understood at character {_at + 1}: {why}");
}
