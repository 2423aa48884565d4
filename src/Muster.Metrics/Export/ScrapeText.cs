using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>The values of one scrape, which become text piece by piece.</summary>
internal sealed class ScrapeText : IDisposable
{
    private readonly ValueSetBuffer _values = ValueSetBuffer.Rent();
    private readonly MetricView _view;
    private readonly FetchPlan _plan;
    private readonly MetricNames _catalog;
    private readonly ExpositionFormat _format;

    // Two PCP names may come to one family: a second one would make the whole scrape invalid.
    private readonly HashSet<string> _families = new(StringComparer.Ordinal);
    private readonly Dictionary<InstanceDomainId, DomainLabels> _labels = [];
    private int _metric;
    private int _value;

    /// <summary>Collects the chosen metrics.</summary>
    public ScrapeText(DoorState door, IReadOnlyCollection<string> names, MetricView view, ExpositionFormat format)
    {
        (_view, _format, _catalog) = (view, format, door.Exported.Current);
        try
        {
            _plan = FetchPlan.Of(_catalog, [.. MetricScrape.Choose(_catalog, names).Select(m => m.Descriptor.Id)]);
            _plan.Collect(view, _values, door.AgentFailed);
        }
        catch
        {
            _values.Dispose();
            throw;
        }

        foreach (var set in _values.Taken)
        {
            Values += set.Values.Length;
        }
    }

    /// <summary>How many values there are.</summary>
    public int Values { get; }

    /// <summary>Appends what comes next, up to the first line that ends beyond <paramref name="length"/> bytes; false when that was all.</summary>
    public bool Write(TextBuffer to, int length)
    {
        var writer = new OpenMetricsWriter(to, _format, _families);
        for (; _metric < _plan.Ids.Length; _metric++, _value = 0)
        {
            var metric = _plan.Descriptor(_metric)!;
            var set = _plan.Values(_metric, _values);
            if (set.Error != 0 || set.Values.Length == 0 || !(_value == 0 ? writer.Begin(metric) : writer.Continue(metric)))
            {
                continue;
            }

            var labels = metric.Instances == InstanceDomainId.None ? null : LabelsOf(metric.Instances);
            foreach (var value in set.Values[_value..])
            {
                _value++;
                if (labels is null)
                {
                    writer.Sample(value.Value, []);
                }
                else if (labels.Find(value.Instance) is { } text)
                {
                    writer.Sample(value.Value, text);
                }

                if (to.Length >= length)
                {
                    return true;
                }
            }
        }

        writer.End();
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _values.Dispose();

    private DomainLabels LabelsOf(InstanceDomainId domain)
    {
        if (!_labels.TryGetValue(domain, out var labels))
        {
            _labels.Add(domain, labels = new DomainLabels(_catalog.Find(domain)?.Agent, domain, _view));
        }

        return labels;
    }

    /// <summary>
    /// The labels of the instances of one domain as text, made once for a scrape however many metrics share it. Names come from
    /// the agent's memory where it has one: a list is another reading.
    /// </summary>
    private sealed class DomainLabels(IMetricAgent? agent, InstanceDomainId domain, MetricView view)
    {
        private readonly Dictionary<int, byte[]> _labels = [];
        private IReadOnlyList<KeyValuePair<string, string>>? _shared;
        private bool _isListed;

        /// <summary>An instance's labels, null for one that is gone.</summary>
        public byte[]? Find(int instance)
        {
            if (_labels.TryGetValue(instance, out var labels) || agent is null)
            {
                return labels;
            }

            if (agent.GetInstanceName(domain, instance) is { } name)
            {
                return _labels[instance] = Labels(agent, instance, name);
            }

            if (!_isListed)
            {
                _isListed = true;
                foreach (var one in agent.GetInstances(domain, view))
                {
                    _labels[one.Id] = Labels(agent, one.Id, one.Name);
                }
            }

            return _labels.GetValueOrDefault(instance);
        }

        private byte[] Labels(IMetricAgent from, int instance, string name)
        {
            _shared ??= from.GetLabels(new LabelTarget(LabelKind.InstanceDomain, domain.Value), view);
            return OpenMetricsWriter.Labels([new("instname", name), .. from.GetLabels(new LabelTarget(LabelKind.Instance, domain.Value, instance), view), .. _shared]);
        }
    }
}
