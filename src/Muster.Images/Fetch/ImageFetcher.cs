using Muster.Core;
using Muster.Images.Aci;
using Muster.Images.Archives;
using Muster.Images.Docker;
using Muster.Images.Oci;
using Muster.Linux;

namespace Muster.Images;

/// <summary>
/// Finds an image by any reference: in the store, or where the reference points to, from where it is verified, imported and
/// recorded. One place decides by the reference's kind which source is asked.
/// </summary>
public sealed partial class ImageFetcher
{
    /// <summary>The largest detached signature read; real ones have a few KiB.</summary>
    private const int MaxSignature = 1 << 20;

    private readonly ImageStore _store;
    private readonly Verdicts _verdicts;

    /// <summary>A fetcher into <paramref name="store"/>.</summary>
    public ImageFetcher(ImageStore store)
    {
        _store = store;
        _verdicts = new Verdicts(store.Root, store.Time);
    }

    /// <summary>The image that <paramref name="reference"/> names, fetched if the pull policy asks for it.</summary>
    /// <exception cref="MusterException">With the reason and the remedy.</exception>
    public async Task<StoredImage> ResolveAsync(string reference, FetchOptions options, CancellationToken ct)
    {
        var parsed = Read(reference);
        if (options.SignatureFile is not null && parsed is not { Kind: ReferenceKind.AciFile or ReferenceKind.AciUrl or ReferenceKind.AciName })
        {
            throw new MusterException(ErrorKind.Usage, $"--signature is for App Container images, and \"{reference}\" is not one");
        }

        if (parsed is null || parsed.Kind == ReferenceKind.Id || options.Pull == PullPolicy.Never)
        {
            var here = _store.Find(parsed?.ToString() ?? reference) ?? throw (parsed is null ? Unreadable(reference) : Missing(reference, options));
            return OnlyHere(parsed is null or { Kind: ReferenceKind.Id } ? BestVouched(here) : here, options);
        }

        var known = _store.Find(parsed.ToString());
        try
        {
            return await ResolveAsync(parsed, known, options, ct);
        }
        catch (MusterException e) when (known is { Reference.Trust.Verdict: TrustVerdict.Insecure } && !options.Insecure.HasFlag(InsecureOptions.Image)
            && e.Kind is ErrorKind.NotFound or ErrorKind.Upstream or ErrorKind.Timeout)
        {
            throw new MusterException(ErrorKind.Forbidden, $"{parsed} is in the store, but was let in unverified, and it could not be fetched with a signature ({e.Message.TrimEnd('.')}): have it signed, or use it as it is with --insecure-options=image", e);
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Invalid or ErrorKind.Corrupt or ErrorKind.Exhausted && !e.Message.Contains(parsed.Name, StringComparison.Ordinal))
        {
            // Of several images the sentence must say which.
            throw new MusterException(e.Kind, $"{reference} cannot be taken: {e.Message}", e);
        }
    }

    private async Task<StoredImage> ResolveAsync(ImageReference parsed, StoredImage? known, FetchOptions options, CancellationToken ct) =>
        parsed.Kind switch
        {
            ReferenceKind.AciFile => await FromFileAsync(parsed, known, options, [], ct),
            ReferenceKind.AciName => await FromNameAsync(parsed, known, options, [], ct),
            ReferenceKind.AciUrl => await FromUrlAsync(parsed, known, options, ct),
            ReferenceKind.Docker => await FromRegistryAsync(parsed, known, options, ct),
            ReferenceKind.OciLayout => await FromOciAsync(OciLayoutSource.OfFolder(parsed.Name, parsed.Tag, parsed.ToString()), parsed, known, options, ct),
            ReferenceKind.OciArchive or ReferenceKind.DockerArchive => await FromArchiveAsync(parsed, known, options, ct),
            _ => throw Missing(parsed.ToString(), options),
        };

    /// <summary>Brings an OCI image of another store into this one, which judges the signatures that came with it.</summary>
    internal async Task<StoredImage> ImportStoredOciAsync(ImageStore from, StoredImage image, FetchOptions options, CancellationToken ct)
    {
        await using var source = await AssembledImage.OfStoreAsync(from, image, ct);
        var platform = new OciPlatform(image.Record.Os, image.Record.Architecture);
        var manifest = await OciImporter.SelectAsync(source, platform, ct);
        _verdicts.BeforeFetch(image.Reference.Reference, [manifest.Document.Digest, manifest.Config.Digest, .. manifest.Layers.Select(l => l.Digest)]);
        var verdict = options.Insecure.HasFlag(InsecureOptions.Image)
            ? new OciVerdict(_verdicts.Insecure(image.Reference.Reference, image.Record.Name), [], null)
            : await _verdicts.KeptAsync(from, image, ct);
        using var pending = await new OciImporter(_store).ImportAsync(source, manifest, platform, image.Record.Name, image.Record.VersionLabel, options.Progress, ct);
        _verdicts.Bans(pending.Record);
        return pending.Commit([Signed(pending, image.Reference.Reference, verdict)]);
    }

