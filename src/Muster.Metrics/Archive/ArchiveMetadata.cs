using Muster.Core;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>A metric of an archive with all its names.</summary>
internal sealed record ArchivedMetric(MetricDescriptor Descriptor, IReadOnlyList<string> Names);

/// <summary>What BASE.meta says: metrics, names of instances over time, texts, labels. Nothing in it is believed: what cannot be is refused in one sentence.</summary>
internal sealed class ArchiveMetadata
{
    // PCP's own bound of a name is 4 KiB; names of instances are command lines at worst.
    private const int MaxName = 64 * 1024;

    private readonly Dictionary<MetricId, ArchivedMetric> _metrics = [];
    private readonly Dictionary<string, MetricId> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<InstanceDomainId, Dictionary<int, List<(DateTimeOffset Time, string? Name)>>> _instances = [];
    private readonly Dictionary<(uint Type, uint Ident), string> _texts = [];
    private readonly Dictionary<(uint Type, uint Ident, int Instance), string> _labels = [];

    private ArchiveMetadata(ArchiveLabel label) => Label = label;

    public ArchiveLabel Label { get; }

    /// <summary>The file ends inside of a record: its writer was killed, or is just writing.</summary>
    public bool IsTorn { get; private set; }

    public IReadOnlyDictionary<MetricId, ArchivedMetric> Metrics => _metrics;

    public IEnumerable<InstanceDomainId> Domains => _instances.Keys;

    public static ArchiveMetadata Read(Stream stream, string path)
    {
        using var records = new RecordStream(stream, path);
        var state = records.Next();
        if (state != RecordState.Record || ArchiveLabel.Read(records.Record) is not { Volume: ArchiveFormat.MetaVolume } label)
        {
            throw new MusterException(ErrorKind.Corrupt, $"{path} is no metadata of a PCP archive of version 2 or 3, or it is cut off in its label");
        }

        var metadata = new ArchiveMetadata(label.Label);
        while ((state = records.Next()) == RecordState.Record)
        {
            if (records.Position > ArchiveFormat.MaxMetaFile)
            {
                throw new MusterException(ErrorKind.Exhausted, $"{path} has more than {Quantity.FormatBytes(ArchiveFormat.MaxMetaFile)} of metadata");
            }

            if (!metadata.Take(records.Record))
            {
                throw records.Damaged("a record that cannot be understood before the one");
            }
        }

        metadata.IsTorn = state == RecordState.Torn;
        return metadata;
    }

    public ArchivedMetric? Find(string name) => _byName.TryGetValue(name, out var id) ? _metrics[id] : null;

    /// <summary>How instances are numbered in what is read beside other archives; null for the archive's own numbers.</summary>
    public InstanceNumbering? Numbering { get; set; }

    /// <summary>An instance's name at a time, by the number that reading gives it; null when the archive never named it.</summary>
    public string? InstanceName(InstanceDomainId domain, int instance, DateTimeOffset time) =>
        Numbering is { } numbering ? numbering.Name(domain, instance) : OwnName(domain, instance, time);

    /// <summary>An instance's name at a time by the archive's own number.</summary>
    public string? OwnName(InstanceDomainId domain, int instance, DateTimeOffset time)
    {
        if (!_instances.TryGetValue(domain, out var instances) || !instances.TryGetValue(instance, out var names))
        {
            return null;
        }

        string? found = null;
        foreach (var (at, name) in names)
        {
            if (at > time && found is not null)
            {
                break;
            }

            found = name ?? found;
        }

        return found;
    }

    /// <summary>Every instance that a domain ever had, under its last name.</summary>
    public IReadOnlyList<MetricInstance> Instances(InstanceDomainId domain) => !_instances.TryGetValue(domain, out var instances)
        ? []
        : [.. instances.Select(i => Shown(domain, i.Key, i.Value.LastOrDefault(n => n.Name is not null).Name ?? "")).OrderBy(i => i.Id)];

    private MetricInstance Shown(InstanceDomainId domain, int number, string name) =>
        Numbering is { } numbering && numbering.Shown(Label.HostName, name) is var shown ? new MetricInstance(numbering.Number(domain, shown), shown) : new MetricInstance(number, name);

    /// <summary>A text: type 1 (one line) or 2 (help) with 4 for a metric or 8 for a domain of instances.</summary>
    public string Text(uint type, uint ident) => _texts.GetValueOrDefault((type, ident), "");

    /// <summary>Labels as JSON; empty when there are none.</summary>
    public string Labels(uint type, uint ident, int instance = -1) => _labels.GetValueOrDefault((type, ident, instance), "");

