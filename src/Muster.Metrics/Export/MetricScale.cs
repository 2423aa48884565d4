using System.Globalization;
using Muster.Core;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>Scale factors behind numbers, as pmie(1) has them: <c>Mbyte</c>, <c>count/sec</c>, <c>Kbyte / hour</c>; and <c>%</c>.</summary>
internal static class MetricScale
{
    private static readonly Dictionary<string, MetricUnits> Words = Make();

    /// <summary>Whether a word is a unit; singular or plural.</summary>
    public static bool TryFind(string word, out MetricUnits units) => Words.TryGetValue(word, out units);

    /// <summary>A value in bytes, seconds and ones as people read it: <c>1.5 GiB</c>, <c>20 MiB/s</c>, <c>0.93</c>.</summary>
    public static string Format(double value, MetricUnits units) => (units.Space, units.Time, units.CountDimension) switch
    {
        (1, 0, 0) when IsBytes(value) => Quantity.FormatBytes((long)value),
        (1, -1, 0) when IsBytes(value) => Quantity.FormatBytes((long)value) + "/s",
        (0, 1, 0) => value.ToString("G6", CultureInfo.InvariantCulture) + " s",
        (0, -1, 1) => value.ToString("G6", CultureInfo.InvariantCulture) + "/s",
        _ => value.ToString("G6", CultureInfo.InvariantCulture),
    };

    private static bool IsBytes(double value) => value is >= 0 and < long.MaxValue;

    private static Dictionary<string, MetricUnits> Make()
    {
        var words = new Dictionary<string, MetricUnits>(StringComparer.Ordinal);
        foreach (var (scale, prefix) in new[] { "", "K", "M", "G", "T", "P", "E" }.Index())
        {
            Add(MetricUnits.Of(space: 1, spaceScale: scale), prefix + "byte");
        }

        // Bytes as muster writes them everywhere else.
        foreach (var (scale, word) in new[] { "Ki", "Mi", "Gi", "Ti" }.Index())
        {
            words.Add(word, MetricUnits.Of(space: 1, spaceScale: scale + 1));
            words.Add(word + "B", MetricUnits.Of(space: 1, spaceScale: scale + 1));
        }

        Add(MetricUnits.Nanosecond, "nanosecond", "nanosec", "nsec");
        Add(MetricUnits.Microsecond, "microsecond", "microsec", "usec");
        Add(MetricUnits.Millisecond, "millisecond", "millisec", "msec");
        Add(MetricUnits.Second, "second", "sec");
        Add(MetricUnits.Of(time: 1, timeScale: 4), "minute", "min");
        Add(MetricUnits.Of(time: 1, timeScale: 5), "hour");
        Add(MetricUnits.Count, "count");
        Add(MetricUnits.Of(count: 1, countScale: 3), "Kcount");
        Add(MetricUnits.Of(count: 1, countScale: 6), "Mcount");
        return words;

        void Add(MetricUnits units, params string[] names)
        {
            foreach (var name in names)
            {
                words.Add(name, units);
                words.Add(name + "s", units);
            }
        }
    }
}
