using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Core;

namespace Muster.Containers.Metadata;

/// <summary>What the metadata service tells a pod about itself (appc spec/ace.md, "App Container Metadata Service").</summary>
public sealed record MetadataPod
{
    /// <summary>The most addresses and apps of one registration; more is a mistake.</summary>
    public const int MaxEntries = 256;

    public required Guid Pod { get; init; }

    /// <summary>The pod's own addresses without prefix length: only requests from these are answered.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>The pod manifest, told word for word.</summary>
    public required JsonElement Manifest { get; init; }

    public required IReadOnlyList<MetadataApp> Apps { get; init; }

    /// <summary>The address of the host that the pod can reach: the gateway of its first network.</summary>
    public required string ServiceAddress { get; init; }
}

/// <summary>One app of a pod: its name there, its image's id (<c>sha512-…</c>) and manifest.</summary>
public sealed record MetadataApp(string Name, string ImageId, JsonElement ImageManifest);

/// <summary>A registered pod: what is told, plus the secrets that were made for it. <c>run/metadata/pods/UUID.json</c>, for root only.</summary>
internal sealed record Registration
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    public required MetadataPod Pod { get; init; }

    /// <summary>32 hex digits, the first path element of the pod's AC_METADATA_URL.</summary>
    public required string Token { get; init; }

    /// <summary>The key of the pod's HMACs.</summary>
    public required byte[] Key { get; init; }

    /// <summary>The port on <see cref="MetadataPod.ServiceAddress"/>; a service that is started anew listens there again.</summary>
    public required int Port { get; init; }

    [JsonIgnore]
    public string Url => System.Net.IPAddress.Parse(Pod.ServiceAddress) is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } v6
        ? $"http://[{v6}]:{Port}/{Token}"
        : $"http://{Pod.ServiceAddress}:{Port}/{Token}";

    /// <summary>All that is wrong with a registration that came in.</summary>
    public static IReadOnlyList<string> Problems(MetadataPod pod)
    {
        var problems = new List<string>();
        if (pod.Addresses.Count is 0 or > MetadataPod.MaxEntries || pod.Addresses.Any(a => !System.Net.IPAddress.TryParse(a, out _)))
        {
            problems.Add("its addresses are none, too many or no IP addresses");
        }

        if (!System.Net.IPAddress.TryParse(pod.ServiceAddress, out _))
        {
            problems.Add($"\"{pod.ServiceAddress}\" is no IP address");
        }

        if (pod.Apps.Count is 0 or > MetadataPod.MaxEntries || pod.Apps.Any(a => !AcName.IsName(a.Name)) || pod.Apps.Select(a => a.Name).Distinct().Count() != pod.Apps.Count)
        {
            problems.Add("its apps are none, too many or badly named");
        }

        if (pod.Manifest.ValueKind != JsonValueKind.Object || pod.Apps.Any(a => a.ImageManifest.ValueKind != JsonValueKind.Object))
        {
            problems.Add("a manifest is not a JSON object");
        }

        return problems;
    }
}

/// <summary>Source-generated JSON of the registration protocol and of the service's files.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(MetadataPod))]
[JsonSerializable(typeof(Registration))]
internal sealed partial class MetadataJson : JsonSerializerContext;
