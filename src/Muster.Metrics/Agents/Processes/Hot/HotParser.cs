using System.Globalization;
using System.Text.RegularExpressions;

namespace Muster.Metrics.Agents.Processes.Hot;

/// <summary>Reads the predicate language of hotproc: <c>||</c> binds weakest, then <c>&amp;&amp;</c>, then <c>!</c>.</summary>
internal sealed class HotParser
{
    // Parentheses and negations within each other: nobody reads more, and the stack is not endless.
    private const int MaxDepth = 64;

    private static readonly (string Word, HotVariable Variable)[] Words =
    [
        ("uid", HotVariable.UserId), ("gid", HotVariable.GroupId), ("cpuburn", HotVariable.CpuBurn), ("iodemand", HotVariable.IoDemand),
        ("ctxswitch", HotVariable.ContextSwitches), ("virtualsize", HotVariable.VirtualSize), ("residentsize", HotVariable.ResidentSize),
        ("iowait", HotVariable.IoWait), ("schedwait", HotVariable.SchedulerWait),
        ("uname", HotVariable.UserName), ("gname", HotVariable.GroupName), ("fname", HotVariable.FileName), ("psargs", HotVariable.Arguments),
    ];

    private static readonly string[] Symbols = ["&&", "||", "<=", ">=", "==", "!=", "!~", "<", ">", "~", "!", "(", ")"];

    private readonly string _text;
    private int _at;
    private int _depth;
    private Token _token;

    public HotParser(string text)
    {
        if (text.Length > HotPredicate.MaxLength)
        {
            throw new FormatException($"A predicate has at most {HotPredicate.MaxLength} characters");
        }

        _text = text;
        _token = Read();
    }

    private enum Kind
    {
        End,
        Symbol,
        Word,
        Number,
        Text,
        Pattern,
    }

    public static string Word(HotVariable variable) => Words.First(w => w.Variable == variable).Word;

    public HotPredicate Whole()
    {
        var whole = Either();
        return _token.Kind == Kind.End ? whole : throw Unexpected("&& or ||");
    }

    private HotPredicate Either()
    {
        var left = Both();
        while (TakeSymbol("||"))
        {
            left = new HotConnection(left, IsAnd: false, Both());
        }

        return left;
    }

    private HotPredicate Both()
    {
        var left = One();
        while (TakeSymbol("&&"))
        {
            left = new HotConnection(left, IsAnd: true, One());
        }

        return left;
    }

    private HotPredicate One()
    {
        if (++_depth > MaxDepth)
        {
            throw new FormatException($"A predicate has at most {MaxDepth} parentheses and negations within each other");
        }

        try
        {
            if (TakeSymbol("!"))
            {
                return new HotNegation(One());
            }

            if (TakeSymbol("("))
            {
                var inside = Either();
                return TakeSymbol(")") ? inside : throw Unexpected(")");
            }

            return _token is { Kind: Kind.Word, Text: "true" or "false" } ? new HotConstant(Take().Text == "true") : Comparison();
        }
        finally
        {
            _depth--;
        }
    }

    private HotPredicate Comparison()
    {
        if (_token.Kind == Kind.Text || (_token.Kind == Kind.Word && Find(_token.Text) >= HotVariable.UserName))
        {
            var left = Text();
            var symbol = Symbol(["==", "!=", "~", "!~"]);
            return symbol is "==" or "!=" ? new HotEquality(left, symbol == "==", Text()) : new HotMatch(left, symbol == "~", Pattern());
        }

        var first = Number();
        var comparison = Symbol(["<", "<=", ">", ">=", "==", "!="]);
        return new HotComparison(first, comparison, Number());
    }

    private HotText Text()
    {
        if (_token.Kind == Kind.Text)
        {
            return new HotText(null, Take().Text);
        }

        return _token.Kind == Kind.Word && Find(_token.Text) is { } variable && variable >= HotVariable.UserName && Take().Kind == Kind.Word ? new HotText(variable, "") : throw Unexpected("a text");
    }

    private HotNumber Number()
    {
        if (_token.Kind == Kind.Number)
        {
            return new HotNumber(null, double.Parse(Take().Text, CultureInfo.InvariantCulture));
        }

        return _token.Kind == Kind.Word && Find(_token.Text) is { } variable && variable < HotVariable.UserName && Take().Kind == Kind.Word ? new HotNumber(variable, 0) : throw Unexpected("a variable or a number");
    }

    // Without backtracking: a pattern cannot take more than its share of time, whatever a process calls itself.
    private Regex Pattern()
    {
        if (_token.Kind != Kind.Pattern)
        {
            throw Unexpected("a pattern between slashes");
        }

        try
        {
            return new Regex(Take().Text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"A pattern cannot be used: {e.Message}", e);
        }
    }

    private static HotVariable? Find(string word)
    {
        foreach (var (each, variable) in Words)
        {
            if (each == word)
            {
                return variable;
            }
        }

        return null;
    }

    private string Symbol(string[] wanted) => _token.Kind == Kind.Symbol && wanted.Contains(_token.Text) ? Take().Text : throw Unexpected(string.Join(", ", wanted));

    private bool TakeSymbol(string symbol)
    {
        if (_token.Kind != Kind.Symbol || _token.Text != symbol)
        {
            return false;
        }

        Take();
        return true;
    }

    private FormatException Unexpected(string wanted) =>
        new(_token is { Kind: Kind.Word, Text: "syscalls" }
            ? "The kernel does not count system calls: leave syscalls out"
            : $"{(_token.Kind == Kind.End ? "The end" : $"\"{_token.Text}\"")} stands where {wanted} should");

    private Token Take()
    {
        var taken = _token;
        _token = Read();
        return taken;
    }

    private Token Read()
    {
        while (_at < _text.Length && (char.IsWhiteSpace(_text[_at]) || _text[_at] == '#'))
        {
            _at = _text[_at] != '#' ? _at + 1 : _text.IndexOf('\n', _at) is >= 0 and var end ? end : _text.Length;
        }

        if (_at == _text.Length)
        {
            return new Token(Kind.End, "");
        }

        var c = _text[_at];
        if (c is '"' or '/')
        {
            var close = _text.IndexOf(c, _at + 1);
            if (close < 0 || _text.AsSpan(_at, close - _at).Contains('\n'))
            {
                throw new FormatException($"A {(c == '"' ? "text" : "pattern")} has no end on its line");
            }

            var inside = _text[(_at + 1)..close];
            _at = close + 1;
            return new Token(c == '"' ? Kind.Text : Kind.Pattern, inside);
        }

        foreach (var symbol in Symbols)
        {
            if (_text.AsSpan(_at).StartsWith(symbol, StringComparison.Ordinal))
            {
                _at += symbol.Length;
                return new Token(Kind.Symbol, symbol);
            }
        }

        var start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '_' or '.'))
        {
            _at++;
        }

        if (start == _at)
        {
            throw new FormatException($"The character {c} has no meaning in a predicate");
        }

        var word = _text[start.._at];
        if (!char.IsAsciiDigit(c) && c != '.')
        {
            return new Token(Kind.Word, word);
        }

        return double.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) ? new Token(Kind.Number, word) : throw new FormatException($"{word} is no number");
    }

    private readonly record struct Token(Kind Kind, string Text);
}
