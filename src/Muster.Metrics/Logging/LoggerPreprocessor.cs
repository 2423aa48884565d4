using System.Globalization;
using System.Text;
using Muster.Core;

namespace Muster.Metrics.Logging;

/// <summary>A line of a configuration after the preprocessor, and where it stood.</summary>
internal readonly record struct LoggerLine(string Text, string File, int Number);

/// <summary>
/// What pmcpp(1) does with -rs before pmlogger reads a configuration: <c>%include</c>, <c>%define</c>, <c>%undef</c>,
/// <c>%ifdef</c>, <c>%ifndef</c>, <c>%else</c>, <c>%endif</c>, and <c>%name</c> or <c>%{name}</c> for a macro's value. Its
/// <c>%shell</c> is refused: who may write a configuration is not thereby let run programs as the logger's user.
/// </summary>
internal sealed class LoggerPreprocessor
{
    /// <summary>pmcpp's own bound of files that include one another.</summary>
    private const int MaxDepth = 5;

    /// <summary>What all files and values together may become; a person writes a hundredth of it.</summary>
    private const int MaxOutput = 4 * 1024 * 1024;

    // $PCP_VAR_DIR/config/pmlogger as every distribution has it.
    private const string SharedFolder = "/var/lib/pcp/config/pmlogger";

    private readonly Dictionary<string, string> _macros = new(StringComparer.Ordinal);
    private readonly List<LoggerLine> _lines = [];
    private readonly string _folder;
    private int _size;

    private LoggerPreprocessor(string where) => _folder = Path.GetDirectoryName(Path.GetFullPath(where)) ?? "/";

    /// <summary>The lines that are left of a text.</summary>
    /// <param name="text">The configuration.</param>
    /// <param name="where">Its file: included files are looked for beside it.</param>
    public static IReadOnlyList<LoggerLine> Run(string text, string where)
    {
        var run = new LoggerPreprocessor(where);
        run.Take(text, where, 0);
        return run._lines;
    }

    private void Take(string text, string file, int depth)
    {
        var number = 0;
        var begun = 0;
        var (isKept, hasElse) = (true, false);
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.TrimEnd('\r');
            var (word, rest) = Directive(line);
            switch (word)
            {
                case "ifdef" or "ifndef":
                    if (begun > 0)
                    {
                        throw Refused(file, number, $"%{word} inside of the %ifdef or %ifndef of line {begun}: pmcpp has no nested ones");
                    }

                    (begun, isKept, hasElse) = (number, _macros.ContainsKey(Name(rest, word, file, number)) == (word == "ifdef"), false);
                    break;
                case "else" or "endif":
                    if (begun == 0 || (word == "else" && hasElse))
                    {
                        throw Refused(file, number, $"%{word} belongs to no %ifdef or %ifndef");
                    }

                    (begun, isKept, hasElse) = word == "else" ? (begun, !isKept, true) : (0, true, false);
                    break;
                case not "" when isKept:
                    Obey(word, rest, file, number, depth);
                    break;
                default:
                    if (isKept && word.Length == 0)
                    {
                        Add(Expand(line), file, number);
                    }

                    break;
            }
        }

