using System.Globalization;
using System.Text;
using Muster.Core;

namespace Muster.Metrics.Derived;

/// <summary>Cuts an expression into words, as libpcp's scanner does (pmRegisterDerived(3)).</summary>
/// <param name="text">The expression.</param>
/// <param name="from">Where in it the first word is looked for.</param>
internal sealed class DerivedLexer(string text, int from = 0)
{
    private int _at = from;

    /// <summary>The place behind the last word.</summary>
    public int At => _at;

    /// <summary>The next word; after <c>matchinst(</c> and its <c>!</c> a slash begins a pattern.</summary>
    public DerivedToken Next(bool isPattern = false)
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }

        var start = _at;
        if (start >= text.Length)
        {
            return new DerivedToken(DerivedTokenKind.End, "", start);
        }

        var c = text[_at++];
        return c switch
        {
            '+' => Sign(DerivedTokenKind.Plus),
            '-' => Sign(DerivedTokenKind.Minus),
            '*' => Sign(DerivedTokenKind.Star),
            '/' => isPattern ? Delimited(DerivedTokenKind.Pattern, '/', "a pattern") : Sign(DerivedTokenKind.Slash),
            '(' => Sign(DerivedTokenKind.Open),
            ')' => Sign(DerivedTokenKind.Close),
            ',' => Sign(DerivedTokenKind.Comma),
            '?' => Sign(DerivedTokenKind.Question),
            ':' => Sign(DerivedTokenKind.Colon),
            '<' => Take('=') ? Sign(DerivedTokenKind.LessOrEqual) : Sign(DerivedTokenKind.Less),
            '>' => Take('=') ? Sign(DerivedTokenKind.GreaterOrEqual) : Sign(DerivedTokenKind.Greater),
            '=' => Take('=') ? Sign(DerivedTokenKind.Equal) : Sign(DerivedTokenKind.Assign),
            '!' => Take('=') ? Sign(DerivedTokenKind.NotEqual) : Sign(DerivedTokenKind.Not),
            '&' when Take('&') => Sign(DerivedTokenKind.And),
            '|' when Take('|') => Sign(DerivedTokenKind.Or),
            '"' => Delimited(DerivedTokenKind.Text, '"', "a text"),
            '[' => Delimited(DerivedTokenKind.Instance, ']', "an instance's name"),
            '.' or (>= '0' and <= '9') => Number(start, c == '.'),
            _ when char.IsAsciiLetter(c) => Word(start),
            _ => throw Refused(start, $"the character '{(char.IsControl(c) ? '?' : c)}' has no meaning here"),
        };

        DerivedToken Sign(DerivedTokenKind kind) => new(kind, text[start.._at], start);

        DerivedToken Delimited(DerivedTokenKind kind, char end, string what) => new(kind, Until(start, end, hasEscapes: kind != DerivedTokenKind.Text, what), start);
    }

    /// <summary>A refusal at a place of the expression.</summary>
    public MusterException Refused(int at, string why) =>
        new(ErrorKind.Invalid, string.Create(CultureInfo.InvariantCulture, $"Syntax Error in \"{text}\" at character {at + 1}: {why}"));

    private bool Take(char c)
    {
        var found = _at < text.Length && text[_at] == c;
        _at += found ? 1 : 0;
        return found;
    }

    // A backslash takes the next character as it is.
    private string Until(int start, char end, bool hasEscapes, string what)
    {
        var found = new StringBuilder();
        for (; _at < text.Length; _at++)
        {
            var c = text[_at];
            if (hasEscapes && c == '\\' && _at + 1 < text.Length)
            {
                found.Append(text[++_at]);
            }
            else if (c == end)
            {
                _at++;
                return found.ToString();
            }
            else
            {
                found.Append(c);
            }
        }

        throw Refused(start, $"{what} begins here and does not end: a closing {end} is missing");
    }

    // No exponents: 1e3 is a number and a name to libpcp, too.
    private DerivedToken Number(int start, bool isDouble)
    {
        for (; _at < text.Length && (char.IsAsciiDigit(text[_at]) || (!isDouble && text[_at] == '.')); _at++)
        {
            isDouble |= text[_at] == '.';
        }

        var number = text[start.._at];
        if (!isDouble && !uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            throw Refused(start, $"whole numbers end at {uint.MaxValue}: write {number}.0 for a real number");
        }

        return new DerivedToken(isDouble ? DerivedTokenKind.Double : DerivedTokenKind.Integer, number, start);
    }

    private DerivedToken Word(int start)
    {
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] is '_' or '.'))
        {
            _at++;
        }

        var word = text[start.._at];
        var isCall = _at < text.Length && text[_at] == '(' && DerivedFunction.IsKnown(word);
        return new DerivedToken(isCall ? DerivedTokenKind.Function : DerivedTokenKind.Name, word, start);
    }
}
