using System.Globalization;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Door;

/// <summary>Answers to what is asked about names, descriptors, instances, texts and labels.</summary>
internal sealed class AnswerWriter(DoorState door)
{
    private const uint OneLine = 1;
    private const uint Help = 2;
    private const uint OfMetric = 4;
    private const uint OfDomain = 8;

    public static void Error(PduWriter to, int code, int from = 0)
    {
        to.Begin(PduType.Error, from);
        to.Int32(code);
        to.End();
    }

    /// <summary>Writes the answer to one unit; PM_ERR_IPC for what no client sends or what cannot be understood.</summary>
    public void Answer(PduType type, ReadOnlySpan<byte> body, MetricView view, PduWriter to)
    {
        var names = door.Catalog.Current;
        var error = type switch
        {
            PduType.DescriptorRequest => Descriptor(names, body, to),
            PduType.DescriptorIds => Descriptors(names, body, to),
            PduType.Names => Ids(names, body, to),
            PduType.Ids => NamesOf(names, body, to),
            PduType.Children => Children(names, body, to),
            PduType.Traverse => Traverse(names, body, to),
            PduType.InstanceRequest => Instances(names, body, view, to),
            PduType.TextRequest => Text(names, body, to),
            PduType.LabelRequest => Labels(names, body, view, to),
            _ => PcpError.Protocol,
        };
        if (error != 0)
        {
            to.Abandon();
            Error(to, error);
        }
    }

    private static int Descriptor(MetricNames names, ReadOnlySpan<byte> body, PduWriter to)
    {
        var reader = new PduReader(body);
        var id = reader.Id();
        if (reader.Failed)
        {
            return PcpError.Protocol;
        }

        if (names.Find(id) is not { } metric)
        {
            return PcpError.MetricId;
        }

        to.Begin(PduType.Descriptor);
        Write(to, metric.Descriptor);
        to.End();
        return 0;
    }

    private static int Descriptors(MetricNames names, ReadOnlySpan<byte> body, PduWriter to)
    {
        if (IdsRequest.Read(body) is not { Length: > 0 } ids)
        {
            return PcpError.Protocol;
        }

        if (ids.Length == 1 && names.Find(ids[0]) is null)
        {
            return PcpError.MetricId;
        }

        to.Begin(PduType.Descriptors);
        to.Int32(ids.Length);
        foreach (var id in ids)
        {
            if (names.Find(id) is { } metric)
            {
                Write(to, metric.Descriptor);
            }
            else
            {
                to.Id(MetricId.None);
                to.UInt64(0);
                to.UInt64(0);
            }
        }

        to.End();
        return 0;
    }

    private static void Write(PduWriter to, MetricDescriptor descriptor)
    {
        to.Id(descriptor.Id);
        to.Int32((int)descriptor.Type);
        to.UInt32(descriptor.Instances.Value);
        to.Int32((int)descriptor.Semantics);
        to.UInt32(descriptor.Units.Value);
    }

    private static int Ids(MetricNames names, ReadOnlySpan<byte> body, PduWriter to)
    {
        if (NamesRequest.Read(body) is not { Count: > 0 } asked)
        {
            return PcpError.Protocol;
        }

        if (asked.Count == 1 && names.Find(asked[0]) is null)
        {
            return names.Node(asked[0]) is null ? PcpError.Name : PcpError.NonLeaf;
        }

        var found = asked.Select(n => names.Find(n)?.Descriptor.Id ?? MetricId.None).ToList();
        to.Begin(PduType.Ids);
        to.Int32(found.Count(id => id != MetricId.None));
        to.Int32(found.Count);
        foreach (var id in found)
        {
            to.Id(id);
        }

        to.End();
        return 0;
    }

    private static int NamesOf(MetricNames names, ReadOnlySpan<byte> body, PduWriter to)
    {
        if (IdsRequest.Read(body) is not { Length: 1 } ids)
        {
            return PcpError.Protocol;
        }

        if (names.Find(ids[0]) is not { } metric)
        {
            return PcpError.MetricId;
        }

        WriteNames(to, metric.Names, states: null);
        return 0;
    }

    private static int Children(MetricNames names, ReadOnlySpan<byte> body, PduWriter to)
    {
        if (NodeRequest.Read(body) is not { } request)
        {
            return PcpError.Protocol;
        }

        if (names.Node(request.Name) is not { } node)
        {
            return PcpError.Name;
        }

        var withStates = request.Subtype != 0 && node.Children.Count > 0;
        WriteNames(to, [.. node.Children.Select(c => c.Segment)], withStates ? [.. node.Children.Select(c => c.Metric is null)] : null);
        return 0;
    }

