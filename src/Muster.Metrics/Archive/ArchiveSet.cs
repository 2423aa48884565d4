using Muster.Core;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>One or more archives read as one, in the order of their beginnings; between two of them lies a gap.</summary>
public sealed class ArchiveSet
{
    // A decade of daily archives.
    private const int MaxArchives = 4000;

    private readonly List<MetricArchive> _archives;
    private DateTimeOffset? _end;

    private ArchiveSet(List<MetricArchive> archives, MetricNames names) => (_archives, Names) = (archives, names);

    /// <summary>All metrics of all archives.</summary>
    public MetricNames Names { get; }

    /// <summary>The host of the first archive.</summary>
    public string HostName => _archives[0].Label.HostName;

    /// <summary>When the first archive begins.</summary>
    public DateTimeOffset Start => _archives[0].Label.Start;

    /// <summary>The time of the last record.</summary>
    public DateTimeOffset End => _end ??= _archives.Max(a => a.FindEnd());

    /// <summary>After reading: some file ends inside of a record.</summary>
    public bool IsTorn => _archives.Exists(a => a.IsTorn);

    /// <summary>Opens archives by their base names or files, or all archives of folders.</summary>
    public static ArchiveSet Open(IEnumerable<string> paths)
    {
        var names = new List<string>();
        foreach (var path in paths)
        {
            if (!Directory.Exists(path))
            {
                names.Add(path);
                continue;
            }

            var inside = ArchiveFiles.In(path);
            names.AddRange(inside.Count > 0 ? inside : throw new MusterException(ErrorKind.NotFound, $"The folder {path} has no archive: no file in it ends in .meta"));
        }

        if (names.Count is 0 or > MaxArchives)
        {
            throw new MusterException(ErrorKind.Usage, $"{names.Count} archives were named: 1 to {MaxArchives} are read at once");
        }

        var archives = names.ConvertAll(MetricArchive.Open).OrderBy(a => a.Label.Start).ToList();
        var hosts = archives.Select(a => a.Label.HostName).Distinct(StringComparer.Ordinal).Take(3).ToList();
        return hosts.Count == 1
            ? new ArchiveSet(archives, ArchiveNames.Of(archives))
            : throw new MusterException(ErrorKind.Invalid, $"The archives are of several hosts ({string.Join(", ", hosts)}): read those of one host at once");
    }

    /// <summary>When the archive begins that has the values of a time.</summary>
    internal DateTimeOffset BeginningAt(DateTimeOffset time) => _archives.LastOrDefault(a => a.Label.Start <= time)?.Label.Start ?? Start;

    /// <summary>The same archives with derived metrics, computed as they are read.</summary>
    public ArchiveSet With(DerivedDefinitions definitions) => definitions.Count == 0 ? this : new ArchiveSet(_archives, Names.With(definitions));

    /// <summary>Records in order, with the values of the wanted metrics that are derived; a mark stands between two archives, since nobody knows what was between them.</summary>
    internal IEnumerable<(MetricArchive Archive, ArchiveSample Sample)> Read(DateTimeOffset from, DateTimeOffset to, IReadOnlySet<MetricId>? wanted)
    {
        if (ArchiveDerivation.For(Names, wanted) is not { } derivation)
        {
            return ReadRecords(from, to, wanted);
        }

        var needed = wanted!.Concat(derivation.Operands).ToHashSet();
        return ReadRecords(from, to, needed).Select(r => (r.Archive, derivation.Extend(r.Archive, r.Sample)));
    }

    private IEnumerable<(MetricArchive Archive, ArchiveSample Sample)> ReadRecords(DateTimeOffset from, DateTimeOffset to, IReadOnlySet<MetricId>? wanted)
    {
        MetricArchive? before = null;
        var last = DateTimeOffset.MinValue;
        for (var i = 0; i < _archives.Count; i++)
        {
            // Ended before the wanted time begins: the next one begins before it, too.
            if (i + 1 < _archives.Count && _archives[i + 1].Label.Start < from)
            {
                continue;
            }

            var archive = _archives[i];
            foreach (var sample in archive.Read(from, to, wanted))
            {
                // Two loggers may have written at once; what goes back in time is not read twice.
                if (sample.Time <= last)
                {
                    continue;
                }

                if (before is not null && before != archive)
                {
                    yield return (archive, new ArchiveSample(last.AddTicks(1), []));
                }

                (before, last) = (archive, sample.Time);
                yield return (archive, sample);
            }
        }
    }
}
