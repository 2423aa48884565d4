using System.Runtime.InteropServices;
using Muster.Core;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>Series of chosen metrics out of archives.</summary>
internal static class SeriesReading
{
    /// <summary>16 bytes each: 256 MB.</summary>
    private const int MaxPoints = 16 * 1024 * 1024;

    /// <summary>
    /// Reads what lies between two times, with the last value before, which rates and interpolation need; numbers only, by metric,
    /// then by the order in which instances appear.
    /// </summary>
    /// <param name="archives">Where from.</param>
    /// <param name="metrics">Whole names of metrics.</param>
    /// <param name="from">The first time.</param>
    /// <param name="to">The last time.</param>
    /// <param name="before">What was read of a time before: the last values of it are carried over.</param>
    public static IReadOnlyList<ValueSeries> Read(ArchiveSet archives, IReadOnlyList<string> metrics, DateTimeOffset from, DateTimeOffset to, IEnumerable<ValueSeries>? before = null) =>
        Read(archives, metrics, from, to, (name, metric, instance) => new ValueSeries(name, metric, instance), before?.Select(b => b.CarriedTo(from)).OfType<ValueSeries>().ToList() ?? []);

    /// <summary>The same, into series of the caller's choice.</summary>
    /// <param name="archives">Where from.</param>
    /// <param name="metrics">Whole names of metrics.</param>
    /// <param name="from">The first time.</param>
    /// <param name="to">The last time.</param>
    /// <param name="create">Makes a series for an instance that appears.</param>
    /// <param name="carried">Series that go on, with their last value before.</param>
    public static IReadOnlyList<TSeries> Read<TSeries>(ArchiveSet archives, IReadOnlyList<string> metrics, DateTimeOffset from, DateTimeOffset to, Func<string, MetricDescriptor, string?, TSeries> create, IReadOnlyList<TSeries> carried)
        where TSeries : InstanceSeries
    {
        var wanted = new Dictionary<MetricId, (string Name, MetricDescriptor Descriptor)>();
        foreach (var name in metrics)
        {
            var descriptor = archives.Names.Find(name)?.Descriptor ?? throw new MusterException(ErrorKind.NotFound, $"The archive has no metric {name}");
            wanted.TryAdd(descriptor.Id, (name, descriptor));
        }

        var reading = new Reading<TSeries>(wanted, from, create, carried);

        // What seldom changes is recorded once, at the beginning of the archive: the index leads past it.
        var discrete = wanted.Where(w => w.Value.Descriptor.Semantics == MetricSemantics.Discrete).Select(w => w.Key).ToHashSet();
        if (carried.Count == 0 && from > archives.Start && discrete.Count > 0)
        {
            reading.TakeAll(archives.Read(archives.BeginningAt(from), from.AddTicks(-1), discrete));
        }

        reading.TakeAll(archives.Read(from, to, wanted.Keys.ToHashSet()));
        return [.. reading.Series.OrderBy(s => metrics.ToList().IndexOf(s.Metric))];
    }

    private sealed class Reading<TSeries>(Dictionary<MetricId, (string Name, MetricDescriptor Descriptor)> wanted, DateTimeOffset from, Func<string, MetricDescriptor, string?, TSeries> create, IReadOnlyList<TSeries> carried)
        where TSeries : InstanceSeries
    {
        private readonly Dictionary<(MetricId, string), TSeries> _series = carried.ToDictionary(c => (c.Descriptor.Id, c.Instance ?? ""));
        private int _points;

        public IEnumerable<TSeries> Series => _series.Values;

        public void TakeAll(IEnumerable<(MetricArchive Archive, ArchiveSample Sample)> samples)
        {
            foreach (var (archive, sample) in samples)
            {
                if (sample.IsMark)
                {
                    foreach (var one in _series.Values)
                    {
                        if (one.Source is { } source && sample.Interrupts(source, one.Descriptor.Id))
                        {
                            one.AddGap(sample.Time);
                        }
                    }
                }

                foreach (var set in sample.Sets)
                {
                    if (wanted.TryGetValue(set.Id, out var metric))
                    {
                        Take(archive, sample.Time, set, metric.Name, metric.Descriptor);
                    }
                }
            }
        }

        private void Take(MetricArchive archive, DateTimeOffset time, ReceivedSet set, string name, MetricDescriptor metric)
        {
            foreach (var value in set.Values)
            {
                var instance = value.Instance < 0 ? null : archive.Metadata.InstanceName(metric.Instances, value.Instance, time) ?? value.Instance.ToString(System.Globalization.CultureInfo.InvariantCulture);
                var number = value.Value.ToDouble(value.Type ?? metric.Type);
                if (double.IsNaN(number))
                {
                    continue;
                }

                ref var one = ref CollectionsMarshal.GetValueRefOrAddDefault(_series, (set.Id, instance ?? ""), out _);
                one ??= create(name, metric, instance);
                one.Source = archive;
                _points += (time < from ? one.Restart(time, number) : one.Take(time, number)) ? 1 : 0;
                if (_points > MaxPoints)
                {
                    throw new MusterException(ErrorKind.Exhausted, $"More than {MaxPoints} values lie between the two times: choose fewer metrics, or a shorter time");
                }
            }
        }
    }
}
