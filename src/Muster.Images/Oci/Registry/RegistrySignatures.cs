using System.Globalization;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Oci.Registry;

/// <summary>
/// Puts signatures beside an image that is pushed: cosign's under its tag, bundles as referrers (under the fallback tag where
/// the registry has no such API, distribution-spec "Pushing Manifests with Subject"), simple signing into the lookaside folder.
/// </summary>
internal sealed class RegistrySignatures(RegistryTarget target, MusterRoot root, RegistryReference reference)
{
    /// <summary>Puts all of them; what cannot be put is told.</summary>
    public async Task PutAsync(OciDescriptor image, IReadOnlyList<OciSignature> signatures, Action<string> tell, CancellationToken ct)
    {
        foreach (var signature in signatures.Where(s => s.Carrier is null && s.Scheme != "simple-signing"))
        {
            tell($"the {signature.Scheme} signature of {signature.Location} stays behind, because the manifest that carries it was not kept whole: sign the image there again");
        }

        foreach (var group in signatures.Where(s => s.Carrier is not null).GroupBy(s => s.Carrier!.Manifest.Digest))
        {
            var carrier = group.First().Carrier!;
            foreach (var (descriptor, content) in carrier.Blobs)
            {
                if (!await target.HasBlobAsync(descriptor, ct))
                {
                    await target.PutBlobAsync(descriptor, _ => Task.FromResult<Stream>(new MemoryStream(content.ToArray(), writable: false)), ct);
                }
            }

            await (group.First().Scheme == "cosign" ? PutCosignAsync(image, carrier, ct) : PutReferrerAsync(image, carrier, ct));
        }

        PutSimple(image, [.. signatures.Where(s => s.Scheme == "simple-signing")], tell);
    }

    private async Task PutCosignAsync(OciDescriptor image, OciCarrier carrier, CancellationToken ct)
    {
        // Others may have signed the image there: theirs stay.
        var tag = SignatureManifests.CosignTag(image.Digest);
        var there = await target.TryReadManifestAsync(tag, ct);
        var bytes = there is null ? carrier.Manifest.Bytes : SignatureManifests.Merge(there.Bytes, carrier.Manifest.Bytes);
        if (there is null || !bytes.Span.SequenceEqual(there.Bytes.Span))
        {
            _ = await target.PutManifestAsync(tag, new OciDocument(Digest.Sha256(bytes.Span), MediaTypes.Manifest, bytes), ct);
        }
    }

    private async Task PutReferrerAsync(OciDescriptor image, OciCarrier carrier, CancellationToken ct)
    {
        var listed = await target.PutManifestAsync(carrier.Manifest.Digest.ToString(), carrier.Manifest, ct);
        if (listed)
        {
            return;
        }

        var tag = SignatureManifests.ReferrersTag(image.Digest);
        var there = await target.TryReadManifestAsync(tag, ct);
        var bytes = SignatureManifests.AddReferrer(there?.Bytes, carrier.Manifest);
        if (there is null || !bytes.Span.SequenceEqual(there.Bytes.Span))
        {
            _ = await target.PutManifestAsync(tag, new OciDocument(Digest.Sha256(bytes.Span), MediaTypes.Index, bytes), ct);
        }
    }

    private void PutSimple(OciDescriptor image, IReadOnlyList<OciSignature> signatures, Action<string> tell)
    {
        if (signatures.Count == 0)
        {
            return;
        }

        if (LookasideConfiguration.FindForWriting(root, reference, image.Digest) is not { IsFile: true } place)
        {
            tell($"the simple-signing signature stays behind, because no registries.d names a folder for signatures of {reference.Name}: set lookaside-staging to a file:// address there, and push again");
            return;
        }

        Directory.CreateDirectory(place.LocalPath);
        var there = new List<byte[]>();
        while (there.Count < SignatureManifests.MaxSignatures && File.Exists(Name(there.Count + 1)))
        {
            there.Add(LayoutFiles.Read(Name(there.Count + 1), Http.WebLimits.MaxSmallBytes));
        }

        foreach (var signature in signatures.Where(s => !there.Exists(t => s.Payload.Span.SequenceEqual(t))))
        {
            if (there.Count == SignatureManifests.MaxSignatures)
            {
                tell($"the simple-signing signature stays behind, because {place.LocalPath} has {there.Count} already: remove old ones");
                return;
            }

            there.Add(signature.Payload.ToArray());
            DurableFile.Write(Name(there.Count), signature.Payload.Span, 0x1a4);
        }

        string Name(int number) => Path.Combine(place.LocalPath, "signature-" + number.ToString(CultureInfo.InvariantCulture));
    }
}
