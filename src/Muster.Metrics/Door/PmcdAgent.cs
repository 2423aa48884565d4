using System.Diagnostics;
using System.Globalization;
using Muster.Linux;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Door;

/// <summary>
/// Domain 2: what the door says of itself, with the names and numbers of pmcd's own agent, since tools ask for them at
/// connecting. What a client may store (<c>pmcd.client.*</c>) is kept by its session.
/// </summary>
internal sealed class PmcdAgent : IMetricAgent
{
    public const int DomainNumber = 2;

    private const int ControlCluster = 0;
    private const int InCluster = 1;
    private const int OutCluster = 2;
    private const int AgentCluster = 4;
    private const int ClientCluster = 6;
    private const int CostCluster = 7;
    private const int FeatureCluster = 8;

    private static readonly InstanceDomainId RegisterDomain = InstanceDomainId.Of(DomainNumber, 2);
    private static readonly InstanceDomainId AgentDomain = InstanceDomainId.Of(DomainNumber, 3);
    private static readonly InstanceDomainId ClientDomain = InstanceDomainId.Of(DomainNumber, 6);

    public static readonly MetricId WhoAmI = MetricId.Of(DomainNumber, ClientCluster, 0);
    public static readonly MetricId Container = MetricId.Of(DomainNumber, ClientCluster, 2);

    // Items 0 to 24 of clusters 1 and 2; 11 was once the removed DATA_X, and 16 is the total.
    private static readonly (int Item, string Name, PduType Type)[] Units =
    [
        (0, "error", PduType.Error), (1, "result", PduType.Result), (2, "profile", PduType.Profile), (3, "fetch", PduType.Fetch),
        (4, "desc_req", PduType.DescriptorRequest), (5, "desc", PduType.Descriptor), (6, "instance_req", PduType.InstanceRequest), (7, "instance", PduType.Instance),
        (8, "text_req", PduType.TextRequest), (9, "text", PduType.Text), (10, "control_req", PduType.ControlRequest), (12, "creds", PduType.Credentials),
        (13, "pmns_ids", PduType.Ids), (14, "pmns_names", PduType.Names), (15, "pmns_child", PduType.Children), (17, "pmns_traverse", PduType.Traverse),
        (18, "auth", PduType.Attribute), (19, "label_req", PduType.LabelRequest), (20, "label", PduType.Label), (21, "highres_fetch", PduType.HighResolutionFetch),
        (22, "highres_result", PduType.HighResolutionResult), (23, "desc_ids", PduType.DescriptorIds), (24, "descs", PduType.Descriptors),
    ];

    // As many as pmcd has.
    private const int Registers = 16;

    private const int RegisterItem = 8;

    private readonly DoorState _door;
    private readonly MonitorMetrics _monitors;
    private readonly int[] _registers = new int[Registers];

    public PmcdAgent(DoorState door)
    {
        _door = door;
        _monitors = new MonitorMetrics(door);
        Metrics = [.. Own(), .. MonitorMetrics.Metrics, .. Counted(InCluster, "pdu_in", "received"), .. Counted(OutCluster, "pdu_out", "sent")];
    }

    public string Name => "pmcd";

    public int Domain => DomainNumber;

    public int Generation => 0;

    public IReadOnlyList<MetricDescriptor> Metrics { get; }

    public IReadOnlyList<InstanceDomain> InstanceDomains { get; } =
    [
        new(RegisterDomain, "registers", "Places for a number each, which root may store, to mark events in archives."),
        new(AgentDomain, "agents, by their domain's number", "One instance for each domain of metrics that this server answers for."),
        new(ClientDomain, "clients that are connected", "One instance for each connected client; its number is never used again while the server runs."),
        .. MonitorMetrics.Domains,
    ];

