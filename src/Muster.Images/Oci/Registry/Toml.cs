using System.Globalization;
using System.Text;
using Muster.Core;

namespace Muster.Images.Oci.Registry;

/// <summary>
/// The part of TOML (v1.0.0) that registries.conf uses: tables, arrays of tables, bare, quoted and dotted keys, strings of
/// all four kinds, whole numbers, booleans, arrays and inline tables. Values are string, long, bool, List&lt;object&gt; or
/// Dictionary&lt;string, object&gt;. Dates and fractions, which it never has, are refused.
/// </summary>
internal ref struct Toml
{
    /// <summary>A registries.conf with a thousand mirrors has a third of this.</summary>
    public const int MaxCharacters = 1 << 20;

    private const int MaxDepth = 16;

    private readonly ReadOnlySpan<char> _text;
    private int _at;

    private Toml(ReadOnlySpan<char> text) => _text = text;

    /// <summary>Reads a document, or refuses it with the line.</summary>
    public static Dictionary<string, object> Parse(ReadOnlySpan<char> text)
    {
        var reader = new Toml(text);
        if (text.Length > MaxCharacters)
        {
            throw reader.Wrong($"it has more than {MaxCharacters} characters");
        }

        return reader.Document();
    }

    private Dictionary<string, object> Document()
    {
        var root = new Dictionary<string, object>(StringComparer.Ordinal);
        var current = root;
        while (true)
        {
            SkipLines();
            if (_at >= _text.Length)
            {
                return root;
            }

            if (_text[_at] == '[')
            {
                current = Header(root);
            }
            else
            {
                Pair(current, 0);
            }

            EndLine();
        }
    }

    private Dictionary<string, object> Header(Dictionary<string, object> root)
    {
        var isArray = _text[_at..].StartsWith("[[");
        _at += isArray ? 2 : 1;
        var keys = Keys();
        Expect(isArray ? "]]" : "]");
        var table = root;
        for (var i = 0; i < keys.Count; i++)
        {
            var last = i == keys.Count - 1;
            if (last && isArray)
            {
                if (!table.TryGetValue(keys[i], out var existing))
                {
                    table[keys[i]] = existing = new List<object>();
                }

                var made = new Dictionary<string, object>(StringComparer.Ordinal);
                (existing as List<object> ?? throw Wrong($"\"{keys[i]}\" is not an array of tables")).Add(made);
                return made;
            }

            table = Inner(table, keys[i]);
        }

        return table;
    }

    private readonly Dictionary<string, object> Inner(Dictionary<string, object> table, string key)
    {
        if (!table.TryGetValue(key, out var existing))
        {
            var made = new Dictionary<string, object>(StringComparer.Ordinal);
            table[key] = made;
            return made;
        }

        return existing switch
        {
            Dictionary<string, object> inner => inner,
            List<object> list when list.Count > 0 && list[^1] is Dictionary<string, object> newest => newest,
            _ => throw Wrong($"\"{key}\" is not a table"),
        };
    }

    private void Pair(Dictionary<string, object> table, int depth)
    {
        var keys = Keys();
        Expect("=");
        for (var i = 0; i < keys.Count - 1; i++)
        {
            table = Inner(table, keys[i]);
        }

        SkipBlanks();
        if (!table.TryAdd(keys[^1], Value(depth)))
        {
            throw Wrong($"\"{keys[^1]}\" is given twice");
        }
    }

    private List<string> Keys()
    {
        var keys = new List<string>();
        while (true)
        {
            SkipBlanks();
            keys.Add(Key());
            SkipBlanks();
            if (_at >= _text.Length || _text[_at] != '.' || keys.Count == MaxDepth)
            {
                return keys;
            }

            _at++;
        }
    }

    private string Key()
    {
        if (_at < _text.Length && _text[_at] is '"' or '\'')
        {
            return Text();
        }

        var start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '-' or '_'))
        {
            _at++;
        }

        return _at > start ? _text[start.._at].ToString() : throw Wrong("a key is expected");
    }

    private object Value(int depth)
    {
        if (depth > MaxDepth)
        {
            throw Wrong($"it is nested deeper than {MaxDepth}");
        }

        if (_at >= _text.Length)
        {
            throw Wrong("a value is expected");
        }

        switch (_text[_at])
        {
            case '"' or '\'':
                return Text();
            case '[':
                return Array(depth);
            case '{':
                return Table(depth);
        }

        var start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '+' or '-' or '_' or '.' or ':'))
        {
            _at++;
        }

        var word = _text[start.._at];
        return word is "true" ? true : word is "false" ? false
            : long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
            : throw Wrong($"\"{word}\" is not a value that is understood here");
    }

    private List<object> Array(int depth)
    {
        var items = new List<object>();
        _at++;
        while (true)
        {
            SkipLines();
            if (Take(']'))
            {
                return items;
            }

            items.Add(Value(depth + 1));
            SkipLines();
            if (!Take(','))
            {
                Expect("]");
                return items;
            }
        }
    }

    private Dictionary<string, object> Table(int depth)
    {
        var table = new Dictionary<string, object>(StringComparer.Ordinal);
        _at++;
        SkipBlanks();
        if (Take('}'))
        {
            return table;
        }

        do
        {
            Pair(table, depth + 1);
            SkipBlanks();
        }
        while (Take(','));
        Expect("}");
        return table;
    }

    private string Text()
    {
        var quote = _text[_at];
        var many = _text[_at..].StartsWith(quote == '"' ? "\"\"\"" : "'''");
        _at += many ? 3 : 1;
        if (many && _at < _text.Length && _text[_at] == '\n')
        {
            _at++;
        }

        var value = new StringBuilder();
        while (_at < _text.Length)
        {
            var c = _text[_at++];
            if (c == quote && (!many || _text[_at..].StartsWith(quote == '"' ? "\"\"" : "''")))
            {
                _at += many ? 2 : 0;
                return value.ToString();
            }

            if (c == '\n' && !many)
            {
                break;
            }

            value.Append(c == '\\' && quote == '"' ? Escape() : c.ToString());
        }

        throw Wrong("a text has no end");
    }

    private string Escape()
    {
        var c = _at < _text.Length ? _text[_at++] : '\0';
        switch (c)
        {
            case 'b':
                return "\b";
            case 't':
                return "\t";
            case 'n':
                return "\n";
            case 'f':
                return "\f";
            case 'r':
                return "\r";
            case '"' or '\\':
                return c.ToString();
            case 'u' or 'U':
                var digits = c == 'u' ? 4 : 8;
                if (_at + digits <= _text.Length && uint.TryParse(_text.Slice(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) && Rune.IsValid(code))
                {
                    _at += digits;
                    return new Rune(code).ToString();
                }

                break;
        }

        throw Wrong("a backslash is followed by something that is not an escape");
    }

    private void EndLine()
    {
        SkipBlanks();
        if (_at < _text.Length && _text[_at] is not ('\n' or '\r' or '#'))
        {
            throw Wrong("something follows a value on its line");
        }
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t')
        {
            _at++;
        }
    }

    private void SkipLines()
    {
        while (_at < _text.Length)
        {
            if (_text[_at] is ' ' or '\t' or '\r' or '\n')
            {
                _at++;
            }
            else if (_text[_at] == '#')
            {
                var end = _text[_at..].IndexOf('\n');
                _at = end < 0 ? _text.Length : _at + end;
            }
            else
            {
                return;
            }
        }
    }

    private bool Take(char c)
    {
        var there = _at < _text.Length && _text[_at] == c;
        _at += there ? 1 : 0;
        return there;
    }

    private void Expect(string mark)
    {
        SkipBlanks();
        if (!_text[_at..].StartsWith(mark))
        {
            throw Wrong($"\"{mark}\" is expected");
        }

        _at += mark.Length;
    }

    private readonly MusterException Wrong(string why) =>
        new(ErrorKind.Invalid, $"line {_text[..Math.Min(_at, _text.Length)].Count('\n') + 1}: {why}");
}
