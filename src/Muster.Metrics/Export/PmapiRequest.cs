using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>One request within a context; each method is one verb and gives its JSON or a <see cref="MusterException"/> whose sentence the client is told.</summary>
internal sealed class PmapiRequest
{
    private readonly DoorState _door;
    private readonly PmapiContext _context;
    private readonly IReadOnlyDictionary<string, string> _parameters;
    private readonly MetricNames _names;
    private readonly LabelLookup _labels;

    public PmapiRequest(DoorState door, PmapiContext context, IReadOnlyDictionary<string, string> parameters)
    {
        (_door, _context, _parameters, _names) = (door, context, parameters, context.Names(door.Exported.Current));
        _labels = new LabelLookup(_names, context.View);
    }

    /// <summary><c>context</c>: who answers, and the labels of the whole source.</summary>
    public ReadOnlyMemory<byte> Describe()
    {
        var labels = _labels.Context();
        return PmapiJson.Write(_context.Id, json =>
        {
            json.WriteString("source"u8, Hash(labels.Select(l => l.Key + "=" + l.Value)));
            json.WriteString("hostspec"u8, _context.Host);
            PmapiJson.Labels(json, labels);
        });
    }

    /// <summary><c>metric?names=|prefix=|pmids=</c>: what metrics are.</summary>
    public ReadOnlyMemory<byte> Metrics()
    {
        var found = new List<(string Name, MetricDescriptor? Descriptor)>();
        if (Parameter("prefix") is { } prefix)
        {
            found.AddRange((_names.Node(prefix) ?? throw Unknown(prefix, "traversal")).Leaves().Select(l => (l.Name, (MetricDescriptor?)l.Metric.Descriptor)));
        }
        else if ((Parameter("pmids") ?? Parameter("pmid")) is { } ids)
        {
            found.AddRange(List(ids).Select(i => (_names.Find(Id(i))?.Names[0] ?? i, _names.Find(Id(i))?.Descriptor)));
        }
        else if (Parameter("names") is { } names)
        {
            found.AddRange(List(names).Select(n => (n, Find(n))));
        }
        else if (Parameter("name") is { } name)
        {
            found.Add((name, Find(name) ?? throw Unknown(name, "traversal")));
        }
        else
        {
            found.AddRange(_names.All.Select(m => (m.Name, (MetricDescriptor?)m.Metric.Descriptor)));
        }

        return PmapiJson.Write(_context.Id, json =>
        {
            json.WriteStartArray("metrics"u8);
            foreach (var (name, descriptor) in found)
            {
                Write(json, name, descriptor);
            }

            json.WriteEndArray();
        });
    }

    /// <summary><c>fetch?names=|pmids=</c>: values now. Names that are not there are left out.</summary>
    public ReadOnlyMemory<byte> Fetch()
    {
        List<string> names;
        if ((Parameter("pmids") ?? Parameter("pmid")) is { } ids)
        {
            names = [.. List(ids).Select(i => _names.Find(Id(i))?.Names[0]).OfType<string>()];
        }
        else
        {
            var given = Parameter("names") ?? Parameter("name") ?? throw new MusterException(ErrorKind.Invalid, "bad parameters passed: fetch needs names, name, pmids or pmid");
            names = [.. List(given).Where(n => Find(n) is not null)];
            if (names.Count == 0 && Parameter("names") is null)
            {
                throw new MusterException(ErrorKind.NotFound, $"bad parameters passed: there is no metric {given}");
            }
        }

        var plan = FetchPlan.Of(_names, [.. names.Select(n => _names.Find(n)!.Descriptor.Id)]);
        using var values = ValueSetBuffer.Rent();
        var view = _context.View with { Profile = _context.Profile.Current };
        plan.Collect(view, values, _door.AgentFailed);
        var time = _door.Time.GetUtcNow();
        return PmapiJson.Write(_context.Id, json =>
        {
            var seconds = (time - DateTimeOffset.UnixEpoch).Ticks;
            json.WritePropertyName("timestamp"u8);
            json.WriteRawValue(string.Create(CultureInfo.InvariantCulture, $"{seconds / TimeSpan.TicksPerSecond}.{seconds % TimeSpan.TicksPerSecond * 100:000000000}"));
            json.WriteStartArray("values"u8);
            for (var i = 0; i < names.Count; i++)
            {
                var metric = plan.Descriptor(i)!;
                WriteValues(json, names[i], metric, plan.Values(i, values), view.Profile.For(metric.Instances));
            }

            json.WriteEndArray();
        });
    }

