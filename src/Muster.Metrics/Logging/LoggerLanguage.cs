using System.Globalization;
using Muster.Core;

namespace Muster.Metrics.Logging;

/// <summary>
/// pmlogger's own configuration language (pmlogger(1)) after its preprocessor: <c>[log] [mandatory|advisory] on|off|maybe
/// [[every] INTERVAL|once|default] { metric [ "instance" number … ] … }</c>. Its access control belongs to pmlogger's control
/// port, which there is none of here: it is read and told to have no effect. What pmlogger -C refuses is refused.
/// </summary>
internal sealed class LoggerLanguage
{
    /// <summary>pmlogger's own default interval.</summary>
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(60);

    /// <summary>pmlogger's longest interval, 28 bits of milliseconds.</summary>
    private static readonly TimeSpan LongestInterval = TimeSpan.FromMilliseconds(268_435_455);

    private readonly List<(string Word, TokenKind Kind, LoggerLine Line)> _tokens = [];
    private readonly List<LogGroup> _groups = [];
    private readonly List<string> _warnings = [];

    // What earlier statements keep out of later ones: "mandatory off" out of all, "advisory off" and "mandatory on" out of advisory ones.
    private readonly List<LogExclusion> _off = [];
    private readonly List<LogExclusion> _notAdvised = [];
    private readonly string _where;
    private int _at;

    private LoggerLanguage(string text, string where)
    {
        _where = where;
        foreach (var line in LoggerPreprocessor.Run(text, where))
        {
            Tokenize(line);
        }
    }

    private enum TokenKind
    {
        Word,
        Number,
        Quoted,
        Sign,
    }

    /// <summary>Whether the first line of a text that says anything is one of the language.</summary>
    public static bool Recognise(string text)
    {
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Trim();
            if (line.Length > 0 && line[0] != '#')
            {
                var word = line[..EndOf(line, 0, NameCharacters)];
                return word is "log" or "mandatory" or "advisory" or "on" or "off" ? !line.AsSpan(word.Length).TrimStart().StartsWith(":") : line[0] == '%' ? !line.StartsWith("%YAML", StringComparison.Ordinal) : line.Replace(" ", "", StringComparison.Ordinal).StartsWith("[access]", StringComparison.Ordinal);
            }
        }

