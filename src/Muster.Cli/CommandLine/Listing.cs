using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Muster.Core;

namespace Muster.Cli.CommandLine;

/// <summary>A column of a listing: its name for --filter and --fields, and how a row shows it.</summary>
public sealed record Column<T>(string Name, Func<T, string> Text);

/// <summary>Rows as a table for people or as JSON for programs, with <c>--filter</c> applied to both.</summary>
public static class Listing
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the rows in the form asked for. <paramref name="json"/> describes one row.</summary>
    /// <param name="call">The call, with its form and filters.</param>
    /// <param name="rows">All rows.</param>
    /// <param name="columns">What is shown of each.</param>
    /// <param name="json">How a row is written for programs.</param>
    /// <param name="legend">Whether the columns' names stand above.</param>
    /// <param name="filters">The columns that filters may name, where these are more than are shown.</param>
    public static void Write<T>(Invocation call, IEnumerable<T> rows, IReadOnlyList<Column<T>> columns, JsonTypeInfo<T> json, bool legend = true, IReadOnlyList<Column<T>>? filters = null)
    {
        var kept = rows.Where(Filter(call, filters ?? columns)).ToList();
        if (call.Json)
        {
            WriteJson(call, writer =>
            {
                writer.WriteStartArray();
                foreach (var row in kept)
                {
                    JsonSerializer.Serialize(writer, row, json);
                }

                writer.WriteEndArray();
            });
            return;
        }

        var cells = kept.ConvertAll(row => columns.Select(c => Clean(c.Text(row))).ToArray());
        if (legend)
        {
            cells.Insert(0, [.. columns.Select(c => c.Name.ToUpperInvariant())]);
        }

        var widths = columns.Select((_, i) => cells.Count == 0 ? 0 : cells.Max(row => row[i].Length)).ToArray();
        for (var r = 0; r < cells.Count; r++)
        {
            var line = string.Join("  ", cells[r].Select((cell, i) => i == columns.Count - 1 ? cell : cell.PadRight(widths[i])));
            call.Terminal.Out.WriteLine(legend && r == 0 ? call.Terminal.Style(line, "1") : line.TrimEnd());
        }
    }

    /// <summary>Writes one value as JSON.</summary>
    public static void WriteJson<T>(Invocation call, T value, JsonTypeInfo<T> json) =>
        WriteJson(call, writer => JsonSerializer.Serialize(writer, value, json));

    /// <summary>Writes indented JSON and a line end.</summary>
    public static void WriteJson(Invocation call, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Indented))
        {
            write(writer);
        }

        call.Terminal.Out.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    /// <summary>Whether a row passes every <c>--filter</c> of the call.</summary>
    public static Func<T, bool> Filter<T>(Invocation call, IReadOnlyList<Column<T>> columns)
    {
        var conditions = new List<(Func<T, string> Text, string Pattern)>();
        foreach (var filter in call.Values("filter"))
        {
            var equals = filter.IndexOf('=', StringComparison.Ordinal);
            var column = equals < 1 ? null : columns.FirstOrDefault(c => c.Name.Equals(filter[..equals], StringComparison.OrdinalIgnoreCase));
            if (column is null)
            {
                throw new MusterException(ErrorKind.Usage, $"--filter={filter} names no column: write COLUMN=VALUE with one of {string.Join(", ", columns.Select(c => c.Name))}");
            }

            conditions.Add((column.Text, filter[(equals + 1)..]));
        }

        return row => conditions.TrueForAll(c => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(c.Pattern, c.Text(row), ignoreCase: false));
    }

    // Names come from images and the network: a control character must not reach the terminal.
    private static string Clean(string cell) => cell.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 && !cell.Contains('\x7f', StringComparison.Ordinal)
        ? cell
        : string.Concat(cell.Select(c => char.IsControl(c) ? '?' : c));
}
