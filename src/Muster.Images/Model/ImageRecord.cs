using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Core;

namespace Muster.Images;

/// <summary>Which format an image came in.</summary>
public enum ImageKind
{
    /// <summary>App Container Image; its id is <c>sha512-HEX</c> of the uncompressed tar.</summary>
    Aci,

    /// <summary>OCI or Docker image; its id is <c>sha256-HEX</c> of the manifest.</summary>
    Oci,
}

/// <summary>An image as the store keeps it: everything a pod needs to know, so that starting one opens no blob.</summary>
public sealed record ImageRecord
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary><c>sha512-HEX</c> (ACI) or <c>sha256-HEX</c> (OCI manifest), whole.</summary>
    public required string Id { get; init; }

    public required ImageKind Kind { get; init; }

    /// <summary>The name that the image gives itself (ACI manifest name), or the repository it was read from.</summary>
    public required string Name { get; init; }

    /// <summary>The version label, or the tag.</summary>
    public string? VersionLabel { get; init; }

    public IReadOnlyList<NameValue> Labels { get; init => field = value ?? []; } = [];

    public IReadOnlyList<NameValue> Annotations { get; init => field = value ?? []; } = [];

    public required AppTemplate App { get; init; }

    /// <summary>The ids of the trees that make the root, topmost first; each is a folder below <c>images/trees</c>.</summary>
    public required IReadOnlyList<string> Trees { get; init; }

    /// <summary>Digests (<c>sha256:HEX</c>) of every blob kept for this image: manifest first, then configuration, then layers bottom first; the one ACI blob for ACI.</summary>
    public required IReadOnlyList<string> Blobs { get; init; }

    /// <summary>Ids of the images this one depends on (ACI dependencies), flattened.</summary>
    public IReadOnlyList<string> Dependencies { get; init => field = value ?? []; } = [];

    public string Os { get; init => field = value ?? "linux"; } = "linux";

    /// <summary>In OCI's words: <c>amd64</c>, <c>arm64</c>.</summary>
    public string Architecture { get; init => field = value ?? "amd64"; } = "amd64";

    public required DateTimeOffset ImportedAt { get; init; }

    /// <summary>Bytes of the blobs as stored.</summary>
    public long BlobBytes { get; init; }

    /// <summary>Bytes of the trees unpacked.</summary>
    public long TreeBytes { get; init; }

    /// <summary>The manifest as the image has it: ACI's ImageManifest or OCI's image manifest.</summary>
    public required JsonElement Manifest { get; init; }

    /// <summary>OCI's image configuration; absent for ACI.</summary>
    public JsonElement? Configuration { get; init; }
}

/// <summary>A name under which an image can be found, and why it was let in: a small file in <c>images/refs</c>.</summary>
public sealed record ReferenceRecord
{
    /// <summary>The reference as normalised: <c>docker://host/repository:tag</c>, <c>example.com/app:1.0</c>, <c>oci:/dir:tag</c>, …</summary>
    public required string Reference { get; init; }

    /// <summary>The image's id.</summary>
    public required string Image { get; init; }

    public required TrustRecord Trust { get; init; }

    public required DateTimeOffset FetchedAt { get; init; }

    /// <summary>The signatures found at the fetch, whoever made them; none where the image was let in unverified or built here.</summary>
    public IReadOnlyList<KeptSignature> Signatures { get; init => field = value ?? []; } = [];

    /// <summary>The digest of the index that led to the image, where that one is signed; its document is kept as a blob.</summary>
    public string? Index { get; init; }

    /// <summary>What the place said of the content's state, to tell without reading it that nothing has changed: a file's times, an ETag.</summary>
    public string? Stamp { get; init; }
}

/// <summary>A signature kept with a reference; its parts are blobs of the store.</summary>
public sealed record KeptSignature
{
    /// <summary><c>openpgp</c>, <c>simple-signing</c>, <c>cosign</c>, <c>sigstore-bundle</c>.</summary>
    public required string Scheme { get; init; }

    /// <summary>The digest of what it covers: a manifest, an index, an ACI's file as it came.</summary>
    public required string SignedDigest { get; init; }

    /// <summary>The blob with the signed document, the bundle or the detached signature.</summary>
    public required string Payload { get; init; }

    /// <summary>cosign's raw signature of the payload, base64; null for the other schemes.</summary>
    public string? Value { get; init; }

    /// <summary>The blob with the manifest that carries it in a registry; null where there is none.</summary>
    public string? Carrier { get; init; }

    /// <summary>The blobs that the carrier names.</summary>
    public IReadOnlyList<string> CarrierBlobs { get; init => field = value ?? []; } = [];

    /// <summary>Where it was found.</summary>
    public required string Location { get; init; }
}

/// <summary>Why an image was let in.</summary>
public enum TrustVerdict
{
    /// <summary>A valid signature by a trusted key.</summary>
    [JsonStringEnumMemberName("signed")]
    Signed,

    /// <summary>Built in this root by <c>image build</c>.</summary>
    [JsonStringEnumMemberName("built")]
    Built,

    /// <summary>Let in unverified by <c>--insecure-options=image</c>.</summary>
    [JsonStringEnumMemberName("insecure")]
    Insecure,
}

/// <summary>What the reference records of the signature; judged again against today's keys at every prepare and run.</summary>
public sealed record TrustRecord
{
    public required TrustVerdict Verdict { get; init; }

    /// <summary><c>openpgp</c>, <c>simple-signing</c>, <c>cosign</c>, <c>sigstore-bundle</c>; null where nothing was verified.</summary>
    public string? Scheme { get; init; }

    /// <summary>The signer's user id, or the key file's name.</summary>
    public string? Signer { get; init; }

    /// <summary>Primary-key fingerprint (40 or 64 hex digits), or sha256 of the SubjectPublicKeyInfo.</summary>
    public string? Key { get; init; }

    /// <summary>The fingerprint of the OpenPGP key or subkey that signed; null for other schemes.</summary>
    public string? SigningKey { get; init; }

    /// <summary>The digest that the signature covers, <c>algorithm:hex</c>.</summary>
    public string? SignedDigest { get; init; }

    /// <summary>The identity (image name, docker reference) that the signature names or that was asked for: keys are looked up by its prefix.</summary>
    public string? Identity { get; init; }

    public DateTimeOffset? SignedAt { get; init; }

    public DateTimeOffset JudgedAt { get; init; }

    /// <summary>One sentence: why it was accepted.</summary>
    public string? Reason { get; init; }
}

/// <summary>An image together with the reference under which it was found.</summary>
public sealed record StoredImage(ImageRecord Record, ReferenceRecord Reference);
