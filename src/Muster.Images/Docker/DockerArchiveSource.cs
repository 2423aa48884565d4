using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Images.Oci;

namespace Muster.Images.Docker;

/// <summary>One image of <c>manifest.json</c> in an archive of <c>docker save</c> (moby, image/spec v1.2).</summary>
public sealed record DockerArchiveJson
{
    [JsonPropertyName("Config")]
    public string? Config { get; init; }

    [JsonPropertyName("RepoTags")]
    public List<string?>? RepoTags { get; init; }

    [JsonPropertyName("Layers")]
    public List<string?>? Layers { get; init; }
}

[JsonSerializable(typeof(List<DockerArchiveJson>))]
internal sealed partial class DockerJson : JsonSerializerContext;

/// <summary>
/// An archive that <c>docker save</c> or <c>podman save</c> wrote. It holds no manifest with digests: one is made from the
/// configuration and the layers, the same at every reading. Nothing in it can be signed.
/// </summary>
internal sealed class DockerArchiveSource : IOciSource
{
    private readonly TarIndex _archive;
    private readonly string? _tag;
    private readonly Dictionary<Digest, string> _names = [];

    public DockerArchiveSource(TarIndex archive, string? tag, string location)
    {
        _archive = archive;
        _tag = tag;
        Location = location;
    }

    public string Location { get; }

    public Task<OciDocument> ReadRootAsync(CancellationToken ct)
    {
        var image = Select();
        var config = _archive.Read(image.Config ?? throw Bad("names no configuration"), OciDocuments.MaxBytes);
        var diffIds = OciDocuments.ReadConfig(config).Rootfs!.DiffIds!;
        if (image.Layers is null || image.Layers.Count != diffIds.Count || image.Layers.Count > OciDocuments.MaxLayers)
        {
            throw Bad("does not list as many layers as its configuration");
        }

        var configDigest = Digest.Sha256(config);
        _names[configDigest] = image.Config;
        var layers = new List<OciDescriptor>();
        for (var i = 0; i < diffIds.Count; i++)
        {
            layers.Add(Layer(image.Layers[i] ?? throw Bad("names a layer null"), diffIds[i], ct));
        }

        var bytes = OciWriter.Manifest(new OciDescriptor(MediaTypes.DockerConfig, configDigest, config.Length), layers, []);
        return Task.FromResult(new OciDocument(Digest.Sha256(bytes), MediaTypes.Manifest, bytes));
    }

    public async Task<OciDocument> ReadDocumentAsync(OciDescriptor descriptor, CancellationToken ct)
    {
        await using var stream = await OpenBlobAsync(descriptor, 0, ct);
        if (descriptor.Size > OciDocuments.MaxBytes)
        {
            throw Bad("has a document that is too large");
        }

        var bytes = new byte[descriptor.Size];
        await stream.ReadExactlyAsync(bytes, ct);
        return OciDocuments.Verify(bytes, descriptor, Location);
    }

    public Task<Stream> OpenBlobAsync(OciDescriptor descriptor, long offset, CancellationToken ct) => _names.TryGetValue(descriptor.Digest, out var name)
        ? Task.FromResult(_archive.Open(name, offset))
        : throw Bad($"has no {descriptor.Digest}");

    public Task<IReadOnlyList<OciSignature>> ReadSignaturesAsync(Digest manifest, CancellationToken ct) => Task.FromResult<IReadOnlyList<OciSignature>>([]);

    public ValueTask DisposeAsync()
    {
        _archive.Dispose();
        return ValueTask.CompletedTask;
    }

    private DockerArchiveJson Select()
    {
        List<DockerArchiveJson>? images;
        try
        {
            images = JsonSerializer.Deserialize(_archive.Read("manifest.json", OciDocuments.MaxBytes), DockerJson.Default.ListDockerArchiveJson);
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{Location}: manifest.json cannot be read: {JsonFault.Of(e)}", e);
        }

        images?.RemoveAll(i => i is null);
        if (images is null || images.Count == 0)
        {
            throw Bad("lists no image");
        }

        if (_tag is null)
        {
            return images.Count == 1 ? images[0] : throw Bad($"holds {images.Count} images: name one of {string.Join(", ", images.SelectMany(i => i.RepoTags ?? []).Take(20))} behind a colon");
        }

        // "app:1" asks for what podman wrote as "localhost/app:1" too.
        return images.Find(i => i.RepoTags?.Contains(_tag) == true)
            ?? images.Find(i => i.RepoTags?.Exists(t => t?.EndsWith("/" + _tag, StringComparison.Ordinal) == true) == true)
            ?? throw new MusterException(ErrorKind.NotFound, $"{Location}: the archive has no image of that name, only {string.Join(", ", images.SelectMany(i => i.RepoTags ?? []).Take(20))}");
    }

    // An uncompressed layer's digest is its diff_id, which the import checks anyway; a compressed one is hashed here.
    private OciDescriptor Layer(string name, string diffId, CancellationToken ct)
    {
        using var stream = _archive.Open(name, 0);
        var start = new byte[Decompression.MagicLength];
        var n = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var digest = Digest.Parse(diffId);
        var type = MediaTypes.LayerTar;
        if (Decompression.Recognise(start.AsSpan(0, n)) is var kind && kind != CompressionKind.None)
        {
            digest = Hash(start.AsSpan(0, n), stream, ct);
            type = kind == CompressionKind.Zstd ? MediaTypes.LayerZstd : MediaTypes.LayerGzip;
        }

        _names[digest] = name;
        return new OciDescriptor(type, digest, _archive.Size(name));
    }

    private static Digest Hash(ReadOnlySpan<byte> start, Stream rest, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(start);
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            int n;
            while ((n = rest.Read(buffer)) > 0)
            {
                ct.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, n);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Digest.FromHash("sha256", hash.GetHashAndReset());
    }

    private MusterException Bad(string what) => new(ErrorKind.Invalid, $"{Location}: the archive's manifest.json {what}");
}
