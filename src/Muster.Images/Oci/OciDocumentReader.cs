using System.Text.Json;
using Muster.Core;

namespace Muster.Images.Oci;

/// <summary>
/// Reads an index or a manifest member by member. A local layout's index is read at every start of a pod, to see whether a tag has moved,
/// and the serializer would first spend a millisecond on the metadata of these types.
/// </summary>
internal static class OciDocumentReader
{
    /// <summary>The document; null where it is not as it should be, which the serializer explains.</summary>
    public static OciDocumentJson? TryRead(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            var json = document.RootElement;
            return new OciDocumentJson
            {
                SchemaVersion = Present(json, "schemaVersion")?.GetInt32(),
                MediaType = Present(json, "mediaType")?.GetString(),
                ArtifactType = Present(json, "artifactType")?.GetString(),
                Config = Descriptor(Present(json, "config")),
                Layers = Descriptors(Present(json, "layers")),
                Manifests = Descriptors(Present(json, "manifests")),
                Annotations = Texts(Present(json, "annotations")),
            };
        }
        catch (Exception e) when (JsonMembers.IsMisfit(e))
        {
            return null;
        }
    }

    private static JsonElement? Present(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static List<OciDescriptorJson?>? Descriptors(JsonElement? list)
    {
        if (list is not { } json)
        {
            return null;
        }

        var found = new List<OciDescriptorJson?>(json.GetArrayLength());
        foreach (var entry in json.EnumerateArray())
        {
            found.Add(Descriptor(entry.ValueKind == JsonValueKind.Null ? null : entry));
        }

        return found;
    }

    private static OciDescriptorJson? Descriptor(JsonElement? found) => found is not { } json ? null : new OciDescriptorJson
    {
        MediaType = Present(json, "mediaType")?.GetString(),
        Digest = Present(json, "digest")?.GetString(),
        Size = Present(json, "size")?.GetInt64(),
        Platform = Present(json, "platform") is { } platform
            ? new OciPlatformJson { Architecture = Present(platform, "architecture")?.GetString(), Os = Present(platform, "os")?.GetString(), Variant = Present(platform, "variant")?.GetString() }
            : null,
        Annotations = Texts(Present(json, "annotations")),
        ArtifactType = Present(json, "artifactType")?.GetString(),
    };

    private static Dictionary<string, string>? Texts(JsonElement? found)
    {
        if (found is not { } json)
        {
            return null;
        }

        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in json.EnumerateObject())
        {
            texts[member.Name] = member.Value.GetString()!;
        }

        return texts;
    }
}
