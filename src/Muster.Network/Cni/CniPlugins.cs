using System.Text;
using System.Text.Json;
using Muster.Core;

namespace Muster.Network;

/// <summary>Runs the plugins of a CNI list (CNI spec 1.0.0, sections 2 to 4): ADD in order, CHECK in order, DEL in reverse.</summary>
internal static class CniPlugins
{
    // dhcp waits for leases; longer than this and a start would look hung.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private static readonly string[] DefaultFolders = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

    /// <summary>Where plugins are looked for: CNI_PATH, else Debian's and the project's own places.</summary>
    public static IReadOnlyList<string> Folders => Environment.GetEnvironmentVariable("CNI_PATH") is { Length: > 0 } path
        ? path.Split(':', StringSplitOptions.RemoveEmptyEntries)
        : DefaultFolders;

    /// <summary>The plugins of a list that are not installed.</summary>
    public static IReadOnlyList<string> Missing(CniConfiguration configuration) =>
        [.. configuration.Plugins.Select(Type).Distinct().Where(t => Find(t) is null)];

    /// <summary>Whether any plugin of the list publishes ports.</summary>
    public static bool TakesPorts(CniConfiguration configuration) => configuration.Plugins.Any(TakesPorts);

    /// <summary>Joins the network and returns the last plugin's result.</summary>
    public static JsonElement Add(CniAttachment attachment, string containerId, string namespacePath)
    {
        var configuration = CniConfiguration.Parse(attachment.Configuration, attachment.Network);
        JsonElement? result = null;
        foreach (var plugin in configuration.Plugins)
        {
            result = Run("ADD", configuration, plugin, attachment, containerId, namespacePath, result);
        }

        return result ?? throw new MusterException(ErrorKind.Upstream, $"No plugin of CNI network {attachment.Network} answered ADD: check its configuration");
    }

    /// <summary>Asks whether everything is still as ADD left it; does nothing for lists that have no CHECK.</summary>
    public static void Check(CniAttachment attachment, string containerId, string namespacePath)
    {
        var configuration = CniConfiguration.Parse(attachment.Configuration, attachment.Network);
        if (!configuration.HasCheck || configuration.DisableCheck || attachment.Result is null)
        {
            return;
        }

        foreach (var plugin in configuration.Plugins)
        {
            Run("CHECK", configuration, plugin, attachment, containerId, namespacePath, attachment.Result);
        }
    }

    /// <summary>Leaves the network; every plugin is run even when one fails, and the first failure is thrown at the end.</summary>
    public static void Delete(CniAttachment attachment, string containerId, string namespacePath)
    {
        var configuration = CniConfiguration.Parse(attachment.Configuration, attachment.Network);
        MusterException? failure = null;
        foreach (var plugin in configuration.Plugins.Reverse())
        {
            try
            {
                Run("DEL", configuration, plugin, attachment, containerId, namespacePath, configuration.HasCheck ? attachment.Result : null);
            }
            catch (MusterException e)
            {
                failure ??= e;
            }
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <summary>The configuration that one plugin reads: its own object with name, version, previous result and the capabilities it asked for (spec section 4).</summary>
    internal static byte[] Input(CniConfiguration configuration, JsonElement plugin, CniAttachment attachment, JsonElement? previous)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var member in plugin.EnumerateObject())
            {
                if (member.Name is not ("name" or "cniVersion" or "prevResult" or "runtimeConfig" or "capabilities"))
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteString("cniVersion", configuration.Version);
            writer.WriteString("name", configuration.Name);
            if (previous is { } result)
            {
                writer.WritePropertyName("prevResult");
                result.WriteTo(writer);
            }

            if (attachment.Ports.Count > 0 && TakesPorts(plugin))
            {
                WritePorts(writer, attachment.Ports);
            }

            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void WritePorts(Utf8JsonWriter writer, IReadOnlyList<PortMapping> ports)
    {
        writer.WriteStartObject("runtimeConfig");
        writer.WriteStartArray("portMappings");
        foreach (var port in ports)
        {
            writer.WriteStartObject();
            writer.WriteNumber("hostPort", port.HostPort);
            writer.WriteNumber("containerPort", port.PodPort);
            writer.WriteString("protocol", port.Protocol);
            if (port.HostAddress is not null)
            {
                writer.WriteString("hostIP", port.HostAddress);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static JsonElement? Run(
        string command, CniConfiguration configuration, JsonElement plugin, CniAttachment attachment, string containerId, string namespacePath, JsonElement? previous)
    {
        var type = Type(plugin);
        var program = Find(type)
            ?? throw new MusterException(ErrorKind.Unsupported, $"CNI plugin {type} of network {attachment.Network} is in none of {string.Join(", ", Folders)}: install containernetworking-plugins, or set CNI_PATH");
        List<string> environment =
        [
            "CNI_COMMAND=" + command,
            "CNI_CONTAINERID=" + containerId,
            "CNI_NETNS=" + namespacePath,
            "CNI_IFNAME=" + attachment.Interface,
            "CNI_PATH=" + string.Join(':', Folders),
            // Plugins refuse arguments they do not know unless told otherwise (spec, "CNI_ARGS").
            "CNI_ARGS=" + string.Join(';', attachment.Arguments.Select(a => $"{a.Key}={a.Value}").Prepend("IgnoreUnknown=1")),
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL=C",
        ];
        var (status, output, error) = HostProgram.Run(program, [], environment, Input(configuration, plugin, attachment, previous), Timeout);
        if (status != 0)
        {
            throw new MusterException(ErrorKind.Upstream, $"CNI plugin {type} refused {command} for network {attachment.Network} (status {status}: {Reason(output, error)})");
        }

        if (command != "ADD")
        {
            return null;
        }

        try
        {
            var result = StrictJson.Parse(output);
            CniResult.Parse(result, attachment.Interface, type);
            return result;
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Upstream, $"CNI plugin {type} of network {attachment.Network} answered what cannot be read: {JsonFault.Of(e)}", e);
        }
    }

    // A failing plugin prints {"code":…,"msg":…,"details":…} (spec section 5, "Error").
    private static string Reason(byte[] output, string error)
    {
        try
        {
            if (StrictJson.Parse(output) is { ValueKind: JsonValueKind.Object } refusal && CniConfiguration.Text(refusal, "msg") is { } message)
            {
                return Clean(message + (CniConfiguration.Text(refusal, "details") is { Length: > 0 } details ? ", " + details : ""));
            }
        }
        catch (JsonException)
        {
            // It said it in plain words, or not at all.
        }

        var words = error.Length > 0 ? error : Encoding.UTF8.GetString(output);
        return words.Length == 0 ? "it gave no reason" : Clean(words);
    }

    private static string Clean(string text)
    {
        var line = string.Concat(text.Trim().ReplaceLineEndings(" ").Where(c => !char.IsControl(c)));
        return line.Length <= 500 ? line : line[..500];
    }

    private static bool TakesPorts(JsonElement plugin) =>
        plugin.TryGetProperty("capabilities", out var capabilities) && capabilities.ValueKind == JsonValueKind.Object
        && capabilities.TryGetProperty("portMappings", out var on) && on.ValueKind == JsonValueKind.True;

    private static string Type(JsonElement plugin) => CniConfiguration.Text(plugin, "type")!;

    private static string? Find(string type) => Folders.Select(f => Path.Combine(f, type)).FirstOrDefault(File.Exists);
}
