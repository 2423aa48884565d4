using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Trust;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images;

/// <summary>Where an image's verdict is obtained: the one seam between fetching and trust.</summary>
internal sealed class Verdicts(MusterRoot root, TimeProvider time)
{
    private readonly TrustJudge _judge = new(root, time);

    /// <summary>Refuses what no signature could let in, before anything of it is downloaded.</summary>
    public void BeforeFetch(string reference, IEnumerable<Digest> digests) => _judge.CheckBeforeFetch(reference, digests);

    /// <summary>
    /// The verdict of an OCI manifest by the signatures beside it, or beside the index that led to it: who signs an index
    /// signs every manifest that it names by digest.
    /// </summary>
    public async Task<TrustRecord> OciAsync(PinnedSource source, Digest manifest, CancellationToken ct)
    {
        var index = (await source.ReadRootAsync(ct)).Digest;
        var signatures = await source.ReadSignaturesAsync(index, ct);
        if (index != manifest && !_judge.ExamineOci(source.Location, index, signatures).Any(o => o.Accepted))
        {
            var own = await source.ReadSignaturesAsync(manifest, ct);
            // The refusal that tells most: of the manifest's signatures where it has some, else of the index's.
            if (own.Count > 0 || signatures.Count == 0)
            {
                return _judge.JudgeOci(source.Location, manifest, own);
            }
        }

        return _judge.JudgeOci(source.Location, index, signatures);
    }

    /// <summary>Begins the judgement of an ACI by a detached signature; <paramref name="signature"/> is null where there is none.</summary>
    public DetachedVerdict Begin(byte[]? signature, string location) => new(_judge, signature, location);

    /// <summary>The record of what <c>--insecure-options=image</c> lets in.</summary>
    public TrustRecord Insecure(string reference, string name) => _judge.JudgeInsecure(reference, name);

    /// <summary>Refuses a banned image, now that all of it is known.</summary>
    public void Bans(ImageRecord record) => _judge.CheckBans(record);
}

/// <summary>The judgement of one ACI: sees the file as served, piece by piece, then gives the verdict.</summary>
internal sealed class DetachedVerdict : IDisposable
{
    private readonly TrustJudge _judge;
    private readonly OpenPgpSignatureCheck? _check;

    public DetachedVerdict(TrustJudge judge, byte[]? signature, string location)
    {
        _judge = judge;
        try
        {
            _check = signature is null ? null : OpenPgpSignatureCheck.Begin(signature);
        }
        catch (MusterException e)
        {
            throw new MusterException(ErrorKind.Forbidden, $"The signature of {location} cannot be used ({e.Message}): have it signed again, or accept it unverified with --insecure-options=image", e);
        }
    }

    public void Append(ReadOnlySpan<byte> piece) => _check?.Append(piece);

    /// <summary>The verdict for the image that calls itself <paramref name="name"/>; <paramref name="file"/> is the digest of what was seen.</summary>
    public TrustRecord Finish(string name, Digest file, string location) => _judge.JudgeDetached(name, file, _check, location);

    public void Dispose() => _check?.Dispose();
}

/// <summary>
/// A source whose root document is read once: what was chosen, judged and imported is then the same document, even if the
/// place changes in between.
/// </summary>
internal sealed class PinnedSource(IOciSource source) : IOciSource
{
    private OciDocument? _root;

    public string Location => source.Location;

    public async Task<OciDocument> ReadRootAsync(CancellationToken ct) => _root ??= await source.ReadRootAsync(ct);

    public Task<OciDocument> ReadDocumentAsync(OciDescriptor descriptor, CancellationToken ct) => source.ReadDocumentAsync(descriptor, ct);

    public Task<Stream> OpenBlobAsync(OciDescriptor descriptor, long offset, CancellationToken ct) => source.OpenBlobAsync(descriptor, offset, ct);

    public Task<IReadOnlyList<OciSignature>> ReadSignaturesAsync(Digest manifest, CancellationToken ct) => source.ReadSignaturesAsync(manifest, ct);

    public ValueTask DisposeAsync() => source.DisposeAsync();
}