    /// <summary><c>indom?name=|indom=[&amp;instance=][&amp;iname=][&amp;match=]</c>: the instances of a domain.</summary>
    public ReadOnlyMemory<byte> Instances()
    {
        var id = Domain() ?? throw new MusterException(ErrorKind.Invalid, "bad parameters passed: indom needs the name of a metric, or indom");
        if (_names.Find(id) is not { } found)
        {
            throw new MusterException(ErrorKind.NotFound, $"{Parameter("indom") ?? Parameter("name")} - failed to lookup indom: it has no instances");
        }

        var instances = Choose(found.Agent.GetInstances(id, _context.View), all: true);
        return PmapiJson.Write(_context.Id, json =>
        {
            var shared = LabelsOf(LabelKind.InstanceDomain, id.Value).Concat(_labels.Domain(id.Domain)).Concat(_labels.Context()).ToList();
            json.WriteString("indom"u8, id.ToString());
            PmapiJson.Labels(json, shared);
            json.WriteString("text-oneline"u8, found.Domain.OneLine);
            json.WriteString("text-help"u8, found.Domain.Help.Length > 0 ? found.Domain.Help : found.Domain.OneLine);
            json.WriteStartArray("instances"u8);
            foreach (var instance in instances)
            {
                json.WriteStartObject();
                json.WriteNumber("instance"u8, instance.Id);
                json.WriteString("name"u8, instance.Name);
                PmapiJson.Labels(json, found.Agent.GetLabels(new LabelTarget(LabelKind.Instance, id.Value, instance.Id), _context.View).Concat(shared));
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    /// <summary><c>children?prefix=</c>: the next parts of names.</summary>
    public ReadOnlyMemory<byte> Children()
    {
        var prefix = Parameter("prefix") ?? "";
        var node = _names.Node(prefix) ?? throw Unknown(prefix, "child traversal");
        return PmapiJson.Write(_context.Id, json =>
        {
            json.WriteString("name"u8, prefix);
            foreach (var (member, isLeaf) in new[] { ("leaf", true), ("nonleaf", false) })
            {
                json.WriteStartArray(member);
                foreach (var child in node.Children.Where(c => c.Metric is not null == isLeaf))
                {
                    json.WriteStringValue(child.Segment);
                }

                json.WriteEndArray();
            }
        });
    }

    /// <summary><c>profile?expr=add|del[&amp;name=|indom=][&amp;instances=|iname=|match=]</c>: which instances later fetches give.</summary>
    public ReadOnlyMemory<byte> Profile()
    {
        var id = Domain();
        var isAdd = Parameter("expr") switch
        {
            "add" => true,
            "del" => false,
            var other => throw new MusterException(ErrorKind.Invalid, $"expr={other} is neither add nor del"),
        };
        IReadOnlyList<int> instances = [];
        if (id is { } domain)
        {
            var found = _names.Find(domain) ?? throw new MusterException(ErrorKind.NotFound, $"there is no instance domain {domain}");
            instances = [.. Choose(found.Agent.GetInstances(domain, _context.View), all: false).Select(i => i.Id)];
        }

        var isTaken = isAdd ? _context.Profile.Add(id, instances) : _context.Profile.Remove(id, instances);
        return isTaken ? PmapiJson.Success(_context.Id) : throw new MusterException(ErrorKind.Exhausted, $"a profile names {PmapiProfile.MaxInstances} instances at most");
    }

    /// <summary><c>store?name=|pmid=&amp;value=[&amp;instances=|iname=]</c>.</summary>
    public ReadOnlyMemory<byte> Store()
    {
        var name = Parameter("name");
        var id = Parameter("pmid") is { } number ? Id(number) : _names.Find(name)?.Descriptor.Id ?? throw Unknown(name ?? "(none)", "lookup");
        var metric = _names.Find(id) ?? throw Unknown(id.ToString(), "lookup");
        var text = Parameter("value") ?? throw new MusterException(ErrorKind.Invalid, "bad parameters passed: store needs a value");
        if (id == PmcdAgent.Container)
        {
            _context.View = _context.View with { Container = text.Length == 0 ? null : text };
            return PmapiJson.Success(_context.Id);
        }

        if (_context.View.UserId != 0 && !metric.Agent.IsClientsOwn(metric.Descriptor))
        {
            throw new MusterException(ErrorKind.Forbidden, $"{metric.Names[0]} may be stored by root only: use the socket of the node");
        }

        if (!ValueText.TryParse(metric.Descriptor.Type, text, out var value))
        {
            throw new MusterException(ErrorKind.Invalid, $"\"{text}\" is no value for {metric.Names[0]}, whose type is {PmapiJson.TypeName(metric.Descriptor.Type)}");
        }

        var domain = metric.Descriptor.Instances;
        int[] instances = domain == InstanceDomainId.None ? [-1] : [.. Choose(metric.Agent.GetInstances(domain, _context.View), all: true).Select(i => i.Id)];
        foreach (var instance in instances)
        {
            var error = metric.Agent.Store(metric.Descriptor, instance, value, _context.View);
            if (error != 0)
            {
                throw new MusterException(error == PcpError.Permission ? ErrorKind.Forbidden : ErrorKind.Invalid, $"{metric.Names[0]} was not stored: PCP's error {error.ToString(CultureInfo.InvariantCulture)}");
            }
        }

        return PmapiJson.Success(_context.Id);
    }

    /// <summary><c>derive?name=&amp;expr=</c>: a metric of this context, computed from others.</summary>
    public ReadOnlyMemory<byte> Derive()
    {
        var name = Parameter("name") ?? throw new MusterException(ErrorKind.Invalid, "bad parameters passed: derive needs a name");
        var expression = Parameter("expr") ?? throw new MusterException(ErrorKind.Invalid, "bad parameters passed: derive needs an expr");
        if (_context.Derived.Count >= PmapiContext.MaxDerived && _context.Derived.Find(name) is null)
        {
            throw new MusterException(ErrorKind.Exhausted, $"A context has {PmapiContext.MaxDerived} derived metrics at most");
        }

        if (_context.Derived.Find(name) is null && _context.DerivedText + name.Length + expression.Length > PmapiContext.MaxDerivedText)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The derived metrics of a context have {PmapiContext.MaxDerivedText} characters at most, together");
        }

        var definition = _context.Derived.Add(name, expression, isOwn: true);
        if (_context.Names(_door.Exported.Current).Derived!.Faults.TryGetValue(definition, out var fault))
        {
            _context.Derived.Remove(definition);
            throw fault;
        }

        _context.DerivedText = _context.Derived.All.Sum(d => d.Name.Length + d.Expression.Length);
        return PmapiJson.Success(_context.Id);
    }

    private static IReadOnlyList<string> List(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: <= MetricScrape.MaxNames } list
            ? list
            : throw new MusterException(ErrorKind.Invalid, $"more than {MetricScrape.MaxNames} names are asked for at once");

    private static MusterException Unknown(string name, string what) => new(ErrorKind.NotFound, $"{name} {what} failed - Unknown metric name");

    private static string Hash(IEnumerable<string> parts)
    {
#pragma warning disable CA5350 // Not for trust: PCP's identifiers of sources and series are 40 hex digits of SHA-1.
        return Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))));
#pragma warning restore CA5350
    }

    private static MetricId Id(string text)
    {
        var parts = text.Split('.');
        if (parts.Length == 3 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var domain) && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var cluster)
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var item) && domain < 512 && cluster < 4096 && item < 1024)
        {
            return MetricId.Of(domain, cluster, item);
        }

        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? new MetricId(number) : throw new MusterException(ErrorKind.Invalid, $"{text} - invalid metric identifier: write DOMAIN.CLUSTER.ITEM");
    }

    private static void WriteValues(Utf8JsonWriter json, string name, MetricDescriptor metric, ValueSet set, InstanceSelection wanted)
    {
        if (set.Error != 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("pmid"u8, metric.Id.ToString());
        json.WriteString("name"u8, name);
        json.WriteStartArray("instances"u8);
        foreach (var value in set.Values)
        {
            if (value.Instance >= 0 && !wanted.Wants(value.Instance))
            {
                continue;
            }

            json.WriteStartObject();
            if (value.Instance >= 0)
            {
                json.WriteNumber("instance"u8, value.Instance);
            }
            else
            {
                json.WriteNull("instance"u8);
            }

            json.WritePropertyName("value"u8);
            PmapiJson.Value(json, metric.Type, value.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private string? Parameter(string name) => _parameters.GetValueOrDefault(name);

    private MetricDescriptor? Find(string name) => _names.Find(name)?.Descriptor;

    private IReadOnlyList<KeyValuePair<string, string>> LabelsOf(LabelKind kind, uint ident) => _labels.Find(kind, ident, out _) is [var set] ? set.Labels : [];

    private InstanceDomainId? Domain()
    {
        if (Parameter("indom") is { } text)
        {
            var parts = text.Split('.');
            return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var domain) && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var serial) && domain < 512 && serial < 1 << 22
                ? InstanceDomainId.Of(domain, serial)
                : throw new MusterException(ErrorKind.Invalid, $"{text} - invalid instance domain: write DOMAIN.SERIAL");
        }

        return Parameter("name") is { } name ? (Find(name) ?? throw Unknown(name, "lookup")).Instances : null;
    }

    // Named by numbers, by names, or by a pattern with * and ?; where nothing is named, all or none.
    private IEnumerable<MetricInstance> Choose(IReadOnlyList<MetricInstance> instances, bool all)
    {
        if ((Parameter("instances") ?? Parameter("instance")) is { } numbers)
        {
            var wanted = List(numbers).Select(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var i) ? i : throw new MusterException(ErrorKind.Invalid, $"{n} - invalid instance number")).ToHashSet();
            return instances.Where(i => wanted.Contains(i.Id));
        }

        if ((Parameter("iname") ?? Parameter("inames")) is { } names)
        {
            return List(names).Select(n => InstanceMatch.Find(instances, n)).OfType<MetricInstance>();
        }

        return Parameter("match") is { } pattern && pattern is not ("exact" or "glob" or "regex")
            ? instances.Where(i => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, i.Name, ignoreCase: false))
            : all ? instances : [];
    }

    private void Write(Utf8JsonWriter json, string name, MetricDescriptor? metric)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        if (metric is null)
        {
            json.WriteString("message"u8, "Unknown metric name");
            json.WriteBoolean("success"u8, false);
            json.WriteEndObject();
            return;
        }

        var labels = LabelsOf(LabelKind.Item, metric.Id.Value).Concat(LabelsOf(LabelKind.Cluster, metric.Id.Value)).Concat(LabelsOf(LabelKind.InstanceDomain, metric.Instances.Value))
            .Concat(_labels.Domain(metric.Id.Domain)).Concat(_labels.Context()).ToList();
        json.WriteString("series"u8, Hash([name, metric.Id.ToString(), metric.Instances.ToString(), PmapiJson.TypeName(metric.Type), PmapiJson.SemanticsName(metric.Semantics), PmapiJson.UnitsName(metric.Units), .. labels.Select(l => l.Key + "=" + l.Value)]));
        json.WriteString("pmid"u8, metric.Id.ToString());
        if (metric.Instances != InstanceDomainId.None)
        {
            json.WriteString("indom"u8, metric.Instances.ToString());
        }

        json.WriteString("type"u8, PmapiJson.TypeName(metric.Type));
        json.WriteString("sem"u8, PmapiJson.SemanticsName(metric.Semantics));
        json.WriteString("units"u8, PmapiJson.UnitsName(metric.Units));
        PmapiJson.Labels(json, labels);
        json.WriteString("text-oneline"u8, metric.OneLine);
        json.WriteString("text-help"u8, metric.Help.Length > 0 ? metric.Help : metric.OneLine);
        json.WriteEndObject();
    }
}
