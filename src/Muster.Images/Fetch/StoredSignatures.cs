using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Trust;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images;

/// <summary>Verifies the signatures that the store keeps with an image again, by today's keys and without any network.</summary>
public sealed class StoredSignatures
{
    private readonly ImageStore _store;
    private readonly TrustJudge _judge;

    /// <summary>Signatures of <paramref name="store"/>, judged by its root.</summary>
    public StoredSignatures(ImageStore store)
    {
        _store = store;
        _judge = new TrustJudge(store.Root, store.Time);
    }

    /// <summary>
    /// What each kept signature is worth; empty when none was kept. For an App Container image its file is hashed; for an OCI
    /// image the small documents are, and their digests name everything else.
    /// </summary>
    /// <exception cref="MusterException">Forbidden when a policy refuses the image whatever it is signed with; Corrupt for a damaged store.</exception>
    public IReadOnlyList<SignatureOpinion> Examine(StoredImage image, CancellationToken ct)
    {
        if (image.Reference.Signatures.Count == 0)
        {
            return [];
        }

        return image.Record.Kind == ImageKind.Aci ? [Detached(image, ct)] : [.. Oci(image)];
    }

    private IEnumerable<SignatureOpinion> Oci(StoredImage image)
    {
        var name = TrustJudge.AskedAs(image.Reference);
        var manifest = Digest.Parse(image.Record.Blobs[0]);
        foreach (var opinion in _judge.ExamineOci(name, manifest, KeptSignatures.Of(_store, image.Reference, manifest)))
        {
            yield return opinion;
        }

        if (KeptSignatures.Index(_store, image.Reference) is not { } index)
        {
            yield break;
        }

        var named = OciDocuments.ReadIndex(index).Any(e => e.Descriptor.Digest == manifest);
        foreach (var opinion in _judge.ExamineOci(name, index.Digest, KeptSignatures.Of(_store, image.Reference, index.Digest)))
        {
            yield return named || !opinion.Accepted ? opinion : opinion with { Accepted = false, Reason = "it signs an index that does not name this image" };
        }
    }

    private SignatureOpinion Detached(StoredImage image, CancellationToken ct)
    {
        var location = image.Reference.Signatures[0].Location;
        using var file = LayoutFiles.TryOpen(_store.BlobPath(image.Record.Blobs[0]))
            ?? throw new MusterException(ErrorKind.Corrupt, $"The image store lacks the blob of {image.Record.Name}: fetch the image again");
        try
        {
            using var check = OpenPgpSignatureCheck.Begin(KeptSignatures.Detached(_store, image.Reference));
            var buffer = new byte[256 * 1024];
            int length;
            while ((length = file.Read(buffer)) > 0)
            {
                ct.ThrowIfCancellationRequested();
                check.Append(buffer.AsSpan(0, length));
            }

            return _judge.ExamineDetached(image.Record.Name, check, location);
        }
        catch (MusterException e) when (e.Kind == ErrorKind.Invalid)
        {
            return new SignatureOpinion("openpgp", location, false, e.Message);
        }
    }
}
