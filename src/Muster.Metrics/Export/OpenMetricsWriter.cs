using System.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>The two text forms that scrapers ask for.</summary>
public enum ExpositionFormat
{
    /// <summary>Prometheus' text format 0.0.4.</summary>
    Prometheus,

    /// <summary>OpenMetrics 1.0.0, with units and an end mark.</summary>
    OpenMetrics,
}

/// <summary>
/// Writes metric families (OpenMetrics §4, Prometheus exposition formats). A PCP name's dots become underscores, the unit its
/// suffix; a text becomes an <c>info</c> family with the text as the label <c>value</c>.
/// </summary>
/// <param name="to">What is written to.</param>
/// <param name="format">Which of the forms.</param>
/// <param name="families">The names of families that stand in the text already; those that are begun are added.</param>
internal sealed class OpenMetricsWriter(TextBuffer to, ExpositionFormat format, HashSet<string> families)
{
    private static readonly System.Buffers.SearchValues<char> LabelCharacters = System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    private byte[] _sample = [];
    private (string Family, string Sample, string Unit, bool IsCounter) _names;
    private MetricType _type;
    private double _factor;
    private bool _isText;

    /// <summary>Begins a family; false when it cannot be told in this format or its name is taken.</summary>
    public bool Begin(MetricDescriptor metric)
    {
        if (!Continue(metric))
        {
            return false;
        }

        var (name, sample, unit, isCounter) = _names;
        if (!families.Add(sample) || (format == ExpositionFormat.OpenMetrics && sample != name && !families.Add(name)))
        {
            return false;
        }

        var family = format == ExpositionFormat.OpenMetrics ? name : sample;
        Comment("# TYPE "u8, family, isCounter ? "counter" : _isText && format == ExpositionFormat.OpenMetrics ? "info" : "gauge");
        if (format == ExpositionFormat.OpenMetrics && unit.Length > 0 && !_isText)
        {
            Comment("# UNIT "u8, family, unit);
        }

        to.Add("# HELP "u8);
        to.Add(family);
        to.Add((byte)' ');
        Escape(metric.OneLine, quotes: format == ExpositionFormat.OpenMetrics);
        to.Add((byte)'\n');
        return true;
    }

    /// <summary>Goes on with a family that was begun in an earlier piece of the text; false when it cannot be told in this format.</summary>
    public bool Continue(MetricDescriptor metric)
    {
        var unit = ExportedUnit.Of(metric.Units);
        _isText = metric.Type == MetricType.String;
        if (!_isText && metric.Type is not (MetricType.Int32 or MetricType.UInt32 or MetricType.Int64 or MetricType.UInt64 or MetricType.Float or MetricType.Double))
        {
            return false;
        }

        var isCounter = !_isText && metric.Semantics == MetricSemantics.Counter;
        var name = FamilyName(metric.Name, _isText ? "" : unit.Name, isCounter);
        _names = (name, _isText ? name + "_info" : isCounter ? name + "_total" : name, unit.Name, isCounter);
        (_type, _factor, _sample) = (metric.Type, unit.Factor, Encoding.UTF8.GetBytes(_names.Sample));
        return true;
    }

    /// <summary>Writes one sample; <paramref name="labels"/> are as <see cref="Labels"/> made them.</summary>
    public void Sample(MetricValue value, ReadOnlySpan<byte> labels)
    {
        to.Add(_sample);
        if (labels.Length > 0 || _isText)
        {
            to.Add((byte)'{');
            to.Add(labels);
            if (_isText)
            {
                to.Add(labels.Length > 0 ? ",value=\""u8 : "value=\""u8);
                Escape(value.Text, quotes: true);
                to.Add((byte)'"');
            }

            to.Add((byte)'}');
        }

        to.Add((byte)' ');
        Number(value);
        to.Add((byte)'\n');
    }

    /// <summary>Ends the text.</summary>
    public void End()
    {
        if (format == ExpositionFormat.OpenMetrics)
        {
            to.Add("# EOF\n"u8);
        }
    }