    /// <summary>Brings an ACI of another store into this one, which judges the signature that came with it; what it depends on comes along.</summary>
    internal async Task<StoredImage> ImportStoredAciAsync(ImageStore from, StoredImage image, FetchOptions options, CancellationToken ct)
    {
        // Dependencies first, deepest last in the list: each is found in the store when the next one asks for it.
        foreach (var id in image.Record.Dependencies.Reverse())
        {
            var dependency = from.Find(id) ?? throw new MusterException(ErrorKind.NotFound, $"{image.Record.Name} depends on {id[..19]}, which is no longer in the store: fetch it again first");
            _ = await ImportStoredAciAsync(from, dependency, options, ct);
        }

        await using var blob = LayoutFiles.TryOpen(from.BlobPath(image.Record.Blobs[0])) ?? throw new MusterException(ErrorKind.Corrupt, $"The image store lacks the blob of {image.Record.Name}: fetch the image again");
        return await ImportAciAsync(blob, ImageReference.Parse(ImageReference.ForAci(image.Record.Name, image.Record.Labels)), null, KeptSignatures.Detached(from, image.Reference), options, [], ct);
    }

    /// <summary>Takes an ACI that was built here: its verdict is the builder's.</summary>
    internal async Task<StoredImage> ImportBuiltAciAsync(Stream file, Func<ImageRecord, ReferenceRecord> built, FetchOptions options, CancellationToken ct)
    {
        using var pending = await new AciImporter(_store).ImportAsync(file, "the image being built", OciDocuments.MaxBlobBytes, null, static (_, _) => { },
            (dependency, above, token) => ResolveDependencyAsync(dependency, above, options, token), [], ct);
        return pending.Commit([built(pending.Record)]);
    }

    // A file of that name in the current directory wins, as in rkt.
    private static ImageReference? Read(string reference)
    {
        var parsed = ImageReference.TryParse(reference, out var read) ? read : null;
        return parsed is null or { Kind: ReferenceKind.AciName or ReferenceKind.Id } && reference.Length <= ImageReference.MaxLength && File.Exists(reference)
            ? ImageReference.Parse("./" + reference)
            : parsed;
    }

    private async Task<StoredImage> FromArchiveAsync(ImageReference reference, StoredImage? known, FetchOptions options, CancellationToken ct)
    {
        // The archive's index may need a temporary file: it lives and dies with this.
        using var temporary = await _store.BeginAsync(ct);
        var archive = TarIndex.Open(reference.Name, temporary);
        IOciSource source = reference.Kind == ReferenceKind.OciArchive
            ? OciLayoutSource.OfArchive(archive, reference.Tag, reference.ToString())
            : new DockerArchiveSource(archive, reference.Tag, reference.ToString());
        return await FromOciAsync(source, reference, known, options, ct);
    }

    private async Task<StoredImage> FromOciAsync(IOciSource opened, ImageReference reference, StoredImage? known, FetchOptions options, CancellationToken ct)
    {
        await using var source = new PinnedSource(opened);
        var platform = options.Platform ?? OciPlatform.Host;
        var manifest = await OciImporter.SelectAsync(source, platform, ct);
        var id = manifest.Document.Digest.FileName;
        if (known is not null && known.Record.Id == id && Suffices(known, options))
        {
            return known;
        }

        var (name, tag) = NameOf(reference);
        _verdicts.BeforeFetch(source.Location, [manifest.Document.Digest, manifest.Config.Digest, .. manifest.Layers.Select(l => l.Digest)]);
        var verdict = options.Insecure.HasFlag(InsecureOptions.Image)
            ? new OciVerdict(_verdicts.Insecure(source.Location, name), [], null)
            : await _verdicts.OciAsync(source, manifest.Document.Digest, ct);
        if (source.Unread is { IsAll: true } unread)
        {
            options.Warn?.Invoke($"{unread.Clause}, which some servers say of what they do not have: {reference} is verified by another signature");
        }

        using var pending = await new OciImporter(_store).ImportAsync(source, manifest, platform, name, tag, options.Progress, ct);
        _verdicts.Bans(pending.Record);
        return pending.Commit([Signed(pending, reference.ToString(), verdict)]);
    }

    private ReferenceRecord Signed(PendingImage pending, string reference, OciVerdict verdict)
    {
        if (verdict.Index is { } index)
        {
            pending.AddBlob(index.Bytes.Span, index.Digest);
        }

        return Reference(reference, pending.Record.Id, verdict.Trust) with
        {
            Signatures = KeptSignatures.Keep(pending, verdict.Signatures),
            Index = verdict.Index?.Digest.ToString(),
        };
    }

