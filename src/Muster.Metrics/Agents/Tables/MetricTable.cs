using System.Collections.Frozen;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Tables;

/// <summary>One metric of a table, and the column of its source that its value comes from.</summary>
internal sealed record MetricLine(MetricDescriptor Metric, string Column);

/// <summary>
/// Metrics as text, one a line: <c>name cluster.item domain type semantics units column | text</c>. The domain of instances
/// is a serial or <c>-</c>; the column <c>=</c> means the last part of the name.
/// </summary>
internal static class MetricTable
{
    private static readonly FrozenDictionary<string, MetricType> Types = new Dictionary<string, MetricType>(StringComparer.Ordinal)
    {
        ["i32"] = MetricType.Int32,
        ["u32"] = MetricType.UInt32,
        ["i64"] = MetricType.Int64,
        ["u64"] = MetricType.UInt64,
        ["float"] = MetricType.Float,
        ["double"] = MetricType.Double,
        ["string"] = MetricType.String,
        ["events"] = MetricType.HighResolutionEvent,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, MetricSemantics> Meanings = new Dictionary<string, MetricSemantics>(StringComparer.Ordinal)
    {
        ["counter"] = MetricSemantics.Counter,
        ["instant"] = MetricSemantics.Instant,
        ["discrete"] = MetricSemantics.Discrete,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, MetricUnits> Units = new Dictionary<string, MetricUnits>(StringComparer.Ordinal)
    {
        ["none"] = MetricUnits.None,
        ["B"] = MetricUnits.Byte,
        ["KiB"] = MetricUnits.Kibibyte,
        ["MiB"] = MetricUnits.Mebibyte,
        ["count"] = MetricUnits.Count,
        ["ns"] = MetricUnits.Nanosecond,
        ["us"] = MetricUnits.Microsecond,
        ["ms"] = MetricUnits.Millisecond,
        ["s"] = MetricUnits.Second,
        ["B/s"] = MetricUnits.Of(space: 1, time: -1, timeScale: 3),
        ["MiB/s"] = MetricUnits.Of(space: 1, time: -1, spaceScale: 2, timeScale: 3),
        ["count/s"] = MetricUnits.Of(time: -1, count: 1, timeScale: 3),
        ["KiB/s"] = MetricUnits.Of(space: 1, time: -1, spaceScale: 1, timeScale: 3),
        ["1/us"] = MetricUnits.Of(time: -1, timeScale: 1),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Reads a table; a line that is not one is a fault of ours.</summary>
    public static IReadOnlyList<MetricLine> Parse(int domain, string text)
    {
        var lines = new List<MetricLine>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var bar = line.IndexOf('|', StringComparison.Ordinal);
            var fields = (bar < 0 ? line : line[..bar]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (bar < 0 || fields.Length != 7)
            {
                throw new FormatException($"Not a line of a table of metrics: {line}");
            }

            lines.Add(Parse(domain, fields, line[(bar + 1)..].Trim()));
        }

        return lines;
    }

    /// <summary>The columns that a table asks of a source for metrics without instances or, given a serial, of one domain of instances.</summary>
    public static IReadOnlyList<string> Columns(IReadOnlyList<MetricLine> lines, int serial = -1) =>
        [.. lines.Where(l => serial < 0 ? l.Metric.Instances == InstanceDomainId.None : l.Metric.Instances != InstanceDomainId.None && l.Metric.Instances.Serial == serial).Select(l => l.Column).Distinct(StringComparer.Ordinal)];

    private static MetricLine Parse(int domain, string[] fields, string text)
    {
        var numbers = fields[1].Split('.');
        var metric = new MetricDescriptor(
            fields[0],
            MetricId.Of(domain, int.Parse(numbers[0]), int.Parse(numbers[1])),
            Types[fields[3]],
            fields[2] == "-" ? InstanceDomainId.None : InstanceDomainId.Of(domain, int.Parse(fields[2])),
            Meanings[fields[4]],
            Units[fields[5]],
            text);
        return new MetricLine(metric, fields[6] == "=" ? fields[0][(fields[0].LastIndexOf('.') + 1)..] : fields[6]);
    }
}
