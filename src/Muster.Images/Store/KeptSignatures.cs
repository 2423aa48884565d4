using Muster.Core;
using Muster.Images.Oci;

namespace Muster.Images;

/// <summary>
/// The signatures of an image in the store: small blobs like any other, named by the reference that they let in. What was
/// verified at the fetch can be verified again without the network, and goes along wherever the image goes.
/// </summary>
internal static class KeptSignatures
{
    /// <summary>Signatures kept with one reference: those of an image and of the index that led to it.</summary>
    private const int Most = 64;

    /// <summary>Takes the signatures of manifests or indexes into staging; the records for the reference.</summary>
    public static IReadOnlyList<KeptSignature> Keep(PendingImage pending, IEnumerable<(Digest Signed, OciSignature Signature)> signatures)
    {
        var kept = new List<KeptSignature>();
        foreach (var (signed, signature) in signatures.Take(Most))
        {
            kept.Add(new KeptSignature
            {
                Scheme = signature.Scheme,
                SignedDigest = signed.ToString(),
                Payload = Add(pending, signature.Payload.Span),
                Value = signature.Signature.Length > 0 ? Convert.ToBase64String(signature.Signature.Span) : null,
                Carrier = signature.Carrier is { } carrier ? Add(pending, carrier.Manifest.Bytes.Span) : null,
                CarrierBlobs = signature.Carrier is { } whole ? [.. whole.Blobs.Select(b => Add(pending, b.Content.Span))] : [],
                Location = signature.Location,
            });
        }

        return kept;
    }

    /// <summary>Takes the detached signature of an ACI's file into staging.</summary>
    public static KeptSignature Keep(PendingImage pending, ReadOnlySpan<byte> detached, string location) =>
        new() { Scheme = "openpgp", SignedDigest = pending.Record.Blobs[0], Payload = Add(pending, detached), Location = location };

    /// <summary>The document of the index that was signed, where one was.</summary>
    public static OciDocument? Index(ImageStore store, ReferenceRecord reference) =>
        reference.Index is { } digest ? new OciDocument(Digest.Parse(digest), MediaTypes.Index, Read(store, digest)) : null;

    /// <summary>The kept signatures of a manifest or index, as a registry or layout would give them.</summary>
    /// <exception cref="MusterException">Corrupt when a blob is missing or has other content.</exception>
    public static IReadOnlyList<OciSignature> Of(ImageStore store, ReferenceRecord reference, Digest signed) =>
        [.. reference.Signatures.Where(s => s.Scheme != "openpgp" && s.SignedDigest == signed.ToString()).Select(s => Signature(store, s))];

    /// <summary>The detached signature of an ACI's file; null when there is none.</summary>
    public static byte[]? Detached(ImageStore store, ReferenceRecord reference) =>
        reference.Signatures.FirstOrDefault(s => s.Scheme == "openpgp") is { } kept ? Read(store, kept.Payload) : null;

    /// <summary>The hex digests of the blobs that a reference keeps beside its image's.</summary>
    public static IEnumerable<string> Blobs(ReferenceRecord reference)
    {
        foreach (var signature in reference.Signatures)
        {
            yield return signature.Payload;
            foreach (var blob in signature.CarrierBlobs)
            {
                yield return blob;
            }

            if (signature.Carrier is not null)
            {
                yield return signature.Carrier;
            }
        }

        if (reference.Index is not null)
        {
            yield return reference.Index;
        }
    }

    private static OciSignature Signature(ImageStore store, KeptSignature kept)
    {
        var signature = new OciSignature(kept.Scheme, Read(store, kept.Payload), kept.Value is null ? default(ReadOnlyMemory<byte>) : Value(kept), kept.Location);
        if (kept.Carrier is null)
        {
            return signature;
        }

        var manifest = new OciDocument(Digest.Parse(kept.Carrier), MediaTypes.Manifest, Read(store, kept.Carrier));
        var parts = Oci.Registry.SignatureManifests.Parts(manifest.Bytes)?.ToDictionary(p => p.Digest.ToString(), p => p.MediaType) ?? [];
        return signature with
        {
            Carrier = new OciCarrier(manifest, [.. kept.CarrierBlobs.Select(blob =>
            {
                ReadOnlyMemory<byte> content = Read(store, blob);
                return (new OciDescriptor(parts.GetValueOrDefault(blob, "application/octet-stream"), Digest.Parse(blob), content.Length), content);
            })]),
        };
    }

    private static byte[] Value(KeptSignature kept)
    {
        var bytes = new byte[kept.Value!.Length];
        return Convert.TryFromBase64String(kept.Value, bytes, out var length)
            ? bytes[..length]
            : throw new MusterException(ErrorKind.Corrupt, $"The record of the signature from {kept.Location} is damaged: fetch the image again");
    }

    private static byte[] Read(ImageStore store, string digest)
    {
        using var file = LayoutFiles.TryOpen(store.BlobPath(digest))
            ?? throw new MusterException(ErrorKind.Corrupt, $"The image store lacks the signature {digest}: fetch the image again");
        var content = new byte[Math.Min(file.Length, OciDocuments.MaxBytes)];
        file.ReadExactly(content);
        return Digest.Sha256(content).ToString() == digest
            ? content
            : throw new MusterException(ErrorKind.Corrupt, $"The signature {digest} in the image store is damaged: remove the image with muster image rm, and fetch it again");
    }

    private static string Add(PendingImage pending, ReadOnlySpan<byte> content)
    {
        var digest = Digest.Sha256(content);
        pending.AddBlob(content, digest);
        return digest.ToString();
    }
}
