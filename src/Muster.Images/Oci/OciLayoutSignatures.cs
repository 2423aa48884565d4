using System.Text;
using System.Text.Json;
using Muster.Core;

namespace Muster.Images.Oci;

/// <summary>
/// Signatures that a layout holds beside its images: cosign's tag <c>sha256-HEX.sig</c>, and sigstore bundles that name the
/// manifest as their subject (image-spec manifest.md, subject) or stand under the referrers tag <c>sha256-HEX</c>.
/// </summary>
internal static class OciLayoutSignatures
{
    private const string CosignLayer = "application/vnd.dev.cosign.simplesigning.v1+json";
    private const string CosignSignature = "dev.cosignproject.cosign/signature";
    private const string BundlePrefix = "application/vnd.dev.sigstore.bundle.v0.3+json";

    /// <summary>Signatures of one image that are looked at: each costs a public-key operation.</summary>
    private const int MaxSignatures = 64;

    /// <summary>The largest payload or bundle; real ones have a few KiB.</summary>
    private const int MaxPayload = 1 << 20;

    public static async Task<IReadOnlyList<OciSignature>> ReadAsync(OciLayoutSource source, byte[] bytes, Digest manifest, CancellationToken ct)
    {
        var entries = OciDocuments.ReadIndex(new OciDocument(Digest.Sha256(bytes), MediaTypes.Index, bytes));
        var found = new List<OciSignature>();
        foreach (var entry in entries)
        {
            if (entry.ReferenceName == manifest.FileName + ".sig" || entry.ReferenceName == manifest.FileName || entry.ArtifactType == BundlePrefix)
            {
                await AddAsync(source, entry.Descriptor, manifest, entry.ReferenceName == manifest.FileName + ".sig", found, 0, ct);
            }
        }

        return found;
    }

    private static async Task AddAsync(OciLayoutSource source, OciDescriptor descriptor, Digest signed, bool cosign, List<OciSignature> found, int depth, CancellationToken ct)
    {
        var document = await source.ReadDocumentAsync(descriptor, ct);
        if (OciDocuments.IsIndex(document))
        {
            // The referrers tag is an index of manifests; indexes within indexes are not followed.
            foreach (var entry in depth == 0 ? OciDocuments.ReadIndex(document) : [])
            {
                await AddAsync(source, entry.Descriptor, signed, cosign: false, found, depth + 1, ct);
            }

            return;
        }

        using var json = JsonDocument.Parse(document.Bytes);
        var root = json.RootElement;
        var bundle = !cosign && root.TryGetProperty("subject", out var subject) && subject.ValueKind == JsonValueKind.Object
            && subject.TryGetProperty("digest", out var digest) && digest.ValueKind == JsonValueKind.String && digest.GetString() == signed.ToString();
        if ((!cosign && !bundle) || !root.TryGetProperty("layers", out var layers) || layers.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        foreach (var layer in layers.EnumerateArray())
        {
            if (found.Count >= MaxSignatures)
            {
                throw new MusterException(ErrorKind.Exhausted, $"{source.Location} holds more than {MaxSignatures} signatures of {signed}");
            }

            if (await ReadLayerAsync(source, layer.Deserialize(OciJson.Default.OciDescriptorJson), cosign, ct) is { } signature)
            {
                found.Add(signature);
            }
        }
    }

    private static async Task<OciSignature?> ReadLayerAsync(OciLayoutSource source, OciDescriptorJson? json, bool cosign, CancellationToken ct)
    {
        var layer = OciDocuments.Descriptor(json, "signature");
        var expected = cosign ? CosignLayer : BundlePrefix;
        if (layer.MediaType != expected || layer.Size > MaxPayload)
        {
            return null;
        }

        var payload = await source.ReadDocumentAsync(layer, ct);
        if (!cosign)
        {
            return new OciSignature("sigstore-bundle", payload.Bytes, default, source.Location);
        }

        var signature = new byte[4096];
        return json?.Annotations is not null && json.Annotations.TryGetValue(CosignSignature, out var text)
            && text.Length <= 4096 && Convert.TryFromBase64Chars(text, signature, out var length)
                ? new OciSignature("cosign", payload.Bytes, signature.AsMemory(0, length), source.Location)
                : null;
    }
}
