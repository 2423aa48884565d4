using Muster.Core;
using Muster.Linux;

namespace Muster.Images;

/// <summary>
/// The images of one root: blobs by digest, unpacked trees that all pods share, and small JSON records that find them.
/// Finding an image reads two small files and opens no blob.
/// </summary>
public sealed class ImageStore
{
    /// <summary>Shortest prefix of an id that is looked for: rkt takes two digits after <c>sha512-</c>.</summary>
    private const int ShortestPrefix = 2;

    private readonly MusterRoot _root;
    private readonly StorePaths _paths;
    private readonly TimeProvider _time;

    /// <summary>The store of <paramref name="root"/>; touches nothing until it is asked for something.</summary>
    public ImageStore(MusterRoot root, TimeProvider time)
    {
        _root = root;
        _paths = new StorePaths(root);
        _time = time;
    }

    internal MusterRoot Root => _root;

    internal StorePaths Paths => _paths;

    internal TimeProvider Time => _time;

    /// <summary>
    /// Finds an image by any reference under which it was fetched, by its own name, or by its id or a prefix of it.
    /// Local only; null when there is none.
    /// </summary>
    /// <exception cref="MusterException">Invalid when a prefix fits several images.</exception>
    public StoredImage? Find(string referenceOrIdPrefix)
    {
        var text = ImageReference.TryParse(referenceOrIdPrefix, out var reference) ? reference.ToString() : referenceOrIdPrefix;
        if (FindByName(text) is { } exact)
        {
            return exact;
        }

        if (reference is { Kind: ReferenceKind.AciName } && FindByLabels(reference) is { } named)
        {
            return named;
        }

        return IdPrefix(referenceOrIdPrefix) is { } prefix ? FindById(prefix, referenceOrIdPrefix) : null;
    }

    /// <summary>Every reference with its image, sorted by reference. A reference whose image is gone is left out.</summary>
    public IReadOnlyList<StoredImage> List()
    {
        var images = new Dictionary<string, ImageRecord?>(StringComparer.Ordinal);
        var found = new List<StoredImage>();
        foreach (var reference in References())
        {
            if (!images.TryGetValue(reference.Image, out var image))
            {
                images.Add(reference.Image, image = StoreFiles.TryRead(_paths.Image(reference.Image), RecordFormats.Image));
            }

            if (image is not null)
            {
                found.Add(new StoredImage(image, reference));
            }
        }

        return found;
    }

    /// <summary>The image of a whole id; null when there is none.</summary>
    public ImageRecord? Get(string id) => Digest.TryParse(id, out var digest) ? StoreFiles.TryRead(_paths.Image(digest.FileName), RecordFormats.Image) : null;

    /// <summary>The directory of a tree, usable as a lower of overlayfs.</summary>
    public string TreePath(string treeId) => _paths.Tree(treeId) + "/rootfs";

    /// <summary>The directories that make an image's root, topmost first.</summary>
    public IReadOnlyList<string> LowerDirectories(ImageRecord image)
    {
        var paths = new string[image.Trees.Count];
        for (var i = 0; i < paths.Length; i++)
        {
            paths[i] = TreePath(image.Trees[i]);
        }

        return paths;
    }

    /// <summary>The file of a blob (<c>sha256:HEX</c>); it need not exist.</summary>
    public string BlobPath(string digest) => _paths.Blob(Digest.Parse(digest));

    /// <summary>Whether everything that an image and its name need is there; whether it is as it was is for <see cref="ImageVerifier"/> to say.</summary>
    internal bool IsWhole(StoredImage image) =>
        image.Record.Trees.All(tree => Directory.Exists(_paths.Tree(tree)))
        && (image.Record.Kind != ImageKind.Aci || Directory.Exists(_paths.Tree(image.Record.Id)))
        && image.Record.Blobs.Concat(KeptSignatures.Blobs(image.Reference)).All(blob => File.Exists(BlobPath(blob)));

