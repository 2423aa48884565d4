using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>Whether an instance is recorded; null stands for all.</summary>
internal delegate bool InstanceChoice(MetricInstance instance);

/// <summary>Puts fetched values into an archive with all the metadata that they need: descriptors, texts, labels, and what has changed in the domains of instances.</summary>
internal sealed class ArchiveRecorder(ArchiveWriter writer, MetricView view)
{
    private readonly HashSet<MetricId> _described = [];
    private readonly HashSet<(LabelKind, uint)> _labelled = [];
    private readonly HashSet<InstanceDomainId> _explained = [];
    private readonly Dictionary<InstanceDomainId, Dictionary<int, string>> _instances = [];
    private readonly List<ResultSet> _results = [];

    /// <summary>Records one fetch.</summary>
    /// <param name="plan">What was fetched.</param>
    /// <param name="values">The values.</param>
    /// <param name="choose">Which instances of a metric are wanted; null for all of them.</param>
    /// <param name="time">When; later than the record before.</param>
    public void Record(FetchPlan plan, ValueSetBuffer values, Func<MetricDescriptor, InstanceChoice?> choose, DateTimeOffset time)
    {
        _results.Clear();
        var living = new Dictionary<InstanceDomainId, Dictionary<int, string>>();
        var recorded = new Dictionary<InstanceDomainId, Dictionary<int, string>>();
        for (var i = 0; i < plan.Ids.Length; i++)
        {
            if (plan.Descriptor(i) is not { } metric)
            {
                continue;
            }

            Describe(plan.Names, metric, time);
            var set = plan.Values(i, values);
            if (metric.Instances != InstanceDomainId.None && set.Error == 0)
            {
                set = Choose(plan.Names, metric, set, choose(metric), living, recorded);
            }

            _results.Add(new ResultSet(DerivedIds.InArchive(metric.Id), metric.Type, set, InstanceSelection.Everything));
        }

        foreach (var (domain, instances) in recorded)
        {
            // A fetch of some metrics says nothing of instances that others of the same domain have.
            if (!_instances.TryGetValue(domain, out var known) || instances.Any(i => known.GetValueOrDefault(i.Key) != i.Value) || known.Keys.Any(k => !living[domain].ContainsKey(k)))
            {
                WriteInstances(plan.Names, domain, instances, living[domain], time);
            }
        }

        writer.Write(time, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_results));
    }

    private ValueSet Choose(MetricNames names, MetricDescriptor metric, ValueSet values, InstanceChoice? choice, Dictionary<InstanceDomainId, Dictionary<int, string>> living, Dictionary<InstanceDomainId, Dictionary<int, string>> recorded)
    {
        if (!living.TryGetValue(metric.Instances, out var known))
        {
            living.Add(metric.Instances, known = []);
            recorded.Add(metric.Instances, []);
            foreach (var instance in names.Find(metric.Instances)?.Agent.GetInstances(metric.Instances, view) ?? [])
            {
                known[instance.Id] = instance.Name;
            }
        }

        var kept = new ValueSet();
        foreach (var value in values.Values)
        {
            // One that came between the fetch and the list of names is in the next record.
            if (known.TryGetValue(value.Instance, out var name) && choice?.Invoke(new MetricInstance(value.Instance, name)) is not false)
            {
                kept.Add(value.Instance, value.Value);
                recorded[metric.Instances][value.Instance] = name;
            }
        }

        return kept;
    }

    private void WriteInstances(MetricNames names, InstanceDomainId domain, Dictionary<int, string> instances, Dictionary<int, string> living, DateTimeOffset time)
    {
        var isFirst = !_instances.TryGetValue(domain, out var before);
        before ??= [];
        var after = before.Where(i => living.GetValueOrDefault(i.Key) == i.Value).ToDictionary();
        foreach (var (id, name) in instances)
        {
            after[id] = name;
        }

        var changes = after.Where(i => before.GetValueOrDefault(i.Key) != i.Value).Select(i => (i.Key, (string?)i.Value))
            .Concat(before.Keys.Where(id => !after.ContainsKey(id)).Select(id => (id, (string?)null))).ToList();

        // A number that got another name is told in full: PCP's readers take an instance that is added twice for an error.
        var isRenamed = after.Any(i => before.TryGetValue(i.Key, out var old) && old != i.Value);
        if (writer.Version == ArchiveVersion.V3 && !isFirst && !isRenamed && changes.Count < after.Count)
        {
            writer.AddInstanceChanges(time, domain, changes);
        }
        else
        {
            writer.AddInstances(time, domain, [.. after.Select(i => new MetricInstance(i.Key, i.Value))]);
        }

        _instances[domain] = after;
        var sets = new LabelLookup(names, view).Find(LabelKind.Instance, domain.Value, out _).Where(s => after.ContainsKey(s.Instance) && s.Labels.Count > 0).ToList();
        if (sets.Count > 0)
        {
            writer.AddLabels(time, (uint)LabelKind.Instance, domain.Value, sets);
        }
    }

    private void Describe(MetricNames names, MetricDescriptor metric, DateTimeOffset time)
    {
        if (!_described.Add(metric.Id))
        {
            return;
        }

        writer.AddDescriptor(metric with { Id = DerivedIds.InArchive(metric.Id) }, names.Find(metric.Id)?.Names ?? [metric.Name]);
        Explain(metric.OneLine, metric.Help, 4, DerivedIds.InArchive(metric.Id).Value);
        var lookup = new LabelLookup(names, view);
        Label(LabelKind.Context, uint.MaxValue);
        Label(LabelKind.Domain, (uint)metric.Id.Domain);
        Label(LabelKind.Cluster, MetricId.Of(metric.Id.Domain, metric.Id.Cluster, 0).Value);
        Label(LabelKind.Item, metric.Id.Value);
        if (metric.Instances != InstanceDomainId.None && _explained.Add(metric.Instances))
        {
            var domain = names.Find(metric.Instances)?.Domain;
            Explain(domain?.OneLine ?? "", domain?.Help ?? "", 8, metric.Instances.Value);
            Label(LabelKind.InstanceDomain, metric.Instances.Value);
        }

        void Label(LabelKind kind, uint ident)
        {
            if (!_labelled.Add((kind, ident)))
            {
                return;
            }

            // Who asks is no property of the values.
            var sets = lookup.Find(kind, ident, out _).Select(s => s with { Labels = [.. s.Labels.Where(l => l.Key is not ("userid" or "groupid"))] }).Where(s => s.Labels.Count > 0).ToList();
            if (sets.Count > 0)
            {
                writer.AddLabels(time, (uint)kind, ident, sets);
            }
        }
    }

    private void Explain(string oneLine, string help, uint what, uint ident)
    {
        if (oneLine.Length > 0)
        {
            writer.AddText(what | 1, ident, oneLine);
        }

        if (help.Length > 0)
        {
            writer.AddText(what | 2, ident, help);
        }
    }
}
