using System.Text.Json.Serialization;

namespace Muster.Images;

/// <summary>What <c>trees/ID/tree.json</c> says.</summary>
public sealed record TreeRecord
{
    public int Version { get; init; } = 1;

    public required string Id { get; init; }

    /// <summary><c>oci</c> (a layer, with overlayfs's marks), <c>aci</c> (one image's own files) or <c>rendered</c> (ACI with dependencies).</summary>
    public required string Kind { get; init; }

    /// <summary>The blob that it was unpacked from (<c>sha256:HEX</c>); null for a rendered one.</summary>
    public string? Blob { get; init; }

    /// <summary>The images that a rendered tree was made of, topmost first.</summary>
    public IReadOnlyList<string> Images { get; init => field = value ?? []; } = [];

    /// <summary>Directories that an ACI has only as parents of other entries; bytes as Latin-1.</summary>
    public IReadOnlyList<string> ImplicitFolders { get; init => field = value ?? []; } = [];

    /// <summary>Sum of the files' sizes.</summary>
    public long Bytes { get; init; }
}

/// <summary>Source-generated JSON of the store's own files: unknown members are refused, they mean a newer format.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ImageRecord))]
[JsonSerializable(typeof(ReferenceRecord))]
[JsonSerializable(typeof(TreeRecord))]
[JsonSerializable(typeof(System.Text.Json.JsonElement))]
public sealed partial class StoreJson : JsonSerializerContext;
