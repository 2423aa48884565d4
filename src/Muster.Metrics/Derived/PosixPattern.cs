using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Muster.Metrics.Derived;

/// <summary>
/// An extended regular expression of POSIX (regex(7)) as one that takes time in proportion to the text it is tried on, whatever
/// it says: with the few classes that the GNU library adds (<c>\w \s \b \&lt;</c>), without references back.
/// </summary>
internal sealed class PosixPattern
{
    // POSIX' own bound is 255; what is repeated more often makes a large automaton.
    private const int MaxRepeats = 255;

    private readonly Regex _regex;

    private PosixPattern(Regex regex) => _regex = regex;

    /// <summary>Whether it matches somewhere in a text.</summary>
    public bool IsMatch(string text) => _regex.IsMatch(text);

    /// <summary>Reads a pattern; false with the reason when it is none.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out PosixPattern? pattern, out string why)
    {
        pattern = null;
        var reader = new Reader(text);
        if (reader.Read() is not { } translated)
        {
            why = reader.Why;
            return false;
        }

        try
        {
            pattern = new PosixPattern(new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline));
            why = "";
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            why = "it is too large or not closed: " + e.Message.TrimEnd('.');
            return false;
        }
    }

    /// <summary>Writes the same expression in .NET's words.</summary>
    private sealed class Reader(string text)
    {
        private readonly StringBuilder _out = new();
        private readonly Stack<int> _groups = new();

        // Where the last thing that could be repeated begins; -1 where there is none.
        private int _atom = -1;
        private bool _isRepeated;
        private int _at;

        public string Why { get; private set; } = "";

        public string? Read()
        {
            while (_at < text.Length)
            {
                if (!Step(text[_at++]))
                {
                    return null;
                }
            }

            return _groups.Count == 0 ? _out.ToString() : Refuse("a parenthesis is not closed");
        }

        private bool Step(char c)
        {
            switch (c)
            {
                case '(':
                    _groups.Push(_out.Length);
                    _out.Append("(?:");
                    (_atom, _isRepeated) = (-1, false);
                    return true;
                case ')' when _groups.Count > 0:
                    _out.Append(')');
                    (_atom, _isRepeated) = (_groups.Pop(), false);
                    return true;
                case '|':
                    _out.Append('|');
                    (_atom, _isRepeated) = (-1, false);
                    return true;
                case '^':
                    _out.Append("\\A");
                    (_atom, _isRepeated) = (-1, false);
                    return true;
                case '$':
                    return Atom("\\z");
                case '.':
                    return Atom(".");
                case '[':
                    return Set();
                case '*' or '+' or '?':
                    return Repeat(c.ToString());
                case '{':
                    return Interval();
                case '\\':
                    return Escape();
                default:
                    return Atom(Regex.Escape(c.ToString()));
            }
        }

        private bool Atom(string translated)
        {
            (_atom, _isRepeated) = (_out.Length, false);
            _out.Append(translated);
            return true;
        }

        private bool Repeat(string how)
        {
            if (_atom < 0)
            {
                return Refuse($"there is nothing that {how} could repeat") is not null;
            }

            // a*? is a repeated repetition here, and a lazy one there.
            if (_isRepeated)
            {
                _out.Insert(_atom, "(?:").Append(')');
            }

            _out.Append(how);
            _isRepeated = true;
            return true;
        }

        private bool Interval()
        {
            var end = text.IndexOf('}', _at);
            var parts = end < 0 ? [] : text[_at..end].Split(',');
            if (parts.Length is not (1 or 2) || !Bound(parts[0], out var low) || !Bound(parts[^1], out var high) || (low is null && high is null) || high < low)
            {
                return Refuse($"{{ is followed by no count up to {MaxRepeats}, as in {{2}} or {{2,5}}") is not null;
            }

            _at = end + 1;
            return Repeat(parts.Length == 1 ? $"{{{low}}}" : $"{{{low ?? 0},{high}}}");

            static bool Bound(string word, out int? bound)
            {
                bound = int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
                return word.Length == 0 || bound is <= MaxRepeats;
            }
        }

        private bool Escape()
        {
            if (_at == text.Length)
            {
                return Refuse("it ends in a backslash") is not null;
            }

            var c = text[_at++];
            return c switch
            {
                'w' => Atom("[A-Za-z0-9_]"),
                'W' => Atom("[^A-Za-z0-9_]"),
                's' => Atom("[ \\t-\\r]"),
                'S' => Atom("[^ \\t-\\r]"),
                'b' or '<' or '>' => Atom("\\b"),
                'B' => Atom("\\B"),
                '`' => Atom("\\A"),
                '\'' => Atom("\\z"),
                >= '1' and <= '9' => Refuse($"\\{c} refers back to a group, which is not taken") is not null,
                _ => Atom(Regex.Escape(c.ToString())),
            };
        }

        private bool Set()
        {
            var isNegated = _at < text.Length && text[_at] == '^';
            _at += isNegated ? 1 : 0;
            var members = new StringBuilder();
            for (var isFirst = true; ; isFirst = false)
            {
                if (_at >= text.Length)
                {
                    return Refuse("a [ is not closed") is not null;
                }

                if (text[_at] == ']' && !isFirst)
                {
                    _at++;
                    return Atom($"[{(isNegated ? "^" : "")}{members}]");
                }

                if (!Member(members))
                {
                    return false;
                }
            }
        }

        private bool Member(StringBuilder members)
        {
            if (text[_at] == '[' && _at + 1 < text.Length && text[_at + 1] == ':')
            {
                var end = text.IndexOf(":]", _at + 2, StringComparison.Ordinal);
                var characters = end < 0 ? null : Class(text[(_at + 2)..end]);
                if (characters is null)
                {
                    return Refuse("[: is followed by no name of a class, as in [[:digit:]]") is not null;
                }

                members.Append(characters);
                _at = end + 2;
                return true;
            }

            if (Element() is not { } low)
            {
                return false;
            }

            if (_at + 1 < text.Length && text[_at] == '-' && text[_at + 1] != ']')
            {
                _at++;
                if (Element() is not { } high)
                {
                    return false;
                }

                if (high < low)
                {
                    return Refuse($"the range {low}-{high} is upside down") is not null;
                }

                members.Append(Quote(low)).Append('-').Append(Quote(high));
                return true;
            }

            members.Append(Quote(low));
            return true;
        }

        // One character, also as [.x.] or [=x=]; a backslash is an ordinary one here.
        private char? Element()
        {
            if (text[_at] == '[' && _at + 1 < text.Length && text[_at + 1] is '.' or '=')
            {
                var mark = text[_at + 1];
                if (_at + 4 < text.Length && text[_at + 3] == mark && text[_at + 4] == ']')
                {
                    _at += 5;
                    return text[_at - 3];
                }

                Refuse($"[{mark} is followed by more than one character");
                return null;
            }

            return text[_at++];
        }

        private static string Quote(char c) => c is '\\' or ']' or '[' or '^' or '-' ? "\\" + c : c.ToString();

        private static string? Class(string name) => name switch
        {
            "alpha" => "A-Za-z",
            "digit" => "0-9",
            "alnum" => "A-Za-z0-9",
            "upper" => "A-Z",
            "lower" => "a-z",
            "space" => " \\t-\\r",
            "blank" => " \\t",
            "punct" => "!-/:-@\\[-`{-~",
            "xdigit" => "0-9A-Fa-f",
            "cntrl" => "\\x00-\\x1f\\x7f",
            "print" => " -~",
            "graph" => "!-~",
            _ => null,
        };

        private string? Refuse(string why)
        {
            Why = why;
            return null;
        }
    }
}
