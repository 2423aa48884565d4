using System.Globalization;
using System.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Tests.Agents;

/// <summary>One metric as pminfo prints it.</summary>
internal sealed record PcpMetric(string Name)
{
    public string Id { get; set; } = "";

    public string Type { get; set; } = "";

    public string Domain { get; set; } = "";

    public string Semantics { get; set; } = "";

    public string Units { get; set; } = "";

    public string? Error { get; set; }

    /// <summary>Values by the instance's name up to its first space; "" for a metric without instances.</summary>
    public Dictionary<string, string> Values { get; } = new(StringComparer.Ordinal);
}

/// <summary>Reads what <c>pminfo -m -d -f</c> prints.</summary>
internal static class PcpAnswers
{
    public static Dictionary<string, PcpMetric> Parse(string output)
    {
        var found = new Dictionary<string, PcpMetric>(StringComparer.Ordinal);
        PcpMetric? metric = null;
        foreach (var line in output.Split('\n'))
        {
            if (line.Length > 0 && line[0] != ' ' && line.Contains(" PMID: ", StringComparison.Ordinal))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                metric = found[words[0]] = new PcpMetric(words[0]) { Id = words[2] };
            }
            else if (metric is not null)
            {
                ParseDetail(metric, line.Trim());
            }
        }

        return found;
    }

    /// <summary>What <c>pminfo -l</c> prints, by <c>metric</c> and <c>metric[instance]</c>.</summary>
    public static Dictionary<string, string> ParseLabels(string output)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        var metric = "";
        foreach (var line in output.Split('\n'))
        {
            var labels = line.IndexOf(" labels {", StringComparison.Ordinal);
            if (line.Length > 0 && line[0] != ' ')
            {
                metric = line.Split(' ')[0];
            }
            else if (labels >= 0)
            {
                var open = line.IndexOf('"', StringComparison.Ordinal);
                var isInstance = line.StartsWith("    inst [", StringComparison.Ordinal) && open > 0 && open < labels;
                found[isInstance ? $"{metric}[{line[(open + 1)..line.LastIndexOf("\"]", labels, StringComparison.Ordinal)].Split(' ')[0]}]" : metric] = line[(labels + 8)..];
            }
        }

        return found;
    }

    /// <summary>Units as pminfo writes them.</summary>
    public static string Format(MetricUnits units)
    {
        string[] spaces = ["byte", "Kbyte", "Mbyte", "Gbyte", "Tbyte"];
        string[] times = ["nanosec", "microsec", "millisec", "sec", "min", "hour"];
        var (over, under) = (new List<string>(), new List<string>());
        Add(units.Space, spaces[units.SpaceScale]);
        Add(units.Time, times[units.TimeScale]);
        Add(units.CountDimension, units.CountScale == 0 ? "count" : $"count x 10^{units.CountScale}");
        var text = string.Join(' ', over) + (under.Count > 0 ? " / " + string.Join(' ', under) : "");
        return text.Trim() is { Length: > 0 } some ? some : "none";

        void Add(int dimension, string unit)
        {
            if (dimension != 0)
            {
                (dimension > 0 ? over : under).Add(Math.Abs(dimension) == 1 ? unit : $"{unit}^{Math.Abs(dimension)}");
            }
        }
    }

    public static string Format(MetricType type) => type switch
    {
        MetricType.Int32 => "32-bit int",
        MetricType.UInt32 => "32-bit unsigned int",
        MetricType.Int64 => "64-bit int",
        MetricType.UInt64 => "64-bit unsigned int",
        MetricType.Float => "float",
        MetricType.Double => "double",
        MetricType.String => "string",
        _ => type.ToString(),
    };

    public static string Format(MetricValue value, MetricType type) => type switch
    {
        MetricType.String => value.Text,
        MetricType.Float or MetricType.Double => value.Real.ToString("R", CultureInfo.InvariantCulture),
        MetricType.UInt32 => ((uint)value.Unsigned).ToString(CultureInfo.InvariantCulture),
        MetricType.Int32 => ((int)value.Signed).ToString(CultureInfo.InvariantCulture),
        MetricType.UInt64 => value.Unsigned.ToString(CultureInfo.InvariantCulture),
        _ => value.Signed.ToString(CultureInfo.InvariantCulture),
    };

    private static void ParseDetail(PcpMetric metric, string line)
    {
        if (line.StartsWith("Data Type: ", StringComparison.Ordinal))
        {
            var domain = line.IndexOf("InDom: ", StringComparison.Ordinal);
            metric.Type = line["Data Type: ".Length..domain].Trim();
            metric.Domain = line[(domain + 7)..].Split(' ')[0];
        }
        else if (line.StartsWith("Semantics: ", StringComparison.Ordinal))
        {
            var units = line.IndexOf("Units: ", StringComparison.Ordinal);
            metric.Semantics = line["Semantics: ".Length..units].Trim();
            metric.Units = line[(units + 7)..].Trim();
        }
        else if (line.StartsWith("value ", StringComparison.Ordinal))
        {
            metric.Values[""] = Unquote(line[6..]);
        }
        else if (line.StartsWith("inst [", StringComparison.Ordinal))
        {
            var open = line.IndexOf('"', StringComparison.Ordinal);
            var close = line.IndexOf("\"] value ", StringComparison.Ordinal);
            if (open > 0 && close > open)
            {
                metric.Values[line[(open + 1)..close].Split(' ')[0]] = Unquote(line[(close + 9)..]);
            }
        }
        else if (line.StartsWith("Error:", StringComparison.Ordinal) || line.StartsWith("No value", StringComparison.Ordinal))
        {
            metric.Error = line;
        }
    }

    private static string Unquote(string text) => text.Length >= 2 && text[0] == '"' ? text.TrimEnd()[1..^1] : text;
}
