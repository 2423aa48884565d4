using System.Collections.Frozen;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Processes.Hot;

/// <summary>The metrics of <c>hotproc.control</c>, which root may store, and <c>hotproc.total</c>.</summary>
internal sealed class HotControlSource(HotProcesses hot) : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, Columns))
{
    public const string Table = """
        hotproc.nprocs                        52.99 - u32    instant none =             | Processes that the predicate chose
        hotproc.control.refresh               60.1  - u32    instant none =             | Seconds of the interval in which processes are looked at; root may store it, 0 stops it
        hotproc.total.cpuidle                 60.2  - float  instant none =             | CPUs that had nothing to do in the last interval
        hotproc.total.cpuburn                 60.3  - float  instant none =             | CPUs that the chosen processes used in the last interval
        hotproc.total.cpuother.transient      60.4  - float  instant none transient     | CPUs used by processes that were not there during the whole interval, which cannot be chosen
        hotproc.total.cpuother.not_cpuburn    60.5  - float  instant none not_cpuburn   | CPUs used by processes that the predicate did not choose
        hotproc.total.cpuother.total          60.6  - float  instant none other         | CPUs used by all processes that were not chosen
        hotproc.total.cpuother.percent        60.7  - float  instant none percent       | Percent of all CPUs used by processes that were not chosen
        hotproc.control.config                60.8  - string instant none =             | Predicate that chooses processes; root may store it, an empty one stops it
        hotproc.control.config_gen            60.9  - u32    instant none =             | Times that the predicate was changed
        hotproc.control.reload_config         60.10 - u32    instant none =             | Storing 1 as root takes the predicate from its file again
        """;

    private static readonly string[] Columns = ["nprocs", "refresh", "config", "config_gen", "reload_config", "cpuidle", "cpuburn", "transient", "not_cpuburn", "other", "percent"];

    private const int Refresh = 1;
    private const int Config = 2;
    private const int Reload = 4;
    private const int Totals = 5;

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var sheet = sheets[0];
        var row = sheet.AddRow(-1);
        sheet.Set(row, 0, hot.Processes.Count);
        sheet.Set(row, Refresh, (long)hot.Seconds);
        sheet.Set(row, Config, hot.Predicate);
        sheet.Set(row, 3, (long)hot.Changes);
        sheet.Set(row, Reload, 0L);

        // As in pmcd, zeros until the first interval has passed.
        var totals = hot.Totals ?? new HotTotals(0, 0, 0, 0);
        var others = totals.Others + totals.Transient;
        double[] values = [totals.Idle, totals.Hot, totals.Transient, totals.Others, others, 100 * others / Environment.ProcessorCount];
        for (var i = 0; i < values.Length; i++)
        {
            sheet.Set(row, Totals + i, values[i]);
        }
    }

    /// <inheritdoc/>
    public override int Store(int column, MetricValue value, MetricView view)
    {
        if (view.UserId != 0)
        {
            return PcpError.Permission;
        }

        var isTaken = column switch
        {
            Refresh => hot.SetSeconds((uint)value.Unsigned),
            Config => hot.SetPredicate(value.Text),
            Reload => value.Unsigned == 1 && hot.Reload(),
            _ => (bool?)null,
        };
        return isTaken switch { true => 0, false => PcpError.BadStore, null => PcpError.Permission };
    }
}

/// <summary>What the predicate of hotproc saw of each process that it chose, in the last interval.</summary>
internal sealed class HotPredicateSource(HotProcesses hot, InstanceDomainId domain) : Source(ContainerScope.Host, new SheetShape(domain, Columns))
{
    public const string Table = """
        hotproc.predicate.ctxswitch    61.1 39 float instant count/s = | Switches between it and other tasks a second
        hotproc.predicate.virtualsize  61.2 39 u32   instant KiB     = | Address space
        hotproc.predicate.residentsize 61.3 39 u32   instant KiB     = | Memory in use
        hotproc.predicate.iodemand     61.4 39 float instant KiB/s   = | Data read from and written to disk a second
        hotproc.predicate.iowait       61.5 39 float instant none    = | Share of the time that it waited for block I/O
        hotproc.predicate.schedwait    61.6 39 float instant none    = | Share of the time that it waited for a CPU
        hotproc.predicate.cpuburn      61.7 39 float instant none    = | CPUs that it used
        """;

    private static readonly string[] Columns = ["ctxswitch", "virtualsize", "residentsize", "iodemand", "iowait", "schedwait", "cpuburn"];

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var sheet = sheets[0];
        if (context.View.UserId is null)
        {
            sheet.Fail(PcpError.Permission);
            return;
        }

        foreach (var sample in hot.Samples)
        {
            var row = sheet.AddRow(sample.ProcessId);
            sheet.Set(row, 0, sample.ContextSwitches);
            sheet.Set(row, 1, sample.VirtualSize);
            sheet.Set(row, 2, sample.ResidentSize);
            sheet.Set(row, 3, sample.IoDemand);
            sheet.Set(row, 4, sample.IoWait);
            sheet.Set(row, 5, sample.SchedulerWait);
            sheet.Set(row, 6, sample.CpuBurn);
        }
    }
}

/// <summary>The metrics of processes again, for those that hotproc chose: PCP numbers each cluster anew.</summary>
internal static class HotMetrics
{
    public const int Domain = 39;

    private static readonly FrozenDictionary<int, int> Clusters = new Dictionary<int, int>
    {
        [8] = 52, [9] = 53, [11] = 54, [24] = 56, [31] = 57, [32] = 58, [33] = 34, [51] = 59, [62] = 63, [69] = 71, [72] = 73, [74] = 75,
    }.ToFrozenDictionary();

    /// <summary>The lines of <c>proc.*</c> as <c>hotproc.*</c>.</summary>
    public static IReadOnlyList<MetricLine> Of(IReadOnlyList<MetricLine> processes) =>
    [
        .. processes.Select(l => l with
        {
            Metric = l.Metric with
            {
                Name = "hot" + l.Metric.Name,
                Id = MetricId.Of(l.Metric.Id.Domain, Clusters[l.Metric.Id.Cluster], l.Metric.Id.Item),
                Instances = l.Metric.Instances == InstanceDomainId.None ? InstanceDomainId.None : InstanceDomainId.Of(l.Metric.Id.Domain, Domain),
            },
        }),
    ];
}
