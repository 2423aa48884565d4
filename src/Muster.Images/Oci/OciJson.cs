using System.Text.Json;
using System.Text.Json.Serialization;

namespace Muster.Images.Oci;

/// <summary>The media types of OCI image-spec 1.1 and of Docker's schema 2 that stand for the same things.</summary>
public static class MediaTypes
{
    public const string Index = "application/vnd.oci.image.index.v1+json";
    public const string Manifest = "application/vnd.oci.image.manifest.v1+json";
    public const string Config = "application/vnd.oci.image.config.v1+json";
    public const string LayerTar = "application/vnd.oci.image.layer.v1.tar";
    public const string LayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    public const string LayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
    public const string DockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";
    public const string DockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// <summary>OCI's name for a layer type of Docker; others as they are.</summary>
    public static string OciLayer(string type) => type switch
    {
        DockerLayerGzip => LayerGzip,
        "application/vnd.docker.image.rootfs.diff.tar" => LayerTar,
        "application/vnd.docker.image.rootfs.diff.tar.zstd" => LayerZstd,
        _ => type,
    };

    /// <summary>True for an index of OCI or Docker.</summary>
    public static bool IsIndex(string mediaType) => mediaType is Index or DockerIndex;
}

/// <summary>A descriptor as image-spec descriptor.md has it.</summary>
public sealed record OciDescriptorJson
{
    public string? MediaType { get; init; }

    public string? Digest { get; init; }

    public long? Size { get; init; }

    public OciPlatformJson? Platform { get; init; }

    public Dictionary<string, string>? Annotations { get; init; }

    public string? ArtifactType { get; init; }
}

/// <summary>A platform as image-spec image-index.md has it.</summary>
public sealed record OciPlatformJson
{
    public string? Architecture { get; init; }

    public string? Os { get; init; }

    public string? Variant { get; init; }
}

/// <summary>An index or a manifest: read together, because documents without a media type tell by their members which they are.</summary>
public sealed record OciDocumentJson
{
    public int? SchemaVersion { get; init; }

    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public OciDescriptorJson? Config { get; init; }

    public List<OciDescriptorJson?>? Layers { get; init; }

    public List<OciDescriptorJson?>? Manifests { get; init; }

    public Dictionary<string, string>? Annotations { get; init; }
}

/// <summary>An image configuration as image-spec config.md has it.</summary>
public sealed record OciConfigJson
{
    public string? Created { get; init; }

    public string? Architecture { get; init; }

    public string? Variant { get; init; }

    public string? Os { get; init; }

    public OciProcessJson? Config { get; init; }

    public OciRootFsJson? Rootfs { get; init; }

    public List<OciHistoryJson>? History { get; init; }
}

/// <summary>The members that Docker wrote with capitals and OCI kept.</summary>
public sealed record OciProcessJson
{
    [JsonPropertyName("User")]
    public string? User { get; init; }

    [JsonPropertyName("ExposedPorts")]
    public Dictionary<string, JsonElement>? ExposedPorts { get; init; }

    [JsonPropertyName("Env")]
    public List<string>? Env { get; init; }

    [JsonPropertyName("Entrypoint")]
    public List<string>? Entrypoint { get; init; }

    [JsonPropertyName("Cmd")]
    public List<string>? Cmd { get; init; }

    [JsonPropertyName("Volumes")]
    public Dictionary<string, JsonElement>? Volumes { get; init; }

    [JsonPropertyName("WorkingDir")]
    public string? WorkingDir { get; init; }

    [JsonPropertyName("Labels")]
    public Dictionary<string, string>? Labels { get; init; }

    [JsonPropertyName("StopSignal")]
    public string? StopSignal { get; init; }
}

public sealed record OciRootFsJson
{
    public string? Type { get; init; }

    [JsonPropertyName("diff_ids")]
    public List<string>? DiffIds { get; init; }
}

public sealed record OciHistoryJson
{
    public string? Created { get; init; }

    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    public string? Comment { get; init; }

    [JsonPropertyName("empty_layer")]
    public bool? EmptyLayer { get; init; }
}

/// <summary>The file <c>oci-layout</c> (image-spec image-layout.md).</summary>
public sealed record OciLayoutJson
{
    public string? ImageLayoutVersion { get; init; }
}

/// <summary>Source-generated JSON of OCI's documents: a foreign protocol, so unknown members are ignored.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OciDocumentJson))]
[JsonSerializable(typeof(OciConfigJson))]
[JsonSerializable(typeof(OciLayoutJson))]
public sealed partial class OciJson : JsonSerializerContext;