    private async Task<StoredImage> FromFileAsync(ImageReference reference, StoredImage? known, FetchOptions options, IReadOnlyList<AciManifest> chain, CancellationToken ct)
    {
        await using var file = LayoutFiles.TryOpenGiven(reference.Name) ?? throw new MusterException(ErrorKind.NotFound, $"The image file {reference.Name} does not exist");
        var stamp = Stamp(file);
        if (known is not null && known.Reference.Stamp == stamp && Suffices(known, options))
        {
            return known;
        }

        var signature = options.SignatureFile is { } path ? LayoutFiles.ReadGiven(path, MaxSignature)
            : File.Exists(reference.Name + ".asc") ? LayoutFiles.ReadGiven(reference.Name + ".asc", MaxSignature)
            : null;

        // Who comes second waits and then finds the image; the file is locked by what it is, not by its name.
        _store.Paths.MakeFolders();
        using var single = chain.Count > 0 ? null : await FileLock.TakeNamedAsync($"{_store.Paths.Locks}/{StorePaths.Escape("file " + stamp)}", _store.Time, ct);
        known = _store.Find(reference.ToString());
        return known is not null && known.Reference.Stamp == stamp && Suffices(known, options)
            ? known
            : await ImportAciAsync(file, reference, stamp, signature, options, chain, ct);
    }

    private async Task<StoredImage> ImportAciAsync(Stream file, ImageReference reference, string? stamp, byte[]? signature, FetchOptions options, IReadOnlyList<AciManifest> chain, CancellationToken ct)
    {
        TrustRecord? trust = null;
        using var verdict = options.Insecure.HasFlag(InsecureOptions.Image) ? null : _verdicts.Begin(signature, reference.ToString());
        void Tap(ReadOnlyMemory<byte> piece)
        {
            options.Progress?.Invoke(piece.Length);
            verdict?.Append(piece.Span);
        }

        void Judge(AciManifest manifest, Digest digest)
        {
            if (reference.Kind == ReferenceKind.AciName && !new AciDependency(reference.Name, null, Wanted(reference), null).Fits(manifest.Name, manifest.Labels))
            {
                throw new MusterException(ErrorKind.Invalid, $"The image found for {reference} calls itself {ImageReference.ForAci(manifest.Name, manifest.Labels)}: names and labels must match");
            }

            trust = verdict is null ? _verdicts.Insecure(manifest.Name, manifest.Name) : verdict.Finish(manifest.Name, digest, reference.ToString());
        }

        using var pending = await new AciImporter(_store).ImportAsync(file, reference.ToString(), OciDocuments.MaxBlobBytes, Tap, Judge,
            (dependency, above, token) => ResolveDependencyAsync(dependency, above, options, token), chain, ct);
        var record = pending.Record;
        _verdicts.Bans(record);
        var own = Reference(ImageReference.ForAci(record.Name, record.Labels), record.Id, trust!) with
        {
            Signatures = trust!.Verdict == TrustVerdict.Signed ? [KeptSignatures.Keep(pending, signature, reference.ToString())] : [],
        };
        var asked = own with { Reference = reference.ToString(), Stamp = stamp };

        // A file that nobody vouches for does not take a name away from an image that somebody does: it keeps the file's.
        var vouched = trust.Verdict == TrustVerdict.Insecure ? _store.Find(own.Reference) : null;
        var isTaken = vouched is { Reference.Trust.Verdict: not TrustVerdict.Insecure };
        if (isTaken && asked.Reference != own.Reference && vouched!.Record.Id != record.Id)
        {
            options.Warn?.Invoke($"{reference} calls itself {own.Reference}, which is the name of a verified image of this store: the name stays with that one, and this one is {reference} alone");
        }

        return pending.Commit(asked.Reference == own.Reference || isTaken ? [asked] : [asked, own]);
    }

    private async Task<ImageRecord> ResolveDependencyAsync(AciDependency dependency, IReadOnlyList<AciManifest> chain, FetchOptions options, CancellationToken ct)
    {
        if (chain.Any(image => dependency.Fits(image.Name, image.Labels)))
        {
            throw new MusterException(ErrorKind.Invalid, $"The image {chain[0].Name} depends on itself: {string.Join(" -> ", chain.Select(c => c.Name))} -> {dependency.Name}");
        }

        if (chain.Count > AciImporter.MaxDepth)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The image {chain[0].Name} has dependencies more than {AciImporter.MaxDepth} deep");
        }

        var found = dependency.Id is { } id ? _store.Find(id) : _store.Find(dependency.Reference);
        if (found is not null && (!dependency.Fits(found.Record.Name, found.Record.Labels) || found.Record.Kind != ImageKind.Aci))
        {
            throw new MusterException(ErrorKind.Invalid, $"{chain[^1].Name} depends on {dependency.Id ?? dependency.Reference}, but the image of the store with that id is {ImageReference.ForAci(found.Record.Name, found.Record.Labels)}");
        }

