using Muster.Core;

namespace Muster.Images.Oci;

/// <summary>Copies an image from any source to any target, blobs first and the manifest last, skipping what is there already.</summary>
public static class OciTransfer
{
    /// <summary>Copies; returns the manifest.</summary>
    public static async Task<OciManifest> CopyAsync(IOciSource source, IOciTarget target, OciPlatform platform, Action<long>? progress, CancellationToken ct)
    {
        var manifest = await OciImporter.SelectAsync(source, platform, ct);
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
        await target.PutManifestAsync(manifest.Document with { MediaType = type }, ct);
        return manifest;
    }
}
