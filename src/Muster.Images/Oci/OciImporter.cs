using System.Text.Json;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Images.Oci.Registry;
using Muster.Linux;

namespace Muster.Images.Oci;

/// <summary>
/// Brings an OCI image into the store: chooses the manifest, checks every digest and size, and unpacks each layer once into
/// an overlayfs lower that all images with the same layer share (image-spec layer.md, config.md).
/// </summary>
public sealed class OciImporter
{
    /// <summary>Layers downloaded and unpacked at once: a slow peer is waited for while another layer unpacks.</summary>
    private const int Parallel = 3;

    private readonly ImageStore _store;
    private readonly TarLimits _limits;

    /// <summary>An importer into <paramref name="store"/>.</summary>
    public OciImporter(ImageStore store, TarLimits? limits = null)
    {
        _store = store;
        _limits = limits ?? TarLimits.Default;
    }

    /// <summary>The manifest for a platform: the document itself, or the fitting one of an index.</summary>
    public static async Task<OciManifest> SelectAsync(IOciSource source, OciPlatform platform, CancellationToken ct)
    {
        var document = await source.ReadRootAsync(ct);

        // An index may name an index (image-spec allows it); nobody needs more than two.
        for (var depth = 0; OciDocuments.IsIndex(document); depth++)
        {
            if (depth == 3)
            {
                throw new MusterException(ErrorKind.Invalid, $"{source.Location} nests indexes more than three deep");
            }

            document = await source.ReadDocumentAsync(OciDocuments.Select(OciDocuments.ReadIndex(document), platform, source.Location).Descriptor, ct);
        }

        return OciDocuments.ReadManifest(document);
    }

    /// <summary>Reads everything into staging. The caller commits or disposes.</summary>
    /// <param name="source">Where blobs come from.</param>
    /// <param name="manifest">The manifest, already chosen and judged.</param>
    /// <param name="platform">The platform that the configuration must be for.</param>
    /// <param name="name">The image's name and tag in the record.</param>
    /// <param name="tag">The tag, or null.</param>
    /// <param name="progress">Told the number of bytes read, or null.</param>
    /// <param name="ct">Stops the import.</param>
    public async Task<PendingImage> ImportAsync(IOciSource source, OciManifest manifest, OciPlatform platform, string name, string? tag, Action<long>? progress, CancellationToken ct)
    {
        var pending = await _store.BeginAsync(ct);
        try
        {
            await ReadAsync(pending, source, manifest, platform, name, tag, progress, ct);
            return pending;
        }
        catch (Exception e)
        {
            pending.Dispose();
            var explained = StoreFiles.Explain(e, source.Location);
            if (ReferenceEquals(explained, e))
            {
                throw;
            }

            throw explained;
        }
    }

    private async Task ReadAsync(PendingImage pending, IOciSource source, OciManifest manifest, OciPlatform platform, string name, string? tag, Action<long>? progress, CancellationToken ct)
    {
        if (manifest.Config.Size > OciDocuments.MaxBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"{source.Location} has a configuration of {manifest.Config.Size} bytes, more than the {OciDocuments.MaxBytes} that are taken");
        }

        var configBytes = (await source.ReadDocumentAsync(manifest.Config, ct)).Bytes;
        var config = OciDocuments.ReadConfig(configBytes);
        var diffIds = DiffIds(config, manifest, source.Location);
        var os = config.Os is { Length: > 0 } ? config.Os : platform.Os;
        var architecture = config.Architecture is { Length: > 0 } ? config.Architecture : platform.Architecture;
        if (os != platform.Os || architecture != platform.Architecture)
        {
            throw new MusterException(ErrorKind.Unsupported, $"{source.Location} is an image for {os}/{architecture}, not for {platform}: choose it with --platform if that is meant");
        }