        if (begun > 0)
        {
            throw Refused(file, begun, "this %ifdef or %ifndef has no %endif");
        }
    }

    private void Obey(string word, string rest, string file, int number, int depth)
    {
        switch (word)
        {
            case "define":
                Define(rest, file, number);
                break;
            case "undef":
                _macros.Remove(Name(rest, word, file, number));
                break;
            case "include":
                Include(rest, file, number, depth);
                break;
            default:
                throw Refused(file, number, "%shell runs a program, which this logger does not do for a configuration: write what it prints into the file, or into one that is included");
        }
    }

    private void Define(string rest, string file, int number)
    {
        var end = rest.AsSpan().IndexOfAny(' ', '\t') is var space && space < 0 ? rest.Length : space;
        var name = Name(rest[..end], "define", file, number);
        var value = rest[end..].Trim();
        if (value is ['"' or '\'', ..])
        {
            var close = value.IndexOf(value[0], 1);
            value = close == value.Length - 1
                ? value[1..^1]
                : throw Refused(file, number, close < 0 ? "the quotation mark of this value is not closed" : "something stands behind this value");
        }
        else if (value.AsSpan().IndexOfAny(' ', '\t') >= 0)
        {
            throw Refused(file, number, "a value of several words stands in quotation marks");
        }

        if (!_macros.TryAdd(name, value))
        {
            throw Refused(file, number, $"{name} is defined already: write %undef {name} before");
        }
    }

    private void Include(string rest, string file, int number, int depth)
    {
        var name = rest.Trim() is ['"', .. var quoted, '"'] ? quoted : rest.Trim() is ['<', .. var angled, '>'] ? angled : "";
        if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal))
        {
            throw Refused(file, number, "%include needs a file's name in quotation marks or angle brackets");
        }

        if (depth + 1 >= MaxDepth)
        {
            throw Refused(file, number, $"more than {MaxDepth} files include one another");
        }

        var found = new[] { _folder, SharedFolder }.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists)
            ?? throw new MusterException(ErrorKind.Invalid, $"{file}, line {number.ToString(CultureInfo.InvariantCulture)}: there is no {name} to be included, neither in {_folder} nor in {SharedFolder}");
        Take(GivenFile.ReadText(found, "a configuration of a logger"), found, depth + 1);
    }

    // A macro's value is not looked through for macros again, as pmcpp does not; what is no macro stays as it is.
    private string Expand(string line)
    {
        if (_macros.Count == 0 || !line.Contains('%', StringComparison.Ordinal))
        {
            return line;
        }

        var made = new StringBuilder();
        for (var i = 0; i < line.Length;)
        {
            var isBraced = i + 1 < line.Length && line[i + 1] == '{';
            var start = i + (isBraced ? 2 : 1);
            var end = start;
            while (line[i] == '%' && end < line.Length && IsNameCharacter(line[end]))
            {
                end++;
            }

            if (end > start && (!isBraced || (end < line.Length && line[end] == '}')) && _macros.TryGetValue(line[start..end], out var value))
            {
                made.Append(value);
                i = end + (isBraced ? 1 : 0);
            }
            else
            {
                made.Append(line[i++]);
            }

            if (made.Length > MaxOutput)
            {
                break;
            }
        }

        return made.ToString();
    }

    private void Add(string line, string file, int number)
    {
        _size += line.Length + 1;
        if (_size > MaxOutput)
        {
            throw Refused(file, number, $"with what is included and replaced there are more than {MaxOutput} bytes: this is no configuration");
        }

        _lines.Add(new LoggerLine(line, file, number));
    }

    // Only in the first column, and only these words: any other % is left to the language, which has none.
    private static (string Word, string Tail) Directive(string line)
    {
        if (line is not ['%', ..])
        {
            return ("", "");
        }

        var end = 1;
        while (end < line.Length && char.IsAsciiLetter(line[end]))
        {
            end++;
        }

        var isWhole = end == line.Length || line[end] is ' ' or '\t' or '"' or '<' or '\'';
        return isWhole && line[1..end] is "include" or "define" or "undef" or "ifdef" or "ifndef" or "else" or "endif" or "shell" ? (line[1..end], line[end..].Trim()) : ("", "");
    }

    private static string Name(string text, string word, string file, int number) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(IsNameCharacter)
            ? text
            : throw Refused(file, number, text.Length == 0 ? $"%{word} needs the name of a macro" : $"\"{text}\" is no name of a macro: letters, digits and underscores, without % before them");

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private static MusterException Refused(string file, int number, string why) => new(ErrorKind.Invalid, $"{file}, line {number.ToString(CultureInfo.InvariantCulture)}: {why}");
}
