using Muster.Core;
using Muster.Images.Http;
using Muster.Images.Oci.Registry;

namespace Muster.Images.Oci;

/// <summary>
/// Signatures that a layout holds beside its images: cosign's tag <c>sha256-HEX.sig</c>, and sigstore bundles that name the
/// manifest as their subject (image-spec manifest.md, subject) or stand under the referrers tag <c>sha256-HEX</c>.
/// </summary>
internal static class OciLayoutSignatures
{
    public static async Task<IReadOnlyList<OciSignature>> ReadAsync(OciLayoutSource source, byte[] bytes, Digest manifest, CancellationToken ct)
    {
        var found = new List<OciSignature>();
        foreach (var entry in OciDocuments.ReadIndex(new OciDocument(Digest.Sha256(bytes), MediaTypes.Index, bytes)))
        {
            if (entry.ReferenceName == SignatureManifests.CosignTag(manifest))
            {
                found.AddRange(await ReadAsync(source, await source.ReadDocumentAsync(entry.Descriptor, ct), cosign: true, ct));
            }
            else if (entry.ReferenceName == SignatureManifests.ReferrersTag(manifest) || entry.ArtifactType?.StartsWith(SignatureManifests.BundleType, StringComparison.Ordinal) == true)
            {
                await AddBundlesAsync(source, entry.Descriptor, manifest, found, ct);
            }

            if (found.Count > SignatureManifests.MaxSignatures)
            {
                throw new MusterException(ErrorKind.Exhausted, $"{source.Location} holds more than {SignatureManifests.MaxSignatures} signatures of {manifest}");
            }
        }

        return found;
    }

    private static async Task AddBundlesAsync(OciLayoutSource source, OciDescriptor descriptor, Digest signed, List<OciSignature> found, CancellationToken ct)
    {
        // The referrers tag is an index of manifests; indexes within indexes are not followed.
        var document = await source.ReadDocumentAsync(descriptor, ct);
        foreach (var referrer in OciDocuments.IsIndex(document) ? SignatureManifests.Referrers(document.Bytes) : [descriptor])
        {
            var carrier = referrer.Digest == document.Digest ? document : await source.ReadDocumentAsync(referrer, ct);
            if (SignatureManifests.IsAbout(carrier.Bytes, signed))
            {
                found.AddRange(await ReadAsync(source, carrier, cosign: false, ct));
            }
        }
    }

    private static Task<IReadOnlyList<OciSignature>> ReadAsync(OciLayoutSource source, OciDocument carrier, bool cosign, CancellationToken ct) =>
        SignatureCarriers.ReadAsync(carrier, cosign, source.Location, async (part, token) => part.Size <= WebLimits.MaxSmallBytes
            ? (await source.ReadDocumentAsync(part, token)).Bytes
            : throw new MusterException(ErrorKind.Exhausted, $"{source.Location}: the signature {part.Digest} has {part.Size} bytes, more than {WebLimits.MaxSmallBytes}"), ct);
}
