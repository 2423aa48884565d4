using Muster.Core;
using Muster.Images.Oci;

namespace Muster.Images;

/// <summary>Where an image's verdict is obtained: the one seam between fetching and trust.</summary>
internal sealed class Verdicts(TimeProvider time)
{
    /// <summary>The verdict of an OCI manifest by the signatures that were found beside it.</summary>
    public TrustRecord Oci(string reference, Digest manifest, IReadOnlyList<OciSignature> signatures) =>
        throw new MusterException(ErrorKind.Forbidden, $"{reference} ({manifest}, {signatures.Count} signatures) is not verified by a trusted key: trust its signer's key with muster trust, or take it unverified with --insecure-options=image");

    /// <summary>Begins the judgement of an ACI by a detached signature; <paramref name="signature"/> is null where there is none.</summary>
    public DetachedVerdict Begin(byte[]? signature) => new(signature);

    /// <summary>The record of what <c>--insecure-options=image</c> lets in.</summary>
    public TrustRecord Insecure(string identity) => new()
    {
        Verdict = TrustVerdict.Insecure,
        Identity = identity,
        JudgedAt = time.GetUtcNow(),
        Reason = "not verified, as --insecure-options=image asked",
    };
}

/// <summary>The judgement of one ACI: sees the file as served, piece by piece, then gives the verdict.</summary>
internal sealed class DetachedVerdict(byte[]? signature) : IDisposable
{
    private long _bytes;

    public void Append(ReadOnlySpan<byte> piece) => _bytes += piece.Length;

    /// <summary>The verdict for the image that calls itself <paramref name="name"/>; <paramref name="file"/> is the digest of what was seen.</summary>
    public TrustRecord Finish(string name, Digest file, string location) =>
        throw new MusterException(ErrorKind.Forbidden, $"{location} ({name}, {file}, {_bytes} bytes) is {(signature is null ? "not signed" : "not verified by a trusted key")}: trust its signer's key with muster trust, or take it unverified with --insecure-options=image");

    public void Dispose()
    {
    }
}
