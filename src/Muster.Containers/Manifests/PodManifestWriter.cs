using System.Text.Json;
using Muster.Containers.Pods;
using Muster.Images;

namespace Muster.Containers.Manifests;

/// <summary>
/// Writes the reified PodManifest of a pod (appc spec/pods.md): for <c>cat-manifest</c> and for the metadata service, whose
/// clients compare it member by member with what it also serves apart.
/// </summary>
public static class PodManifestWriter
{
    public static void Write(Utf8JsonWriter json, PodRecord pod)
    {
        json.WriteStartObject();
        json.WriteString("acVersion"u8, "0.8.11");
        json.WriteString("acKind"u8, "PodManifest");
        json.WriteStartArray("apps"u8);
        foreach (var app in pod.Apps)
        {
            WriteApp(json, app);
        }

        json.WriteEndArray();
        json.WriteStartArray("volumes"u8);
        foreach (var volume in pod.Volumes)
        {
            WriteVolume(json, volume);
        }

        json.WriteEndArray();
        json.WriteStartArray("isolators"u8);
        if (pod.Sysctls.Count > 0)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, "os/unix/sysctl");
            json.WriteStartObject("value"u8);
            foreach (var (name, value) in pod.Sysctls)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        if (pod.NetworkBytesPerSecond is { } bandwidth)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, Runtime.Isolation.NetworkBandwidth);
            json.WriteStartObject("value"u8);
            json.WriteBoolean("default"u8, true);
            json.WriteString("limit"u8, bandwidth.ToString(System.Globalization.CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WritePairs(json, "annotations", pod.Annotations);
        json.WriteStartArray("ports"u8);
        foreach (var port in pod.Ports)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, port.Name ?? $"{port.PodPort}-{port.Protocol}");
            json.WriteNumber("hostPort"u8, port.HostPort);
            if (port.HostAddress is { } address)
            {
                json.WriteString("hostIP"u8, address);
            }

            json.WriteNumber("podPort"u8, port.PodPort);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteMap(json, "userAnnotations", pod.UserAnnotations);
        WriteMap(json, "userLabels", pod.UserLabels);
        json.WriteEndObject();
    }

    private static void WriteApp(Utf8JsonWriter json, AppRecord app)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, app.Name);
        json.WriteStartObject("image"u8);
        json.WriteString("name"u8, app.ImageName);
        json.WriteString("id"u8, app.ImageId);
        json.WriteEndObject();
        json.WriteStartObject("app"u8);
        WriteStrings(json, "exec", app.Arguments);
        json.WriteString("user"u8, app.Uid.ToString());
        json.WriteString("group"u8, app.Gid.ToString());
        json.WriteString("workingDirectory"u8, app.WorkingDirectory);
        json.WriteStartArray("supplementaryGIDs"u8);
        foreach (var gid in app.SupplementaryGids)
        {
            json.WriteNumberValue(gid);
        }

        json.WriteEndArray();
        json.WriteStartArray("eventHandlers"u8);
        foreach (var handler in app.EventHandlers)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, handler.Name);
            WriteStrings(json, "exec", handler.Exec);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WritePairs(json, "environment", [.. app.Environment.Select(e => new NameValue(e[..e.IndexOf('=', StringComparison.Ordinal)], e[(e.IndexOf('=', StringComparison.Ordinal) + 1)..]))]);
        json.WriteStartArray("mountPoints"u8);
        foreach (var mount in app.Mounts)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, mount.Volume);
            json.WriteString("path"u8, mount.Target);
            json.WriteBoolean("readOnly"u8, mount.ReadOnly);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("ports"u8);
        foreach (var port in app.Ports)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, port.Name);
            json.WriteString("protocol"u8, port.Protocol);
            json.WriteNumber("port"u8, port.Port);
            json.WriteNumber("count"u8, port.Count);
            json.WriteBoolean("socketActivated"u8, port.SocketActivated);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteBoolean("readOnlyRootFS"u8, app.ReadOnlyRoot);
        json.WriteStartArray("mounts"u8);
        foreach (var mount in app.Mounts)
        {
            json.WriteStartObject();
            json.WriteString("volume"u8, mount.Volume);
            json.WriteString("path"u8, mount.Target);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (app.Annotations.Count > 0)
        {
            WritePairs(json, "annotations", app.Annotations);
        }

        json.WriteEndObject();
    }

    private static void WriteVolume(Utf8JsonWriter json, VolumeRecord volume)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, volume.Name);
        json.WriteString("kind"u8, volume.Kind);
        if (volume.Kind == "host")
        {
            json.WriteString("source"u8, volume.Source);
            json.WriteBoolean("readOnly"u8, volume.ReadOnly);
            json.WriteBoolean("recursive"u8, volume.Recursive);
        }
        else
        {
            json.WriteString("mode"u8, volume.Mode);
            json.WriteNumber("uid"u8, volume.Uid);
            json.WriteNumber("gid"u8, volume.Gid);
        }

        json.WriteEndObject();
    }

    /// <summary>A list of pairs; none is <c>null</c>, which is what a client that parses the manifest again compares with.</summary>
    internal static void WritePairs(Utf8JsonWriter json, string name, IReadOnlyList<NameValue> pairs)
    {
        if (pairs.Count == 0)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartArray(name);
        foreach (var pair in pairs)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, pair.Name);
            json.WriteString("value"u8, pair.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteMap(Utf8JsonWriter json, string name, IReadOnlyList<NameValue> pairs)
    {
        if (pairs.Count == 0)
        {
            return;
        }

        json.WriteStartObject(name);
        foreach (var pair in pairs)
        {
            json.WriteString(pair.Name, pair.Value);
        }

        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
