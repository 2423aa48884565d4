using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Door;

/// <summary>What a connection does after a unit was taken.</summary>
public enum SessionOutcome
{
    /// <summary>Send what was written, if anything, and go on.</summary>
    Continue,

    /// <summary>Send what was written, then let TLS begin.</summary>
    StartTls,

    /// <summary>Send what was written and hang up.</summary>
    Disconnect,
}

/// <summary>
/// One client's conversation: units in, units out, no socket. Answers as pmcd does, the codes of refusals included: what
/// cannot be understood gets PM_ERR_IPC and the client stays, what comes before its credentials ends it.
/// </summary>
public sealed class ClientSession : IDisposable
{
    /// <summary>Contexts with a profile of their own on one connection; libpcp uses one, pmproxy a few.</summary>
    public const int MaxContexts = 256;

    /// <summary>
    /// Bytes of the lists in all profiles of one connection, as much as one unit can have. Each takes seven in memory: without this
    /// one connection could take a hundred megabytes.
    /// </summary>
    public const int MaxProfiles = PduLimits.MaxFromClient;

    /// <summary>What a client may say of itself: a command line.</summary>
    public const int MaxWho = 4096;

    // What a profile without lists has.
    private const int ProfileHead = 16;

    private const int NamesChanged = 16;
    private const int LabelsChanged = 8;
    private const int ProtocolVersion = 2;

    private readonly DoorState _door;
    private readonly Dictionary<int, (InstanceProfile Profile, int Size)> _profiles = [];
    private readonly AnswerWriter _answers;
    private MetricView _view;
    private FetchPlan? _plan;
    private int _profileBytes;
    private long _seenNames;
    private int _seenLabels;
    private bool _isKnown;

    /// <param name="door">What all connections share.</param>
    /// <param name="address">Where the client comes from, for <c>pmcd.client.whoami</c>.</param>
    /// <param name="view">What the kernel or a certificate proves of it.</param>
    public ClientSession(DoorState door, string address, MetricView view)
    {
        _door = door;
        _view = view with { Client = new ClientMemory() };
        Client = door.Clients.Add(address, door.Time.GetUtcNow());
        _answers = new AnswerWriter(door);
        _seenNames = door.Catalog.Current.Version;
        _seenLabels = door.Catalog.LabelGeneration;
    }

    public ClientRecord Client { get; }

    /// <summary>True when the client has sent its credentials; a connection waits for them only so long.</summary>
    public bool IsKnown => _isKnown;

    /// <summary>The bits of the greeting.</summary>
    public static PduFeatures Features(bool isTlsOffered) =>
        PduFeatures.Container | PduFeatures.Labels | PduFeatures.HighResolution | PduFeatures.Descriptors | (isTlsOffered ? PduFeatures.Secure | PduFeatures.SecureAcknowledgement : PduFeatures.None);

    /// <summary>The first unit of a connection: an ERROR with eight more bytes. A refusal stands in it in the code space of old clients.</summary>
    public static void Greet(PduWriter to, PduFeatures features, int error = 0)
    {
        to.Begin(PduType.Error);
        to.Int32(error <= -12345 ? error + 11345 : error);
        to.UInt32((ProtocolVersion << 24) | (1u << 16) | (uint)features);
        to.End();
    }

    /// <summary>Gives the client what TLS has proved of it; containers and profiles stay.</summary>
    public void Prove(uint userId, uint groupId) => _view = _view with { UserId = userId, GroupId = groupId };

    /// <summary>Takes one whole unit, header included, and writes the answer if it has one.</summary>
    public SessionOutcome Take(ReadOnlySpan<byte> unit, PduWriter to)
    {
        var type = (PduType)System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(unit[4..]);
        _door.Counters.CountIn(type);
        var body = unit[PduLimits.Header..];
        if (!_isKnown)
        {
            return type == PduType.Credentials ? TakeCredentials(body, to) : SessionOutcome.Disconnect;
        }

        switch (type)
        {
            case PduType.Fetch or PduType.HighResolutionFetch:
                Fetch(body, type == PduType.HighResolutionFetch, to);
                break;
            case PduType.Profile:
                SetProfile(body, to);
                break;
            case PduType.Result:
                AnswerWriter.Error(to, Store(unit));
                break;
            case PduType.Attribute:
                SetAttribute(body, to);
                break;
            case PduType.Credentials:
                TakeCredentials(body, to);
                break;
            default:
                _answers.Answer(type, body, _view, to);
                break;
        }

        if (to.Written.Length > 0)
        {
            _door.Counters.CountOut((PduType)System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(to.Written.Span[4..]));
        }

        return SessionOutcome.Continue;
    }

    /// <inheritdoc/>
    public void Dispose() => _door.Clients.Remove(Client);

