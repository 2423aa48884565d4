using System.Buffers.Text;
using System.Text.Json;
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

    private const string SignatureAnnotation = "dev.cosignproject.cosign/signature";

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

    private static List<JsonElement> Members(ReadOnlyMemory<byte> json, string list)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
            return Member(document.RootElement, list, JsonValueKind.Array) is { } items
                ? [.. items.EnumerateArray().Take(MaxSignatures).Select(i => i.Clone())]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static OciDescriptor? Descriptor(JsonElement element) =>
        Text(element, "mediaType") is { } type && Digest.TryParse(Text(element, "digest"), out var digest)
        && Member(element, "size", JsonValueKind.Number) is { } size && size.TryGetInt64(out var bytes) && bytes >= 0
            ? new OciDescriptor(type, digest, bytes)
            : null;

    private static JsonElement? Member(JsonElement element, string name, JsonValueKind kind)
    {
        try
        {
            return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == kind ? value : null;
        }
        catch (InvalidOperationException)
        {
            // A name with half a surrogate pair passes the parser and fails when names are compared.
            return null;
        }
    }

    private static string? Text(JsonElement element, string name)
    {
        try
        {
            return Member(element, name, JsonValueKind.String)?.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
