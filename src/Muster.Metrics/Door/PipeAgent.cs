using System.Buffers.Binary;
using System.Globalization;
using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Door;

/// <summary>
/// Our agents of one domain as an agent of an existing pmcd (PMDA(3)): pmcd's units come in on one stream, the answers go
/// out on another. The sender of each unit is the slot of pmcd's client, whose container and credentials pmcd tells beforehand.
/// </summary>
public sealed class PipeAgent : IDisposable
{
    /// <summary>pmcd has far fewer clients at once; a slot that it forgot to end must not be kept for ever.</summary>
    public const int MaxSlots = 4096;

    // What pmcd passes on is a client's unit of at most 64 KiB, and a little of its own.
    private const int MaxUnit = 2 * PduLimits.MaxFromClient;

    private const int NotConnected = -12345 - 46;

    private readonly DoorState _door;
    private readonly AnswerWriter _answers;
    private readonly PduWriter _writer = new();
    private readonly Dictionary<int, MetricView> _slots = [];
    private InstanceProfile _profile = InstanceProfile.All;
    private FetchPlan? _plan;

    /// <param name="agents">Agents of one domain.</param>
    /// <param name="time">The clock of results.</param>
    /// <param name="log">Takes one line; pmcd's log is where an agent's standard error goes.</param>
    public PipeAgent(IReadOnlyList<IMetricAgent> agents, TimeProvider time, Action<string> log)
    {
        _door = new DoorState(new MetricCatalog(agents), time, log);
        _answers = new AnswerWriter(_door);
    }

    /// <summary>The lines of a namespace (PMNS(5)) that lead pmcd to an agent: the first parts of its names, each asked of the agent itself.</summary>
    public static string Namespace(IReadOnlyList<IMetricAgent> agents)
    {
        var roots = new MetricCatalog(agents).Current.Node("")!.Children;
        return "root {\n" + string.Concat(roots.Select(r => $"    {r.Segment} {agents[0].Domain.ToString(CultureInfo.InvariantCulture)}:*:*\n")) + "}\n";
    }

    /// <summary>Serves until pmcd closes the stream.</summary>
    public async Task RunAsync(Stream input, Stream output, CancellationToken ct)
    {
        _writer.Begin(PduType.Credentials);
        _writer.Int32(1);
        _writer.UInt32((1 << 24) | (2 << 16) | (uint)(PduFeatures.Authentication | PduFeatures.Container));
        _writer.End();
        await SendAsync(output, ct);
        var buffer = new byte[MaxUnit];
        while (await ReadUnitAsync(input, buffer, ct) is var length and > 0)
        {
            Take(buffer.AsSpan(0, length));
            await SendAsync(output, ct);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private static async Task<int> ReadUnitAsync(Stream input, byte[] buffer, CancellationToken ct)
    {
        if (await input.ReadAtLeastAsync(buffer.AsMemory(0, PduLimits.Header), PduLimits.Header, throwOnEndOfStream: false, ct) < PduLimits.Header)
        {
            return 0;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(buffer);
        if (length is < PduLimits.Header or > MaxUnit)
        {
            throw new MusterException(ErrorKind.Upstream, $"pmcd sent a unit of {length} bytes, which no unit has: is it pmcd at the other end?");
        }

        await input.ReadExactlyAsync(buffer.AsMemory(PduLimits.Header, length - PduLimits.Header), ct);
        return length;
    }

    private async Task SendAsync(Stream output, CancellationToken ct)
    {
        if (_writer.Written.Length > 0)
        {
            await output.WriteAsync(_writer.Written, ct);
            await output.FlushAsync(ct);
            _writer.Reset();
        }
    }

    private void Take(ReadOnlySpan<byte> unit)
    {
        var type = (PduType)BinaryPrimitives.ReadInt32BigEndian(unit[4..]);
        var slot = BinaryPrimitives.ReadInt32BigEndian(unit[8..]);
        var body = unit[PduLimits.Header..];
        var view = Find(slot);
        switch (type)
        {
            case PduType.Credentials:
                break;
            case PduType.Attribute:
                SetAttribute(slot, view, body);
                break;
            case PduType.Profile:
                _profile = ProfileRequest.Read(body)?.Profile ?? InstanceProfile.All;
                break;
            case PduType.Error when new PduReader(body).Int32() == NotConnected:
                _slots.Remove(slot);
                break;
            case PduType.Error:
                break;
            case PduType.Fetch:
                Fetch(body, view with { Profile = _profile });
                break;
            case PduType.Result:
                AnswerWriter.Error(_writer, Store(unit, view));
                break;
            default:
                _answers.Answer(type, body, view, _writer);
                break;
        }
    }

    // Without room for another, a client is served like the others but nothing is remembered of it.
    private MetricView Find(int slot)
    {
        if (_slots.TryGetValue(slot, out var known))
        {
            return known;
        }

        return _slots.Count >= MaxSlots ? new MetricView() : _slots[slot] = new MetricView { Client = new ClientMemory() };
    }

    private void SetAttribute(int slot, MetricView view, ReadOnlySpan<byte> body)
    {
        if (AttributeRequest.Read(body) is not { } attribute || (_slots.Count >= MaxSlots && !_slots.ContainsKey(slot)))
        {
            return;
        }

        // pmcd has these from the kernel or from SASL; it does not pass on what a client only claims.
        var number = uint.TryParse(attribute.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : (uint?)null;
        _slots[slot] = attribute.Code switch
        {
            PduAttribute.Container => view with { Container = attribute.Value.Length == 0 ? null : attribute.Value },
            PduAttribute.UserId => view with { UserId = number },
            PduAttribute.GroupId => view with { GroupId = number },
            PduAttribute.ProcessId => view with { ProcessId = (int?)number },
            _ => view,
        };
    }

    private void Fetch(ReadOnlySpan<byte> body, MetricView view)
    {
        if (!FetchRequest.TryRead(body, out var request))
        {
            AnswerWriter.Error(_writer, PcpError.Protocol);
            return;
        }

        var names = _door.Catalog.Current;
        if (_plan is null || _plan.Names != names || !request.AsksFor(_plan.Ids))
        {
            _plan = FetchPlan.Of(names, request.ToArray());
        }

        using var values = ValueSetBuffer.Rent();
        _plan.Collect(view, values, _door.AgentFailed);
        if (!ResultWriter.TryWrite(_writer, highResolution: false, _door.Time.GetUtcNow(), _plan.Results(view, values)))
        {
            AnswerWriter.Error(_writer, PcpError.TooBig);
        }
    }

    private int Store(ReadOnlySpan<byte> unit, MetricView view)
    {
        if (ReceivedResult.Read(unit, highResolution: false) is not { } store)
        {
            return PcpError.Protocol;
        }

        // Whom pmcd lets store is its own configuration's choice; an agent still sees who it is.
        return MetricStore.All(_door.Catalog.Current, store, view);
    }
}
