using System.IO.Enumeration;
using Muster.Cli.CommandLine;
using Muster.Core;

namespace Muster.Cli.Commands.Trust;

/// <summary><c>--filter</c> for output that is not a table: ids with -q, paragraphs.</summary>
internal static class RowFilter
{
    /// <summary>Whether a row passes every filter of the call.</summary>
    public static bool Fits<T>(Invocation call, IReadOnlyList<Column<T>> columns, T row)
    {
        foreach (var filter in call.Values("filter"))
        {
            var equals = filter.IndexOf('=', StringComparison.Ordinal);
            var column = (equals > 0 ? columns.FirstOrDefault(c => c.Name.Equals(filter[..equals], StringComparison.OrdinalIgnoreCase)) : null)
                ?? throw new MusterException(ErrorKind.Usage, $"--filter={filter} names no column: write COLUMN=VALUE with one of {string.Join(", ", columns.Select(c => c.Name))}");
            if (!FileSystemName.MatchesSimpleExpression(filter.AsSpan(equals + 1), column.Text(row), ignoreCase: false))
            {
                return false;
            }
        }

        return true;
    }
}