    /// <summary>Remembers that the image was used now. Costs one system call.</summary>
    public void MarkUsed(ImageRecord image) => _ = FileCalls.Touch(_paths.Image(image.Id));

    /// <summary>When the image was last used or imported.</summary>
    public DateTimeOffset LastUsed(ImageRecord image) => new(File.GetLastWriteTimeUtc(_paths.Image(image.Id)), TimeSpan.Zero);

    /// <summary>
    /// Keeps the collection of garbage away while trees are being looked up and recorded by a pod; dispose it when the pod
    /// directory names them.
    /// </summary>
    public async Task<IDisposable> HoldAsync(CancellationToken ct)
    {
        // Every start of a pod holds the store, and to make a folder that is there locks the one above it.
        if (!File.Exists(_paths.StoreLock))
        {
            _paths.MakeFolders();
        }

        return await FileLock.TakeAsync(_paths.StoreLock, exclusive: false, _time, ct);
    }

    /// <summary>Every name of an image, sorted.</summary>
    public IReadOnlyList<ReferenceRecord> ReferencesTo(string id) => [.. References().Where(r => r.Image == id)];

    /// <summary>Records a further reference to an image that is in the store.</summary>
    public void Record(ReferenceRecord reference) =>
        DurableFile.Write(_paths.Name(reference.Reference), System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(reference, StoreJson.Default.ReferenceRecord));

    /// <summary>Removes what nothing names any more. Waits a little for fetches to end.</summary>
    /// <exception cref="MusterException">Busy when they do not.</exception>
    public async Task<GarbageReport> CollectGarbageAsync(GarbageOptions options, CancellationToken ct) =>
        (await GarbageCollection.RunAsync(this, _root, options, wait: true, ct))!;

    /// <summary>
    /// Removes a reference, and the image with it when no other name is left; an id removes the image with all its names.
    /// Trees that pods use stay until these are gone. Returns the references that were removed.
    /// </summary>
    /// <exception cref="MusterException">NotFound when there is none.</exception>
    public async Task<IReadOnlyList<string>> RemoveAsync(string referenceOrIdPrefix, CancellationToken ct)
    {
        var image = Find(referenceOrIdPrefix) ?? throw Missing(referenceOrIdPrefix);
        var text = ImageReference.TryParse(referenceOrIdPrefix, out var reference) ? reference.ToString() : referenceOrIdPrefix;
        var byId = image.Reference.Reference != text && (reference is null or { Kind: ReferenceKind.Id } || image.Record.Id.AsSpan(7).StartsWith(text, StringComparison.Ordinal));
        var all = References().Where(r => r.Image == image.Record.Id).ToList();
        var removed = byId ? all : [.. all.Where(r => r.Reference == image.Reference.Reference)];

        // The path of a file is only where an image came from: it does not keep one whose last name goes.
        if (all.TrueForAll(r => removed.Contains(r) || r.Reference.StartsWith("file:", StringComparison.Ordinal)))
        {
            removed = all;
        }

        foreach (var gone in removed)
        {
            File.Delete(_paths.Name(gone.Reference));
        }

        if (removed.Count == all.Count)
        {
            File.Delete(_paths.Image(image.Record.Id));
            _ = await GarbageCollection.RunAsync(this, _root, new GarbageOptions(TimeSpan.MaxValue, Unused: false), wait: false, ct);
        }

        return [.. removed.Select(r => r.Reference)];
    }

    /// <summary>Why there is no such image: the words are no reference at all, or nothing here has that name.</summary>
    public static MusterException Missing(string referenceOrIdPrefix)
    {
        try
        {
            _ = ImageReference.Parse(referenceOrIdPrefix, ErrorKind.Usage);
        }
        catch (MusterException e)
        {
            return e;
        }

        return new MusterException(ErrorKind.NotFound, $"The image \"{referenceOrIdPrefix}\" is not in the store: see muster image list");
    }