    private bool Take(ReadOnlySpan<byte> record)
    {
        var reader = new PduReader(record[4..^4]);
        var tag = (MetaTag)reader.UInt32();
        return tag switch
        {
            MetaTag.Descriptor => TakeDescriptor(ref reader),
            MetaTag.InstancesVersion2 => TakeInstances(ref reader, ArchiveVersion.V2, isChange: false),
            MetaTag.Instances => TakeInstances(ref reader, ArchiveVersion.V3, isChange: false),
            MetaTag.InstanceChanges => TakeInstances(ref reader, ArchiveVersion.V3, isChange: true),
            MetaTag.LabelsVersion2 => TakeLabels(ref reader, ArchiveVersion.V2),
            MetaTag.Labels => TakeLabels(ref reader, ArchiveVersion.V3),
            MetaTag.Text => TakeText(ref reader),
            _ => false,
        };
    }

    private bool TakeDescriptor(ref PduReader reader)
    {
        var id = reader.Id();
        var type = (MetricType)reader.Int32();
        var domain = reader.Domain();
        var semantics = (MetricSemantics)reader.Int32();
        var units = new MetricUnits(reader.UInt32());
        var count = reader.Count(4);
        var names = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var length = reader.Count(1);
            if (length > MetricNames.MaxNameLength)
            {
                return false;
            }

            names.Add(PduReader.Decode(reader.Bytes(length)));
        }

        if (reader.Failed || names.Count == 0 || type is < MetricType.NotSupported or > MetricType.HighResolutionEvent || semantics is not (MetricSemantics.Counter or MetricSemantics.Instant or MetricSemantics.Discrete))
        {
            return false;
        }

        // A name that PCP's namespace could not hold is no way to ask for anything.
        if (_metrics.TryAdd(id, new ArchivedMetric(new MetricDescriptor(names[0], id, type, domain, semantics, units, ""), names)))
        {
            foreach (var name in names.Where(n => MetricNames.IsName(n)))
            {
                _byName.TryAdd(name, id);
            }
        }

        return true;
    }

    private bool TakeInstances(ref PduReader reader, ArchiveVersion version, bool isChange)
    {
        var time = ArchiveFormat.ReadTime(ref reader, version);
        var domain = reader.Domain();
        var count = reader.Count(8);
        var ids = reader.Bytes(count * 4);
        var offsets = reader.Bytes(count * 4);
        var strings = reader.Remaining();
        if (reader.Failed)
        {
            return false;
        }

        if (!_instances.TryGetValue(domain, out var instances))
        {
            _instances.Add(domain, instances = []);
        }

        // Names that overlap would make a small record large in memory.
        var budget = strings.Length;
        for (var i = 0; i < count; i++)
        {
            var id = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(ids[(i * 4)..]);
            var offset = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(offsets[(i * 4)..]);
            string? name = null;
            if (!isChange || offset != -1)
            {
                if (offset < 0 || offset >= strings.Length)
                {
                    return false;
                }

                var end = strings[offset..].IndexOf((byte)0);
                if (end < 0 || end > MaxName || (budget -= end + 1) < 0)
                {
                    return false;
                }

                name = PduReader.Decode(strings.Slice(offset, end));
            }

            Add(instances, id, time, name);
        }

        return true;
    }

    private static void Add(Dictionary<int, List<(DateTimeOffset Time, string? Name)>> instances, int id, DateTimeOffset time, string? name)
    {
        if (!instances.TryGetValue(id, out var names))
        {
            instances.Add(id, names = []);
        }

        // The same name again, as version 2 writes the whole domain at every change, needs no memory.
        if (names.Count == 0 || names[^1].Name != name)
        {
            names.Add((time, name));
        }
    }

    private bool TakeText(ref PduReader reader)
    {
        var (type, ident) = (reader.UInt32(), reader.UInt32());
        var text = reader.Remaining();
        if (reader.Failed || type is not (5 or 6 or 9 or 10) || text.IndexOf((byte)0) < 0)
        {
            return false;
        }

        _texts[(type, ident)] = PduReader.Decode(text);
        return true;
    }

    private bool TakeLabels(ref PduReader reader, ArchiveVersion version)
    {
        _ = ArchiveFormat.ReadTime(ref reader, version);
        var (type, ident) = (reader.UInt32(), reader.UInt32());
        var sets = reader.Count(12);
        for (var i = 0; i < sets; i++)
        {
            var instance = reader.Int32();
            var json = reader.Bytes(reader.Count(1));
            if (json.Length > LabelWriter.MaxText)
            {
                return false;
            }

            // A negative count is an error code in the place of labels.
            var labels = reader.Int32();
            if (labels > LabelWriter.MaxLabels)
            {
                return false;
            }

            _ = reader.Bytes(Math.Max(labels, 0) * 8);
            if (!reader.Failed)
            {
                _labels[(type, ident, instance)] = PduReader.Decode(json);
            }
        }

        return !reader.Failed;
    }
}