        if (found is not null && !IsVouched(found, options))
        {
            throw new MusterException(ErrorKind.Forbidden, IsVerifiedOrLetIn(found, options)
                ? $"{chain[^1].Name} depends on what is refused today: {_verdicts.RefusalToday(found)}"
                : $"{chain[^1].Name} depends on {found.Reference.Reference}, which was let in unverified: fetch that image with its signature, or add --insecure-options=image");
        }

        found = found is not null && _store.IsWhole(found) ? found : options.Pull == PullPolicy.Never
            ? throw new MusterException(ErrorKind.NotFound, $"{chain[^1].Name} depends on {dependency.Reference}, which is not in the store, and --pull-policy=never forbids fetching it")
            : await FromNameAsync(ImageReference.Parse(dependency.Reference), null, options with { SignatureFile = null }, chain, ct);
        if (dependency.Id is { } wanted && !found.Record.Id.StartsWith(wanted, StringComparison.Ordinal))
        {
            throw new MusterException(ErrorKind.Invalid, $"{chain[^1].Name} depends on {dependency.Reference} with the id {wanted}, but the one found has {found.Record.Id[..19]}");
        }

        return found.Record;
    }

    // What came in unverified is judged anew when the caller now wants a signature; and what today's keys, policies and bans
    // refuse, when the caller asks for the image as it is now: its maker may have signed it again. A run judges by itself.
    private bool IsVouched(StoredImage known, FetchOptions options) =>
        IsVerifiedOrLetIn(known, options) && (options.Pull != PullPolicy.Update || _verdicts.RefusalToday(known) is null);

    // What lost a part on the disk is fetched again, as the sentences about such losses promise.
    private bool Suffices(StoredImage known, FetchOptions options) => IsFor(known.Record, options.Platform) && IsVouched(known, options) && _store.IsWhole(known);

    // What the store has is taken as it is unless another platform is asked for by name.
    private static bool IsFor(ImageRecord known, OciPlatform? asked) =>
        asked is null || known.Kind == ImageKind.Aci || (known.Os == asked.Os && known.Architecture == asked.Architecture);

    // An id means the content, whichever of its names somebody vouches for.
    private StoredImage BestVouched(StoredImage image) => image.Reference.Trust.Verdict != TrustVerdict.Insecure
        ? image
        : image with { Reference = _store.ReferencesTo(image.Record.Id).Where(r => r.Trust.Verdict != TrustVerdict.Insecure).MaxBy(r => r.FetchedAt) ?? image.Reference };

    /// <summary>What only this store has: let in unverified, or refused today, it is refused for good.</summary>
    private StoredImage OnlyHere(StoredImage image, FetchOptions options) =>
        !IsVerifiedOrLetIn(image, options) ? throw new MusterException(ErrorKind.Forbidden, $"{image.Reference.Reference} was let in unverified: have it signed and fetch it again, or use it as it is with --insecure-options=image")
        : options.Pull == PullPolicy.Update && _verdicts.RefusalToday(image) is { } refusal ? throw new MusterException(ErrorKind.Forbidden, refusal)
        : image;

    private static bool IsVerifiedOrLetIn(StoredImage image, FetchOptions options) =>
        image.Reference.Trust.Verdict != TrustVerdict.Insecure || options.Insecure.HasFlag(InsecureOptions.Image);

    private ReferenceRecord Reference(string reference, string image, TrustRecord trust) =>
        new() { Reference = reference, Image = image, Trust = trust, FetchedAt = _store.Time.GetUtcNow() };

    private static List<NameValue> Wanted(ImageReference reference) =>
        reference.Tag is null ? [.. reference.Labels] : [.. reference.Labels, new NameValue("version", reference.Tag)];

    // Changes whenever the content may have: a change time cannot be set back.
    private static string Stamp(FileStream file)
    {
        var status = FileStatus.Read((int)file.SafeFileHandle.DangerousGetHandle());
        return $"{status.FileSystem:x}-{status.Inode}-{status.Size}-{status.ModifiedSeconds}.{status.ModifiedNanoseconds:D9}-{status.ChangedSeconds}.{status.ChangedNanoseconds:D9}";
    }

    private static (string Name, string? Tag) NameOf(ImageReference reference) => reference.Kind == ReferenceKind.Docker
        ? (reference.Name, reference.Tag)
        : (AcName.Sanitize(Path.GetFileName(reference.Name).TrimStart('.').Split('.')[0]), reference.Tag);

    private static MusterException Unreadable(string reference)
    {
        try
        {
            return new MusterException(ErrorKind.NotFound, $"There is no image {ImageReference.Parse(reference, ErrorKind.Usage)}");
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
