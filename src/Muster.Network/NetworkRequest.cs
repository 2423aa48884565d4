using System.Text.Json.Serialization;
using Muster.Core;

namespace Muster.Network;

/// <summary>What a pod asks of the network; <c>host</c> networking never gets here.</summary>
public sealed record NetworkRequest
{
    public required Guid Pod { get; init; }

    /// <summary>The pod's name: its DNS name on managed networks.</summary>
    public required string PodName { get; init; }

    /// <summary>The apps' names: <c>APP.POD</c> in DNS.</summary>
    public required IReadOnlyList<string> AppNames { get; init; }

    public required IReadOnlyList<NetworkChoice> Networks { get; init; }

    public IReadOnlyList<PortMapping> Ports { get; init => field = value ?? []; } = [];

    /// <summary>What each interface takes, and what it gives, at the most: bytes of whole frames; null for no limit.</summary>
    public long? BytesPerSecond { get; init; }
}

/// <summary>One network to join: <c>default</c>, <c>none</c> (loopback only) or one defined in <c>net.d</c>, with arguments such as IP=10.1.2.3.</summary>
public sealed record NetworkChoice(string Name, IReadOnlyDictionary<string, string> Arguments);

/// <summary>A port of the host that leads to a port of the pod. Protocol is <c>tcp</c> or <c>udp</c>; no host address means all.</summary>
public sealed record PortMapping(string? Name, string Protocol, string? HostAddress, int HostPort, int PodPort);

/// <summary>What a pod got: <c>network.json</c> in the pod directory.</summary>
public sealed record PodNetworkState
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>The bind-mounted namespace file that the bundle names.</summary>
    public required string NamespacePath { get; init; }

    public IReadOnlyList<PodInterface> Interfaces { get; init => field = value ?? []; } = [];

    public IReadOnlyList<PortMapping> Ports { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Nameservers { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> SearchDomains { get; init => field = value ?? []; } = [];
}

/// <summary>One interface of a pod: addresses in CIDR form, gateways without.</summary>
public sealed record PodInterface(string Network, string Name, string? HostName, string Mac, IReadOnlyList<string> Addresses, IReadOnlyList<string> Gateways);

/// <summary>Source-generated JSON of <c>network.json</c>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PodNetworkState))]
public sealed partial class NetworkJson : JsonSerializerContext
{
    /// <summary>The text of <c>network.json</c>, without making the metadata of its types.</summary>
    public static byte[] Bytes(PodNetworkState state) => JsonText.Bytes(state, Default.PodNetworkStateSerializeHandler);
}
