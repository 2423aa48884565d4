using System.Text;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>How a file of a control group is written.</summary>
internal enum GroupTextKind
{
    /// <summary>One number, or <c>max</c>.</summary>
    Number,

    /// <summary>One line of text.</summary>
    Line,

    /// <summary>A key and a number on each line.</summary>
    Keyed,

    /// <summary>A pressure file.</summary>
    Pressure,
}

/// <summary>One file of a group, and the columns that its values go to: those whose names are the prefix and a key, or the file's name.</summary>
internal sealed class GroupText
{
    /// <summary>What stands for <c>max</c>: no limit.</summary>
    public const long NoLimit = -1;

    private static readonly string[] PressureNames = ["avg10sec", "avg1min", "avg5min", "total"];

    private readonly GroupTextKind _kind;
    private readonly NameTable _keys;
    private readonly int[] _columns;
    private readonly long _scale;

    /// <param name="file">The file.</param>
    /// <param name="kind">How it is written.</param>
    /// <param name="columns">All columns of the sheet.</param>
    /// <param name="prefix">What stands before a key in the name of its column.</param>
    /// <param name="scale">What numbers are multiplied by.</param>
    public GroupText(GroupFile file, GroupTextKind kind, IReadOnlyList<string> columns, string prefix = "", long scale = 1)
    {
        File = file;
        _kind = kind;
        _scale = scale;
        var mine = new List<(string Key, int Column)>();
        for (var i = 0; i < columns.Count; i++)
        {
            if (kind is GroupTextKind.Number or GroupTextKind.Line)
            {
                if (columns[i] == file.Name)
                {
                    mine.Add(("", i));
                }
            }
            else if (columns[i].StartsWith(prefix, StringComparison.Ordinal))
            {
                mine.Add((columns[i][prefix.Length..], i));
            }
        }

        if (kind == GroupTextKind.Pressure)
        {
            mine = [.. new[] { "some.", "full." }.SelectMany(l => PressureNames.Select(n => l + n)).Select(k => (k, columns.ToList().IndexOf(prefix + k)))];
        }

        _keys = new NameTable(mine.Select(m => m.Key));
        _columns = [.. mine.Select(m => m.Column)];
    }

    public GroupFile File { get; }

    /// <summary>Whether a value of this file is asked for.</summary>
    public bool IsWanted(Sheet sheet)
    {
        foreach (var column in _columns)
        {
            if (column >= 0 && sheet.Wants(column))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Fills a row from the text; what is not of the known form leaves cells empty.</summary>
    public void Parse(ReadOnlySpan<byte> text, Sheet sheet, int row)
    {
        switch (_kind)
        {
            case GroupTextKind.Number:
                if (TryNumber(text.TrimEnd((byte)'\n'), out var number))
                {
                    sheet.Set(row, _columns[0], number * _scale);
                }

                break;
            case GroupTextKind.Line:
                sheet.Set(row, _columns[0], Encoding.UTF8.GetString(text.TrimEnd((byte)'\n')));
                break;
            case GroupTextKind.Keyed:
                ParseKeyed(text, sheet, row);
                break;
            case GroupTextKind.Pressure:
                PressureText.Parse(text, out var some, out var full);
                SetPressure(sheet, row, some, 0);
                SetPressure(sheet, row, full, 4);
                break;
        }
    }

    /// <summary>A number, or <c>max</c> as <see cref="NoLimit"/>.</summary>
    internal static bool TryNumber(ReadOnlySpan<byte> text, out long value)
    {
        if (text.SequenceEqual("max"u8))
        {
            value = NoLimit;
            return true;
        }

        return TextNumbers.TryParse(text, out value);
    }

    private void ParseKeyed(ReadOnlySpan<byte> text, Sheet sheet, int row)
    {
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var space = line.IndexOf((byte)' ');
            if (space > 0 && _keys.Find(line[..space]) is >= 0 and var key && TryNumber(line[(space + 1)..], out var value))
            {
                sheet.Set(row, _columns[key], value * _scale);
            }
        }
    }

    private void SetPressure(Sheet sheet, int row, Pressure? line, int first)
    {
        if (line is not { } p)
        {
            return;
        }

        for (var i = 0; i < 4; i++)
        {
            if (_columns[first + i] < 0)
            {
                continue;
            }

            if (i == 3)
            {
                sheet.Set(row, _columns[first + i], p.Total);
            }
            else
            {
                sheet.Set(row, _columns[first + i], i switch { 0 => p.Average10, 1 => p.Average60, _ => p.Average300 });
            }
        }
    }
}