    /// <summary>Labels without their braces: <c>a="b",c="d"</c>. A name is given what the formats allow, and stands once.</summary>
    public static byte[] Labels(IEnumerable<KeyValuePair<string, string>> labels)
    {
        using var buffer = new TextBuffer();
        var writer = new OpenMetricsWriter(buffer, ExpositionFormat.OpenMetrics, []);

        // A handful: looking through them is cheaper than a table, thousands of times a scrape.
        var names = new List<string>();
        foreach (var (name, value) in labels)
        {
            var allowed = LabelName(name);
            if (!names.Contains(allowed))
            {
                names.Add(allowed);
                buffer.Add(names.Count > 1 ? ","u8 : ""u8);
                buffer.Add(allowed);
                buffer.Add("=\""u8);
                writer.Escape(value, quotes: true);
                buffer.Add((byte)'"');
            }
        }

        return buffer.Written.ToArray();
    }

    /// <summary><c>kernel.all.cpu.user</c> in milliseconds is <c>kernel_all_cpu_user_seconds</c>; the suffixes that the formats add are not there twice.</summary>
    public static string FamilyName(string metric, string unit, bool isCounter)
    {
        var name = metric.Replace('.', '_');
        if (isCounter && name.EndsWith("_total", StringComparison.Ordinal))
        {
            name = name[..^"_total".Length];
        }

        return unit.Length == 0 || name.EndsWith("_" + unit, StringComparison.Ordinal) ? name : $"{name}_{unit}";
    }

    private static string LabelName(string name)
    {
        if (name.Length > 0 && char.IsAsciiLetter(name[0]) && !name.AsSpan().ContainsAnyExcept(LabelCharacters))
        {
            return name;
        }

        var allowed = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '_')).TrimStart('_');

        // Two leading underscores are the scraper's own.
        return allowed.Length == 0 ? "label" : char.IsAsciiDigit(allowed[0]) ? "_" + allowed : allowed;
    }

    private void Comment(ReadOnlySpan<byte> kind, string family, string word)
    {
        to.Add(kind);
        to.Add(family);
        to.Add((byte)' ');
        to.Add(word);
        to.Add((byte)'\n');
    }

    private void Number(MetricValue value)
    {
        if (_isText)
        {
            to.Add((byte)'1');
        }
        else if (_factor != 1 || _type is MetricType.Float or MetricType.Double)
        {
            // A float's own digits: 3.62, not the 3.6199998 that its double would show.
            var number = value.ToDouble(_type);
            to.Add(_type == MetricType.Float && _factor == 1 ? Shortest((float)number) : number * _factor);
        }
        else if (_type is MetricType.UInt32 or MetricType.UInt64)
        {
            to.Add(_type == MetricType.UInt32 ? (uint)value.Unsigned : value.Unsigned);
        }
        else
        {
            to.Add(value.Signed);
        }
    }

    private static double Shortest(float number) =>
        float.IsFinite(number) ? double.Parse(number.ToString(System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture) : number;

    private void Escape(string text, bool quotes)
    {
        if (text.AsSpan().IndexOfAny('\n', '\\', '"') < 0)
        {
            to.Add(text);
            return;
        }

        foreach (var part in new EscapedParts(text))
        {
            switch (part)
            {
                case "\n":
                    to.Add("\\n"u8);
                    break;
                case "\\":
                    to.Add("\\\\"u8);
                    break;
                case "\"":
                    to.Add(quotes ? "\\\""u8 : "\""u8);
                    break;
                default:
                    to.Add(part);
                    break;
            }
        }
    }

    /// <summary>A text cut before and after each character that is escaped; the usual text is one part, itself.</summary>
    private readonly struct EscapedParts(string text)
    {
        public IEnumerator<string> GetEnumerator()
        {
            var at = 0;
            for (var i = text.AsSpan().IndexOfAny('\n', '\\', '"'); i >= 0;)
            {
                if (i > at)
                {
                    yield return text[at..i];
                }

                yield return text[i].ToString();
                at = i + 1;
                var next = text.AsSpan(at).IndexOfAny('\n', '\\', '"');
                i = next < 0 ? -1 : at + next;
            }

            if (at < text.Length)
            {
                yield return at == 0 ? text : text[at..];
            }
        }
    }
}