        var app = OciAppTemplate.From(config.Config);
        await pending.LockAsync(diffIds.Select(d => d.FileName).Append(manifest.Document.Digest.FileName), _store.Time, ct);
        pending.AddBlob(manifest.Document.Bytes.Span, manifest.Document.Digest);
        pending.AddBlob(configBytes.Span, manifest.Config.Digest);
        await UnpackAsync(pending, source, manifest.Layers, diffIds, progress, ct);
        var trees = diffIds.Select(d => d.FileName).Reverse().Distinct(StringComparer.Ordinal).ToList();
        pending.Record = new ImageRecord
        {
            Id = manifest.Document.Digest.FileName,
            Kind = ImageKind.Oci,
            Name = name,
            VersionLabel = tag,
            Annotations = [.. manifest.Annotations.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => new NameValue(a.Key, a.Value ?? ""))],
            App = app,
            Trees = trees,
            Blobs = [manifest.Document.Digest.ToString(), manifest.Config.Digest.ToString(), .. manifest.Layers.Select(l => l.Digest.ToString())],
            Os = os,
            Architecture = architecture,
            ImportedAt = _store.Time.GetUtcNow(),
            BlobBytes = manifest.Document.Bytes.Length + manifest.Config.Size + manifest.Layers.DistinctBy(l => l.Digest).Sum(l => l.Size),
            TreeBytes = trees.Sum(pending.TreeBytes),
            Manifest = Json(manifest.Document.Bytes, "manifest"),
            Configuration = Json(configBytes, "configuration"),
        };
    }

    private async Task UnpackAsync(PendingImage pending, IOciSource source, IReadOnlyList<OciDescriptor> layers, IReadOnlyList<Digest> diffIds, Action<long>? progress, CancellationToken ct)
    {
        // One layer may be listed twice (an empty one often is): it is unpacked once.
        var work = layers.Zip(diffIds).DistinctBy(l => l.Second).ToList();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var free = new SemaphoreSlim(Parallel);
        var tasks = work.ConvertAll(async layer =>
        {
            await free.WaitAsync(stop.Token);
            try
            {
                await UnpackAsync(pending, source, layer.First, layer.Second, progress, stop.Token);
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
            finally
            {
                free.Release();
            }
        });
        try
        {
            await Task.WhenAll(tasks);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // Cancelled because a sibling failed: its failure is the one to tell.
            await tasks.Find(t => t.IsFaulted)!;
            throw;
        }
    }

    private async Task UnpackAsync(PendingImage pending, IOciSource source, OciDescriptor layer, Digest diffId, Action<long>? progress, CancellationToken ct)
    {
        var hasBlob = pending.HasBlob(layer.Digest);
        if (pending.HasTree(diffId.FileName) && hasBlob)
        {
            progress?.Invoke(layer.Size);
            return;
        }

        for (var again = false; ; again = true)
        {
            await using var input = hasBlob
                ? LayoutFiles.TryOpen(_store.BlobPath(layer.Digest.ToString())) ?? throw new MusterException(ErrorKind.Busy, "A blob vanished while it was needed: run the command again")
                : await source.OpenBlobAsync(layer, 0, ct);
            try
            {
                await UnpackAsync(pending, input, hasBlob, source.Location, layer, diffId, progress, ct);
                return;
            }
            catch (MusterException e) when (!again && input is ResumingStream { WasResumed: true } && ResumingStream.IsWrongContent(e))
            {
                // The parts did not fit together: begun anew, once. What was unpacked lies in staging and goes with it.
            }
            catch (MusterException e) when (hasBlob && ResumingStream.IsWrongContent(e))
            {
                // The store's own copy is damaged: what the source has takes its place.
                hasBlob = false;
            }
        }
    }

    private async Task UnpackAsync(PendingImage pending, Stream input, bool hasBlob, string location, OciDescriptor layer, Digest diffId, Action<long>? progress, CancellationToken ct)
    {
        var blob = hasBlob ? null : pending.NewPath("blob");
        var tree = pending.HasTree(diffId.FileName) ? null : pending.NewTree();
        var keep = blob is null ? -1 : StoreFiles.CreateDescriptor(blob);
        PassResult result;
        long bytes = 0;
        try
        {
            Action<Stream> unpack = tree is null ? static _ => { } : content => bytes = Unpack(content, tree + "/rootfs");
            Action<ReadOnlyMemory<byte>>? tap = progress is null ? null : piece => progress(piece.Length);
            result = await Task.Run(() => ArchivePass.Run(input, keep, layer.Size, "sha256", tap, unpack, _limits, ct), ct);
        }
        finally
        {
            _ = keep < 0 ? 0 : FileCalls.Close(keep);
        }

        if (result.Stored != layer.Digest || result.StoredSize != layer.Size)
        {
            throw new MusterException(ErrorKind.Corrupt, $"{location}: the layer {layer.Digest} is damaged or was altered: its content has the digest {result.Stored} and {result.StoredSize} of {layer.Size} bytes");
        }

        if (result.Content != diffId)
        {
            throw new MusterException(ErrorKind.Corrupt, $"{location}: the layer {layer.Digest} unpacks to {result.Content}, but the image's configuration says {diffId}");
        }

        if (blob is not null)
        {
            pending.AddBlob(blob, layer.Digest);
        }

        if (tree is not null)
        {
            pending.AddTree(tree, new TreeRecord { Id = diffId.FileName, Kind = "oci", Blob = layer.Digest.ToString(), Bytes = bytes });
        }
    }

    private long Unpack(Stream content, string root) => LayerArchive.Unpack(content, root, _limits);

    private static List<Digest> DiffIds(OciConfigJson config, OciManifest manifest, string location)
    {
        var ids = config.Rootfs!.DiffIds!;
        if (ids.Count != manifest.Layers.Count)
        {
            throw new MusterException(ErrorKind.Invalid, $"{location}: the image has {Quantity.Counted(manifest.Layers.Count, "layer")} but its configuration names {ids.Count}");
        }

        return ids.ConvertAll(id => Digest.TryParse(id, out var digest) && digest.Algorithm == "sha256"
            ? digest
            : throw new MusterException(ErrorKind.Invalid, $"{location}: the image's configuration has a diff_id that is not sha256:HEX"));
    }

    private static JsonElement Json(ReadOnlyMemory<byte> bytes, string what)
    {
        try
        {
            // The record of the image holds the document: what cannot be written again must be found now.
            return StrictJson.Parse(bytes);
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"The image's {what} cannot be read: {JsonFault.Of(e)}", e);
        }
    }
}
