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
    public async Task<OciVerdict> OciAsync(PinnedSource source, Digest manifest, CancellationToken ct)
    {
        var named = await source.ReadRootAsync(ct);
        return await OciAsync(source.Location, named.Digest == manifest ? null : named, manifest, source.ReadSignaturesAsync, () => source.Unread?.Clause, ct);
    }

    /// <summary>The same for an image that another store kept with its signatures, by the name under which that store has it.</summary>
    public Task<OciVerdict> KeptAsync(ImageStore store, StoredImage image, CancellationToken ct)
    {
        var manifest = Digest.Parse(image.Record.Blobs[0]);
        var index = KeptSignatures.Index(store, image.Reference);
        var names = index is not null && OciDocuments.ReadIndex(index).Any(e => e.Descriptor.Digest == manifest);
        return OciAsync(TrustJudge.AskedAs(image.Reference), names ? index : null, manifest, (digest, _) => Task.FromResult(KeptSignatures.Of(store, image.Reference, digest)), () => null, ct);
    }

    private async Task<OciVerdict> OciAsync(string location, OciDocument? index, Digest manifest, Func<Digest, CancellationToken, Task<IReadOnlyList<OciSignature>>> read, Func<string?> unread, CancellationToken ct)
    {
        var own = await read(manifest, ct);
        if (index is null)
        {
            return new OciVerdict(_judge.JudgeOci(location, manifest, own, unread()), [.. own.Select(s => (manifest, s))], null);
        }

        // Both are kept: another place may trust other keys, or have the manifest without its index.
        var signatures = await read(index.Digest, ct);
        var byIndex = _judge.ExamineOci(location, index.Digest, signatures).Any(o => o.Accepted);
        // The refusal that tells most: of the manifest's signatures where it has some, else of the index's.
        var trust = !byIndex && (own.Count > 0 || signatures.Count == 0) ? _judge.JudgeOci(location, manifest, own, unread()) : _judge.JudgeOci(location, index.Digest, signatures, unread());
        return new OciVerdict(trust, [.. own.Select(s => (manifest, s)), .. signatures.Select(s => (index.Digest, s))], signatures.Count > 0 ? index : null);
    }

    /// <summary>Begins the judgement of an ACI by a detached signature; <paramref name="signature"/> is null where there is none.</summary>
    public DetachedVerdict Begin(byte[]? signature, string location) => new(_judge, signature, location);

    /// <summary>The record of what <c>--insecure-options=image</c> lets in.</summary>
    public TrustRecord Insecure(string reference, string name) => _judge.JudgeInsecure(reference, name);

    /// <summary>Why an image of the store would be refused today; null when it would run.</summary>
    public string? RefusalToday(StoredImage image) => _judge.RefusalToday(image);

    /// <summary>Refuses a banned image, now that all of it is known.</summary>
    public void Bans(ImageRecord record) => _judge.CheckBans(record);
}

/// <summary>A verdict with the signatures that were found, each with the digest that it covers, and the index where that one is signed.</summary>
internal sealed record OciVerdict(TrustRecord Trust, IReadOnlyList<(Digest Signed, OciSignature Signature)> Signatures, OciDocument? Index);

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

    public UnreadSignatures? Unread => source.Unread;

    public ValueTask DisposeAsync() => source.DisposeAsync();
}
