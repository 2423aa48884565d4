using Muster.Metrics.Names;

namespace Muster.Metrics.Collecting;

/// <summary>
/// Numbers as people want them from two readings in a row: counters as change a second (a counter of time as its share of the
/// time that went by: 1 is one whole CPU), everything else as it is.
/// </summary>
public sealed class MetricRates
{
    private readonly Dictionary<(MetricId Metric, int Instance), double> _last = [];
    private DateTimeOffset? _lastTime;

    /// <summary>The number of each value of this reading; null for what has none yet (the first of a counter), and for texts.</summary>
    public IReadOnlyList<double?> Next(MetricReading reading)
    {
        var seconds = _lastTime is { } last ? (reading.Time - last).TotalSeconds : 0;
        var numbers = new double?[reading.Values.Count];
        var now = new Dictionary<(MetricId, int), double>(reading.Values.Count);
        for (var i = 0; i < numbers.Length; i++)
        {
            var value = reading.Values[i];
            if (value.Error != 0)
            {
                continue;
            }

            var number = value.Value.ToDouble(value.Metric.Type);
            if (double.IsNaN(number))
            {
                continue;
            }

            if (value.Metric.Semantics != MetricSemantics.Counter)
            {
                numbers[i] = number;
                continue;
            }

            var key = (value.Metric.Id, value.Instance?.Id ?? -1);
            now[key] = number;

            // A counter that fell began anew: what it has counted since is at least its value.
            if (seconds > 0 && _last.TryGetValue(key, out var before))
            {
                numbers[i] = (number >= before ? number - before : number) / seconds * Scale(value.Metric.Units);
            }
        }

        _last.Clear();
        foreach (var (key, number) in now)
        {
            _last[key] = number;
        }

        _lastTime = reading.Time;
        return numbers;
    }

    /// <summary>What a counter's change a second is in: <c>byte / sec</c>, or nothing for a share of time.</summary>
    public static string RateUnits(MetricDescriptor metric) =>
        metric.Semantics != MetricSemantics.Counter ? metric.Units.ToString()
        : metric.Units is { Time: 1, Space: 0, CountDimension: 0 } ? "of one CPU"
        : metric.Units.Value == 0 ? "/ sec" : $"{metric.Units} / sec";

    // Time counted in time: as a share.
    private static double Scale(MetricUnits units) => units is { Time: 1, Space: 0, CountDimension: 0 }
        ? units.TimeScale switch { 0 => 1e-9, 1 => 1e-6, 2 => 1e-3, 3 => 1, 4 => 60, _ => 3600 }
        : 1;
}
