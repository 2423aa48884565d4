using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Muster.Core;

namespace Muster.Images.Oci.Registry;

/// <summary>
/// Reads the manifests that carry signatures beside an image: cosign's <c>sha256-HEX.sig</c>, sigstore bundles, and the
/// index of referrers (image-spec, "Listing Referrers"). Of use to every source, registry or layout.
/// </summary>
public static class SignatureManifests
{
    /// <summary>A layer that is a simple-signing document of cosign's.</summary>
    public const string SimpleSigningLayer = "application/vnd.dev.cosign.simplesigning.v1+json";

    /// <summary>The beginning of the types of sigstore bundles.</summary>
    public const string BundleType = "application/vnd.dev.sigstore.bundle";

    /// <summary>An image has a handful of signatures; more only cost time.</summary>
    public const int MaxSignatures = 32;

    /// <summary>The annotation of a layer of cosign's that holds the signature of its content, in base64.</summary>
    internal const string SignatureAnnotation = "dev.cosignproject.cosign/signature";

    /// <summary>The tag under which cosign puts signatures: <c>sha256-HEX.sig</c>.</summary>
    public static string CosignTag(Digest manifest) => manifest.FileName + ".sig";

    /// <summary>The tag under which referrers are listed where the registry has no API for it: <c>sha256-HEX</c>.</summary>
    public static string ReferrersTag(Digest manifest) => manifest.FileName;

    /// <summary>The layers of a cosign signature manifest with the signature of each.</summary>
    public static IReadOnlyList<(OciDescriptor Payload, byte[] Signature)> Cosign(ReadOnlyMemory<byte> manifest)
    {
        var found = new List<(OciDescriptor Payload, byte[] Signature)>();
        foreach (var layer in Members(manifest, "layers"))
        {
            if (Descriptor(layer) is { MediaType: SimpleSigningLayer } payload
                && Member(layer, "annotations", JsonValueKind.Object) is { } annotations
                && Text(annotations, SignatureAnnotation) is { } signature && Base64.IsValid(signature))
            {
                found.Add((payload, Convert.FromBase64String(signature)));
            }
        }

        return found;
    }

    /// <summary>The bundles of a manifest that has such layers; none for any other.</summary>
    public static IReadOnlyList<OciDescriptor> Bundles(ReadOnlyMemory<byte> manifest)
    {
        var found = new List<OciDescriptor>();
        foreach (var layer in Members(manifest, "layers"))
        {
            if (Descriptor(layer) is { } bundle && bundle.MediaType.StartsWith(BundleType, StringComparison.Ordinal))
            {
                found.Add(bundle);
            }
        }

        return found;
    }

    /// <summary>Every blob that a manifest names, its configuration first; null when it has one without type, digest or size.</summary>
    public static IReadOnlyList<OciDescriptor>? Parts(ReadOnlyMemory<byte> manifest)
    {
        var layers = Members(manifest, "layers");
        var parts = layers.Select(Descriptor).Prepend(Root(manifest) is { } root && Member(root, "config", JsonValueKind.Object) is { } config ? Descriptor(config) : null).ToList();
        return parts.Contains(null) || layers.Count >= MaxSignatures ? null : [.. parts.Select(p => p!)];
    }

    /// <summary>Whether a name in a layout is that of something beside an image: <c>sha256-HEX</c>, or <c>sha256-HEX.sig</c> and the like.</summary>
    public static bool IsBesideName(string name) =>
        name.Length >= 71 && name.StartsWith("sha256-", StringComparison.Ordinal) && !name.AsSpan(7, 64).ContainsAnyExcept("0123456789abcdef") && (name.Length == 71 || name[71] == '.');

    /// <summary>
    /// The manifest of cosign's tag with the signatures of another such manifest added; the first as it is where nothing is
    /// missing in it.
    /// </summary>
    public static ReadOnlyMemory<byte> Merge(ReadOnlyMemory<byte> there, ReadOnlyMemory<byte> ours)
    {
        var known = Cosign(there).Select(s => (s.Payload.Digest, Convert.ToBase64String(s.Signature))).ToHashSet();
        if (known.Count == 0)
        {
            return ours;
        }

        if (Cosign(ours).All(s => known.Contains((s.Payload.Digest, Convert.ToBase64String(s.Signature)))))
        {
            return there;
        }

        var merged = JsonNode.Parse(there.Span)!.AsObject();
        foreach (var layer in Members(ours, "layers"))
        {
            if (Descriptor(layer) is { } payload && Member(layer, "annotations", JsonValueKind.Object) is { } annotations && Text(annotations, SignatureAnnotation) is { } signature && !known.Contains((payload.Digest, signature)))
            {
                merged["layers"]!.AsArray().Add(JsonNode.Parse(layer.GetRawText()));
            }
        }

        return Encoding.UTF8.GetBytes(merged.ToJsonString());
    }