    private static int Traverse(MetricNames names, ReadOnlySpan<byte> body, PduWriter to)
    {
        if (NodeRequest.Read(body) is not { } request)
        {
            return PcpError.Protocol;
        }

        if (names.Node(request.Name) is not { } node)
        {
            return PcpError.Name;
        }

        WriteNames(to, [.. node.Leaves().Select(l => l.Name)], states: null);
        return 0;
    }

    private static void WriteNames(PduWriter to, IReadOnlyList<string> names, IReadOnlyList<bool>? states)
    {
        to.Begin(PduType.Names);
        to.Int32(names.Sum(n => n.Length + 1));
        to.Int32(states?.Count ?? 0);
        to.Int32(names.Count);
        for (var i = 0; i < names.Count; i++)
        {
            if (states is not null)
            {
                to.Int32(states[i] ? 1 : 0);
            }

            to.Text(names[i]);
        }

        to.End();
    }

    private int Instances(MetricNames names, ReadOnlySpan<byte> body, MetricView view, PduWriter to)
    {
        if (InstanceRequest.Read(body) is not { } request)
        {
            return PcpError.Protocol;
        }

        if (names.Find(request.Domain) is not { } found)
        {
            return PcpError.InstanceDomain;
        }

        // Tools ask for the names of hundreds of instances one by one: where a reading is long, it is not made for each.
        if (request.Instance >= 0 && request.Name.Length == 0 && found.Agent.GetInstanceName(request.Domain, request.Instance) is { } known)
        {
            return WriteInstances(to, request.Domain, [new MetricInstance(-1, known)]);
        }

        if (Guarded(found.Agent, a => a.GetInstances(request.Domain, view)) is not { } instances)
        {
            return PcpError.Generic;
        }

        if (request.Name.Length > 0)
        {
            return InstanceMatch.Find(instances, request.Name) is { } match ? WriteInstances(to, request.Domain, [match with { Name = "" }]) : PcpError.Instance;
        }

        if (request.Instance >= 0)
        {
            var match = instances.FirstOrDefault(i => i.Id == request.Instance);
            return match.Name is null ? PcpError.Instance : WriteInstances(to, request.Domain, [match with { Id = -1 }]);
        }

        return WriteInstances(to, request.Domain, instances);
    }

    private static int WriteInstances(PduWriter to, InstanceDomainId domain, IReadOnlyList<MetricInstance> instances)
    {
        to.Begin(PduType.Instance);
        to.UInt32(domain.Value);
        to.Int32(instances.Count);
        foreach (var instance in instances)
        {
            to.Int32(instance.Id);
            to.Text(instance.Name);
        }

        to.End();
        return 0;
    }

    private static int Text(MetricNames names, ReadOnlySpan<byte> body, PduWriter to)
    {
        if (IdentRequest.Read(body) is not { } request)
        {
            return PcpError.Protocol;
        }

        var (oneLine, help) = (request.Type & (OfMetric | OfDomain)) switch
        {
            OfMetric => names.Find(new MetricId(request.Ident)) is { } metric ? (metric.Descriptor.OneLine, metric.Descriptor.Help) : (null, null),
            OfDomain => names.Find(new InstanceDomainId(request.Ident)) is { } found ? (found.Domain.OneLine, found.Domain.Help) : (null, null),
            _ => (null, null),
        };
        var text = (request.Type & Help) != 0 ? help : (request.Type & OneLine) != 0 ? oneLine : null;
        if (text is null)
        {
            return PcpError.Text;
        }

        to.Begin(PduType.Text);
        to.UInt32(request.Ident);
        to.Text(text);
        to.End();
        return 0;
    }

    private int Labels(MetricNames names, ReadOnlySpan<byte> body, MetricView view, PduWriter to)
    {
        if (IdentRequest.Read(body) is not { } request)
        {
            return PcpError.Protocol;
        }

        var labels = new LabelLookup(names, view);
        var error = 0;
        var sets = Guarded(null, _ => labels.Find((LabelKind)request.Type, request.Ident, out error));
        if (sets is null || error != 0)
        {
            return sets is null ? PcpError.Generic : error;
        }

        LabelWriter.Write(to, request.Ident, request.Type, sets);
        return 0;
    }

    private T? Guarded<T>(IMetricAgent? agent, Func<IMetricAgent, T> ask)
        where T : class
    {
        try
        {
            return ask(agent!);
        }
#pragma warning disable CA1031 // The boundary between the door and an agent.
        catch (Exception e)
#pragma warning restore CA1031
        {
            door.Log(string.Create(CultureInfo.InvariantCulture, $"Agent {agent?.Name} failed: {e.GetType().Name}: {e.Message}"));
            return null;
        }
    }
}
