using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>The first record of an archive, as pmlogger writes it: which logger wrote it, for which host.</summary>
internal static class ArchivePreamble
{
    private static readonly InstanceDomainId Loggers = InstanceDomainId.Of(2, 1);

    public static void Write(ArchiveWriter writer, DateTimeOffset time)
    {
        var logger = writer.Label.ProcessId;
        var results = new List<ResultSet>();
        Add("pmcd.pmlogger.host", 3, 3, MetricType.String, Loggers, MetricSemantics.Discrete, MetricValue.From(writer.Label.HostName));
        Add("pmcd.pmlogger.port", 3, 0, MetricType.UInt32, Loggers, MetricSemantics.Discrete, MetricValue.From(0L));
        Add("pmcd.pmlogger.archive", 3, 2, MetricType.String, Loggers, MetricSemantics.Discrete, MetricValue.From(Path.GetFullPath(writer.Path)));
        Add("pmcd.pid", 0, 23, MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Discrete, MetricValue.From((long)logger));
        Add("pmcd.seqnum", 0, 24, MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Discrete, MetricValue.From(0L));
        writer.AddInstances(time, Loggers, [new MetricInstance(logger, logger.ToString(System.Globalization.CultureInfo.InvariantCulture))]);
        writer.Write(time, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(results));

        void Add(string name, int cluster, int item, MetricType type, InstanceDomainId instances, MetricSemantics semantics, MetricValue value)
        {
            var metric = new MetricDescriptor(name, MetricId.Of(2, cluster, item), type, instances, semantics, MetricUnits.None, "");
            writer.AddDescriptor(metric, [name]);
            var set = new ValueSet();
            set.Add(instances == InstanceDomainId.None ? -1 : logger, value);
            results.Add(new ResultSet(metric.Id, type, set, InstanceSelection.Everything));
        }
    }
}
