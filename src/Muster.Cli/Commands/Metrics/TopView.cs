using System.IO.Enumeration;

namespace Muster.Cli.Commands.Metrics;

/// <summary>Which containers <c>metric top</c> shows, in what order, and as what lines.</summary>
internal sealed class TopView(IReadOnlyList<TopColumn> columns, string sort, bool apps, bool all, IReadOnlyList<string> names)
{
    // A longer name would leave no room for its numbers.
    private const int MaxName = 40;

    public string Sort { get; set; } = sort;

    public bool Apps { get; set; } = apps;

    /// <summary>The rows that are shown, the largest first; those without a value last.</summary>
    public IReadOnlyList<TopRow> Choose(IReadOnlyList<TopRow> rows)
    {
        var shown = rows.Where(r => (Apps || r.Kind != "app") && (all || r.State is "running" or "paused" or "orphaned" or "restarting") && (names.Count == 0 || names.Any(n => FileSystemName.MatchesSimpleExpression(n, r.Name, ignoreCase: false))));
        var column = columns.First(c => c.Name == Sort);
        return column.Number is { } number
            ? [.. shown.OrderByDescending(r => number(r) ?? double.MinValue).ThenBy(r => r.Name, StringComparer.Ordinal)]
            : [.. shown.OrderBy(column.Text, StringComparer.Ordinal).ThenBy(r => r.Name, StringComparer.Ordinal)];
    }

    /// <summary>A heading and one line for each row, numbers right-aligned, none longer than <paramref name="width"/>.</summary>
    public IEnumerable<string> Lines(IReadOnlyList<TopRow> rows, int width)
    {
        var shown = columns.Where(c => c.Heading.Length > 0).ToList();
        List<string[]> cells = [[.. shown.Select(c => c.Heading)], .. rows.Select(r => shown.Select(c => Clean(c.Text(r))).ToArray())];
        var widths = shown.Select((_, i) => cells.Max(row => row[i].Length)).ToArray();
        foreach (var row in cells)
        {
            var line = string.Join("  ", row.Select((cell, i) => shown[i].Number is null ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])));
            yield return line.Length > width ? line[..width] : line.TrimEnd();
        }
    }

    // Names come from other engines' files: no control character may reach the terminal.
    private static string Clean(string cell)
    {
        var text = cell.Any(char.IsControl) ? string.Concat(cell.Select(c => char.IsControl(c) ? '?' : c)) : cell;
        return text.Length > MaxName ? text[..(MaxName - 1)] + "…" : text;
    }
}