    private SessionOutcome TakeCredentials(ReadOnlySpan<byte> body, PduWriter to)
    {
        if (CredentialsRequest.Read(body) is not { Version: ProtocolVersion } credentials)
        {
            AnswerWriter.Error(to, PcpError.Protocol);
            return SessionOutcome.Disconnect;
        }

        if (credentials.Features.HasFlag(PduFeatures.Authentication))
        {
            // Proof is by SO_PEERCRED or a certificate; what was not offered is refused.
            AnswerWriter.Error(to, PcpError.NotSupported);
            return SessionOutcome.Disconnect;
        }

        if (!credentials.Features.HasFlag(PduFeatures.Secure))
        {
            _isKnown = true;
            return SessionOutcome.Continue;
        }

        // Without the acknowledgement nobody could say where plain text ends and TLS begins.
        if (!_door.IsTlsOffered || _isKnown || !credentials.Features.HasFlag(PduFeatures.SecureAcknowledgement))
        {
            AnswerWriter.Error(to, PcpError.NotSupported);
            return SessionOutcome.Disconnect;
        }

        _isKnown = true;
        AnswerWriter.Error(to, 0);
        return SessionOutcome.StartTls;
    }

    private void SetAttribute(ReadOnlySpan<byte> body, PduWriter to)
    {
        if (AttributeRequest.Read(body) is not { } attribute)
        {
            AnswerWriter.Error(to, PcpError.Protocol);
        }
        else if (attribute.Code == PduAttribute.Container)
        {
            SetContainer(attribute.Value);
        }
        else if (attribute.Code == PduAttribute.Sasl)
        {
            AnswerWriter.Error(to, PcpError.NotSupported);
        }

        // Others (user and process ids) are what the client says of itself: the kernel's word counts, theirs has no answer.
    }

    private void SetContainer(string name)
    {
        Client.Container = name.Length == 0 ? null : name;
        _view = _view with { Container = Client.Container };
    }

    private void SetProfile(ReadOnlySpan<byte> body, PduWriter to)
    {
        if (ProfileRequest.Read(body) is not { } request)
        {
            AnswerWriter.Error(to, PcpError.Protocol);
        }
        else if (_profiles.Count >= MaxContexts && !_profiles.ContainsKey(request.Context))
        {
            AnswerWriter.Error(to, PcpError.TooBig);
        }
        else if (_profileBytes - _profiles.GetValueOrDefault(request.Context).Size + (body.Length - ProfileHead) is var bytes && bytes > MaxProfiles)
        {
            AnswerWriter.Error(to, PcpError.TooBig);
        }
        else
        {
            _profiles[request.Context] = (request.Profile, body.Length - ProfileHead);
            _profileBytes = bytes;
        }
    }

    private void Fetch(ReadOnlySpan<byte> body, bool highResolution, PduWriter to)
    {
        if (!FetchRequest.TryRead(body, out var request) || request.Count == 0)
        {
            AnswerWriter.Error(to, PcpError.Protocol);
            return;
        }

        if (!_profiles.TryGetValue(request.Context, out var chosen))
        {
            AnswerWriter.Error(to, PcpError.NoProfile);
            return;
        }

        var names = _door.Catalog.Current;
        if (_plan is null || _plan.Names != names || !request.AsksFor(_plan.Ids))
        {
            _plan = FetchPlan.Of(names, request.ToArray());
        }

        TellChanges(names, to);
        if (_view.Profile != chosen.Profile)
        {
            _view = _view with { Profile = chosen.Profile };
        }

        using var values = ValueSetBuffer.Rent();
        _plan.Collect(_view, values, _door.AgentFailed);
        if (!ResultWriter.TryWrite(to, highResolution, _door.Time.GetUtcNow(), _plan.Results(_view, values)))
        {
            AnswerWriter.Error(to, PcpError.TooBig);
        }
    }

    // A positive code before the result: the library reads on, and re-reads names or labels.
    private void TellChanges(MetricNames names, PduWriter to)
    {
        var labels = _door.Catalog.LabelGeneration;
        var changes = (names.Version != _seenNames ? NamesChanged : 0) | (labels != _seenLabels ? LabelsChanged : 0);
        (_seenNames, _seenLabels) = (names.Version, labels);
        if (changes != 0)
        {
            AnswerWriter.Error(to, changes);
        }
    }

    private int Store(ReadOnlySpan<byte> unit)
    {
        if (ReceivedResult.Read(unit, highResolution: false) is not { } store)
        {
            return PcpError.Protocol;
        }

        foreach (var set in store.Sets)
        {
            if (set.Error != 0 || set.Values.Count == 0)
            {
                return PcpError.Instance;
            }

            foreach (var value in set.Values)
            {
                if (Store(set.Id, value) is var error && error != 0)
                {
                    return error;
                }
            }
        }

        return 0;
    }

    private int Store(MetricId id, ReceivedValue value)
    {
        // A client's own two texts, whichever instance it names: it is always its own that changes.
        if (id == PmcdAgent.WhoAmI || id == PmcdAgent.Container)
        {
            if (value.Type != MetricType.String)
            {
                return PcpError.Type;
            }

            var text = value.Value.Text;
            if (text.Length > MaxWho)
            {
                return PcpError.TooBig;
            }

            if (id == PmcdAgent.Container)
            {
                SetContainer(text);
            }
            else
            {
                Client.Who = text;
            }

            return 0;
        }

        var names = _door.Catalog.Current;
        return _view.UserId == 0 || MetricStore.IsClientsOwn(names, id) ? MetricStore.One(names, id, value, _view) : PcpError.Permission;
    }
}
