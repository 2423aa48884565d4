using System.Globalization;
using Muster.Metrics.Door;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Collecting;

/// <summary>The labels of each level, as one view sees them.</summary>
internal sealed class LabelLookup(MetricNames names, MetricView view)
{
    /// <summary>The sets of one level: none, one, or one for each instance. <paramref name="error"/> is a PCP error code for what does not exist.</summary>
    public IReadOnlyList<LabelSet> Find(LabelKind kind, uint ident, out int error)
    {
        error = 0;
        switch (kind)
        {
            case LabelKind.Context:
                return [new LabelSet(-1, Context())];
            case LabelKind.Domain:
                error = ident < 512 && names.Agents((int)ident).Count > 0 ? 0 : PcpError.NoAgent;
                return error == 0 ? One(Domain((int)ident)) : [];
            case LabelKind.Cluster or LabelKind.Item:
                var id = new MetricId(ident);
                return One(First(names.Agents(id.Domain), new LabelTarget(kind, ident)));
            case LabelKind.InstanceDomain when names.Find(new InstanceDomainId(ident)) is { } found:
                return One(found.Agent.GetLabels(new LabelTarget(kind, ident), view));
            case LabelKind.Instance when names.Find(new InstanceDomainId(ident)) is { } found:
                return [.. found.Agent.GetInstances(found.Domain.Id, view).Select(i => new LabelSet(i.Id, found.Agent.GetLabels(new LabelTarget(kind, ident, i.Id), view)))];
            case LabelKind.InstanceDomain or LabelKind.Instance:
                error = PcpError.InstanceDomain;
                return [];
            default:
                error = PcpError.Type;
                return [];
        }
    }

    /// <summary>The labels of the whole source: the host, whose eyes, and who asks.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Context()
    {
        var labels = new List<KeyValuePair<string, string>> { new("domainname", HostFacts.DomainName), new("hostname", HostFacts.HostName) };
        Add("machineid", HostFacts.MachineId);
        Add("container", view.Container);
        Add("userid", view.UserId?.ToString(CultureInfo.InvariantCulture));
        Add("groupid", view.GroupId?.ToString(CultureInfo.InvariantCulture));
        return labels;

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                labels.Add(new(name, value));
            }
        }
    }

    /// <summary>A domain's labels; its agent's name where the agent says nothing.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Domain(int domain)
    {
        var agents = names.Agents(domain);
        var labels = First(agents, new LabelTarget(LabelKind.Domain, (uint)domain));
        return labels.Count > 0 || agents.Count == 0 ? labels : [new("agent", agents[0].Name)];
    }

    private static IReadOnlyList<LabelSet> One(IReadOnlyList<KeyValuePair<string, string>> labels) => labels.Count == 0 ? [] : [new LabelSet(-1, labels)];

    private IReadOnlyList<KeyValuePair<string, string>> First(IReadOnlyList<IMetricAgent> agents, LabelTarget target)
    {
        foreach (var agent in agents)
        {
            if (agent.GetLabels(target, view) is { Count: > 0 } labels)
            {
                return labels;
            }
        }

        return [];
    }
}
