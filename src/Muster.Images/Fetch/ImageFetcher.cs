using Muster.Core;
using Muster.Images.Oci;

namespace Muster.Images;

/// <summary>
/// Finds an image by any reference: in the store, or where the reference points to, from where it is verified, imported and
/// recorded. One place decides by the reference's kind which source is asked.
/// </summary>
public sealed class ImageFetcher
{
    private readonly ImageStore _store;
    private readonly Verdicts _verdicts;

    /// <summary>A fetcher into <paramref name="store"/>.</summary>
    public ImageFetcher(ImageStore store)
    {
        _store = store;
        _verdicts = new Verdicts(store.Time);
    }

    /// <summary>The image that <paramref name="reference"/> names, fetched if the pull policy asks for it.</summary>
    /// <exception cref="MusterException">With the reason and the remedy.</exception>
    public async Task<StoredImage> ResolveAsync(string reference, FetchOptions options, CancellationToken ct)
    {
        // A file of that name in the current directory wins, as in rkt.
        var parsed = !ImageReference.TryParse(reference, out var read) || read.Kind is ReferenceKind.AciName or ReferenceKind.Id
            ? File.Exists(reference) ? ImageReference.Parse("./" + reference) : read
            : read;
        if (parsed is null || parsed.Kind == ReferenceKind.Id || options.Pull == PullPolicy.Never)
        {
            return _store.Find(parsed?.ToString() ?? reference) ?? throw (parsed is null ? Unreadable(reference) : Missing(reference, options));
        }

        var known = _store.Find(parsed.ToString());
        switch (parsed.Kind)
        {
            case ReferenceKind.OciLayout:
                return await FromOciAsync(new OciLayoutSource(parsed.Name, parsed.Tag, parsed.ToString()), parsed, known, options, ct);
            default:
                throw Missing(reference, options);
        }
    }

    private async Task<StoredImage> FromOciAsync(IOciSource opened, ImageReference reference, StoredImage? known, FetchOptions options, CancellationToken ct)
    {
        await using var source = opened;
        var platform = options.Platform ?? OciPlatform.Host;
        var manifest = await OciImporter.SelectAsync(source, platform, ct);
        var id = manifest.Document.Digest.FileName;
        if (known is not null && known.Record.Id == id && Suffices(known, options))
        {
            return known;
        }

        var (name, tag) = NameOf(reference);
        var trust = options.Insecure.HasFlag(InsecureOptions.Image)
            ? _verdicts.Insecure(reference.Kind == ReferenceKind.Docker ? reference.Name : name)
            : _verdicts.Oci(reference.ToString(), manifest.Document.Digest, await source.ReadSignaturesAsync(manifest.Document.Digest, ct));
        using var pending = await new OciImporter(_store).ImportAsync(source, manifest, platform, name, tag, options.Progress, ct);
        return pending.Commit([Reference(reference.ToString(), pending.Record.Id, trust)]);
    }

    // What came in unverified is judged anew when the caller now wants a signature.
    private static bool Suffices(StoredImage known, FetchOptions options) =>
        known.Reference.Trust.Verdict != TrustVerdict.Insecure || options.Insecure.HasFlag(InsecureOptions.Image);

    private ReferenceRecord Reference(string reference, string image, TrustRecord trust) =>
        new() { Reference = reference, Image = image, Trust = trust, FetchedAt = _store.Time.GetUtcNow() };

    private static (string Name, string? Tag) NameOf(ImageReference reference) => reference.Kind == ReferenceKind.Docker
        ? (reference.Name, reference.Tag)
        : (AcName.Sanitize(Path.GetFileName(reference.Name)), reference.Tag);

    private static MusterException Unreadable(string reference)
    {
        try
        {
            return new MusterException(ErrorKind.NotFound, $"There is no image {ImageReference.Parse(reference)}");
        }
        catch (MusterException e)
        {
            return e;
        }
    }

    private static MusterException Missing(string reference, FetchOptions options) => new(ErrorKind.NotFound, options.Pull == PullPolicy.Never
        ? $"The image \"{reference}\" is not in the store and --pull-policy=never forbids fetching it: run muster fetch {reference}"
        : $"The image \"{reference}\" is not in the store: see muster image list");
}
