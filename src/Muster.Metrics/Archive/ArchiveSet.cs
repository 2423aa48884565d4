using Muster.Core;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>One or more archives read as one, merged by time; between two of the same metrics lies a gap.</summary>
public sealed class ArchiveSet
{
    // A decade of daily archives.
    private const int MaxArchives = 4000;

    // A report of more nobody reads; and each is read by itself.
    private const int MaxHosts = 500;

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

    /// <summary>What of the named folders was passed over, and why; to be told once.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Opens archives by their base names or files, or all archives of folders. Instances of several hosts are told with their hosts.</summary>
    public static ArchiveSet Open(IEnumerable<string> paths)
    {
        var notes = new List<string>();
        return Of(OpenAll(paths, notes), notes);
    }

    /// <summary>The same, each host by itself, in the order of their names.</summary>
    public static IReadOnlyList<ArchiveSet> OpenHosts(IEnumerable<string> paths)
    {
        var notes = new List<string>();
        var hosts = OpenAll(paths, notes).GroupBy(a => a.Label.HostName, StringComparer.Ordinal).OrderBy(h => h.Key, StringComparer.Ordinal).ToList();
        return hosts.Count <= MaxHosts
            ? [.. hosts.Select((h, i) => Of([.. h], i == 0 ? notes : []))]
            : throw new MusterException(ErrorKind.Usage, $"The archives are of {hosts.Count} hosts: those of {MaxHosts} are read at once");
    }

    private static ArchiveSet Of(List<MetricArchive> archives, IReadOnlyList<string> notes)
    {
        archives = [.. archives.OrderBy(a => a.Label.Start)];
        var hasHosts = archives.Select(a => a.Label.HostName).Distinct(StringComparer.Ordinal).Take(2).Count() > 1;

        // Archives that follow one another keep their own numbers: between them lies a gap, over which nothing is counted on.
        if (hasHosts || archives.Zip(archives.Skip(1)).Any(p => !p.First.EndsBefore(p.Second.Label.Start)))
        {
            var numbering = new InstanceNumbering(hasHosts);
            archives.ForEach(a => a.Metadata.Numbering = numbering);
        }

        return new ArchiveSet(archives, ArchiveNames.Of(archives)) { Notes = notes };
    }

    private static List<MetricArchive> OpenAll(IEnumerable<string> paths, List<string> notes)
    {
        var archives = new List<MetricArchive>();
        var count = 0;
        foreach (var path in paths)
        {
            var isFolder = Directory.Exists(path);
            var names = isFolder ? ArchiveFiles.In(path) : [path];
            count += names.Count;
            if (count > MaxArchives)
            {
                throw new MusterException(ErrorKind.Usage, $"More than {MaxArchives} archives were named: read them in parts");
            }

            var before = archives.Count;
            foreach (var name in names)
            {
                if (!isFolder || MetricArchive.IsArchive(name))
                {
                    archives.Add(MetricArchive.Open(name));
                }
                else
                {
                    notes.Add($"{name} is no archive, or is just being made or deleted: it is passed over");
                }
            }

            if (archives.Count == before)
            {
                throw new MusterException(ErrorKind.NotFound, $"The folder {path} has no archive: no file in it ends in .meta, or none of those is one");
            }
        }

        return archives.Count > 0 ? archives : throw new MusterException(ErrorKind.Usage, $"No archive was named: 1 to {MaxArchives} are read at once");
    }

    /// <summary>When the archive begins that has the values of a time.</summary>
    internal DateTimeOffset BeginningAt(DateTimeOffset time) => _archives.LastOrDefault(a => a.Label.Start <= time)?.Label.Start ?? Start;

    /// <summary>The same archives with derived metrics, computed as they are read.</summary>
    public ArchiveSet With(DerivedDefinitions definitions) => definitions.Count == 0 ? this : new ArchiveSet(_archives, Names.With(definitions)) { Notes = Notes };

    /// <summary>Records in order, with the values of the wanted metrics that are derived.</summary>
    internal IEnumerable<(MetricArchive Archive, ArchiveSample Sample)> Read(DateTimeOffset from, DateTimeOffset to, IReadOnlySet<MetricId>? wanted)
    {
        if (ArchiveDerivation.For(Names, wanted) is not { } derivation)
        {
            return ReadRecords(from, to, wanted);
        }

        var needed = wanted!.Concat(derivation.Operands).ToHashSet();
        return ReadRecords(from, to, needed).Select(r => (r.Archive, derivation.Extend(r.Archive, r.Sample)));
    }