    /// <summary>Starts an import.</summary>
    public Task<PendingImage> BeginAsync(CancellationToken ct) => PendingImage.BeginAsync(_paths, _time, ct);

    /// <summary>Every reference record, sorted.</summary>
    internal IReadOnlyList<ReferenceRecord> References()
    {
        var found = new List<ReferenceRecord>();
        foreach (var file in Records(_paths.Names))
        {
            if (StoreFiles.TryRead(file, RecordFormats.Reference) is { } record)
            {
                found.Add(record);
            }
        }

        found.Sort((a, b) => string.CompareOrdinal(a.Reference, b.Reference));
        return found;
    }

    /// <summary>Every image record.</summary>
    internal IReadOnlyList<ImageRecord> Images()
    {
        var found = new List<ImageRecord>();
        foreach (var file in Records(_paths.Images))
        {
            if (StoreFiles.TryRead(file, RecordFormats.Image) is { } record)
            {
                found.Add(record);
            }
        }

        return found;
    }

    /// <summary>The newest reference to an image.</summary>
    internal ReferenceRecord? ReferenceTo(string id)
    {
        ReferenceRecord? best = null;
        foreach (var reference in References())
        {
            if (reference.Image == id && (best is null || reference.FetchedAt > best.FetchedAt))
            {
                best = reference;
            }
        }

        return best;
    }

    private static IEnumerable<string> Records(string folder) =>
        FileStatus.Find(folder) is null ? [] : Directory.EnumerateFiles(folder, "*.json");

    private StoredImage? FindByName(string reference) =>
        StoreFiles.TryRead(_paths.Name(reference), RecordFormats.Reference) is { } record
        && record.Reference == reference
        && StoreFiles.TryRead(_paths.Image(record.Image), RecordFormats.Image) is { } image
            ? new StoredImage(image, record)
            : null;

    // A name without a version, or with labels: the newest of the images that fit.
    private StoredImage? FindByLabels(ImageReference reference)
    {
        StoredImage? best = null;
        var prefix = StorePaths.Escape(reference.Name);
        foreach (var file in Records(_paths.Names))
        {
            if (!Path.GetFileName(file.AsSpan()).StartsWith(prefix, StringComparison.Ordinal)
                || StoreFiles.TryRead(file, RecordFormats.Reference) is not { } record
                || StoreFiles.TryRead(_paths.Image(record.Image), RecordFormats.Image) is not { } image
                || !reference.Fits(image))
            {
                continue;
            }

            if (best is null || record.FetchedAt > best.Reference.FetchedAt)
            {
                best = new StoredImage(image, record);
            }
        }

        return best;
    }

    private static string? IdPrefix(string text)
    {
        var prefix = text.Length > 7 && text[6] == ':' ? text[..6] + "-" + text[7..] : text;
        var hex = prefix.StartsWith("sha512-", StringComparison.Ordinal) || prefix.StartsWith("sha256-", StringComparison.Ordinal) ? prefix.AsSpan(7) : prefix.AsSpan();
        return hex.Length >= ShortestPrefix && hex.IndexOfAnyExcept("0123456789abcdef") < 0 ? prefix : null;
    }

    private StoredImage? FindById(string prefix, string asked)
    {
        ImageRecord? found = null;
        foreach (var file in Records(_paths.Images))
        {
            var id = Path.GetFileNameWithoutExtension(file);
            if (!id.StartsWith(prefix, StringComparison.Ordinal) && !(id.Length > 7 && id.AsSpan(7).StartsWith(prefix, StringComparison.Ordinal)))
            {
                continue;
            }

            if (found is not null)
            {
                throw new MusterException(ErrorKind.Invalid, $"\"{asked}\" fits several images ({found.Id[..19]}, {id[..19]} and perhaps more): give more digits of the id");
            }

            found = StoreFiles.TryRead(file, RecordFormats.Image);
        }

        return found is not null && ReferenceTo(found.Id) is { } reference ? new StoredImage(found, reference) : null;
    }
}
