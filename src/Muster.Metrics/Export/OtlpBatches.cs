using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>One request of a push, encoded.</summary>
internal sealed record OtlpBatch(byte[] Body, string ContentType, int Points);

/// <summary>Collects the chosen metrics once and encodes them, a bounded number of data points a request.</summary>
internal static class OtlpBatches
{
    public static IReadOnlyList<OtlpBatch> Collect(DoorState door, OtlpOptions options, MetricView? view = null)
    {
        var catalog = door.Exported.Current;
        var chosen = options.Names.SelectMany(n => catalog.Node(n)?.Leaves() ?? []).Select(m => m.Metric).Distinct();
        var plan = FetchPlan.Of(catalog, [.. chosen.Select(m => m.Descriptor.Id)]);
        using var values = ValueSetBuffer.Rent();
        plan.Collect(view ?? MetricView.Host, values, door.AgentFailed);
        var time = (ulong)(door.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        var attributes = new InstanceAttributes(catalog);
        var batches = new List<OtlpBatch>();
        var message = OtlpMessage.Begin(options.IsJson, Resource());
        for (var i = 0; i < plan.Ids.Length; i++)
        {
            var metric = plan.Descriptor(i)!;
            var set = plan.Values(i, values);
            if (set.Error != 0 || set.Values.Length == 0 || metric.Type is not (MetricType.Int32 or MetricType.UInt32 or MetricType.Int64 or MetricType.UInt64 or MetricType.Float or MetricType.Double))
            {
                continue;
            }

            if (message.Points > 0 && message.Points + set.Values.Length > options.MaxPoints)
            {
                batches.Add(Finish(message));
                message = OtlpMessage.Begin(options.IsJson, Resource());
            }

            Add(message, metric, set, time, attributes);
        }

        if (message.Points > 0)
        {
            batches.Add(Finish(message));
        }
        else
        {
            message.Dispose();
        }

        return batches;
    }

    private static void Add(OtlpMessage message, MetricDescriptor metric, ValueSet set, ulong time, InstanceAttributes attributes)
    {
        var unit = ExportedUnit.Of(metric.Units);
        message.BeginMetric(metric.Name, metric.OneLine, unit.Code, metric.Semantics == MetricSemantics.Counter);
        foreach (var value in set.Values)
        {
            var labels = attributes.Of(metric.Instances, value.Instance);
            if (unit.Factor == 1 && metric.Type is not (MetricType.Float or MetricType.Double or MetricType.UInt64))
            {
                message.AddPoint(time, metric.Type == MetricType.UInt32 ? (uint)value.Value.Unsigned : value.Value.Signed, labels);
            }
            else if (unit.Factor == 1 && metric.Type == MetricType.UInt64 && value.Value.Signed >= 0)
            {
                message.AddPoint(time, value.Value.Signed, labels);
            }
            else
            {
                message.AddPoint(time, value.Value.ToDouble(metric.Type) * unit.Factor, labels);
            }
        }

        message.EndMetric();
    }

    private static OtlpBatch Finish(OtlpMessage message)
    {
        var batch = new OtlpBatch(message.End(), message.ContentType, message.Points);
        message.Dispose();
        return batch;
    }

    // OpenTelemetry's semantic conventions for a host. Prometheus makes the label "instance" of the service's, by which hosts are told apart.
    private static IReadOnlyList<KeyValuePair<string, string>> Resource() =>
    [
        new("service.name", "muster"),
        new("service.instance.id", HostFacts.HostName),
        new("host.name", HostFacts.HostName),
        new("host.id", HostFacts.MachineId),
        new("os.type", "linux"),
    ];

    /// <summary>The attributes of all instances of a domain, made once for a push.</summary>
    private sealed class InstanceAttributes(MetricNames catalog)
    {
        private readonly Dictionary<InstanceDomainId, Dictionary<int, IReadOnlyList<KeyValuePair<string, string>>>> _domains = [];

        public IReadOnlyList<KeyValuePair<string, string>> Of(InstanceDomainId id, int instance)
        {
            if (id == InstanceDomainId.None || catalog.Find(id) is not { } found)
            {
                return [];
            }

            if (!_domains.TryGetValue(id, out var instances))
            {
                instances = [];
                var shared = found.Agent.GetLabels(new LabelTarget(LabelKind.InstanceDomain, id.Value), MetricView.Host);
                foreach (var one in found.Agent.GetInstances(id, MetricView.Host))
                {
                    var own = found.Agent.GetLabels(new LabelTarget(LabelKind.Instance, id.Value, one.Id), MetricView.Host);
                    instances[one.Id] = [.. new[] { new KeyValuePair<string, string>("instname", one.Name) }.Concat(own).Concat(shared).DistinctBy(l => l.Key)];
                }

                _domains.Add(id, instances);
            }

            return instances.TryGetValue(instance, out var attributes) ? attributes : [];
        }
    }
}
