using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Archive;

/// <summary>The metrics of archives as a namespace, so that what works on names and descriptors of a live node works on archives too.</summary>
internal static class ArchiveNames
{
    public static MetricNames Of(IReadOnlyList<MetricArchive> archives)
    {
        var metrics = new Dictionary<string, MetricDescriptor>(StringComparer.Ordinal);
        var domains = new HashSet<InstanceDomainId>();
        foreach (var archive in archives)
        {
            domains.UnionWith(archive.Metadata.Domains);
            foreach (var (id, metric) in archive.Metadata.Metrics)
            {
                foreach (var name in metric.Names)
                {
                    metrics.TryAdd(name, metric.Descriptor with { Name = name, OneLine = archive.Metadata.Text(5, id.Value), Help = archive.Metadata.Text(6, id.Value) });
                }
            }
        }

        return MetricNames.Of([.. metrics.Values.GroupBy(m => m.Id.Domain).Select(g => new ArchiveAgent(g.Key, [.. g], [.. domains.Where(d => d.Domain == g.Key).Select(d => new InstanceDomain(d, ""))], archives))], version: 1);
    }

    /// <summary>The metrics of one domain of archives; their values come from records, not from here.</summary>
    private sealed class ArchiveAgent(int domain, IReadOnlyList<MetricDescriptor> metrics, IReadOnlyList<InstanceDomain> domains, IReadOnlyList<MetricArchive> archives) : IMetricAgent
    {
        public string Name => "archive";

        public int Domain => domain;

        public int Generation => 0;

        public IReadOnlyList<MetricDescriptor> Metrics => metrics;

        public IReadOnlyList<InstanceDomain> InstanceDomains => domains;

        public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view) =>
            [.. archives.SelectMany(a => a.Metadata.Instances(domain)).DistinctBy(i => i.Id).OrderBy(i => i.Id)];

        public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values)
        {
            foreach (var set in values)
            {
                set.Fail(PcpError.Value);
            }
        }

        public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view) => [];
    }
}
