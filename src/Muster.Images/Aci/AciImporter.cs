using System.Text;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Images.Aci;

/// <summary>Finds the image for a dependency, fetching it when it is missing.</summary>
internal delegate Task<ImageRecord> DependencyResolver(AciDependency dependency, IReadOnlyList<AciManifest> chain, CancellationToken ct);

/// <summary>Brings an App Container image into the store: one pass that hashes, unpacks and reads the manifest, then its dependencies and the rendered tree.</summary>
internal sealed class AciImporter
{
    /// <summary>Dependencies above each other, and images of one rendered tree: far above any real image, below what would fill a disk.</summary>
    public const int MaxDepth = 32;

    private const int MaxItems = 256;

    private readonly ImageStore _store;
    private readonly TarLimits _limits;

    public AciImporter(ImageStore store, TarLimits? limits = null)
    {
        _store = store;
        _limits = limits ?? TarLimits.Default;
    }

    /// <summary>Reads an image into staging.</summary>
    /// <param name="file">The archive as stored or served.</param>
    /// <param name="location">Where it comes from, for messages.</param>
    /// <param name="maxBytes">The most bytes that it may have.</param>
    /// <param name="tap">Sees the stored bytes in order: a signature check and progress.</param>
    /// <param name="judge">Called when the manifest is known and the whole file was seen, before anything is rendered; throws to refuse.</param>
    /// <param name="resolve">Finds dependencies.</param>
    /// <param name="chain">The images whose dependency this is.</param>
    /// <param name="ct">Stops the import.</param>
    public async Task<PendingImage> ImportAsync(Stream file, string location, long maxBytes, Action<ReadOnlyMemory<byte>>? tap, Action<AciManifest, Digest> judge, DependencyResolver resolve, IReadOnlyList<AciManifest> chain, CancellationToken ct)
    {
        var pending = await _store.BeginAsync(ct);
        try
        {
            await ReadAsync(pending, file, maxBytes, tap, judge, resolve, chain, ct);
            return pending;
        }
        catch (Exception e)
        {
            pending.Dispose();
            var explained = StoreFiles.Explain(e, location);
            if (ReferenceEquals(explained, e))
            {
                throw;
            }

            throw explained;
        }
    }

    /// <summary>The images of a rendered tree in their order, topmost first: A upon [B, C], C upon [D] gives A C D B.</summary>
    public async Task<List<RenderItem>> FlattenAsync(AciManifest manifest, string id, string root, IReadOnlyList<string> implicitFolders, DependencyResolver resolve, IReadOnlyList<AciManifest> chain, CancellationToken ct)
    {
        var items = new List<RenderItem>();
        await AddAsync(manifest, id, root, implicitFolders, []);
        return items;

        async Task AddAsync(AciManifest image, string imageId, string imageRoot, IReadOnlyList<string> implied, IReadOnlyList<IReadOnlySet<string>> above)
        {
            var own = AciRenderer.Whitelist(image.PathWhitelist);
            items.Add(new RenderItem(imageId, imageRoot, own, above, implied.ToHashSet(StringComparer.Ordinal)));
            if (items.Count > MaxItems)
            {
                throw new MusterException(ErrorKind.Exhausted, $"{manifest.Name} depends on more than {MaxItems} images");
            }

            chain = [.. chain, image];
            for (var i = image.Dependencies.Count - 1; i >= 0; i--)
            {
                var record = await resolve(image.Dependencies[i], chain, ct);
                var dependency = AciManifestReader.Read(Encoding.UTF8.GetBytes(record.Manifest.GetRawText()));
                var tree = StoreFiles.Read(_store.Paths.Tree(record.Id) + "/tree.json", RecordFormats.Tree);
                await AddAsync(dependency, record.Id, _store.TreePath(record.Id), tree.ImplicitFolders, own is null ? above : [.. above, own]);
            }

            chain = [.. chain.Take(chain.Count - 1)];
        }
    }

    private async Task ReadAsync(PendingImage pending, Stream file, long maxBytes, Action<ReadOnlyMemory<byte>>? tap, Action<AciManifest, Digest> judge, DependencyResolver resolve, IReadOnlyList<AciManifest> chain, CancellationToken ct)
    {
        var blob = pending.NewPath("blob");
        var tree = pending.NewTree();
        var keep = StoreFiles.CreateDescriptor(blob);
        AciArchive? archive = null;
        PassResult result;
        try
        {
            result = await Task.Run(() => ArchivePass.Run(file, keep, maxBytes, "sha512", tap, content => archive = AciArchive.Read(content, tree + "/rootfs", _limits), _limits, ct), ct);
        }
        finally
        {
            _ = FileCalls.Close(keep);
        }

        var manifest = AciManifestReader.Read(archive!.Manifest);
        judge(manifest, result.Stored);
        var id = result.Content.FileName;
        var items = manifest.Dependencies.Count + manifest.PathWhitelist.Count == 0
            ? null
            : await FlattenAsync(manifest, id, tree + "/rootfs", archive.ImplicitFolders, resolve, chain, ct);

        // Locked only now: nothing is waited for with this lock held but other locks of the same order.
        await pending.LockAsync([id, .. items is null ? [] : new[] { AciRenderer.TreeId(items) }], _store.Time, ct);
        if (!pending.HasBlob(result.Stored))
        {
            pending.AddBlob(blob, result.Stored);
        }

        if (!pending.HasTree(id))
        {
            pending.AddTree(tree, new TreeRecord { Id = id, Kind = "aci", Blob = result.Stored.ToString(), Bytes = archive.Bytes, ImplicitFolders = archive.ImplicitFolders });
        }

        var trees = new List<string> { items is null ? id : Render(pending, items, ct) };
        pending.Record = new ImageRecord
        {
            Id = id,
            Kind = ImageKind.Aci,
            Name = manifest.Name,
            VersionLabel = manifest.Version,
            Labels = manifest.Labels,
            Annotations = manifest.Annotations,
            App = (manifest.App ?? new AppTemplate()) with { StopSignal = manifest.Annotations.FirstOrDefault(a => a.Name == AciWriter.StopSignal)?.Value },
            Trees = trees,
            Blobs = [result.Stored.ToString()],
            Dependencies = items is null ? [] : [.. items.Skip(1).Select(i => i.Id).Distinct(StringComparer.Ordinal)],
            Os = manifest.Label("os") ?? "linux",
            Architecture = manifest.Architecture,
            ImportedAt = _store.Time.GetUtcNow(),
            BlobBytes = result.StoredSize,
            TreeBytes = trees.Sum(pending.TreeBytes),
            Manifest = manifest.Json,
        };
    }

    private static string Render(PendingImage pending, List<RenderItem> items, CancellationToken ct)
    {
        var id = AciRenderer.TreeId(items);
        if (pending.HasTree(id))
        {
            return id;
        }

        var folder = pending.NewTree();
        var bytes = AciRenderer.Render([items[0] with { Root = pending.TreeRoot(items[0].Id) }, .. items.Skip(1)], folder + "/rootfs", ct);
        pending.AddTree(folder, new TreeRecord { Id = id, Kind = "rendered", Images = [.. items.Select(i => i.Id)], Bytes = bytes });
        return id;
    }
}
