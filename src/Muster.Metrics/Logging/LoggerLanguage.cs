using System.Globalization;
using Muster.Core;

namespace Muster.Metrics.Logging;

/// <summary>
/// pmlogger's own configuration language (pmlogger(1)): <c>log [mandatory|advisory] on|off|maybe [[every] INTERVAL|once|default]
/// { metric [ "instance" … ] … }</c>. Its access control belongs to pmlogger's control port, which there is none of here.
/// </summary>
internal sealed class LoggerLanguage
{
    /// <summary>pmlogger's own default interval.</summary>
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(60);

    private readonly List<(string Word, bool IsQuoted, int Line)> _tokens = [];
    private readonly List<LogGroup> _groups = [];
    private readonly List<string> _warnings = [];
    private readonly string _where;
    private int _at;

    private LoggerLanguage(string text, string where)
    {
        _where = where;
        Tokenize(text);
    }

    /// <summary>Whether the first word of a text is one of the language, and no key of YAML.</summary>
    public static bool Recognise(string text)
    {
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Trim();
            if (line.Length > 0 && line[0] != '#')
            {
                return line is "log" || line.StartsWith("log ", StringComparison.Ordinal) || line.StartsWith("log\t", StringComparison.Ordinal) || line.StartsWith("[access]", StringComparison.Ordinal) || line.StartsWith("%include", StringComparison.Ordinal);
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
                parser._warnings.Add($"{where}: the section [access] from line {parser._tokens[parser._at].Line} on is ignored: nobody controls this logger over the network");
                break;
            }

            parser.Statement();
        }

        return parser._groups.Count is > 0 and <= LogGroup.MaxGroups
            ? new LogPlan { Groups = parser._groups, Warnings = parser._warnings }
            : throw new MusterException(ErrorKind.Invalid, $"{where} logs nothing, or in more than {LogGroup.MaxGroups} groups: write \"log mandatory on 10 sec {{ kernel.all.load }}\"");
    }

    private void Statement()
    {
        Expect("log");
        var isAdvisory = Peek() == "advisory";
        _at += isAdvisory || Peek() == "mandatory" ? 1 : 0;
        var state = Take();
        if (state is not ("on" or "off" or "maybe"))
        {
            throw Refused($"on, off or maybe is expected, and there is \"{state}\"");
        }

        _at += Peek() == "every" ? 1 : 0;
        var interval = state == "on" ? Interval() : null;
        var isBlock = Peek() == "{";
        _at += isBlock ? 1 : 0;
        var whole = new List<string>();
        do
        {
            var (metric, instances) = Metric();
            if (instances.Count == 0)
            {
                whole.Add(metric);
            }
            else if (state == "on")
            {
                _groups.Add(new LogGroup(interval, [metric], instances));
            }

            while (Peek() == ",")
            {
                _at++;
            }
        }
        while (isBlock && Peek() is not ("}" or ""));
        if (isBlock)
        {
            Expect("}");
        }

        if (state == "on" && whole.Count > 0)
        {
            _groups.Add(new LogGroup(interval, whole, []));
        }
        else if (state != "on")
        {
            _warnings.Add($"{_where}: \"log {state}\" has no effect: what is not logged stays so, as nobody controls this logger over the network");
        }
    }

    private TimeSpan? Interval()
    {
        var word = Take();
        switch (word)
        {
            case "once":
                return null;
            case "default":
                return DefaultInterval;
            default:
                if (!double.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                {
                    throw Refused($"an interval is expected, and there is \"{word}\"");
                }

                var seconds = Unit(Take()) * number;
                return seconds >= LogGroup.ShortestInterval.TotalSeconds && seconds <= 366 * 86400
                    ? TimeSpan.FromSeconds(seconds)
                    : throw Refused($"the interval is not between {LogGroup.ShortestInterval.TotalMilliseconds} ms and a year");
        }
    }

    private double Unit(string word) => word.ToLowerInvariant().TrimEnd('s') switch
    {
        "usec" or "microsecond" => 1e-6,
        "msec" or "millisecond" or "m" => 1e-3,
        "sec" or "second" or "" => 1,
        "min" or "minute" => 60,
        "hour" => 3600,
        _ => throw Refused($"\"{word}\" is no unit of time: write msec, sec, min or hour"),
    };

    private (string Name, IReadOnlyList<string> Instances) Metric()
    {
        var name = Take();
        if (!Names.MetricNames.IsName(name))
        {
            throw Refused($"\"{name}\" is no name of a metric");
        }

        var instances = new List<string>();
        if (Peek() == "[")
        {
            _at++;
            while (Peek() is not ("]" or ""))
            {
                var instance = Take();
                if (instance != ",")
                {
                    instances.Add(instance);
                }
            }

            Expect("]");
        }

        return (name, instances);
    }

    // A quoted word is never a sign of the language.
    private string Peek() => _at >= _tokens.Count ? "" : _tokens[_at].IsQuoted ? "\"" + _tokens[_at].Word : _tokens[_at].Word;

    private string Take() => _at < _tokens.Count ? _tokens[_at++].Word : throw Refused("the file ends in the middle of a statement");

    private void Expect(string word)
    {
        if (Peek() != word)
        {
            throw Refused($"\"{word}\" is expected, and there is {(Peek().Length == 0 ? "the end of the file" : $"\"{Peek()}\"")}");
        }

        _at++;
    }

    private MusterException Refused(string why) =>
        new(ErrorKind.Invalid, $"{_where}, line {(_tokens.Count == 0 ? 1 : _tokens[Math.Min(_at, _tokens.Count - 1)].Line)}: {why}");

    private void Tokenize(string text)
    {
        var line = 1;
        for (var i = 0; i < text.Length;)
        {
            var c = text[i];
            line += c == '\n' ? 1 : 0;
            if (char.IsWhiteSpace(c))
            {
                i++;
            }
            else if (c == '#')
            {
                i = text.IndexOf('\n', i) is var end && end < 0 ? text.Length : end;
            }
            else if (c == '"')
            {
                var end = text.IndexOf('"', i + 1);
                if (end < 0)
                {
                    throw new MusterException(ErrorKind.Invalid, $"{_where}, line {line}: a quotation mark is not closed");
                }

                _tokens.Add((text[(i + 1)..end], true, line));
                i = end + 1;
            }
            else if (c is '{' or '}' or '[' or ']' or ',')
            {
                _tokens.Add((c.ToString(), false, line));
                i++;
            }
            else
            {
                var end = i;
                while (end < text.Length && !char.IsWhiteSpace(text[end]) && text[end] is not ('{' or '}' or '[' or ']' or ',' or '#' or '"'))
                {
                    end++;
                }

                _tokens.Add((text[i..end], false, line));
                i = end;
            }
        }
    }
}
