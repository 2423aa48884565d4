using Muster.Metrics.Names;

namespace Muster.Metrics.Collecting;

/// <summary>Whose eyes a request sees with; immutable, made once for a connection and changed by replacing it.</summary>
public sealed record MetricView
{
    /// <summary>The host's own view, with all rights: what the logger, rules and <c>/metrics</c> of root use.</summary>
    public static readonly MetricView Host = new() { UserId = 0, GroupId = 0 };

    /// <summary>
    /// The container that the client named (attribute 15), or null. It is resolved for each request, so that a container may
    /// come and go while the client stays; when there is none of the name, metrics that depend on it give
    /// <see cref="PcpError.NoContainer"/>.
    /// </summary>
    public string? Container { get; init; }

    /// <summary>The peer's user as the kernel or a certificate proves it; null for an unknown one (plain TCP), who gets no per-process values.</summary>
    public uint? UserId { get; init; }

    public uint? GroupId { get; init; }

    public int? ProcessId { get; init; }

    /// <summary>What agents remember of this client; null for a view that is no client's.</summary>
    public ClientMemory? Client { get; init; }

    /// <summary>Which instances are wanted of each domain; a domain that is not in it is wanted whole.</summary>
    public InstanceProfile Profile { get; init; } = InstanceProfile.All;
}

/// <summary>PCP's instance profile: for each domain all instances but those listed, or only those listed.</summary>
public sealed class InstanceProfile
{
    public static readonly InstanceProfile All = new(true, new Dictionary<InstanceDomainId, InstanceSelection>());

    private readonly bool _allByDefault;
    private readonly IReadOnlyDictionary<InstanceDomainId, InstanceSelection> _domains;

    public InstanceProfile(bool allByDefault, IReadOnlyDictionary<InstanceDomainId, InstanceSelection> domains)
    {
        _allByDefault = allByDefault;
        _domains = domains;
    }

    /// <summary>What is wanted of <paramref name="domain"/>; an agent asks once for each domain, then for each instance.</summary>
    public InstanceSelection For(InstanceDomainId domain) =>
        _domains.TryGetValue(domain, out var selection) ? selection : _allByDefault ? InstanceSelection.Everything : InstanceSelection.Nothing;
}

/// <summary>The wanted instances of one domain.</summary>
public sealed class InstanceSelection
{
    public static readonly InstanceSelection Everything = new(false, []);
    public static readonly InstanceSelection Nothing = new(true, []);

    private readonly bool _onlyListed;
    private readonly HashSet<int> _listed;

    public InstanceSelection(bool onlyListed, IEnumerable<int> listed)
    {
        _onlyListed = onlyListed;
        _listed = [.. listed];
    }

    /// <summary>True when every instance is wanted, so that nothing needs to be compared.</summary>
    public bool IsEverything => !_onlyListed && _listed.Count == 0;

    /// <summary>The wanted ones when they are listed one by one, else null: an agent then reads only these.</summary>
    public IReadOnlyCollection<int>? Listed => _onlyListed ? _listed : null;

    public bool Wants(int instance) => _listed.Contains(instance) == _onlyListed;
}
