using Muster.Core;
using Muster.Images.Aci;
using Muster.Images.Archives;
using Muster.Images.Oci;

namespace Muster.Images;

/// <summary>Takes an image of the store to a file, a layout, another root or a registry, as OCI or as ACI.</summary>
public sealed class ImageExport
{
    private readonly ImageStore _store;

    /// <summary>Exports from <paramref name="store"/>.</summary>
    public ImageExport(ImageStore store) => _store = store;

    /// <summary>Writes an image to where <paramref name="destination"/> points: <c>file.aci</c>, <c>oci:</c>, <c>oci-archive:</c>, <c>docker://</c>.</summary>
    public async Task ToAsync(StoredImage image, ImageReference destination, bool overwrite, bool compress, FetchOptions options, CancellationToken ct)
    {
        if (destination.Kind == ReferenceKind.AciFile)
        {
            await Task.Run(() => ToAci(image.Record, destination.Name, overwrite, compress, ct), ct);
            return;
        }

        await using var source = await AssembledImage.OfStoreAsync(_store, image.Record, ct);
        if (destination.Kind == ReferenceKind.Docker)
        {
            await RegistryPush.PushAsync(_store, source, image, destination, options, ct);
            return;
        }

        await using var target = OpenTarget(destination, image, overwrite);
        await OciTransfer.CopyAsync(source, target, new OciPlatform(image.Record.Os, image.Record.Architecture), options.Progress, ct);
    }

    /// <summary>Copies an image into another root, where it is checked and unpacked anew and needs a verdict of its own.</summary>
    public async Task<StoredImage> ToRootAsync(StoredImage image, MusterRoot other, FetchOptions options, CancellationToken ct)
    {
        if (!options.Insecure.HasFlag(InsecureOptions.Image))
        {
            throw new MusterException(ErrorKind.Forbidden, "A copy into another root brings no signature along, and that root trusts nothing unsigned: add --insecure-options=image, or fetch the image there from its source");
        }

        var store = new ImageStore(other, _store.Time);
        var trust = new Verdicts(other, _store.Time).Insecure(image.Reference.Reference, image.Record.Name);
        if (image.Record.Kind == ImageKind.Aci)
        {
            return await new ImageFetcher(store).ImportStoredAciAsync(_store, image, options, ct);
        }

        await using var source = await AssembledImage.OfStoreAsync(_store, image.Record, ct);
        var platform = new OciPlatform(image.Record.Os, image.Record.Architecture);
        var manifest = await OciImporter.SelectAsync(source, platform, ct);
        using var pending = await new OciImporter(store).ImportAsync(source, manifest, platform, image.Record.Name, image.Record.VersionLabel, options.Progress, ct);
        return pending.Commit([image.Reference with { Trust = trust, FetchedAt = _store.Time.GetUtcNow(), Stamp = null }]);
    }

    private static IOciTarget OpenTarget(ImageReference destination, StoredImage image, bool overwrite) => destination.Kind switch
    {
        ReferenceKind.OciLayout => new OciLayoutTarget(destination.Name, destination.Tag ?? image.Record.VersionLabel ?? "latest", destination.ToString()),
        ReferenceKind.OciArchive => new OciArchiveTarget(destination.Name, destination.Tag ?? image.Record.VersionLabel ?? "latest", destination.ToString(), overwrite),
        _ => throw new MusterException(ErrorKind.Unsupported, $"Images cannot be written to {destination}: name a file.aci, oci:DIR[:tag], oci-archive:FILE[:tag] or docker://host/repository[:tag]"),
    };

    private void ToAci(ImageRecord image, string path, bool overwrite, bool compress, CancellationToken ct)
    {
        OutputFile.Check(path, overwrite);
        var beside = OutputFile.Beside(path);
        try
        {
            using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write))
            {
                if (compress)
                {
                    using var gzip = Gzip.Compress(file);
                    AciWriter.Write(_store, image, gzip, ct);
                }
                else
                {
                    AciWriter.Write(_store, image, file, ct);
                }

                file.Flush(flushToDisk: true);
            }

            OutputFile.Place(beside, path, overwrite);
        }
        catch (Exception e)
        {
            File.Delete(beside);
            throw e is InvalidDataException ? new MusterException(ErrorKind.Corrupt, $"The blob of {image.Name} in the store is damaged ({e.Message}): fetch the image again", e) : e;
        }
    }
}
