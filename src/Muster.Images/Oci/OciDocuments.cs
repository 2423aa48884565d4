using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Muster.Core;

namespace Muster.Images.Oci;

/// <summary>A manifest whose descriptors were checked.</summary>
public sealed record OciManifest(OciDocument Document, OciDescriptor Config, IReadOnlyList<OciDescriptor> Layers, IReadOnlyDictionary<string, string> Annotations);

/// <summary>One image of an index.</summary>
public sealed record OciIndexEntry(OciDescriptor Descriptor, string? Os, string? Architecture, string? Variant, string? ReferenceName, string? ArtifactType);

/// <summary>The platform that an image is wanted for.</summary>
public sealed record OciPlatform(string Os, string Architecture, string? Variant = null)
{
    /// <summary>This host.</summary>
    public static OciPlatform Host => new("linux", System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64");

    /// <summary>Reads <c>os/architecture[/variant]</c>.</summary>
    public static OciPlatform Parse(string text)
    {
        var parts = text.Split('/');
        return parts.Length is 2 or 3 && parts.All(p => p.Length is > 0 and <= 32 && p.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'))
            ? new OciPlatform(parts[0], parts[1], parts.Length == 3 ? parts[2] : null)
            : throw new MusterException(ErrorKind.Usage, $"\"{text}\" is not a platform: write os/architecture[/variant], for example linux/arm64");
    }

    /// <inheritdoc/>
    public override string ToString() => Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";
}

/// <summary>Reads OCI's and Docker's JSON documents and refuses what does not fit (image-spec manifest.md, image-index.md, descriptor.md).</summary>
public static class OciDocuments
{
    /// <summary>The largest document taken, as registries have it.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>Layers of one image: overlayfs takes 500 lowers, Docker made at most 127.</summary>
    public const int MaxLayers = 500;

    /// <summary>Entries of an index.</summary>
    public const int MaxManifests = 10_000;

    /// <summary>The largest blob that a descriptor may announce, 64 GiB.</summary>
    public const long MaxBlobBytes = 64L << 30;

    /// <summary>Whether the document is an index: by its media type, or by its members where it has none (umoci writes none).</summary>
    public static bool IsIndex(OciDocument document)
    {
        var json = Read(document.Bytes, OciDocumentReader.TryRead, () => OciJson.Default.OciDocumentJson, "manifest");
        var type = json.MediaType ?? (document.MediaType.Length > 0 ? document.MediaType : null);
        if (type is not null && MediaTypes.IsIndex(type))
        {
            return true;
        }

        return type is null && json.Manifests is not null && json.Config is null;
    }

    /// <summary>Reads an image manifest.</summary>
    public static OciManifest ReadManifest(OciDocument document)
    {
        var json = Read(document.Bytes, OciDocumentReader.TryRead, () => OciJson.Default.OciDocumentJson, "manifest");
        if (json.SchemaVersion != 2)
        {
            throw Bad($"has schemaVersion {json.SchemaVersion?.ToString() ?? "missing"}, and only 2 is taken");
        }

        if (json.MediaType is { } type && type is not (MediaTypes.Manifest or MediaTypes.DockerManifest))
        {
            throw Bad($"is of the type \"{Shown(type)}\", which is not an image manifest");
        }

        // A document that can be read both ways is a known trick: two readers would see two images.
        if (json.Manifests is not null)
        {
            throw Bad("has both layers and manifests");
        }

        if (json.Layers is null or { Count: 0 or > MaxLayers })
        {
            throw Bad($"lists {(json.Layers is { Count: > 0 } ? $"{json.Layers.Count} layers, more than the {MaxLayers} that overlayfs stacks" : "no layers: there is nothing in it to run")}");
        }

        var config = Descriptor(json.Config, "config");
        if (config.MediaType is not (MediaTypes.Config or MediaTypes.DockerConfig))
        {
            throw Bad($"has a configuration of the type \"{Shown(config.MediaType)}\": it is an artifact, not an image that can run");
        }

        var layers = new List<OciDescriptor>(json.Layers.Count);
        foreach (var layer in json.Layers)
        {
            var descriptor = Descriptor(layer, "layer");
            if (!IsLayer(descriptor.MediaType))
            {
                throw Bad($"has a layer of the type \"{Shown(descriptor.MediaType)}\", which cannot be unpacked");
            }

            layers.Add(descriptor);
        }

        return new OciManifest(document, config, layers, json.Annotations ?? []);
    }

    /// <summary>Reads an index.</summary>
    public static IReadOnlyList<OciIndexEntry> ReadIndex(OciDocument document)
    {
        var json = Read(document.Bytes, OciDocumentReader.TryRead, () => OciJson.Default.OciDocumentJson, "index");
        if (json.SchemaVersion != 2 || json.Manifests is null || json.Layers is not null || json.Manifests.Count > MaxManifests)
        {
            throw Bad($"is not an index of schemaVersion 2 with at most {MaxManifests} manifests");
        }

        var entries = new List<OciIndexEntry>(json.Manifests.Count);
        foreach (var entry in json.Manifests)
        {
            string? name = null;
            entry?.Annotations?.TryGetValue("org.opencontainers.image.ref.name", out name);
            entries.Add(new OciIndexEntry(Descriptor(entry, "manifest"), entry!.Platform?.Os, entry.Platform?.Architecture, entry.Platform?.Variant, name, entry.ArtifactType));
        }

        return entries;
    }

    /// <summary>The entry for a platform: an exact variant first, then one without, then any image that names no platform.</summary>
    public static OciIndexEntry Select(IReadOnlyList<OciIndexEntry> entries, OciPlatform platform, string location)
    {
        OciIndexEntry? best = null;
        var bestRank = 0;
        foreach (var entry in entries)
        {
            var rank = entry switch
            {
                { Os: null, Architecture: null } => 1,
                _ when entry.Os != platform.Os || entry.Architecture != platform.Architecture => 0,
                _ when platform.Variant is not null && entry.Variant == platform.Variant => 5,
                _ when entry.Variant is null => 4,
                _ when platform.Variant is null => 3,
                _ => 0,
            };
            if (rank > bestRank)
            {
                (best, bestRank) = (entry, rank);
            }
        }

        if (entries.Count == 0)
        {
            throw new MusterException(ErrorKind.NotFound, $"{location} is an index that lists no image at all: tell its owner");
        }

        return best ?? throw new MusterException(ErrorKind.NotFound, $"{location} has no image for {platform}, only for {string.Join(", ", entries.Take(20).Select(e => Shown($"{e.Os}/{e.Architecture}{(e.Variant is null ? "" : "/" + e.Variant)}")))}: choose one with --platform");
    }

    /// <summary>Reads an image configuration of which every list has only strings.</summary>
    public static OciConfigJson ReadConfig(ReadOnlyMemory<byte> bytes)
    {
        var config = Read(bytes, null, () => OciJson.Default.OciConfigJson, "image configuration");
        if (config.Rootfs?.DiffIds is null || config.Rootfs.Type is not (null or "layers"))
        {
            throw Bad("has a configuration without rootfs.diff_ids");
        }

        if (config.Config is { } c && ((c.Env?.Contains(null!) ?? false) || (c.Cmd?.Contains(null!) ?? false) || (c.Entrypoint?.Contains(null!) ?? false)))
        {
            throw Bad("has null in a list of its configuration");
        }

        return config;
    }

    /// <summary>Checks a document against its descriptor.</summary>
    public static OciDocument Verify(ReadOnlyMemory<byte> bytes, OciDescriptor descriptor, string location)
    {
        if (bytes.Length != descriptor.Size || Digest.Sha256(bytes.Span) != descriptor.Digest)
        {
            throw new MusterException(ErrorKind.Corrupt, $"{location} gives a manifest or configuration that is not {descriptor.Digest}: it is damaged or was altered");
        }

        return new OciDocument(descriptor.Digest, descriptor.MediaType, bytes);
    }

    /// <summary>A descriptor with everything that matters in it.</summary>
    public static OciDescriptor Descriptor(OciDescriptorJson? json, string what)
    {
        if (json is null || !Digest.TryParse(json.Digest, out var digest) || json.Digest![6] != ':')
        {
            throw Bad($"has a {what} without a digest of the form sha256:HEX");
        }

        if (digest.Algorithm != "sha256")
        {
            throw new MusterException(ErrorKind.Unsupported, $"The image names a {what} by {digest.Algorithm}; only sha256 is taken, which every registry has");
        }

        return json.Size is >= 0 and <= MaxBlobBytes
            ? new OciDescriptor(json.MediaType ?? "", digest, json.Size.Value)
            : throw Bad($"has a {what} of the size {json.Size?.ToString() ?? "missing"}; sizes from 0 to {MaxBlobBytes} are taken");
    }

    private static bool IsLayer(string type) => type is MediaTypes.LayerTar or MediaTypes.LayerGzip or MediaTypes.LayerZstd or MediaTypes.DockerLayerGzip
        or "application/vnd.docker.image.rootfs.diff.tar" or "application/vnd.docker.image.rootfs.diff.tar.zstd"
        or "application/vnd.oci.image.layer.nondistributable.v1.tar" or "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" or "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";

    private static T Read<T>(ReadOnlyMemory<byte> bytes, Func<ReadOnlyMemory<byte>, T?>? members, Func<JsonTypeInfo<T>> metadata, string what)
        where T : class
    {
        if (bytes.Length > MaxBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The {what} has {bytes.Length} bytes, more than the {MaxBytes} that are taken");
        }

        try
        {
            return members?.Invoke(bytes) ?? JsonSerializer.Deserialize(bytes.Span, metadata()) ?? throw Bad("is null");
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"The image's {what} cannot be read: {JsonFault.Of(e)}", e);
        }
    }

    private static string Shown(string text) => TarText(text);

    private static string TarText(string text) => Archives.TarEntry.Display(Encoding.UTF8.GetBytes(text));

    private static MusterException Bad(string what) => new(ErrorKind.Invalid, $"The image's manifest {what}");
}
