using System.Text.Json;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Images.Oci.Registry;

namespace Muster.Images.Oci;

/// <summary>An OCI image layout in a folder or a tar archive (image-spec image-layout.md).</summary>
public sealed class OciLayoutSource : IOciSource
{
    private readonly IOciLayoutFiles _files;
    private readonly string? _tag;

    private OciLayoutSource(IOciLayoutFiles files, string? tag, string location)
    {
        _files = files;
        _tag = tag;
        Location = location;
    }

    /// <inheritdoc/>
    public string Location { get; }

    /// <summary>The image <paramref name="tag"/> of the layout in <paramref name="folder"/>, or its only one for null.</summary>
    public static OciLayoutSource OfFolder(string folder, string? tag, string location) => Directory.Exists(folder)
        ? new OciLayoutSource(new OciLayoutFolder(folder), tag, location)
        : throw new MusterException(ErrorKind.NotFound, $"{location}: there is no such folder");

    /// <summary>The same for a tar archive of a layout, which may be compressed.</summary>
    internal static OciLayoutSource OfArchive(TarIndex archive, string? tag, string location) => new(new OciLayoutTar(archive), tag, location);

    /// <inheritdoc/>
    public Task<OciDocument> ReadRootAsync(CancellationToken ct)
    {
        CheckVersion();
        var bytes = _files.Read("index.json", OciDocuments.MaxBytes);
        var index = new OciDocument(Digest.Sha256(bytes), MediaTypes.Index, bytes);
        var entries = OciDocuments.ReadIndex(index);
        var images = entries.Where(e => e.ArtifactType is null && (e.ReferenceName is null || !SignatureManifests.IsBesideName(e.ReferenceName))).ToList();
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
        Task.FromResult(OciDocuments.Verify(_files.Read(BlobPath(descriptor.Digest), OciDocuments.MaxBytes), descriptor, Location));

    /// <inheritdoc/>
    public Task<Stream> OpenBlobAsync(OciDescriptor descriptor, long offset, CancellationToken ct)
    {
        var stream = _files.TryOpen(BlobPath(descriptor.Digest), offset) ?? throw new MusterException(ErrorKind.Corrupt, $"{Location}: the layout lacks the blob {descriptor.Digest} that its manifest names");
        return Task.FromResult(stream);
    }

    /// <summary>A layout has no place for simple signatures; cosign's and sigstore's are looked for where a layout keeps tags.</summary>
    public async Task<IReadOnlyList<OciSignature>> ReadSignaturesAsync(Digest manifest, CancellationToken ct) =>
        await OciLayoutSignatures.ReadAsync(this, _files.Read("index.json", OciDocuments.MaxBytes), manifest, ct);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _files.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string BlobPath(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";

    private void CheckVersion()
    {
        if (!_files.Has("oci-layout"))
        {
            throw new MusterException(ErrorKind.Invalid, $"{Location} is not an OCI image layout: it has no file oci-layout");
        }

        try
        {
            // Read at every start of a pod from a layout: the serializer would make its metadata for one member.
            using var layout = JsonDocument.Parse(_files.Read("oci-layout", 65536));
            var version = layout.RootElement.TryGetProperty("imageLayoutVersion", out var member) ? member.GetString() : null;
            if (version?.StartsWith("1.", StringComparison.Ordinal) != true)
            {
                throw new MusterException(ErrorKind.Unsupported, $"{Location}: the layout is of version \"{version}\"; version 1 is taken");
            }
        }
        catch (InvalidOperationException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{Location}: the file oci-layout has no text imageLayoutVersion", e);
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{Location}: the file oci-layout cannot be read: {JsonFault.Of(e)}", e);
        }
    }

    private static string Names(List<OciIndexEntry> entries) =>
        string.Join(", ", entries.Where(e => e.ReferenceName is not null).Take(20).Select(e => Archives.TarEntry.Display(System.Text.Encoding.UTF8.GetBytes(e.ReferenceName!)))) is { Length: > 0 } names ? names : "unnamed ones";
}
