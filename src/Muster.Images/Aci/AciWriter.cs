using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Images.Oci;
using Muster.Linux;

namespace Muster.Images.Aci;

/// <summary>Writes App Container images (appc spec/aci.md).</summary>
internal static class AciWriter
{
    /// <summary>The annotation that keeps OCI's stop signal, for which the specification has no member.</summary>
    public const string StopSignal = "org.opencontainers.image.stopsignal";

    /// <summary>A manifest; members always in one order.</summary>
    public static byte[] Manifest(string name, IReadOnlyList<NameValue> labels, AppTemplate? app, IReadOnlyList<AciDependency> dependencies, IReadOnlyList<NameValue> annotations) => OciWriter.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("acKind", "ImageManifest");
        writer.WriteString("acVersion", "0.8.11");
        writer.WriteString("name", name);
        Pairs(writer, "labels", labels);
        if (app is not null)
        {
            App(writer, app);
        }

        if (dependencies.Count > 0)
        {
            writer.WriteStartArray("dependencies");
            foreach (var dependency in dependencies)
            {
                writer.WriteStartObject();
                writer.WriteString("imageName", dependency.Name);
                if (dependency.Id is not null)
                {
                    writer.WriteString("imageID", dependency.Id);
                }

                Pairs(writer, "labels", dependency.Labels);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        Pairs(writer, "annotations", annotations);
        writer.WriteEndObject();
    });

    /// <summary>The image of the store as an ACI: an ACI as it came, uncompressed; an OCI image as one rendered root.</summary>
    /// <param name="store">Where the image is.</param>
    /// <param name="image">The image.</param>
    /// <param name="to">Where it goes.</param>
    /// <param name="leavesHoles">Whether that is a new file, in which what is passed over reads as zeros.</param>
    /// <param name="ct">Stops the work.</param>
    public static void Write(ImageStore store, ImageRecord image, Stream to, bool leavesHoles, CancellationToken ct)
    {
        if (image.Kind == ImageKind.Aci)
        {
            using var blob = LayoutFiles.TryOpen(store.BlobPath(image.Blobs[0])) ?? throw new MusterException(ErrorKind.Corrupt, $"The image store lacks the blob of {image.Name}: fetch the image again");
            using var content = Decompression.Open(blob);
            Copy(content, to, ct);
            return;
        }

        var lowers = store.LowerDirectories(image);
        var manifest = Manifest(NameOf(image), Labels(image), AppOf(image, lowers), [], AciTranslation.ToAci(image));
        _ = AciManifestReader.Read(manifest);
        var tar = new TarWriter(to) { LeavesHoles = leavesHoles };
        Write(tar, manifest, writer => TreeArchiver.Write(lowers, writer, new ArchiveRules("rootfs"), ct));
    }

    /// <summary>Copies a stream, and stops when it is to.</summary>
    public static void Copy(Stream from, Stream to, CancellationToken ct)
    {
        var buffer = new byte[256 * 1024];
        for (int n; (n = from.Read(buffer)) > 0;)
        {
            ct.ThrowIfCancellationRequested();
            to.Write(buffer.AsSpan(0, n));
        }
    }

    /// <summary>The archive: the manifest, then what <paramref name="root"/> writes below <c>rootfs</c>.</summary>
    public static void Write(TarWriter tar, byte[] manifest, Action<TarWriter> root)
    {
        tar.Write(new TarEntry { Type = TarEntryType.File, Name = Encoding.ASCII.GetBytes("manifest"), Mode = 0x1a4, Size = manifest.Length });
        tar.WriteData(manifest);
        root(tar);
        tar.Finish();
    }

