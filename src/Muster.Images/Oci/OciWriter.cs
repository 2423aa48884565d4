using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Muster.Images.Oci;

/// <summary>Writes OCI documents: members always in one order and without blanks, so that the same image gives the same digest.</summary>
internal static class OciWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An image manifest (image-spec manifest.md).</summary>
    public static byte[] Manifest(OciDescriptor config, IReadOnlyList<OciDescriptor> layers, IReadOnlyList<NameValue> annotations) => Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion", 2);
        writer.WriteString("mediaType", MediaTypes.Manifest);
        writer.WritePropertyName("config");
        Descriptor(writer, config with { MediaType = MediaTypes.Config });
        writer.WriteStartArray("layers");
        foreach (var layer in layers)
        {
            Descriptor(writer, layer);
        }

        writer.WriteEndArray();
        Pairs(writer, "annotations", annotations);
        writer.WriteEndObject();
    });

    /// <summary>An image configuration (image-spec config.md); without a time where none is known.</summary>
    public static byte[] Config(AppTemplate app, string os, string architecture, IReadOnlyList<string> diffIds, DateTimeOffset? created, IReadOnlyList<NameValue> labels) => Write(writer =>
    {
        writer.WriteStartObject();
        if (created is { } time)
        {
            writer.WriteString("created", time.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture));
        }

        writer.WriteString("architecture", architecture);
        writer.WriteString("os", os);
        writer.WriteStartObject("config");
        if (app.User != "0" || app.Group is not (null or "0"))
        {
            writer.WriteString("User", app.Group is null ? app.User : app.User + ":" + app.Group);
        }

        Keys(writer, "ExposedPorts", app.Ports.SelectMany(p => Enumerable.Range(p.Port, p.Count).Select(n => $"{n}/{p.Protocol}")));
        Texts(writer, "Env", [.. app.Environment.Select(e => e.Name + "=" + e.Value)]);
        Texts(writer, "Entrypoint", app.Exec);
        Texts(writer, "Cmd", app.DefaultArguments);
        Keys(writer, "Volumes", app.MountPoints.Select(m => m.Path));
        if (app.WorkingDirectory is not null)
        {
            writer.WriteString("WorkingDir", app.WorkingDirectory);
        }

        Pairs(writer, "Labels", labels);
        if (app.StopSignal is not null)
        {
            writer.WriteString("StopSignal", app.StopSignal);
        }

        writer.WriteEndObject();
        writer.WriteStartObject("rootfs");
        writer.WriteString("type", "layers");
        Texts(writer, "diff_ids", diffIds, always: true);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>The index of a layout: one image per name, then what stands beside them.</summary>
    public static byte[] Index(IReadOnlyList<(OciDescriptor Manifest, string? Name)> images, IReadOnlyList<JsonNode> beside) => Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion", 2);
        writer.WriteString("mediaType", MediaTypes.Index);
        writer.WriteStartArray("manifests");
        foreach (var (manifest, name) in images)
        {
            Descriptor(writer, manifest, name);
        }

        foreach (var entry in beside)
        {
            entry.WriteTo(writer);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    /// <summary>Runs a writer over a buffer.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            write(writer);
        }

        return buffer.ToArray();
    }

    /// <summary>A descriptor, with the name that a layout finds it by.</summary>
    public static void Descriptor(Utf8JsonWriter writer, OciDescriptor descriptor, string? name = null)
    {
        writer.WriteStartObject();
        writer.WriteString("mediaType", descriptor.MediaType);
        writer.WriteString("digest", descriptor.Digest.ToString());
        writer.WriteNumber("size", descriptor.Size);
        if (name is not null)
        {
            Pairs(writer, "annotations", [new NameValue("org.opencontainers.image.ref.name", name)]);
        }

        writer.WriteEndObject();
    }

    private static void Texts(Utf8JsonWriter writer, string name, IReadOnlyList<string> texts, bool always = false)
    {
        if (texts.Count == 0 && !always)
        {
            return;
        }

        writer.WriteStartArray(name);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    private static void Keys(Utf8JsonWriter writer, string name, IEnumerable<string> keys)
    {
        var sorted = keys.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (sorted.Count == 0)
        {
            return;
        }

        writer.WriteStartObject(name);
        foreach (var key in sorted)
        {
            writer.WriteStartObject(key);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void Pairs(Utf8JsonWriter writer, string name, IReadOnlyList<NameValue> pairs)
    {
        if (pairs.Count == 0)
        {
            return;
        }

        writer.WriteStartObject(name);
        foreach (var pair in pairs.OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            writer.WriteString(pair.Name, pair.Value);
        }

        writer.WriteEndObject();
    }
}
