using Muster.Core;
using Muster.Images.Http;
using Muster.Images.Oci.Registry;

namespace Muster.Images.Oci;

/// <summary>
/// Reads the signatures of one manifest that carries them, together with all of that manifest, so that it can be kept and
/// put beside the image in another place just as it came.
/// </summary>
internal static class SignatureCarriers
{
    /// <summary>What one carrier may have in all: 32 bundles of the usual size have a tenth of it.</summary>
    private const int MaxBytes = 4 << 20;

    /// <summary>The signatures of a carrier; none when it carries no such ones.</summary>
    /// <param name="document">The carrying manifest.</param>
    /// <param name="cosign">Whether it is one of cosign's tags, which are read otherwise than bundles.</param>
    /// <param name="location">Where it was found, for messages.</param>
    /// <param name="read">Reads a verified blob of at most 1 MiB.</param>
    /// <param name="ct">Stops the reading.</param>
    public static async Task<IReadOnlyList<OciSignature>> ReadAsync(OciDocument document, bool cosign, string location, Func<OciDescriptor, CancellationToken, Task<ReadOnlyMemory<byte>>> read, CancellationToken ct)
    {
        IEnumerable<(OciDescriptor Payload, byte[] Signature)> carried = cosign
            ? SignatureManifests.Cosign(document.Bytes)
            : SignatureManifests.Bundles(document.Bytes).Select(b => (b, Array.Empty<byte>()));
        var blobs = new Dictionary<Digest, ReadOnlyMemory<byte>>();
        var found = new List<OciSignature>();
        foreach (var (payload, signature) in carried)
        {
            if (payload.Size <= WebLimits.MaxSmallBytes)
            {
                var content = blobs[payload.Digest] = blobs.TryGetValue(payload.Digest, out var known) ? known : await read(payload, ct);
                found.Add(new OciSignature(cosign ? "cosign" : "sigstore-bundle", content, signature, location));
            }
        }

        if (found.Count == 0)
        {
            return [];
        }

        var carrier = await CompleteAsync(document, blobs, read, ct);
        return [.. found.Select(f => f with { Carrier = carrier })];
    }

    // The rest of the manifest: its configuration, and layers that are something else.
    private static async Task<OciCarrier?> CompleteAsync(OciDocument document, Dictionary<Digest, ReadOnlyMemory<byte>> blobs, Func<OciDescriptor, CancellationToken, Task<ReadOnlyMemory<byte>>> read, CancellationToken ct)
    {
        var parts = SignatureManifests.Parts(document.Bytes);
        if (parts is null || parts.Any(p => p.Size > WebLimits.MaxSmallBytes) || parts.DistinctBy(p => p.Digest).Sum(p => p.Size) > MaxBytes)
        {
            return null;
        }

        try
        {
            foreach (var part in parts)
            {
                if (!blobs.ContainsKey(part.Digest))
                {
                    blobs[part.Digest] = await read(part, ct);
                }
            }
        }
        catch (MusterException e) when (e.Kind is ErrorKind.NotFound or ErrorKind.Corrupt or ErrorKind.Invalid)
        {
            // The signature holds without it; it can only not be carried on.
            return null;
        }

        return new OciCarrier(document, [.. parts.DistinctBy(p => p.Digest).Select(p => (p, blobs[p.Digest]))]);
    }
}
