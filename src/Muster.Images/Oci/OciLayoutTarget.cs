using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Oci;

/// <summary>Writes into an OCI image layout in a folder, made when missing (image-spec image-layout.md). Other images in it stay.</summary>
public sealed class OciLayoutTarget : IOciTarget
{
    private readonly string _folder;
    private readonly string? _tag;
    private readonly List<string> _made = [];
    private bool _isNew;

    /// <summary>The layout in <paramref name="folder"/>; the image gets the name <paramref name="tag"/>.</summary>
    public OciLayoutTarget(string folder, string? tag, string location)
    {
        _folder = folder;
        _tag = tag;
        Location = location;
        Prepare();
    }

    /// <inheritdoc/>
    public string Location { get; }

    /// <inheritdoc/>
    public Task<bool> HasBlobAsync(OciDescriptor descriptor, CancellationToken ct) =>
        Task.FromResult(FileStatus.Find(BlobPath(descriptor.Digest)) is { Type: FileStatus.Regular } status && status.Size == descriptor.Size);

    /// <inheritdoc/>
    public async Task PutBlobAsync(OciDescriptor descriptor, Func<CancellationToken, Task<Stream>> open, CancellationToken ct)
    {
        var beside = $"{BlobPath(descriptor.Digest)}.new-{Environment.ProcessId}";
        try
        {
            await using (var from = await open(ct))
            await using (var to = new FileStream(beside, FileMode.Create, FileAccess.Write))
            {
                await CopyAsync(from, to, descriptor, Location, ct);
            }

            File.Move(beside, BlobPath(descriptor.Digest), overwrite: true);
            _made.Add(BlobPath(descriptor.Digest));
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task PutSignaturesAsync(OciDescriptor image, IReadOnlyList<OciSignature> signatures, Action<string> tell, CancellationToken ct)
    {
        foreach (var entry in LayoutSignatureEntry.Of(image, signatures, tell))
        {
            foreach (var (descriptor, content) in entry.Carrier.Blobs)
            {
                await PutBlobAsync(descriptor, _ => Task.FromResult<Stream>(new MemoryStream(content.ToArray(), writable: false)), ct);
            }

            DurableFile.Write(BlobPath(entry.Carrier.Manifest.Digest), entry.Carrier.Manifest.Bytes.Span, 0x1a4);
            PutEntry(entry.Name, entry.Carrier.Manifest.Digest, entry.Json);
        }
    }

    /// <inheritdoc/>
    public Task PutManifestAsync(OciDocument manifest, CancellationToken ct)
    {
        DurableFile.Write(BlobPath(manifest.Digest), manifest.Bytes.Span, 0x1a4);
        PutEntry(_tag, manifest.Digest, JsonNode.Parse(OciWriter.Write(writer => OciWriter.Descriptor(writer, new OciDescriptor(manifest.MediaType, manifest.Digest, manifest.Bytes.Length), _tag)))!);
        return Task.CompletedTask;
    }

    // Replaces the entry of that name, or the one of that digest where it has none.
    private void PutEntry(string? name, Digest digest, JsonNode added)
    {
        var index = Path.Combine(_folder, "index.json");

        // Two pushes into one layout must not lose each other's entry.
        using var single = FileLock.TryTakeDirectory(_folder) ?? throw new MusterException(ErrorKind.Busy, $"{Location}: somebody else is writing to the layout; try again");
        var root = File.Exists(index) ? Read(index) : new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.Index };
        var kept = new JsonArray();
        foreach (var entry in root["manifests"] as JsonArray ?? [])
        {
            if (Name(entry) != name || (name is null && Text(entry, "digest") != digest.ToString()))
            {
                kept.Add(entry?.DeepClone());
            }
        }

        kept.Add(added);
        root["manifests"] = kept;
        DurableFile.Write(index, System.Text.Encoding.UTF8.GetBytes(root.ToJsonString()), 0x1a4);
    }

    /// <summary>Takes away a layout that was begun here and never got an index: what failed leaves nothing.</summary>
    public ValueTask DisposeAsync()
    {
        if (_isNew && !File.Exists(Path.Combine(_folder, "index.json")))
        {
            using var single = FileLock.TryTakeDirectory(_folder);
            foreach (var path in single is null ? [] : (IEnumerable<string>)[.. _made, Path.Combine(_folder, "oci-layout")])
            {
                File.Delete(path);
            }

            foreach (var folder in single is null ? [] : (string[])[Path.Combine(_folder, "blobs", "sha256"), Path.Combine(_folder, "blobs"), _folder])
            {
                // Empty only: what somebody else has put there stays.
                if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
                {
                    Directory.Delete(folder);
                }
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Copies a blob and checks that it is what its descriptor says.</summary>
    internal static async Task CopyAsync(Stream from, Stream to, OciDescriptor descriptor, string location, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[256 * 1024];
        long size = 0;
        int n;
        while ((n = await from.ReadAsync(buffer, ct)) > 0)
        {
            size += n;
            if (size > descriptor.Size)
            {
                break;
            }

            hash.AppendData(buffer, 0, n);
            await to.WriteAsync(buffer.AsMemory(0, n), ct);
        }

        if (size != descriptor.Size || Digest.FromHash("sha256", hash.GetHashAndReset()) != descriptor.Digest)
        {
            throw new MusterException(ErrorKind.Corrupt, $"The blob {descriptor.Digest} is damaged and was not copied to {location}: remove the image with muster image rm, and fetch it again");
        }
    }

    private string BlobPath(Digest digest) => Path.Combine(_folder, "blobs", digest.Algorithm, digest.Hex);

    private void Prepare()
    {
        if (!Directory.Exists(_folder) || !Directory.EnumerateFileSystemEntries(_folder).Any())
        {
            _isNew = true;
            Directory.CreateDirectory(Path.Combine(_folder, "blobs", "sha256"));
            DurableFile.Write(Path.Combine(_folder, "oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}"u8, 0x1a4);
        }
        else if (!File.Exists(Path.Combine(_folder, "oci-layout")))
        {
            throw new MusterException(ErrorKind.Conflict, $"{Location}: the folder exists and is not an OCI image layout; name an empty or new one");
        }

        Directory.CreateDirectory(Path.Combine(_folder, "blobs", "sha256"));
    }

    private static string? Name(JsonNode? entry) => Text((entry as JsonObject)?["annotations"], "org.opencontainers.image.ref.name");

    private static string? Text(JsonNode? node, string name) => node is JsonObject members && members[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private JsonObject Read(string index)
    {
        try
        {
            var bytes = LayoutFiles.Read(index, OciDocuments.MaxBytes);
            _ = OciDocuments.ReadIndex(new OciDocument(Digest.Sha256(bytes), MediaTypes.Index, bytes));
            return JsonObject.Create(StrictJson.Parse(bytes))!;
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{Location}: the layout's index.json cannot be read: {JsonFault.Of(e)}", e);
        }
    }
}