    public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view) =>
        domain == AgentDomain ? [.. Agents().Select(a => new MetricInstance(a.Domain, a.Name))]
        : domain == MonitorMetrics.Loggers || domain == MonitorMetrics.RuleEngines ? _monitors.GetInstances(domain)
        : domain == RegisterDomain ? [.. Enumerable.Range(0, Registers).Select(i => new MetricInstance(i, i.ToString(CultureInfo.InvariantCulture)))]
        : domain == ClientDomain ? [.. _door.Clients.All.Select(c => new MetricInstance(c.Id, c.Id.ToString(CultureInfo.InvariantCulture)))]
        : [];

    public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values)
    {
        for (var i = 0; i < asked.Length; i++)
        {
            var id = asked[i].Id;
            switch (id.Cluster)
            {
                case ControlCluster when id.Item == RegisterItem:
                    for (var register = 0; register < Registers; register++)
                    {
                        values[i].Add(register, MetricValue.From((long)Volatile.Read(ref _registers[register])));
                    }

                    break;
                case ControlCluster when Control(id.Item) is { } value:
                    values[i].Add(value);
                    break;
                case InCluster or OutCluster:
                    values[i].Add(MetricValue.From((ulong)Count(id)));
                    break;
                case MonitorMetrics.LoggerCluster or MonitorMetrics.RuleCluster:
                    _monitors.Collect(id, values[i]);
                    break;
                case AgentCluster:
                    AddAgents(id.Item, values[i]);
                    break;
                case ClientCluster:
                    AddClients(id.Item, values[i]);
                    break;
                case CostCluster:
                    values[i].Add(Cost(id.Item));
                    break;
                case FeatureCluster:
                    values[i].Add(MetricValue.From(HasFeature(id.Item) ? 1UL : 0UL));
                    break;
                default:
                    values[i].Fail(PcpError.MetricId);
                    break;
            }
        }
    }

    public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view) =>
        target.Kind == LabelKind.Domain ? [new("agent", Name)] : [];

    /// <inheritdoc/>
    public int Store(MetricDescriptor metric, int instance, MetricValue value, MetricView view)
    {
        if (metric.Id != MetricId.Of(DomainNumber, ControlCluster, RegisterItem) || view.UserId != 0)
        {
            return PcpError.Permission;
        }

        if (instance is < 0 or >= Registers)
        {
            return PcpError.Instance;
        }

        Volatile.Write(ref _registers[instance], (int)value.Signed);
        return 0;
    }

    private static IEnumerable<MetricDescriptor> Own()
    {
        var each = MetricSemantics.Instant;
        var seldom = MetricSemantics.Discrete;
        return
        [
            Make("numagents", ControlCluster, 2, MetricType.UInt32, each, "number of domains of metrics that are answered for"),
            Make("numclients", ControlCluster, 3, MetricType.UInt32, each, "number of connected clients"),
            Make("timezone", ControlCluster, 5, MetricType.String, seldom, "time zone of the host, in the form of TZ"),
            Make("simabi", ControlCluster, 6, MetricType.String, seldom, "processor architecture of the server"),
            Make("version", ControlCluster, 7, MetricType.String, seldom, "version of Muster"),
            Make("services", ControlCluster, 16, MetricType.String, each, "names of the services of metrics on the host"),
            Make("openfds", ControlCluster, 17, MetricType.UInt32, each, "number of open file descriptors of the server"),
            Make("build", ControlCluster, 20, MetricType.String, seldom, "build of the server"),
            Make("hostname", ControlCluster, 21, MetricType.String, seldom, "name of the host"),
            Make("pid", ControlCluster, 23, MetricType.UInt64, seldom, "process id of the server"),
            Make("seqnum", ControlCluster, 24, MetricType.UInt32, seldom, "configuration of the agents, counted", "Changes when an agent's metrics do. While it stays, counters are not interrupted."),
            Make("labels", ControlCluster, 25, MetricType.String, each, "labels of the host that an administrator has set"),
            Make("zoneinfo", ControlCluster, 26, MetricType.String, seldom, "name of the host's time zone, with a colon before it"),
            Make("datasize", ControlCluster, 1, MetricType.UInt32, each, "data segment of the server", units: MetricUnits.Kibibyte),
            Make("control.timeout", ControlCluster, 4, MetricType.UInt32, seldom, "seconds after which an agent is given up; 0 for never", "Agents are inside the server, and one that is slow delays nobody else."),
            Make("control.register", ControlCluster, RegisterItem, MetricType.Int32, seldom, "numbers that root may store, to mark events in archives", domain: RegisterDomain),
            Make("agent.type", AgentCluster, 0, MetricType.UInt32, seldom, "how an agent is reached; 0 is inside the server", domain: AgentDomain),
            Make("agent.status", AgentCluster, 1, MetricType.Int32, seldom, "state of an agent; 0 is well", domain: AgentDomain),
            Make("agent.fenced", AgentCluster, 2, MetricType.UInt32, each, "whether values of an agent are held back", domain: AgentDomain),
            Make("agent.name", AgentCluster, 3, MetricType.String, seldom, "name of an agent", domain: AgentDomain),
            Make("client.whoami", ClientCluster, 0, MetricType.String, seldom, "what a client says of itself", "A client may store its own; before that it is the address it comes from.", ClientDomain),
            Make("client.start_date", ClientCluster, 1, MetricType.String, seldom, "when a client connected", domain: ClientDomain),
            Make("client.container", ClientCluster, 2, MetricType.String, each, "the container whose eyes a client sees with", "A client may store its own; an empty text is the host.", ClientDomain),
            Make("cputime.total", CostCluster, 0, MetricType.UInt64, MetricSemantics.Counter, "processor time of the server", units: MetricUnits.Millisecond),
            Make("cputime.per_pdu_in", CostCluster, 1, MetricType.Double, each, "processor time of the server for each unit received, since it was started", units: MetricUnits.Of(time: 1, count: -1, timeScale: 1)),
            Make("feature.secure", FeatureCluster, 0, MetricType.UInt32, each, "whether TLS is offered"),
            Make("feature.compress", FeatureCluster, 1, MetricType.UInt32, each, "whether units may be compressed"),
            Make("feature.ipv6", FeatureCluster, 2, MetricType.UInt32, each, "whether IPv6 is spoken"),
            Make("feature.authentication", FeatureCluster, 3, MetricType.UInt32, each, "whether SASL is offered"),
            Make("feature.creds_required", FeatureCluster, 4, MetricType.UInt32, each, "whether a client must prove who it is"),
            Make("feature.unix_domain_sockets", FeatureCluster, 5, MetricType.UInt32, each, "whether a Unix socket is listened on"),
            Make("feature.service_discovery", FeatureCluster, 6, MetricType.UInt32, each, "whether the server announces itself on the network"),
            Make("feature.local", FeatureCluster, 8, MetricType.UInt32, each, "whether the server is the client's own process"),
            Make("feature.containers", FeatureCluster, 7, MetricType.UInt32, each, "whether clients may see with a container's eyes"),
            Make("feature.client_cert_required", FeatureCluster, 9, MetricType.UInt32, each, "whether clients must show a certificate"),
        ];
    }

    private static IEnumerable<MetricDescriptor> Counted(int cluster, string group, string verb) =>
    [
        .. Units.Select(u => Make($"{group}.{u.Name}", cluster, u.Item, MetricType.UInt32, MetricSemantics.Counter, $"{u.Name} units {verb}", units: MetricUnits.Count)),
        Make($"{group}.total", cluster, 16, MetricType.UInt32, MetricSemantics.Counter, $"all units {verb}", units: MetricUnits.Count),
    ];

    private static MetricDescriptor Make(string name, int cluster, int item, MetricType type, MetricSemantics semantics, string oneLine, string help = "", InstanceDomainId? domain = null, MetricUnits? units = null) =>
        new("pmcd." + name, MetricId.Of(DomainNumber, cluster, item), type, domain ?? InstanceDomainId.None, semantics, units ?? MetricUnits.None, oneLine, help);

    // Linux' agents share a domain: the first of them stands for it.
    private IEnumerable<IMetricAgent> Agents() => _door.Catalog.Agents.DistinctBy(a => a.Domain).OrderBy(a => a.Domain);

    private MetricValue? Control(int item) => item switch
    {
        1 => MetricValue.From((ulong)(Environment.WorkingSet / 1024)),
        2 => MetricValue.From((ulong)Agents().Count()),
        3 => MetricValue.From((ulong)_door.Clients.Count),
        4 => MetricValue.From(0UL),
        5 => MetricValue.From(HostFacts.TimeZone),
        6 => MetricValue.From(System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "aarch64" : "x86_64"),
        7 => MetricValue.From(ServerVersion),
        16 => MetricValue.From("pmcd"),
        17 => OpenFiles(),
        20 => MetricValue.From("muster"),
        21 => MetricValue.From(HostFacts.HostName),
        23 => MetricValue.From((ulong)Environment.ProcessId),
        24 => MetricValue.From((ulong)_door.Catalog.Current.Version),
        25 => MetricValue.From(""),
        26 => MetricValue.From(HostFacts.ZoneName),
        _ => null,
    };

    // Since Linux 6.2 the folder's size is the number; counting thousands of entries takes milliseconds.
    private static MetricValue? OpenFiles()
    {
        var open = FileStatus.Find("/proc/self/fd")?.Size is > 0 and var size ? size : ProcessFiles.CountEntries(Environment.ProcessId, "fd"u8);
        return open >= 0 ? MetricValue.From((ulong)open) : null;
    }

    private static string ServerVersion { get; } = typeof(PmcdAgent).Assembly.GetName().Version is { } v ? $"{v.Major}.{v.Minor}.{v.Build}" : "0";

    private MetricValue Cost(int item)
    {
        using var self = Process.GetCurrentProcess();
        return item == 0 ? MetricValue.From((ulong)self.TotalProcessorTime.TotalMilliseconds) : MetricValue.From(self.TotalProcessorTime.TotalMicroseconds / Math.Max(1, _door.Counters.TotalIn));
    }

    private bool HasFeature(int item) => item switch
    {
        0 => _door.IsTlsOffered,
        2 or 5 or 7 => true,
        _ => false,
    };

    private uint Count(MetricId id)
    {
        var isIn = id.Cluster == InCluster;
        if (id.Item == 16)
        {
            return isIn ? _door.Counters.TotalIn : _door.Counters.TotalOut;
        }

        var type = Units.First(u => u.Item == id.Item).Type;
        return isIn ? _door.Counters.In(type) : _door.Counters.Out(type);
    }

    private void AddAgents(int item, ValueSet values)
    {
        foreach (var agent in Agents())
        {
            values.Add(agent.Domain, item == 3 ? MetricValue.From(agent.Name) : MetricValue.From(0L));
        }
    }

    private void AddClients(int item, ValueSet values)
    {
        foreach (var client in _door.Clients.All)
        {
            values.Add(client.Id, MetricValue.From(item switch
            {
                0 => client.Who ?? client.Address,
                1 => client.Since.ToString("ddd MMM d HH:mm:ss yyyy", CultureInfo.InvariantCulture),
                _ => client.Container ?? "",
            }));
        }
    }
}
