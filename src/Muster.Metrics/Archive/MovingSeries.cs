using Muster.Core;

namespace Muster.Metrics.Archive;

/// <summary>Series of archives around times that do not go back: so much of them is held at once that memory depends on the number of instances, not on the length of the archives.</summary>
/// <param name="archives">Where from.</param>
/// <param name="metrics">Names of recorded metrics.</param>
internal sealed class MovingSeries(ArchiveSet archives, IReadOnlyList<string> metrics)
{
    // Where there are so many values that a portion is refused, shorter ones are tried down to this.
    private static readonly TimeSpan LeastPortion = TimeSpan.FromMinutes(5);

    private TimeSpan _portion = TimeSpan.FromHours(6);
    private ILookup<string, ValueSeries> _series = Array.Empty<ValueSeries>().ToLookup(s => s.Metric);
    private DateTimeOffset _until = DateTimeOffset.MinValue;

    // The record after a time is looked for so far beyond: what is recorded more rarely is unknown at the end of a portion.
    private TimeSpan Beyond => _portion / 3;

    /// <summary>By metric, with what is needed for the values at a time.</summary>
    public ILookup<string, ValueSeries> At(DateTimeOffset time)
    {
        while (time >= _until)
        {
            try
            {
                _series = SeriesReading.Read(archives, metrics, time, time + _portion + Beyond, _series.SelectMany(s => s)).ToLookup(s => s.Metric, StringComparer.Ordinal);
                _until = time + _portion;
            }
            catch (MusterException e) when (e.Kind == ErrorKind.Exhausted && _portion > LeastPortion)
            {
                _portion /= 4;
            }
        }

        return _series;
    }
}
