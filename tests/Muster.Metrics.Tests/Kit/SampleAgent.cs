using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Tests;

/// <summary>A small agent with PCP's own names where the recorded sessions ask for them, and one metric of each type.</summary>
public sealed class SampleAgent : IMetricAgent
{
    public static readonly InstanceDomainId Loads = InstanceDomainId.Of(60, 2);
    public static readonly InstanceDomainId Interfaces = InstanceDomainId.Of(60, 3);

    public string Name => "linux";

    public int Domain => 60;

    public int Generation { get; set; }

    public int LabelGeneration { get; set; }

    public long Stored { get; private set; } = 7;

    public int Collected { get; private set; }

    public List<string> AskedLast { get; } = [];

    public IReadOnlyList<MetricDescriptor> Metrics { get; set; } =
    [
        new("kernel.all.load", MetricId.Of(60, 2, 0), MetricType.Float, Loads, MetricSemantics.Instant, MetricUnits.None, "1, 5 and 15 minute load average"),
        new("kernel.uname.nodename", MetricId.Of(60, 12, 4), MetricType.String, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.None, "host name of this node on the network", "Longer words."),
        new("network.interface.in.bytes", MetricId.Of(60, 3, 0), MetricType.UInt64, Interfaces, MetricSemantics.Counter, MetricUnits.Byte, "bytes received", "Since the interface came up."),
        new("sample.stored", MetricId.Of(60, 100, 0), MetricType.Int32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "what was stored last"),
        new("sample.signed", MetricId.Of(60, 100, 1), MetricType.Int32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Count, "a negative number"),
        new("sample.unsigned", MetricId.Of(60, 100, 2), MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Counter, MetricUnits.Of(time: 1, count: -1, timeScale: 2), "a number above two thousand millions"),
        new("sample.double", MetricId.Of(60, 100, 3), MetricType.Double, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Second, "a real number"),
        new("sample.long", MetricId.Of(60, 100, 4), MetricType.Int64, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Kibibyte, "a small number below nothing"),
        new("sample.bytes", MetricId.Of(60, 100, 5), MetricType.Aggregate, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "bytes"),
        new("sample.event", MetricId.Of(60, 100, 6), MetricType.Event, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "events"),
        new("sample.highres", MetricId.Of(60, 100, 7), MetricType.HighResolutionEvent, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "events with nanoseconds"),
        new("sample.none", MetricId.Of(60, 100, 8), MetricType.Int32, Loads, MetricSemantics.Instant, MetricUnits.None, "a metric without values"),
        new("sample.broken", MetricId.Of(60, 100, 9), MetricType.Int32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "a metric that cannot be read"),
        new("sample.private", MetricId.Of(60, 100, 10), MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "a metric for those who are known"),
    ];

    public IReadOnlyList<InstanceDomain> InstanceDomains { get; } = [new(Loads, "load averages", "Over 1, 5 and 15 minutes."), new(Interfaces, "set of network interfaces")];

    /// <summary>Called before values are given, for a test that wants to hold a fetch.</summary>
    public Action? BeforeCollect { get; set; }

    public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view) =>
        domain == Loads ? [new(1, "1 minute"), new(5, "5 minute"), new(15, "15 minute")]
        : view.Container is null ? [new(0, "lo"), new(3, "eth0")] : view.Container == "box" ? [new(0, "lo")] : [];

    public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values)
    {
        BeforeCollect?.Invoke();
        Collected++;
        AskedLast.Clear();
        for (var i = 0; i < asked.Length; i++)
        {
            AskedLast.Add(asked[i].Name);
            Collect(asked[i].Name, view, values[i]);
        }
    }

    public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view) => target.Kind switch
    {
        LabelKind.InstanceDomain when target.Number == Interfaces.Value => [new("indom_name", "per interface"), new("device_type", "interface")],
        LabelKind.Instance when target.Number == Interfaces.Value => [new("interface", target.Instance == 0 ? "lo" : "eth\"0")],
        _ => [],
    };

    public int Store(MetricDescriptor metric, int instance, MetricValue value, MetricView view)
    {
        if (metric.Name != "sample.stored")
        {
            return PcpError.Permission;
        }

        Stored = value.Signed;
        return 0;
    }

    public static IReadOnlyList<MetricEvent> Events { get; } =
    [
        new(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000).AddTicks(12_340), 1, [new(MetricId.Of(60, 100, 1), MetricType.Int32, MetricValue.From(-3L)), new(MetricId.Of(60, 12, 4), MetricType.String, MetricValue.From("odd"))]),
        new(DateTimeOffset.FromUnixTimeSeconds(1_700_000_001), 0x80000000, [], 5),
    ];

    private void Collect(string name, MetricView view, ValueSet values)
    {
        switch (name)
        {
            case "kernel.all.load":
                values.Add(1, MetricValue.From(3.62));
                values.Add(5, MetricValue.From(2.79));
                values.Add(15, MetricValue.From(1.2));
                break;
            case "kernel.uname.nodename":
                values.Add(MetricValue.From("vm"));
                break;
            case "network.interface.in.bytes" when view.Container is not (null or "box"):
                values.Fail(PcpError.NoContainer);
                break;
            case "network.interface.in.bytes":
                foreach (var instance in GetInstances(Interfaces, view))
                {
                    values.Add(instance.Id, MetricValue.From(5_000_000_000UL + (ulong)instance.Id));
                }

                break;
            case "sample.stored":
                values.Add(MetricValue.From(Stored));
                break;
            case "sample.signed":
                values.Add(MetricValue.From(-42L));
                break;
            case "sample.unsigned":
                values.Add(MetricValue.From(4_000_000_000UL));
                break;
            case "sample.double":
                values.Add(MetricValue.From(0.125));
                break;
            case "sample.long":
                values.Add(MetricValue.From(-9_000_000_000L));
                break;
            case "sample.bytes":
                values.Add(MetricValue.From(new byte[] { 1, 2, 3, 4, 5 }));
                break;
            case "sample.event" or "sample.highres":
                values.Add(MetricValue.From(Events));
                break;
            case "sample.broken":
                values.Fail(PcpError.Again);
                break;
            case "sample.private" when view.UserId is null:
                values.Fail(PcpError.Permission);
                break;
            case "sample.private":
                values.Add(MetricValue.From((ulong)view.UserId));
                break;
            default:
                break;
        }
    }
}
