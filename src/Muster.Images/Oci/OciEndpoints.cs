using Muster.Core;

namespace Muster.Images.Oci;

/// <summary>A manifest or index as it was read: the bytes that the digest covers and the media type given with them.</summary>
public sealed record OciDocument(Digest Digest, string MediaType, ReadOnlyMemory<byte> Bytes);

/// <summary>What a descriptor says (image-spec descriptor.md): the size is checked together with the digest.</summary>
public sealed record OciDescriptor(string MediaType, Digest Digest, long Size);

/// <summary>A signature found beside a manifest, not yet judged.</summary>
/// <param name="Scheme"><c>simple-signing</c>, <c>cosign</c> or <c>sigstore-bundle</c>.</param>
/// <param name="Payload">The signed bytes; for simple signing the whole OpenPGP message.</param>
/// <param name="Signature">The raw signature; empty for simple signing, whose message holds it.</param>
/// <param name="Location">Where it was found, for messages.</param>
public sealed record OciSignature(string Scheme, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> Signature, string Location)
{
    /// <summary>The manifest that carries it, whole; null for simple signing, and where it is incomplete or too large to be kept.</summary>
    public OciCarrier? Carrier { get; init; }
}

/// <summary>A manifest beside an image that carries signatures of it, with every blob that it names.</summary>
public sealed record OciCarrier(OciDocument Manifest, IReadOnlyList<(OciDescriptor Descriptor, ReadOnlyMemory<byte> Content)> Blobs);

/// <summary>Signatures that a place would not show.</summary>
/// <param name="Clause">Who refused what, for messages.</param>
/// <param name="IsAll">Whether that place showed none at all.</param>
public sealed record UnreadSignatures(string Clause, bool IsAll);

/// <summary>A place that OCI images are read from: a layout, an archive, a registry. One source stands for one reference.</summary>
public interface IOciSource : IAsyncDisposable
{
    /// <summary>The reference for messages and records.</summary>
    string Location { get; }

    /// <summary>The document that the reference names: a manifest or an index.</summary>
    Task<OciDocument> ReadRootAsync(CancellationToken ct);

    /// <summary>A manifest or index by digest, verified, of at most 4 MiB.</summary>
    Task<OciDocument> ReadDocumentAsync(OciDescriptor descriptor, CancellationToken ct);

    /// <summary>The content from <paramref name="offset"/> on. The caller checks size and digest.</summary>
    Task<Stream> OpenBlobAsync(OciDescriptor descriptor, long offset, CancellationToken ct);

    /// <summary>Every signature that the place holds for a manifest; none is an empty list.</summary>
    Task<IReadOnlyList<OciSignature>> ReadSignaturesAsync(Digest manifest, CancellationToken ct);

    /// <summary>What <see cref="ReadSignaturesAsync"/> was refused; null where it saw all.</summary>
    UnreadSignatures? Unread => null;
}

/// <summary>A place that OCI images are written to.</summary>
public interface IOciTarget : IAsyncDisposable
{
    string Location { get; }

    /// <summary>Whether the content is there already, so that it need not be sent.</summary>
    Task<bool> HasBlobAsync(OciDescriptor descriptor, CancellationToken ct);

    /// <summary>Writes content; <paramref name="open"/> may be called again for a retry.</summary>
    Task PutBlobAsync(OciDescriptor descriptor, Func<CancellationToken, Task<Stream>> open, CancellationToken ct);

    /// <summary>
    /// Writes signatures of the image beside where it will be; what the place cannot hold is told in a sentence each to
    /// <paramref name="tell"/>. Called before the image's manifest is written, so that nobody finds it unsigned.
    /// </summary>
    Task PutSignaturesAsync(OciDescriptor image, IReadOnlyList<OciSignature> signatures, Action<string> tell, CancellationToken ct);

    /// <summary>Writes the manifest last, under the target's own reference.</summary>
    Task PutManifestAsync(OciDocument manifest, CancellationToken ct);
}
