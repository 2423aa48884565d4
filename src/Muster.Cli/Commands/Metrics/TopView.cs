using System.IO.Enumeration;

namespace Muster.Cli.Commands.Metrics;

/// <summary>A column of <c>metric top</c>; one without a heading is only for sorting.</summary>
/// <param name="Name">The word to sort by.</param>
/// <param name="Heading">What stands above it.</param>
/// <param name="Text">A row's cell.</param>
/// <param name="Number">What is sorted by, the largest first; null for a column of text.</param>
/// <param name="Key">The key that sorts by it; 0 for none.</param>
/// <param name="Rank">Where the terminal is too narrow, the columns with the highest rank are left out, those of one rank together.</param>
/// <param name="Heat">How near to its end a row is, from 0 to 1; null for a column that knows none.</param>
internal sealed record TopColumn(string Name, string Heading, Func<TopRow, string> Text, Func<TopRow, double?>? Number, char Key, int Rank = 0, Func<TopRow, double?>? Heat = null);

/// <summary>Which containers <c>metric top</c> shows, in what order, and as what lines.</summary>
internal sealed class TopView(IReadOnlyList<TopColumn> columns, string sort, bool apps, bool all, IReadOnlyList<string> names)
{
    // A longer name would leave no room for its numbers; on a narrow terminal a shorter one must do.
    private const int MaxName = 40;
    private const int MaxNarrowName = 18;

    // Nearly at the limit, and as good as there: yellow and red.
    private const double Warm = 0.75;
    private const double Hot = 0.9;

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

    /// <summary>A heading and one line for each row, numbers right-aligned, none longer than <paramref name="width"/>: columns that do not fit are left out.</summary>
    /// <param name="rows">The rows, as they were chosen.</param>
    /// <param name="width">Cells of a line.</param>
    /// <param name="style">Makes a text of a rendition (SGR); null for plain text.</param>
    public IEnumerable<string> Lines(IReadOnlyList<TopRow> rows, int width, Func<string, string, string>? style = null)
    {
        var table = columns.Where(c => c.Heading.Length > 0).Select(c => new Cells(c, [.. rows.Select(r => Clean(c.Text(r), MaxName))])).ToList();
        var gap = Fit(table, width);
        for (var i = -1; i < rows.Count; i++)
        {
            var left = width;
            var line = string.Concat(table.Select((cells, n) => Cell(cells, i, n == 0 ? 0 : gap, i < 0 ? null : rows[i], ref left)));
            var text = style is null ? line.TrimEnd() : line;
            yield return i < 0 && style is not null && left > 0 ? text + style(new string(' ', Math.Min(left, 1000)), "7") : text;
        }

        string Cell(Cells cells, int row, int before, TopRow? of, ref int left)
        {
            var text = row < 0 ? cells.Column.Heading : cells.Texts[row];
            text = new string(' ', before) + (cells.Column.Number is null ? text.PadRight(cells.Width) : text.PadLeft(cells.Width));
            text = text.Length > left ? text[..Math.Max(0, left)] : text;
            left -= text.Length;
            if (style is null || text.Length == 0)
            {
                return text;
            }

            return of is null ? (cells.Column.Name == Sort ? style(text, "7;1") : style(text, "7")) : cells.Column.Heat?.Invoke(of) is { } heat && heat >= Warm ? style(text, heat >= Hot ? "31;1" : "33") : text;
        }
    }

    // Drops columns until a line fits; the cells between two columns.
    private static int Fit(List<Cells> table, int width)
    {
        if (Width(2) <= width)
        {
            return 2;
        }

        foreach (var (n, cells) in table.Index().Where(c => c.Item.Column.Number is null).ToList())
        {
            table[n] = cells with { Texts = [.. cells.Texts.Select(t => Clean(t, MaxNarrowName))] };
        }

        while (Width(1) > width && table.Max(c => c.Column.Rank) is > 0 and var rank)
        {
            table.RemoveAll(c => c.Column.Rank == rank);
        }

        return Width(2) <= width ? 2 : 1;

        int Width(int gap) => table.Sum(c => c.Width) + (gap * (table.Count - 1));
    }

    // Names come from other engines' files: no control character may reach the terminal.
    private static string Clean(string cell, int most)
    {
        var text = cell.Any(char.IsControl) ? string.Concat(cell.Select(c => char.IsControl(c) ? '?' : c)) : cell;
        return text.Length > most ? text[..(most - 1)] + "…" : text;
    }

    private sealed record Cells(TopColumn Column, string[] Texts)
    {
        public int Width => Math.Max(Column.Heading.Length, Texts.Length == 0 ? 0 : Texts.Max(t => t.Length));
    }
}
