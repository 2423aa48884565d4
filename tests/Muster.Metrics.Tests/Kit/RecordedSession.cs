using System.Text.Json;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;
using Muster.TestKit;

namespace Muster.Metrics.Tests;

/// <summary>One unit of a recorded session.</summary>
internal sealed record RecordedUnit(int Connection, bool IsFromClient, byte[] Bytes)
{
    public PduType Type => Units.TypeOf(Bytes);

    public PduReader Body => new(Bytes.AsSpan(12));
}

/// <summary>A recorded session, and an agent that knows just what the server of the recording said.</summary>
internal sealed class RecordedSession
{
    private readonly Dictionary<MetricId, string> _names = [];
    private readonly Dictionary<MetricId, MetricDescriptor> _metrics = [];
    private readonly Dictionary<(MetricId, bool), string> _texts = [];
    private readonly List<string> _walked = [];

    public RecordedSession(string name)
    {
        Units = Read(Path.Combine(Repository.Folder, "tests", "Muster.Metrics.Tests", "Vectors", name + ".raw"));
        Learn();
        Agents = [.. _metrics.Values.GroupBy(m => m.Id.Domain).Select(g => new RecordedAgent(g.Key, [.. g], this))];
    }

    public IReadOnlyList<RecordedUnit> Units { get; }

    public IReadOnlyList<IMetricAgent> Agents { get; }

    public Dictionary<InstanceDomainId, List<MetricInstance>> Instances { get; } = [];

    public Dictionary<(InstanceDomainId, bool), string> DomainTexts { get; } = [];

    public Dictionary<LabelTarget, List<KeyValuePair<string, string>>> Labels { get; } = [];

    /// <summary>What the recorded results gave for each metric, in turn.</summary>
    public Dictionary<MetricId, Queue<ReceivedSet>> Values { get; } = [];

    private static IReadOnlyList<RecordedUnit> Read(string path)
    {
        var streams = new Dictionary<(int, bool), List<byte>>();
        var units = new List<RecordedUnit>();
        foreach (var line in File.ReadLines(path))
        {
            var mark = line.IndexOfAny(['<', '>']);
            var key = (Connection: int.Parse(line[..mark]), IsFromClient: line[mark] == '>');
            var bytes = streams.TryGetValue(key, out var known) ? known : streams[key] = [];
            bytes.AddRange(Convert.FromHexString(line[(mark + 1)..].Trim()));
            while (bytes.Count >= 4)
            {
                var length = (bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3];
                if (bytes.Count < length)
                {
                    break;
                }

                units.Add(new RecordedUnit(key.Connection, key.IsFromClient, [.. bytes.Take(length)]));
                bytes.RemoveRange(0, length);
            }
        }

        return units;
    }

    private void Learn()
    {
        foreach (var connection in Units.GroupBy(u => u.Connection))
        {
            RecordedUnit? asked = null;
            foreach (var unit in connection)
            {
                if (unit.IsFromClient)
                {
                    asked = unit;
                }
                else if (asked is not null)
                {
                    Learn(asked, unit);
                }
            }
        }

        // A leaf that nobody looked up still has a name: it is given a number of its own.
        foreach (var name in _walked.Where(n => !_names.ContainsValue(n)).Distinct().ToList())
        {
            _names[MetricId.Of(60, 4000, _names.Count)] = name;
        }

        foreach (var (id, sets) in Values)
        {
            // A metric whose descriptor nobody asked for: its values say enough.
            var type = sets.SelectMany(s => s.Values).Select(v => v.Type).FirstOrDefault() ?? MetricType.UInt32;
            var domain = sets.SelectMany(s => s.Values).Any(v => v.Instance >= 0) ? Instances.Keys.FirstOrDefault(d => d.Domain == id.Domain, InstanceDomainId.Of(id.Domain, 4000)) : InstanceDomainId.None;
            _metrics.TryAdd(id, new MetricDescriptor("", id, type, domain, MetricSemantics.Instant, MetricUnits.None, ""));
        }

        foreach (var id in _names.Keys)
        {
            _metrics.TryAdd(id, new MetricDescriptor("", id, MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, ""));
        }

        foreach (var (id, metric) in _metrics.ToList())
        {
            _metrics[id] = metric with
            {
                Name = _names.GetValueOrDefault(id, $"nameless.d{id.Domain}.c{id.Cluster}.i{id.Item}"),
                OneLine = _texts.GetValueOrDefault((id, true), ""),
                Help = _texts.GetValueOrDefault((id, false), ""),
            };
        }
    }

