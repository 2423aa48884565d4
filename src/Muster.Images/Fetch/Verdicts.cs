using Muster.Core;
using Muster.Images.Oci;

namespace Muster.Images;

/// <summary>Where an image's verdict is obtained: the one seam between fetching and trust.</summary>
internal sealed class Verdicts(TimeProvider time)
{
    /// <summary>The verdict of an OCI manifest by the signatures that were found beside it.</summary>
    public TrustRecord Oci(string reference, Digest manifest, IReadOnlyList<OciSignature> signatures) =>
        throw new MusterException(ErrorKind.Forbidden, $"{reference} ({manifest}, {signatures.Count} signatures) is not verified by a trusted key: trust its signer's key with muster trust, or take it unverified with --insecure-options=image");

    /// <summary>The verdict of an ACI by a detached signature; <paramref name="signature"/> is null where there is none.</summary>
    public TrustRecord Detached(string name, Digest file, byte[]? signature, string location) =>
        throw new MusterException(ErrorKind.Forbidden, $"{location} ({name}, {file}) is {(signature is null ? "not signed" : "not verified by a trusted key")}: trust its signer's key with muster trust, or take it unverified with --insecure-options=image");

    /// <summary>The record of what <c>--insecure-options=image</c> lets in.</summary>
    public TrustRecord Insecure(string identity) => new()
    {
        Verdict = TrustVerdict.Insecure,
        Identity = identity,
        JudgedAt = time.GetUtcNow(),
        Reason = "not verified, as --insecure-options=image asked",
    };
}
