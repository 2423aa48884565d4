using System.Globalization;
using System.Text;
using Muster.Core;

namespace Muster.Metrics.Derived;

/// <summary>
/// Files of definitions in PCP's form (pmLoadDerivedConfig(3)): <c>NAME = EXPRESSION</c>, <c>NAME(oneline) = TEXT</c>,
/// <c>NAME(helptext) = 'TEXT over lines'</c>, comments after <c>#</c>, and as of PCP 7 lines that a <c>\</c> continues.
/// </summary>
internal static class DerivedFiles
{
    // Definitions are text that people write.
    private const int MaxFile = 1024 * 1024;

    private const int MaxFiles = 200;

    // Folders in folders: deeper is a loop.
    private const int MaxDepth = 8;

    // More nobody corrects at once.
    private const int MaxFaults = 100;

    public static IReadOnlyList<string> Load(string path, DerivedDefinitions into)
    {
        var faults = new List<string>();
        var files = 0;
        foreach (var part in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            Take(part, 0);
        }

        return faults;

        void Take(string name, int depth)
        {
            try
            {
                if (Directory.Exists(name) && depth < MaxDepth)
                {
                    foreach (var inside in Directory.GetFileSystemEntries(name).Order(StringComparer.Ordinal))
                    {
                        Take(inside, depth + 1);
                    }
                }
                else if (!File.Exists(name))
                {
                    faults.Add($"{name}: there is no such file or folder of derived metrics");
                }
                else if (++files > MaxFiles || new FileInfo(name).Length > MaxFile)
                {
                    faults.Add($"{name}: {(files > MaxFiles ? $"more than {MaxFiles} files of derived metrics" : $"more than {MaxFile} bytes")} are not read");
                }
                else
                {
                    Parse(File.ReadAllText(name), name, into, faults);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                faults.Add($"{name} cannot be read: {e.Message.TrimEnd('.')}");
            }
        }
    }

    /// <summary>Takes the definitions of one file's text.</summary>
    public static void Parse(string text, string where, DerivedDefinitions into, List<string> faults)
    {
        var reader = new Lines(text);
        while (reader.Next() is { } line && faults.Count < MaxFaults)
        {
            var trimmed = line.Trim();
            if (trimmed.Length == 0 || trimmed[0] == '#')
            {
                continue;
            }

            var number = reader.Number;
            try
            {
                Define(line, reader, into);
            }
            catch (MusterException e)
            {
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{where}, line {number}: {e.Message}"));
            }
        }
    }

    private static void Define(string line, Lines reader, DerivedDefinitions into)
    {
        var sign = line.IndexOf('=', StringComparison.Ordinal);
        if (sign < 0)
        {
            throw new MusterException(ErrorKind.Invalid, "a = is missing after the derived metric's name");
        }

        var (left, right) = (line[..sign].Trim(), line[(sign + 1)..].Trim());
        var open = left.IndexOf('(', StringComparison.Ordinal);
        if (open < 0)
        {
            _ = right.Length > 0 ? into.Add(left, right) : throw new MusterException(ErrorKind.Invalid, $"{left} has no expression");
            return;
        }

        if (left[^1] != ')')
        {
            throw new MusterException(ErrorKind.Invalid, $"a ) is missing after the attribute in {left}");
        }

        var (name, attribute) = (left[..open].Trim(), left[(open + 1)..^1].Trim());
        var value = right is ['"' or '\'', ..] ? reader.Quoted(right) : right;
        var metric = into.Find(name) ?? throw new MusterException(ErrorKind.NotFound, $"the derived metric {name} is not defined before its {attribute}");
        switch (attribute)
        {
            case "oneline" when metric.OneLine.Length == 0:
                metric.OneLine = value;
                break;
            case "helptext" when metric.Help.Length == 0:
                metric.Help = value;
                break;
            case "oneline" or "helptext":
                throw new MusterException(ErrorKind.Conflict, $"{name} has its {attribute} twice");
            default:
                throw new MusterException(ErrorKind.Invalid, $"\"{attribute}\" is no attribute of {name}: there are oneline and helptext");
        }
    }

    /// <summary>Lines with those that they go on in.</summary>
    private sealed class Lines(string text)
    {
        private readonly string[] _lines = text.Split('\n');
        private int _next;

        /// <summary>The number of the line that was read last, from 1; where it goes on, of its first.</summary>
        public int Number { get; private set; }

        public string? Next()
        {
            Number = _next + 1;
            return _next < _lines.Length ? Joined() : null;
        }

        /// <summary>A text in quotes that begins in a line and may end in a later one; a backslash takes the next character as it is, and joins lines.</summary>
        public string Quoted(string first)
        {
            var (quote, rest) = (first[0], first[1..]);
            var value = new StringBuilder();
            while (true)
            {
                var isJoined = false;
                for (var i = 0; i < rest.Length; i++)
                {
                    if (rest[i] == quote)
                    {
                        return value.ToString();
                    }

                    isJoined = rest[i] == '\\' && i + 1 == rest.Length;
                    i += rest[i] == '\\' ? 1 : 0;
                    if (i < rest.Length)
                    {
                        value.Append(rest[i]);
                    }
                }

                if (_next >= _lines.Length)
                {
                    throw new MusterException(ErrorKind.Invalid, $"a text begins with {quote} and does not end");
                }

                if (!isJoined)
                {
                    value.Append('\n');
                }

                rest = _lines[_next++].TrimEnd('\r');
            }
        }

        private string Joined()
        {
            var line = _lines[_next++].TrimEnd('\r');

            // A comment does not go on, and the backslash of a text in quotes is the text's own.
            if (!line.EndsWith('\\') || line.StartsWith('#') || IsQuoted(line))
            {
                return line;
            }

            var joined = new StringBuilder(line, 0, line.Length - 1, line.Length * 2);
            while (_next < _lines.Length)
            {
                line = _lines[_next++].TrimEnd('\r');
                if (!line.EndsWith('\\'))
                {
                    return joined.Append(line).ToString();
                }

                joined.Append(line, 0, line.Length - 1);
            }

            return joined.ToString();
        }

        private static bool IsQuoted(string line)
        {
            var sign = line.IndexOf('=', StringComparison.Ordinal);
            return sign > 0 && line[..sign].Contains('(', StringComparison.Ordinal) && line[(sign + 1)..].TrimStart() is ['"' or '\'', ..];
        }
    }
}