        return false;
    }

    public static LogPlan Parse(string text, string where)
    {
        var parser = new LoggerLanguage(text, where);
        while (parser._at < parser._tokens.Count)
        {
            if (parser.Peek() == "[")
            {
                parser.Access();
                break;
            }

            parser.Statement();
        }

        return parser._groups.Count is > 0 and <= LogGroup.MaxGroups
            ? new LogPlan { Groups = parser._groups, Warnings = [.. parser._warnings.Distinct(StringComparer.Ordinal)] }
            : throw new MusterException(ErrorKind.Invalid, $"{where} logs nothing, or in more than {LogGroup.MaxGroups} groups: write \"log mandatory on 10 sec {{ kernel.all.load }}\"");
    }

    private void Statement()
    {
        _at += Peek() == "log" ? 1 : 0;
        var isMandatory = Peek() == "mandatory";
        var isSaid = isMandatory || Peek() == "advisory";
        _at += isSaid ? 1 : 0;
        var state = Peek();
        if (state is not ("on" or "off" or "maybe") || (state == "maybe" && !isMandatory))
        {
            throw Refused(isSaid ? $"on{(isMandatory ? ", off or maybe" : " or off")} is expected, and there is {Told()}" : $"a statement is expected (log mandatory on …, with on, off or maybe), and there is {Told()}");
        }

        _at++;
        var interval = state == "on" ? Interval() : null;
        var whole = new List<string>();
        var chosen = new List<LogGroup>();
        Metrics(whole, chosen, interval);
        var said = whole.Select(m => new LogExclusion(m, null)).Concat(chosen.Select(c => new LogExclusion(c.Metrics[0], c))).ToList();
        switch (state)
        {
            case "on":
                var except = isMandatory ? _off.ToList() : [.. _off, .. _notAdvised];
                _groups.AddRange(chosen.Select(g => g with { Except = Before(g.Metrics, except) }));
                if (whole.Count > 0)
                {
                    _groups.Add(new LogGroup(interval, whole, []) { Except = Before(whole, except) });
                }

                _notAdvised.AddRange(isMandatory ? said : []);
                break;
            case "off":
                (isMandatory ? _off : _notAdvised).AddRange(said);
                break;
            default:
                _warnings.Add($"{_where}: \"log mandatory maybe\" has no effect: what is not logged stays so, as nobody controls this logger over the network");
                break;
        }

        // Who names what was off before, and not what is above it, wants it after all.
        List<LogExclusion> Before(IReadOnlyList<string> metrics, List<LogExclusion> earlier) =>
            isMandatory ? [.. earlier.Where(e => !metrics.Any(m => m == e.Metric || m.StartsWith(e.Metric + ".", StringComparison.Ordinal)))] : earlier;
    }

    private void Metrics(List<string> whole, List<LogGroup> chosen, TimeSpan? interval)
    {
        var isBlock = Peek() == "{";
        _at += isBlock ? 1 : 0;
        do
        {
            if (isBlock && Peek() == "," && (whole.Count > 0 || chosen.Count > 0))
            {
                _at++;
            }

            var (name, instances) = Metric(isBlock);
            if (instances is null)
            {
                whole.Add(name);
            }
            else
            {
                chosen.Add(instances with { Interval = interval });
            }
        }
        while (isBlock && Peek() is not ("}" or ""));
        if (isBlock)
        {
            Expect("}");
        }
    }

    private TimeSpan? Interval()
    {
        var isEvery = Peek() == "every";
        _at += isEvery ? 1 : 0;
        if (!isEvery && Peek() is "once" or "default")
        {
            return Take() == "once" ? null : DefaultInterval;
        }

        if (_at >= _tokens.Count || _tokens[_at].Kind != TokenKind.Number || !long.TryParse(_tokens[_at].Word, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw Refused($"an interval is expected (once, default, or a whole number and a unit), and there is {Told()}");
        }

        _at++;
        var milliseconds = Unit() * Math.Min(number, (long)LongestInterval.TotalMilliseconds + 1);
        _at++;
        if (milliseconds > LongestInterval.TotalMilliseconds)
        {
            throw Refused($"the interval is longer than {LongestInterval.TotalHours:0.0} hours");
        }

        if (milliseconds > 0 && milliseconds < LogGroup.ShortestInterval.TotalMilliseconds)
        {
            _warnings.Add($"{_where}: an interval of {milliseconds} ms is taken as {LogGroup.ShortestInterval.TotalMilliseconds} ms");
            return LogGroup.ShortestInterval;
        }

        // No time between two is no second one.
        return milliseconds == 0 ? null : TimeSpan.FromMilliseconds(milliseconds);
    }

    private long Unit() => Peek() switch
    {
        "msec" or "msecs" or "millisecond" or "milliseconds" => 1,
        "sec" or "secs" or "second" or "seconds" => 1000,
        "min" or "mins" or "minute" or "minutes" => 60_000,
        "hour" or "hours" => 3_600_000,
        _ => throw Refused($"{Told()} is no unit of time: write msec, sec, min or hour"),
    };

    private (string Name, LogGroup? Instances) Metric(bool isBlock)
    {
        var isWord = _at < _tokens.Count && _tokens[_at].Kind == TokenKind.Word;
        if (!isWord || !Names.MetricNames.IsName(_tokens[_at].Word) || (!isBlock && Keywords.Contains(_tokens[_at].Word)))
        {
            throw Refused($"{Told()} is no name of a metric");
        }

        var name = Take();
        if (Peek() != "[")
        {
            return (name, null);
        }

        _at++;
        var (names, numbers) = (new List<string>(), new List<int>());
        do
        {
            var (word, kind, _) = _at < _tokens.Count ? _tokens[_at] : throw Refused("the file ends in the middle of a statement");
            if (kind == TokenKind.Sign || (kind == TokenKind.Word && word.AsSpan().ContainsAnyExcept(NameCharacters)))
            {
                throw Refused($"{Told()} is no instance: write a number, a word, or a name in quotation marks");
            }

            if (kind == TokenKind.Number)
            {
                numbers.Add(int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Refused($"{word} is no number of an instance"));
            }
            else
            {
                names.Add(word);
            }

            _at++;
            _at += Peek() == "," && _at + 1 < _tokens.Count && _tokens[_at + 1].Word != "]" ? 1 : 0;
        }
        while (Peek() != "]");
        _at++;
        return (name, new LogGroup(null, [name], names) { IsLiteral = true, InstanceNumbers = numbers });
    }

    // "[access]", then "allow HOST, … : OPERATION, … ;": hosts may have colons themselves.
    private void Access()
    {
        var line = _tokens[_at].Line.Number;
        Expect("[");
        Expect("access");
        Expect("]");
        _warnings.Add($"{_where}: the section [access] from line {line} on is ignored: nobody controls this logger over the network");
        if (_at >= _tokens.Count)
        {
            throw Refused("the section [access] is empty");
        }

        while (_at < _tokens.Count)
        {
            var begin = _at;
            while (Peek() is not (";" or ""))
            {
                _at++;
            }

            if (Peek() != ";" || !IsRule(_tokens.GetRange(begin, _at - begin).ConvertAll(t => t.Word)))
            {
                _at = begin;
                throw Refused("this is no rule of access: write \"allow HOST : OPERATION;\" with enquire, advisory, mandatory or all");
            }

            _at++;
        }
    }

    // "allow HOST, HOST : OPERATION, OPERATION": the last colon parts them.
    private static bool IsRule(List<string> words)
    {
        var colon = words.LastIndexOf(":");
        return words is ["allow" or "disallow", ..] && colon > 1 && colon + 1 < words.Count && Parts(words[1..colon]).TrueForAll(host => host.Count > 0)
            && (words[(colon + 1)..] is ["all"] || Parts(words[colon + 1] == "all" && words.Count > colon + 2 && words[colon + 2] == "except" ? words[(colon + 3)..] : words[(colon + 1)..]).TrueForAll(o => o is ["enquire" or "advisory" or "mandatory"]));
    }

    private static List<List<string>> Parts(List<string> words)
    {
        var parts = new List<List<string>> { new() };
        foreach (var word in words)
        {
            if (word == ",")
            {
                parts.Add([]);
            }
            else
            {
                parts[^1].Add(word);
            }
        }

        return parts;
    }

    // A quoted word is never a sign of the language.
    private string Peek() => _at >= _tokens.Count ? "" : _tokens[_at].Kind == TokenKind.Quoted ? "\"" + _tokens[_at].Word : _tokens[_at].Word;

    private string Told() => _at >= _tokens.Count ? "the end of the file" : $"\"{_tokens[_at].Word}\"";

    private string Take() => _at < _tokens.Count ? _tokens[_at++].Word : throw Refused("the file ends in the middle of a statement");

    private void Expect(string word)
    {
        if (Peek() != word)
        {
            throw Refused($"\"{word}\" is expected, and there is {Told()}");
        }

        _at++;
    }

    private MusterException Refused(string why)
    {
        var line = _tokens.Count == 0 ? new LoggerLine("", _where, 1) : _tokens[Math.Min(_at, _tokens.Count - 1)].Line;
        return new MusterException(ErrorKind.Invalid, $"{line.File}, line {line.Number.ToString(CultureInfo.InvariantCulture)}: {why}");
    }

    private void Tokenize(LoggerLine line)
    {
        var text = line.Text;
        for (var i = 0; i < text.Length;)
        {
            var end = i + 1;
            var kind = TokenKind.Sign;
            switch (text[i])
            {
                case ' ' or '\t' or '\r':
                    i++;
                    continue;
                case '#':
                    return;
                case '"':
                    end = text.IndexOf('"', i + 1) + 1;
                    if (end <= i + 2)
                    {
                        throw new MusterException(ErrorKind.Invalid, $"{line.File}, line {line.Number}: a quotation mark is not closed on its line, or nothing stands in it");
                    }

                    _tokens.Add((text[(i + 1)..(end - 1)], TokenKind.Quoted, line));
                    i = end;
                    continue;
                case >= '0' and <= '9':
                    kind = TokenKind.Number;
                    end = EndOf(text, i, "0123456789");
                    break;
                case (>= 'a' and <= 'z') or (>= 'A' and <= 'Z'):
                    // With a hyphen it is the name of a host, and nothing else.
                    kind = TokenKind.Word;
                    end = EndOf(text, i, NameCharacters + "-");
                    break;
            }

            _tokens.Add((text[i..end], kind, line));
            i = end;
        }
    }

    private static int EndOf(string text, int start, string characters)
    {
        var length = text.AsSpan(start).IndexOfAnyExcept(characters);
        return length < 0 ? text.Length : start + length;
    }

    private const string NameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";

    private static readonly string[] Keywords = ["log", "mandatory", "advisory", "on", "off", "maybe", "every", "once", "default", "access", "enquire", "allow", "disallow", "all", "except"];
}
