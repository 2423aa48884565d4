using System.Globalization;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Derived;
using Muster.Metrics.Export;
using Muster.Metrics.Names;

namespace Muster.Metrics.Reporting;

/// <summary>One value out of an archive, as it is shown.</summary>
/// <param name="Time">When.</param>
/// <param name="Metric">The metric's name.</param>
/// <param name="Instance">The instance's name; null for a metric without instances.</param>
/// <param name="Value">The number; null for a text.</param>
/// <param name="Text">The text of a metric that has no numbers.</param>
/// <param name="Units">Units of what is shown: of a counter's rate, those per second.</param>
public sealed record ReplayRow(DateTimeOffset Time, string Metric, string? Instance, double? Value, string? Text, string Units);

/// <summary>Values of archives over time.</summary>
public static class ArchiveReplay
{
    // More rows than anyone reads, and a window that was mistyped by years ends here.
    private const long MaxSteps = 10_000_000;

    /// <summary>Whole names for names and beginnings of names; all metrics for none.</summary>
    public static IReadOnlyList<string> Metrics(ArchiveSet archives, IReadOnlyList<string> wanted)
    {
        if (wanted.Count == 0)
        {
            return [.. archives.Names.All.Select(m => m.Name)];
        }

        return [.. wanted.SelectMany(name => archives.Names.Node(name)?.Leaves().Select(l => l.Name).ToList() is { Count: > 0 } leaves
            ? leaves
            : throw new MusterException(ErrorKind.NotFound, archives.Names.WhyNot(name) is { } why ? $"The derived metric {name} cannot be computed over the archive: {why}" : $"The archive has no metric {name}")).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The values as they were recorded; counters as rates since the value before, or as they are when <paramref name="isRaw"/>.</summary>
    public static IEnumerable<ReplayRow> Recorded(ArchiveSet archives, IReadOnlyList<string> metrics, TimeWindow window, bool isRaw)
    {
        var wanted = metrics.Select(m => (Name: m, archives.Names.Find(m)!.Descriptor)).DistinctBy(m => m.Descriptor.Id).ToDictionary(m => m.Descriptor.Id);
        var before = new Dictionary<(MetricId Metric, int), (DateTimeOffset Time, double Value, MetricArchive Source)>();
        foreach (var (archive, sample) in archives.Read(window.From, window.To, wanted.Keys.ToHashSet()))
        {
            if (sample.IsMark)
            {
                foreach (var key in before.Where(b => sample.Interrupts(b.Value.Source, b.Key.Metric)).Select(b => b.Key).ToList())
                {
                    before.Remove(key);
                }

                continue;
            }

            foreach (var set in sample.Sets.Where(s => wanted.ContainsKey(s.Id)))
            {
                var (name, metric) = wanted[set.Id];
                foreach (var value in set.Values)
                {
                    var type = value.Type ?? metric.Type;
                    var instance = value.Instance < 0 ? null : archive.Metadata.InstanceName(metric.Instances, value.Instance, sample.Time) ?? value.Instance.ToString(CultureInfo.InvariantCulture);
                    var number = value.Value.ToDouble(type);
                    var isRate = !isRaw && metric.Semantics == MetricSemantics.Counter && !double.IsNaN(number);
                    if (isRate)
                    {
                        var key = (set.Id, value.Instance);
                        var last = before.TryGetValue(key, out var found) ? found : default;
                        before[key] = (sample.Time, number, archive);
                        if (last.Time == default || number < last.Value)
                        {
                            continue;
                        }

                        number = Rate(metric, (number - last.Value) / (sample.Time - last.Time).TotalSeconds);
                    }

                    // The record before the window serves the first rate alone.
                    if (sample.Time >= window.From)
                    {
                        yield return new ReplayRow(sample.Time, name, instance, double.IsNaN(number) ? null : number, double.IsNaN(number) ? Text(type, value.Value) : null, Units(metric, isRate));
                    }
                }
            }
        }
    }

    /// <summary>Values at regular times, interpolated; counters as the mean rate of each interval, as pmval shows them.</summary>
    public static IEnumerable<ReplayRow> Interpolated(ArchiveSet archives, IReadOnlyList<string> metrics, TimeWindow window, TimeSpan interval, bool isRaw)
    {
        if ((window.To - window.From) / interval > MaxSteps)
        {
            throw new MusterException(ErrorKind.Exhausted, $"There are more than {MaxSteps} steps of {interval} in the time that is asked for: choose a longer interval");
        }

        // What lies before the window's end in the next record is needed for its last value.
        var derived = metrics.Where(m => archives.Names.Find(m)?.Agent is DerivedAgent).ToList();
        var series = Read(metrics.Except(derived));
        var operands = derived.Count > 0 ? Read(InterpolatedDerivation.Operands(archives.Names, derived)).ToLookup(s => s.Metric, StringComparer.Ordinal) : null;
        var computing = operands is null ? null : new InterpolatedDerivation(archives.Names, derived, _ => operands);
        var before = computing is null ? [] : Computed(computing, window.From - interval);
        for (var time = window.From; time <= window.To; time += interval)
        {
            foreach (var one in series)
            {
                var isRate = !isRaw && one.Descriptor.Semantics == MetricSemantics.Counter;
                var number = isRate ? Rate(one.Descriptor, one.Growth(time - interval, time) / interval.TotalSeconds) : one.At(time);
                if (!double.IsNaN(number))
                {
                    yield return new ReplayRow(time, one.Metric, one.Instance, number, null, Units(one.Descriptor, isRate));
                }
            }

            if (computing is null)
            {
                continue;
            }

            var now = Computed(computing, time);
            foreach (var (key, (metric, number)) in now)
            {
                var isRate = !isRaw && metric.Semantics == MetricSemantics.Counter;
                var growth = isRate ? before.TryGetValue(key, out var last) && last.Number <= number ? number - last.Number : double.NaN : 0;
                if (!double.IsNaN(growth))
                {
                    yield return new ReplayRow(time, key.Metric, key.Instance.Length == 0 ? null : key.Instance, isRate ? Rate(metric, growth / interval.TotalSeconds) : number, null, Units(metric, isRate));
                }
            }

            before = now;
        }

        IReadOnlyList<ValueSeries> Read(IEnumerable<string> names) => SeriesReading.Read(archives, [.. names], window.From - interval, archives.End);
    }

    private static Dictionary<(string Metric, string Instance), (MetricDescriptor Metric, double Number)> Computed(InterpolatedDerivation computing, DateTimeOffset time)
    {
        var numbers = new Dictionary<(string, string), (MetricDescriptor, double)>();
        foreach (var (metric, instance, value) in computing.At(time))
        {
            var number = value.ToDouble(metric.Type);
            if (!double.IsNaN(number))
            {
                numbers[(metric.Name, instance ?? "")] = (metric, number);
            }
        }

        return numbers;
    }

    // Time spent per time passed is a share, and has no units.
    private static double Rate(MetricDescriptor metric, double rate) => metric.Units is { Time: 1, Space: 0, CountDimension: 0 }
        ? rate * metric.Units.TimeScale switch { 0 => 1e-9, 1 => 1e-6, 2 => 1e-3, 3 => 1, 4 => 60, _ => 3600 }
        : rate;

    private static string Units(MetricDescriptor metric, bool isRate)
    {
        if (isRate && metric.Units is { Time: 1, Space: 0, CountDimension: 0 })
        {
            return "";
        }

        var units = PmapiJson.UnitsName(metric.Units);
        units = units == "none" ? "" : units;
        return !isRate ? units : units.Length == 0 ? "/ sec" : units + " / sec";
    }

    private static string Text(MetricType type, MetricValue value) => type switch
    {
        MetricType.String => value.Text,
        MetricType.Event or MetricType.HighResolutionEvent => Quantity.Counted(value.Events.Count, "event"),
        _ => Convert.ToHexStringLower(value.Bytes.AsSpan(0, Math.Min(value.Bytes.Length, 64))),
    };
}
