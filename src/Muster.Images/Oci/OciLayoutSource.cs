using System.Text.Json;
using Muster.Core;

namespace Muster.Images.Oci;

/// <summary>An OCI image layout in a folder (image-spec image-layout.md).</summary>
public sealed class OciLayoutSource : IOciSource
{
    private readonly string _folder;
    private readonly string? _tag;
    private readonly IDisposable? _owned;

    /// <summary>The image <paramref name="tag"/> of the layout in <paramref name="folder"/>, or its only one for null.</summary>
    /// <param name="folder">The layout.</param>
    /// <param name="tag">The reference name, or null.</param>
    /// <param name="location">The reference for messages.</param>
    /// <param name="owned">Disposed with the source: the temporary folder of an archive.</param>
    public OciLayoutSource(string folder, string? tag, string location, IDisposable? owned = null)
    {
        _folder = folder;
        _tag = tag;
        Location = location;
        _owned = owned;
    }

    /// <inheritdoc/>
    public string Location { get; }

    /// <inheritdoc/>
    public Task<OciDocument> ReadRootAsync(CancellationToken ct)
    {
        CheckVersion();
        var bytes = LayoutFiles.Read(Path.Combine(_folder, "index.json"), OciDocuments.MaxBytes);
        var index = new OciDocument(Digest.Sha256(bytes), MediaTypes.Index, bytes);
        var entries = OciDocuments.ReadIndex(index);
        var images = entries.Where(e => e.ArtifactType is null).ToList();
        if (_tag is not null)
        {
            // Several entries may have one name; as in every other reader the last one counts, being the newest.
            var named = images.FindLast(e => e.ReferenceName == _tag) ?? throw new MusterException(ErrorKind.NotFound, $"{Location}: the layout has no image of that name, only {Names(images)}");
            return ReadDocumentAsync(named.Descriptor, ct);
        }

        if (images.Count == 1)
        {
            return ReadDocumentAsync(images[0].Descriptor, ct);
        }

        if (images.FindLast(e => e.ReferenceName == "latest") is { } latest)
        {
            return ReadDocumentAsync(latest.Descriptor, ct);
        }

        return images.Count > 1 && images.TrueForAll(e => e.ReferenceName is null && e.Architecture is not null)
            ? Task.FromResult(index)
            : throw new MusterException(ErrorKind.NotFound, images.Count == 0 ? $"{Location}: the layout holds no image" : $"{Location}: the layout holds several images: name one of {Names(images)} behind a colon");
    }

    /// <inheritdoc/>
    public Task<OciDocument> ReadDocumentAsync(OciDescriptor descriptor, CancellationToken ct) =>
        Task.FromResult(OciDocuments.Verify(LayoutFiles.Read(BlobPath(descriptor.Digest), OciDocuments.MaxBytes), descriptor, Location));

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(OciDescriptor descriptor, long offset, CancellationToken ct)
    {
        var stream = LayoutFiles.TryOpen(BlobPath(descriptor.Digest)) ?? throw new MusterException(ErrorKind.Corrupt, $"{Location}: the layout lacks the blob {descriptor.Digest} that its manifest names");
        stream.Seek(offset, SeekOrigin.Begin);
        return Task.FromResult<Stream>(stream);
    }

    /// <summary>A layout has no place for simple signatures; cosign's and sigstore's are looked for where a layout keeps tags.</summary>
    public async Task<IReadOnlyList<OciSignature>> ReadSignaturesAsync(Digest manifest, CancellationToken ct) =>
        await OciLayoutSignatures.ReadAsync(this, _folder, manifest, ct);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _owned?.Dispose();
        return ValueTask.CompletedTask;
    }

    internal string BlobPath(Digest digest) => Path.Combine(_folder, "blobs", digest.Algorithm, digest.Hex);

    private void CheckVersion()
    {
        if (!Directory.Exists(_folder))
        {
            throw new MusterException(ErrorKind.NotFound, $"{Location}: there is no such folder");
        }

        var path = Path.Combine(_folder, "oci-layout");
        if (!File.Exists(path))
        {
            throw new MusterException(ErrorKind.Invalid, $"{Location}: the folder is not an OCI image layout, it has no file oci-layout");
        }

        try
        {
            var layout = JsonSerializer.Deserialize(LayoutFiles.Read(path, 65536), OciJson.Default.OciLayoutJson);
            if (layout?.ImageLayoutVersion?.StartsWith("1.", StringComparison.Ordinal) != true)
            {
                throw new MusterException(ErrorKind.Unsupported, $"{Location}: the layout is of version \"{layout?.ImageLayoutVersion}\"; version 1 is taken");
            }
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{Location}: the file oci-layout is not JSON", e);
        }
    }

    private static string Names(List<OciIndexEntry> entries) =>
        string.Join(", ", entries.Where(e => e.ReferenceName is not null).Take(20).Select(e => Archives.TarEntry.Display(System.Text.Encoding.UTF8.GetBytes(e.ReferenceName!)))) is { Length: > 0 } names ? names : "unnamed ones";
}
