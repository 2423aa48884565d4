using System.Text.Json;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Images;
using Muster.Images.Aci;

namespace Muster.Containers.Manifests;

/// <summary>An App Container PodManifest as written (appc spec/pods.md).</summary>
public sealed record PodManifest
{
    public required IReadOnlyList<PodManifestApp> Apps { get; init; }

    public IReadOnlyList<VolumeRecord> Volumes { get; init; } = [];

    public IReadOnlyList<Isolator> Isolators { get; init; } = [];

    public IReadOnlyList<NameValue> Annotations { get; init; } = [];

    public IReadOnlyList<PortRequest> Ports { get; init; } = [];

    public IReadOnlyList<NameValue> UserAnnotations { get; init; } = [];

    public IReadOnlyList<NameValue> UserLabels { get; init; } = [];
}

/// <summary>One app of a <see cref="PodManifest"/>.</summary>
public sealed record PodManifestApp
{
    public required string Name { get; init; }

    /// <summary><c>sha512-…</c>, whole or a beginning.</summary>
    public required string ImageId { get; init; }

    /// <summary>Replaces the image's own app section whole; null keeps it.</summary>
    public AppTemplate? App { get; init; }

    public bool ReadOnlyRoot { get; init; }

    public IReadOnlyList<MountRequest> Mounts { get; init; } = [];

    public IReadOnlyList<NameValue> Annotations { get; init; } = [];
}

/// <summary>Reads a PodManifest, telling everything that is wrong with it at once.</summary>
public static class PodManifestReader
{
    /// <summary>The largest manifest read.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>Parses <paramref name="bytes"/>; <paramref name="what"/> names them in the refusal.</summary>
    public static PodManifest Read(ReadOnlyMemory<byte> bytes, string what)
    {
        if (bytes.Length > MaxBytes)
        {
            throw new MusterException(ErrorKind.Invalid, $"{what} has {bytes.Length} bytes, more than the {MaxBytes} that a PodManifest may have");
        }

        var faults = new ManifestFaults(what);
        try
        {
            var node = new AciNode(StrictJson.Parse(bytes), "", faults);
            var manifest = node.IsObject() ? ReadPod(node) : null;
            faults.Throw();
            return manifest!;
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{what} cannot be read: {JsonFault.Of(e)}", e);
        }
    }

    private static PodManifest ReadPod(AciNode node)
    {
        if (node.Text("acKind", required: true) is { } kind && kind != "PodManifest")
        {
            node.Fault("acKind", $"is \"{kind}\", not PodManifest");
        }

        _ = node.Text("acVersion", required: true);
        var apps = node.Objects("apps").ConvertAll(ReadApp);
        if (apps.Count == 0)
        {
            node.Fault("apps", "lists no app");
        }

        foreach (var twice in apps.GroupBy(a => a.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            node.Fault("apps", $"has two apps called \"{twice.Key}\"");
        }

        return new PodManifest
        {
            Apps = apps,
            Volumes = node.Objects("volumes").ConvertAll(ReadVolume),
            Isolators = node.Objects("isolators").ConvertAll(i => new Isolator(i.Text("name", required: true) ?? "", i.Element.TryGetProperty("value", out var value) ? value : default)),
            Annotations = AciManifestReader.NameValues(node, "annotations", _ => null),
            Ports = node.Objects("ports").ConvertAll(ReadPort),
            UserAnnotations = node.Map("userAnnotations"),
            UserLabels = node.Map("userLabels"),
        };
    }

    private static PodManifestApp ReadApp(AciNode node)
    {
        var name = node.Text("name", required: true) ?? "";
        if (!AcName.IsName(name))
        {
            node.Fault("name", $"\"{name}\" is not an AC Name");
        }

        var id = node.Object("image") is { } image ? image.Text("id", required: true) ?? "" : "";
        if (id.Length == 0)
        {
            node.Fault("image", "names no image by id: the manifest must be reified");
        }

        return new PodManifestApp
        {
            Name = name,
            ImageId = id,
            App = node.Element.TryGetProperty("app", out var app) && app.ValueKind != JsonValueKind.Null && node.Object("app") is { } section ? AciAppReader.Read(section) : null,
            ReadOnlyRoot = node.Flag("readOnlyRootFS"),
            Mounts = node.Objects("mounts").ConvertAll(m => new MountRequest(
                m.Text("volume", required: false),
                m.Text("path", required: true) ?? "",
                m.Element.TryGetProperty("appVolume", out var own) && own.ValueKind != JsonValueKind.Null && m.Object("appVolume") is { } volume ? ReadVolume(volume) : null)),
            Annotations = AciManifestReader.NameValues(node, "annotations", _ => null),
        };
    }

    private static VolumeRecord ReadVolume(AciNode node)
    {
        var name = node.Text("name", required: true) ?? "";
        if (!AcName.IsName(name))
        {
            node.Fault("name", $"\"{name}\" is not an AC Name");
        }

        var kind = node.Text("kind", required: true);
        var source = node.Text("source", required: kind == "host");
        if (kind is not ("host" or "empty"))
        {
            node.Fault("kind", $"\"{kind}\" is neither host nor empty");
        }
        else if (kind == "host" && source is not null && !source.StartsWith('/'))
        {
            node.Fault("source", "is not an absolute path");
        }

        var mode = node.Text("mode", required: false) ?? "0755";
        if (mode.Length is < 3 or > 4 || mode.AsSpan().ContainsAnyExcept("01234567"))
        {
            node.Fault("mode", $"\"{mode}\" is not octal");
            mode = "0755";
        }

        return new VolumeRecord
        {
            Name = name,
            Kind = kind ?? "",
            Source = kind == "host" ? source : null,
            ReadOnly = node.Flag("readOnly"),
            Recursive = !node.Element.TryGetProperty("recursive", out _) || node.Flag("recursive"),
            Mode = mode,
            Uid = (uint)(node.Number("uid", 0, uint.MaxValue) ?? 0),
            Gid = (uint)(node.Number("gid", 0, uint.MaxValue) ?? 0),
        };
    }

    private static PortRequest ReadPort(AciNode node)
    {
        var name = node.Text("name", required: true) ?? "";
        if (!AcName.IsName(name))
        {
            node.Fault("name", $"\"{name}\" is not an AC Name");
        }

        return new PortRequest(name, node.Text("hostIP", required: false), (int)(node.Number("hostPort", 1, 65535) ?? 0), (int?)node.Number("podPort", 1, 65535), null);
    }
}
