using Muster.Core;

namespace Muster.Images.Oci;

/// <summary>Copies an image from any source to any target: blobs first, then signatures, the manifest last; what is there already is skipped.</summary>
public static class OciTransfer
{
    /// <summary>Copies, with the signatures that the source has; returns the manifest.</summary>
    /// <param name="source">Where the image is.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="platform">Which image of an index.</param>
    /// <param name="progress">Told how many bytes are done, or null.</param>
    /// <param name="tell">Told why a signature stays behind.</param>
    /// <param name="sign">Makes further signatures of the manifest, or null. Called before anything is sent, because a key may be missing.</param>
    /// <param name="ct">Stops the copy.</param>
    public static async Task<OciManifest> CopyAsync(IOciSource source, IOciTarget target, OciPlatform platform, Action<long>? progress, Action<string> tell, Func<Digest, CancellationToken, Task<IReadOnlyList<OciSignature>>>? sign, CancellationToken ct)
    {
        var manifest = await OciImporter.SelectAsync(source, platform, ct);
        var made = sign is null ? [] : await sign(manifest.Document.Digest, ct);
        foreach (var blob in manifest.Layers.Append(manifest.Config).DistinctBy(b => b.Digest))
        {
            if (!await target.HasBlobAsync(blob, ct))
            {
                await target.PutBlobAsync(blob, token => source.OpenBlobAsync(blob, 0, token), ct);
            }

            progress?.Invoke(blob.Size);
        }

        // A target names the manifest's type; umoci and others leave it out of the document.
        var type = manifest.Document.MediaType.Length > 0 ? manifest.Document.MediaType : MediaTypes.Manifest;
        var descriptor = new OciDescriptor(type, manifest.Document.Digest, manifest.Document.Bytes.Length);
        await target.PutSignaturesAsync(descriptor, [.. await source.ReadSignaturesAsync(manifest.Document.Digest, ct), .. made], tell, ct);
        await target.PutManifestAsync(manifest.Document with { MediaType = type }, ct);
        return manifest;
    }
}