    private static void App(Utf8JsonWriter writer, AppTemplate app)
    {
        writer.WriteStartObject("app");
        Texts(writer, "exec", [.. app.Exec, .. app.DefaultArguments]);
        writer.WriteString("user", app.User);
        writer.WriteString("group", app.Group ?? "0");
        if (app.SupplementaryGids.Count > 0)
        {
            writer.WriteStartArray("supplementaryGIDs");
            foreach (var gid in app.SupplementaryGids)
            {
                writer.WriteNumberValue(gid);
            }

            writer.WriteEndArray();
        }

        if (app.EventHandlers.Count > 0)
        {
            writer.WriteStartArray("eventHandlers");
            foreach (var handler in app.EventHandlers)
            {
                writer.WriteStartObject();
                writer.WriteString("name", handler.Name);
                Texts(writer, "exec", handler.Exec);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        if (app.WorkingDirectory is not null)
        {
            writer.WriteString("workingDirectory", app.WorkingDirectory);
        }

        Pairs(writer, "environment", app.Environment);
        Isolators(writer, app);
        MountsAndPorts(writer, app);
        Map(writer, "userAnnotations", app.UserAnnotations);
        Map(writer, "userLabels", app.UserLabels);
        writer.WriteEndObject();
    }

    private static void Isolators(Utf8JsonWriter writer, AppTemplate app)
    {
        if (app.Isolators.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("isolators");
        foreach (var isolator in app.Isolators)
        {
            writer.WriteStartObject();
            writer.WriteString("name", isolator.Name);
            writer.WritePropertyName("value");
            isolator.Value.WriteTo(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void MountsAndPorts(Utf8JsonWriter writer, AppTemplate app)
    {
        if (app.MountPoints.Count > 0)
        {
            writer.WriteStartArray("mountPoints");
            foreach (var mount in app.MountPoints)
            {
                writer.WriteStartObject();
                writer.WriteString("name", mount.Name);
                writer.WriteString("path", mount.Path);
                writer.WriteBoolean("readOnly", mount.ReadOnly);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        if (app.Ports.Count > 0)
        {
            writer.WriteStartArray("ports");
            foreach (var port in app.Ports)
            {
                if (port.Protocol is not ("tcp" or "udp"))
                {
                    throw new MusterException(ErrorKind.Unsupported, $"The image listens on {port.Port}/{port.Protocol}, and an App Container image can only name tcp and udp ports: export it as OCI");
                }

                writer.WriteStartObject();
                writer.WriteString("name", port.Name);
                writer.WriteString("protocol", port.Protocol);
                writer.WriteNumber("port", port.Port);
                writer.WriteNumber("count", port.Count);
                writer.WriteBoolean("socketActivated", port.SocketActivated);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }
    }

    // AC Identifiers have no colons and no capitals: a registry's port becomes "-PORT".
    private static string NameOf(ImageRecord image) => AcName.IsIdentifier(image.Name)
        ? image.Name
        : string.Join('/', image.Name.Split('/').Select(AcName.Sanitize));

    private static List<NameValue> Labels(ImageRecord image)
    {
        var labels = new List<NameValue>();
        if (image.VersionLabel is not null)
        {
            labels.Add(new NameValue("version", image.VersionLabel));
        }

        labels.Add(new NameValue("os", image.Os));
        labels.Add(new NameValue("arch", image.Architecture switch { "arm64" => "aarch64", "386" => "i386", "arm" => "armv7l", var other => other }));
        return labels;
    }

    // OCI without a group means the user's own one, App Container must name it.
    private static AppTemplate AppOf(ImageRecord image, IReadOnlyList<string> lowers)
    {
        var bad = image.App.Environment.FirstOrDefault(e => char.IsAsciiDigit(e.Name[0]) || !e.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'));
        return bad is not null
            ? throw new MusterException(ErrorKind.Unsupported, $"The image sets the variable \"{bad.Name}\", a name that an App Container image cannot have: export it as OCI")
            : image.App.Group is null ? image.App with { Group = PrimaryGroup(image.App.User, lowers) } : image.App;
    }

    private static string PrimaryGroup(string user, IReadOnlyList<string> lowers)
    {
        foreach (var lower in lowers)
        {
            using var root = DirectoryHandle.Open(lower);
            var fd = FileCalls.OpenBelow(root.Descriptor, "etc/passwd"u8, FileCalls.ReadOnly | FileCalls.NonBlocking, FileCalls.ResolveInRoot | FileCalls.ResolveNoMagicLinks);
            if (fd < 0)
            {
                continue;
            }

            using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: true);
            if (FileStatus.Read(fd) is not { Type: FileStatus.Regular, Size: < 1 << 20 })
            {
                return "0";
            }

            using var reader = new StreamReader(new FileStream(handle, FileAccess.Read, bufferSize: 0));
            while (reader.ReadLine() is { } line)
            {
                var fields = line.Split(':');
                if (fields.Length >= 4 && (fields[0] == user || fields[2] == user) && uint.TryParse(fields[3], out _))
                {
                    return fields[3];
                }
            }

            return "0";
        }

        return "0";
    }

    private static void Texts(Utf8JsonWriter writer, string name, IReadOnlyList<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    private static void Pairs(Utf8JsonWriter writer, string name, IReadOnlyList<NameValue> pairs)
    {
        if (pairs.Count == 0)
        {
            return;
        }

        writer.WriteStartArray(name);
        foreach (var pair in pairs)
        {
            writer.WriteStartObject();
            writer.WriteString("name", pair.Name);
            writer.WriteString("value", pair.Value);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void Map(Utf8JsonWriter writer, string name, IReadOnlyList<NameValue> pairs)
    {
        if (pairs.Count == 0)
        {
            return;
        }

        writer.WriteStartObject(name);
        foreach (var pair in pairs)
        {
            writer.WriteString(pair.Name, pair.Value);
        }

        writer.WriteEndObject();
    }
}