    /// <summary>
    /// Records of all archives in the order of their times. Where an archive begins after another one of the same metrics and
    /// host has ended stands a mark, since nobody knows what was between them. A mark says what it interrupts: not what another
    /// archive goes on with. The same value of the same time, as archives that were copied or joined have it, comes once. Only
    /// archives that overlap are open at the same time.
    /// </summary>
    private IEnumerable<(MetricArchive Archive, ArchiveSample Sample)> ReadRecords(DateTimeOffset from, DateTimeOffset to, IReadOnlySet<MetricId>? wanted)
    {
        var waiting = new Queue<MetricArchive>(_archives.Where((a, i) => a.Label.Start <= to && (i == _archives.Count - 1 || !a.EndsBefore(from))));
        var open = new PriorityQueue<Cursor, (DateTimeOffset Time, int Order)>();
        var all = new List<Cursor>();
        var seen = new SameTime();
        var goingOn = new HashSet<MetricArchive>();
        var ended = new HashSet<(string Host, MetricId Metric)>();
        try
        {
            while (waiting.Count > 0 || open.Count > 0)
            {
                while (waiting.Count > 0 && (open.Count == 0 || waiting.Peek().Label.Start <= open.Peek().Records.Current.Time))
                {
                    var archive = waiting.Dequeue();
                    var cursor = new Cursor(archive, archive.Read(from, to, wanted).GetEnumerator(), all.Count);
                    all.Add(cursor);
                    Advance(cursor);
                }

                if (open.Count == 0)
                {
                    continue;
                }

                var next = open.Dequeue();
                var sample = next.Records.Current;
                if (sample.Time >= seen.Time)
                {
                    if (goingOn.Add(next.Archive) && Metrics(next.Archive).Any(ended.Contains))
                    {
                        yield return (next.Archive, Mark(seen.Time.AddTicks(1), next.Archive, isOwn: false));
                    }

                    if (sample.IsMark)
                    {
                        yield return (next.Archive, Mark(sample.Time, next.Archive, isOwn: true));
                    }
                    else if (seen.Take(Renumbered(next.Archive, sample)) is { } fresh)
                    {
                        yield return (next.Archive, fresh);
                    }
                }

                Advance(next);
            }
        }
        finally
        {
            all.ForEach(c => c.Records.Dispose());
        }

        void Advance(Cursor cursor)
        {
            if (cursor.Records.MoveNext())
            {
                open.Enqueue(cursor, (cursor.Records.Current.Time, cursor.Order));
            }
            else if (goingOn.Remove(cursor.Archive))
            {
                ended.UnionWith(Metrics(cursor.Archive));
                cursor.Records.Dispose();
            }
        }

        // Of what an archive tells that has ended already, the next of the same metrics does not know how it went on.
        ArchiveSample Mark(DateTimeOffset time, MetricArchive by, bool isOwn)
        {
            var others = goingOn.Where(a => a != by).ToHashSet();
            return new ArchiveSample(time, [])
            {
                Interrupts = (source, metric) => source == by ? isOwn : !others.Contains(source) && source.Label.HostName == by.Label.HostName && by.Metadata.Metrics.ContainsKey(metric),
            };
        }

        IEnumerable<(string, MetricId)> Metrics(MetricArchive archive) =>
            archive.Metadata.Metrics.Keys.Where(m => wanted?.Contains(m) is not false).Select(m => (archive.Label.HostName, m));
    }

    private static ArchiveSample Renumbered(MetricArchive archive, ArchiveSample sample)
    {
        if (archive.Metadata.Numbering is not { } numbering)
        {
            return sample;
        }

        var sets = new List<ReceivedSet>(sample.Sets.Count);
        foreach (var set in sample.Sets)
        {
            var domain = archive.Metadata.Metrics.TryGetValue(set.Id, out var metric) ? metric.Descriptor.Instances : InstanceDomainId.None;
            if (set.Values.Count == 0 || (domain == InstanceDomainId.None && !numbering.HasHosts))
            {
                sets.Add(set);
                continue;
            }

            var values = new ReceivedValue[set.Values.Count];
            for (var i = 0; i < values.Length; i++)
            {
                var value = set.Values[i];
                var name = value.Instance < 0 || domain == InstanceDomainId.None ? null : archive.Metadata.OwnName(domain, value.Instance, sample.Time) ?? value.Instance.ToString(System.Globalization.CultureInfo.InvariantCulture);
                values[i] = value with { Instance = numbering.Number(domain, numbering.Shown(archive.Label.HostName, name)) };
            }

            sets.Add(set with { Values = values });
        }

        return new ArchiveSample(sample.Time, sets);
    }

    private sealed class Cursor(MetricArchive archive, IEnumerator<ArchiveSample> records, int order)
    {
        public MetricArchive Archive => archive;

        public IEnumerator<ArchiveSample> Records => records;

        public int Order => order;
    }

    /// <summary>What was given of one time: more of it is given only where it is new.</summary>
    private sealed class SameTime
    {
        private readonly HashSet<(MetricId, int)> _given = [];
        private ArchiveSample? _first;

        public DateTimeOffset Time { get; private set; } = DateTimeOffset.MinValue;

        public ArchiveSample? Take(ArchiveSample sample)
        {
            if (sample.Time != Time)
            {
                Time = sample.Time;
                _given.Clear();
                return _first = sample;
            }

            if (_first is not null)
            {
                Note(_first);
                _first = null;
            }

            var sets = sample.Sets.Select(s => s with { Values = [.. s.Values.Where(v => !_given.Contains((s.Id, v.Instance)))] }).Where(s => s.Values.Count > 0).ToList();
            Note(sample);
            return sets.Count > 0 ? new ArchiveSample(sample.Time, sets) : null;
        }

        private void Note(ArchiveSample sample)
        {
            foreach (var set in sample.Sets)
            {
                foreach (var value in set.Values)
                {
                    _given.Add((set.Id, value.Instance));
                }
            }
        }
    }
}
