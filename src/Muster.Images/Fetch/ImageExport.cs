using Muster.Core;
using Muster.Images.Aci;
using Muster.Images.Archives;
using Muster.Images.Oci;
using Muster.Images.Trust.Signing;
using Muster.Linux;

namespace Muster.Images;

/// <summary>Takes an image of the store to a file, a layout, another root or a registry, as OCI or as ACI.</summary>
public sealed class ImageExport
{
    private readonly ImageStore _store;

    /// <summary>Exports from <paramref name="store"/>.</summary>
    public ImageExport(ImageStore store) => _store = store;

    /// <summary>What signs an image that goes to a registry, beside the signatures that it has.</summary>
    public IReadOnlyList<IImageSigner> Signers { get; init; } = [];

    /// <summary>Writes an image to where <paramref name="destination"/> points: an ACI file, <c>oci:</c>, <c>oci-archive:</c>, <c>docker://</c>.</summary>
    /// <param name="image">The image, under the name whose signatures go along.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="overwrite">Whether a file that exists is replaced.</param>
    /// <param name="compress">Whether an ACI that is written anew is compressed with gzip.</param>
    /// <param name="options">How a registry is spoken to.</param>
    /// <param name="tell">Told in a sentence each which signatures stay behind, and why.</param>
    /// <param name="ct">Stops the export; nothing half-written is left.</param>
    public async Task ToAsync(StoredImage image, ImageReference destination, bool overwrite, bool compress, FetchOptions options, Action<string> tell, CancellationToken ct)
    {
        if (Signers.Count > 0 && destination.Kind != ReferenceKind.Docker)
        {
            throw new MusterException(ErrorKind.Usage, $"A signature names the image as a registry knows it, which {destination} is not: sign what goes to docker://host/repository:tag");
        }

        if (destination.Kind == ReferenceKind.AciFile)
        {
            await Task.Run(() => ToAci(image, destination.Name, overwrite, compress, tell, ct), ct);
            return;
        }

        await using var source = await AssembledImage.OfStoreAsync(_store, image, ct);
        if (image.Record.Kind == ImageKind.Aci && image.Reference.Signatures.Count > 0)
        {
            tell("the signature of the App Container image stays behind, because it covers that file and not the OCI image made of it: sign the new image");
        }

        if (image.Reference.Index is { } index && image.Reference.Signatures.Any(s => s.SignedDigest == index))
        {
            tell("the signature of the index that led to the image stays behind, because only the image of one platform is in the store: copy the index with skopeo copy --all, or sign the image");
        }

        if (destination.Kind == ReferenceKind.Docker)
        {
            await RegistryPush.PushAsync(_store, source, image, destination, Signers, options, tell, ct);
            return;
        }

        await using var target = OpenTarget(destination, image, overwrite);
        await OciTransfer.CopyAsync(source, target, new OciPlatform(image.Record.Os, image.Record.Architecture), options.Progress, tell, null, ct);
    }

    /// <summary>Copies an image with its signatures into another root, which checks and unpacks it anew and judges the signatures by its own keys.</summary>
    public Task<StoredImage> ToRootAsync(StoredImage image, MusterRoot other, FetchOptions options, CancellationToken ct)
    {
        var fetcher = new ImageFetcher(new ImageStore(other, _store.Time));
        return image.Record.Kind == ImageKind.Aci ? fetcher.ImportStoredAciAsync(_store, image, options, ct) : fetcher.ImportStoredOciAsync(_store, image, options, ct);
    }

    // A detached signature covers the file as it came: with one, the file leaves so, whatever it is compressed with.
    private byte[]? AciSignature(StoredImage image, bool compress, Action<string> tell)
    {
        if (image.Record.Kind != ImageKind.Aci)
        {
            if (image.Reference.Signatures.Count > 0)
            {
                tell("the signatures of the OCI image stay behind, because they cover its manifest and not the App Container image made of it: sign the new file with gpg --armor --detach-sign");
            }

            return null;
        }

        if (KeptSignatures.Detached(_store, image.Reference) is not { } signature)
        {
            return null;
        }

        using var blob = LayoutFiles.TryOpen(_store.BlobPath(image.Record.Blobs[0]));
        var start = new byte[Decompression.MagicLength];
        var kind = blob is null ? CompressionKind.None : Decompression.Recognise(start.AsSpan(0, blob.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)));
        if (compress && kind != CompressionKind.Gzip)
        {
            tell("the signature stays behind, because it covers the file as it came and not one compressed anew: leave out --gzip");
            return null;
        }

        return signature;
    }

    private static IOciTarget OpenTarget(ImageReference destination, StoredImage image, bool overwrite) => destination.Kind switch
    {
        ReferenceKind.OciLayout => new OciLayoutTarget(destination.Name, destination.Tag ?? image.Record.VersionLabel ?? "latest", destination.ToString()),
        ReferenceKind.OciArchive => new OciArchiveTarget(destination.Name, destination.Tag ?? image.Record.VersionLabel ?? "latest", destination.ToString(), overwrite),
        _ => throw new MusterException(ErrorKind.Unsupported, $"Images cannot be written to {destination}: name a file.aci, oci:DIR[:tag], oci-archive:FILE[:tag] or docker://host/repository[:tag]"),
    };

    private void ToAci(StoredImage stored, string path, bool overwrite, bool compress, Action<string> tell, CancellationToken ct)
    {
        var image = stored.Record;
        var signature = AciSignature(stored, compress, tell);
        using var output = OutputFile.Begin(path, overwrite);
        var beside = signature is not null && output.IsFile ? path + ".asc" : null;
        if (beside is not null)
        {
            OutputFile.Check(beside, overwrite);
        }
        else if (signature is not null)
        {
            tell($"the signature stays behind, because nothing can lie beside {path}, which is no file: export to a file to have both");
        }

        try
        {
            var file = output.Stream;
            if (signature is not null)
            {
                using var blob = LayoutFiles.TryOpen(_store.BlobPath(image.Blobs[0])) ?? throw new MusterException(ErrorKind.Corrupt, $"The image store lacks the blob of {image.Name}: fetch the image again");
                AciWriter.Copy(blob, file, ct);
            }
            else if (compress)
            {
                using var gzip = Gzip.Compress(file);
                AciWriter.Write(_store, image, gzip, leavesHoles: false, ct);
            }
            else
            {
                AciWriter.Write(_store, image, file, output.IsNew, ct);
            }

            output.Commit();
        }
        catch (InvalidDataException e)
        {
            throw new MusterException(ErrorKind.Corrupt, $"The blob of {image.Name} in the store is damaged ({e.Message}): remove the image with muster image rm, and fetch it again", e);
        }

        if (beside is not null)
        {
            OutputFile.Write(beside, signature);
        }
    }
}