    /// <summary>An index of referrers with one more; the same as it was where it is listed already. Begins a new one where there is none.</summary>
    public static ReadOnlyMemory<byte> AddReferrer(ReadOnlyMemory<byte>? index, OciDocument referrer)
    {
        if (index is { } there && Referrers(there).Any(r => r.Digest == referrer.Digest))
        {
            return there;
        }

        // What is not an index is begun anew.
        var list = index is { } bytes && Root(bytes) is { ValueKind: JsonValueKind.Object } root ? JsonObject.Create(root) : null;
        var entries = list?["manifests"] as JsonArray;
        if (list is null || entries is null)
        {
            entries = [];
            list = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.Index, ["manifests"] = entries };
        }

        entries.Add((JsonNode)Referrer(referrer));
        return Encoding.UTF8.GetBytes(list.ToJsonString());
    }

    /// <summary>The descriptor under which a referrer is listed: with its artifact type and annotations (image-spec, "Listing Referrers").</summary>
    public static JsonObject Referrer(OciDocument referrer)
    {
        var entry = new JsonObject
        {
            ["mediaType"] = MediaTypes.Manifest,
            ["digest"] = referrer.Digest.ToString(),
            ["size"] = referrer.Bytes.Length,
            ["artifactType"] = BundleType + ".v0.3+json",
        };
        if (Root(referrer.Bytes) is { } manifest)
        {
            if (Text(manifest, "artifactType") is { Length: > 0 } type)
            {
                entry["artifactType"] = type;
            }

            if (Member(manifest, "annotations", JsonValueKind.Object) is { } annotations)
            {
                entry["annotations"] = JsonNode.Parse(annotations.GetRawText());
            }
        }

        return entry;
    }

    /// <summary>
    /// The manifests of a referrers index that may be bundles. Some versions of cosign write a wrong artifactType into the
    /// index, so only what is surely something else is left out.
    /// </summary>
    public static IReadOnlyList<OciDescriptor> Referrers(ReadOnlyMemory<byte> index)
    {
        var found = new List<OciDescriptor>();
        foreach (var item in Members(index, "manifests"))
        {
            var type = Text(item, "artifactType");
            if ((type is null or "application/vnd.oci.empty.v1+json" || type.StartsWith(BundleType, StringComparison.Ordinal)) && Descriptor(item) is { } descriptor)
            {
                found.Add(descriptor);
            }
        }

        return found;
    }

    private static List<JsonElement> Members(ReadOnlyMemory<byte> json, string list) =>
        Root(json) is { } root && Member(root, list, JsonValueKind.Array) is { } items ? [.. items.EnumerateArray().Take(MaxSignatures)] : [];

    /// <summary>Whether a manifest names another as its subject (image-spec manifest.md).</summary>
    public static bool IsAbout(ReadOnlyMemory<byte> manifest, Digest subject) =>
        Root(manifest) is { } root && Member(root, "subject", JsonValueKind.Object) is { } named && Text(named, "digest") == subject.ToString();

    private static JsonElement? Root(ReadOnlyMemory<byte> json)
    {
        try
        {
            return StrictJson.Parse(json, maxDepth: 32);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static OciDescriptor? Descriptor(JsonElement element) =>
        Text(element, "mediaType") is { } type && Digest.TryParse(Text(element, "digest"), out var digest)
        && Member(element, "size", JsonValueKind.Number) is { } size && size.TryGetInt64(out var bytes) && bytes >= 0
            ? new OciDescriptor(type, digest, bytes)
            : null;

    private static JsonElement? Member(JsonElement element, string name, JsonValueKind kind) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == kind ? value : null;

    private static string? Text(JsonElement element, string name) => Member(element, name, JsonValueKind.String)?.GetString();
}
