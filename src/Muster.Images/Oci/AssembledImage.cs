using Muster.Core;
using Muster.Images.Archives;

namespace Muster.Images.Oci;

/// <summary>An OCI image put together on this host: from the store's blobs, from a converted ACI, from a build. Read like any other source.</summary>
internal sealed class AssembledImage : IOciSource
{
    private readonly Dictionary<Digest, Func<Stream>> _blobs = [];
    private readonly IDisposable? _owned;
    private readonly Func<Digest, IReadOnlyList<OciSignature>>? _signatures;
    private OciDocument? _manifest;

    public AssembledImage(string location, IDisposable? owned, Func<Digest, IReadOnlyList<OciSignature>>? signatures = null)
    {
        Location = location;
        _owned = owned;
        _signatures = signatures;
    }

    public string Location { get; }

    /// <summary>
    /// An image of the store: an OCI image as it came, bit by bit, with the signatures kept with its reference; an ACI as one
    /// layer made from its rendered root.
    /// </summary>
    public static async Task<AssembledImage> OfStoreAsync(ImageStore store, StoredImage stored, CancellationToken ct)
    {
        var image = stored.Record;
        var pending = await store.BeginAsync(ct);
        try
        {
            var assembled = new AssembledImage(image.Name, pending, image.Kind == ImageKind.Oci ? digest => KeptSignatures.Of(store, stored.Reference, digest) : null);
            if (image.Kind == ImageKind.Oci)
            {
                foreach (var blob in image.Blobs)
                {
                    assembled.AddFile(Digest.Parse(blob), store.BlobPath(blob));
                }

                var bytes = LayoutFiles.Read(store.BlobPath(image.Blobs[0]), OciDocuments.MaxBytes);
                var digest = Digest.Parse(image.Blobs[0]);
                assembled._manifest = OciDocuments.Verify(bytes, new OciDescriptor(TypeOf(image), digest, bytes.Length), image.Name);
                return assembled;
            }

            AciTranslation.CheckSayable(image);
            var (layer, diffId) = await Task.Run(() => assembled.WriteLayer(pending.NewPath("layer"), writer => TreeArchiver.Write(store.LowerDirectories(image), writer, new ArchiveRules(), ct)), ct);
            assembled.Complete(OciWriter.Config(image.App, image.Os, image.Architecture, [diffId.ToString()], AciTranslation.CreatedOf(image), image.App.UserLabels), [layer], AciTranslation.ToOci(image));
            return assembled;
        }
        catch
        {
            pending.Dispose();
            throw;
        }
    }

    /// <summary>Takes a file as a blob; its digest was computed.</summary>
    public void AddFile(Digest digest, string path) =>
        _blobs[digest] = () => LayoutFiles.TryOpen(path) ?? throw new MusterException(ErrorKind.Corrupt, $"The image store lacks the blob {digest} of {Location}: fetch the image again");

    /// <summary>Writes a layer (gzip) into a file and takes it as a blob.</summary>
    public (OciDescriptor Layer, Digest DiffId) WriteLayer(string path, Action<TarWriter> write)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        using var compressed = new HashingStream(file, "sha256");
        using var gzip = Gzip.Compress(compressed);
        using var plain = new HashingStream(gzip, "sha256");
        var tar = new TarWriter(plain);
        write(tar);
        tar.Finish();
        gzip.Dispose();
        var layer = new OciDescriptor(MediaTypes.LayerGzip, compressed.Finish(), compressed.Length);
        AddFile(layer.Digest, path);
        return (layer, plain.Finish());
    }

    /// <summary>Makes the manifest over a configuration and layers (bottom first).</summary>
    public void Complete(byte[] config, IReadOnlyList<OciDescriptor> layers, IReadOnlyList<NameValue> annotations)
    {
        var descriptor = new OciDescriptor(MediaTypes.Config, Digest.Sha256(config), config.Length);
        _blobs[descriptor.Digest] = () => new MemoryStream(config, writable: false);
        var bytes = OciWriter.Manifest(descriptor, layers, annotations);
        _manifest = new OciDocument(Digest.Sha256(bytes), MediaTypes.Manifest, bytes);
    }

    public Task<OciDocument> ReadRootAsync(CancellationToken ct) => Task.FromResult(_manifest ?? throw new InvalidOperationException("The image is not complete"));

    public async Task<OciDocument> ReadDocumentAsync(OciDescriptor descriptor, CancellationToken ct)
    {
        await using var stream = await OpenBlobAsync(descriptor, 0, ct);
        var bytes = new byte[Math.Min(descriptor.Size, OciDocuments.MaxBytes)];
        await stream.ReadExactlyAsync(bytes, ct);
        return OciDocuments.Verify(bytes, descriptor, Location);
    }

    public Task<Stream> OpenBlobAsync(OciDescriptor descriptor, long offset, CancellationToken ct)
    {
        var stream = _blobs.TryGetValue(descriptor.Digest, out var open) ? open() : throw new MusterException(ErrorKind.Corrupt, $"{Location} has no blob {descriptor.Digest}");
        stream.Position = offset;
        return Task.FromResult(stream);
    }

    public Task<IReadOnlyList<OciSignature>> ReadSignaturesAsync(Digest manifest, CancellationToken ct) => Task.FromResult(_signatures?.Invoke(manifest) ?? []);

    public ValueTask DisposeAsync()
    {
        _owned?.Dispose();
        return ValueTask.CompletedTask;
    }

    // A registry refuses a manifest whose type is not the one that it names itself.
    private static string TypeOf(ImageRecord image) =>
        image.Manifest.TryGetProperty("mediaType", out var type) && type.ValueKind == System.Text.Json.JsonValueKind.String ? type.GetString()! : MediaTypes.Manifest;
}