    private void Learn(RecordedUnit asked, RecordedUnit answer)
    {
        var reader = answer.Body;
        switch (answer.Type)
        {
            case PduType.Ids:
                reader.Int32();
                foreach (var name in NamesRequest.Read(asked.Bytes.AsSpan(12))!.Select((n, i) => (n, i)))
                {
                    var id = new MetricId(BigEndian(answer.Bytes, 20 + (name.i * 4)));
                    if (id != MetricId.None)
                    {
                        _names[id] = name.n;
                    }
                }

                break;
            case PduType.Names when asked.Type == PduType.Ids:
                _names[IdsRequest.Read(asked.Bytes.AsSpan(12))![0]] = NamesRequest.Read(answer.Bytes.AsSpan(12))![0];
                break;
            case PduType.Names when asked.Type == PduType.Traverse:
                _walked.AddRange(NamesRequest.Read(answer.Bytes.AsSpan(12))!);

                break;
            case PduType.Descriptor:
                Learn(ref reader);
                break;
            case PduType.Descriptors:
                for (var left = reader.Int32(); left > 0; left--)
                {
                    Learn(ref reader);
                }

                break;
            case PduType.Instance when InstanceRequest.Read(asked.Bytes.AsSpan(12)) is { Instance: -1, Name: "" } request:
                reader.UInt32();
                var instances = new List<MetricInstance>();
                for (var left = reader.Int32(); left > 0; left--)
                {
                    instances.Add(new MetricInstance(reader.Int32(), reader.Text(1000)));
                }

                Instances[request.Domain] = instances;
                break;
            case PduType.Instance when InstanceRequest.Read(asked.Bytes.AsSpan(12)) is { } request:
                reader.Bytes(8);
                Instances.TryAdd(request.Domain, [new MetricInstance(reader.Int32(), request.Name + " minute")]);
                break;
            case PduType.Text:
                var ident = IdentRequest.Read(asked.Bytes.AsSpan(12))!.Value;
                reader.UInt32();
                var text = reader.Text(10_000);
                _texts[(new MetricId(ident.Ident), (ident.Type & 1) != 0)] = text;
                DomainTexts[(new InstanceDomainId(ident.Ident), (ident.Type & 1) != 0)] = text;
                break;
            case PduType.Label:
                LearnLabels(answer);
                break;
            case PduType.Result or PduType.HighResolutionResult:
                foreach (var set in ReceivedResult.Read(answer.Bytes, answer.Type == PduType.HighResolutionResult)!.Sets)
                {
                    (Values.TryGetValue(set.Id, out var queue) ? queue : Values[set.Id] = new Queue<ReceivedSet>()).Enqueue(set);
                }

                break;
            default:
                break;
        }
    }

    private void Learn(ref PduReader reader)
    {
        var metric = new MetricDescriptor("", reader.Id(), (MetricType)reader.Int32(), reader.Domain(), (MetricSemantics)reader.Int32(), new MetricUnits(reader.UInt32()), "");
        if (metric.Id != MetricId.None)
        {
            _metrics[metric.Id] = metric;
        }
    }

    private void LearnLabels(RecordedUnit unit)
    {
        var reader = unit.Body;
        var (ident, kind) = (reader.UInt32(), (LabelKind)reader.UInt32());
        reader.UInt32();
        for (var left = reader.Int32(); left > 0; left--)
        {
            var (instance, count) = (reader.Int32(), reader.Int32());
            var json = unit.Bytes.AsSpan(reader.Int32(), reader.Int32());
            reader.Bytes(Math.Max(count, 0) * 8);
            Labels[new LabelTarget(kind, ident, instance)] = json.Length == 0 ? [] : [.. JsonSerializer.Deserialize<Dictionary<string, string>>(json)!];
        }
    }

    private static uint BigEndian(byte[] bytes, int at) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));
}

/// <summary>Gives the values of a recording, one recorded result after the other.</summary>
internal sealed class RecordedAgent(int domain, IReadOnlyList<MetricDescriptor> metrics, RecordedSession session) : IMetricAgent
{
    public string Name => "recorded";

    public int Domain => domain;

    public int Generation => 0;

    public IReadOnlyList<MetricDescriptor> Metrics => metrics;

    public IReadOnlyList<InstanceDomain> InstanceDomains { get; } =
        [.. metrics.Select(m => m.Instances).Concat(session.Instances.Keys).Where(d => d != InstanceDomainId.None && d.Domain == domain).Distinct().Select(d => new InstanceDomain(d, session.DomainTexts.GetValueOrDefault((d, true), ""), session.DomainTexts.GetValueOrDefault((d, false), "")))];

    public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view) => session.Instances.GetValueOrDefault(domain) ?? [];

    public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values)
    {
        for (var i = 0; i < asked.Length; i++)
        {
            var set = session.Values[asked[i].Id].Dequeue();
            if (set.Error != 0)
            {
                values[i].Fail(set.Error);
            }

            foreach (var value in set.Values)
            {
                values[i].Add(value.Instance, value.Value);
            }
        }
    }

    public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view) =>
        session.Labels.GetValueOrDefault(target.Kind == LabelKind.Instance ? target : target with { Instance = -1 }) ?? [];

    public int Store(MetricDescriptor metric, int instance, MetricValue value, MetricView view) => 0;
}
