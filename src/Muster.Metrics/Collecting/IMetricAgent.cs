using Muster.Metrics.Names;

namespace Muster.Metrics.Collecting;

/// <summary>
/// A source of metrics: the kernel's, the control groups', the containers'. Called by many clients at once; one call never
/// waits for another's client. The metrics of an agent do not change while it lives unless <see cref="Generation"/> does.
/// </summary>
public interface IMetricAgent
{
    /// <summary>A word for logs and <c>pmcd.agent.status</c>.</summary>
    string Name { get; }

    /// <summary>PCP's domain number; every metric and instance domain of the agent lies in it.</summary>
    int Domain { get; }

    /// <summary>Grows when <see cref="Metrics"/> has changed.</summary>
    int Generation { get; }

    /// <summary>Grows when labels of the agent's metrics or instances have changed; clients are told with their next values.</summary>
    int LabelGeneration => 0;

    /// <summary>All metrics that the agent has now: only those that this kernel can give a value for.</summary>
    IReadOnlyList<MetricDescriptor> Metrics { get; }

    /// <summary>All instance domains, each with a one-line text and a help text.</summary>
    IReadOnlyList<InstanceDomain> InstanceDomains { get; }

    /// <summary>The instances of <paramref name="domain"/> as <paramref name="view"/> sees them now, sorted by number.</summary>
    IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view);

    /// <summary>
    /// The name of an instance that has had a value, told without reading anything again; null when the agent does not keep
    /// names and <see cref="GetInstances"/> is to be asked.
    /// </summary>
    string? GetInstanceName(InstanceDomainId domain, int instance) => null;

    /// <summary>
    /// Writes the values of the asked metrics. Each source (a file under /proc, a control group's file) is read at most once
    /// for one call, and only when an asked metric needs it. What cannot be read is an error of that metric
    /// (<see cref="PcpError"/>), never an exception for the whole call.
    /// </summary>
    /// <param name="asked">Descriptors of this agent, each once.</param>
    /// <param name="view">Whose eyes: container, credentials; and which instances are wanted.</param>
    /// <param name="values">One set for each of <paramref name="asked"/>, in the same order, empty at the call.</param>
    void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values);

    /// <summary>Labels of a domain, cluster, item, instance domain or instance; empty when there are none.</summary>
    IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view);

    /// <summary>Whether a metric's value is a client's own, which every client may store and nobody else sees.</summary>
    bool IsClientsOwn(MetricDescriptor metric) => false;

    /// <summary>Stores a value into a metric that permits it; a PCP error code, or 0.</summary>
    int Store(MetricDescriptor metric, int instance, MetricValue value, MetricView view) => PcpError.Permission;
}

/// <summary>A domain of instances with its texts.</summary>
public sealed record InstanceDomain(InstanceDomainId Id, string OneLine, string Help = "");

/// <summary>What labels are asked for.</summary>
/// <param name="Kind">Which of the levels.</param>
/// <param name="Number">A pmID for clusters and items, a pmInDom for domains of instances and instances, the domain's number for a domain.</param>
/// <param name="Instance">The instance, for <see cref="LabelKind.Instance"/>.</param>
public readonly record struct LabelTarget(LabelKind Kind, uint Number, int Instance = -1);

/// <summary>The levels of labels; the numbers are PCP's.</summary>
public enum LabelKind
{
    Context = 1,
    Domain = 2,
    InstanceDomain = 4,
    Cluster = 8,
    Item = 16,
    Instance = 32,
}
