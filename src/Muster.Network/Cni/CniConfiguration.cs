using System.Text;
using System.Text.Json;
using Muster.Core;

namespace Muster.Network;

/// <summary>
/// A CNI network configuration list (CNI spec 1.0.0, section 1) or a single configuration (0.3.x, 0.4.0), which counts as a
/// list of one. Members that Muster does not know belong to the plugins and are handed on as they are.
/// </summary>
public sealed record CniConfiguration
{
    /// <summary>The most plugins in a list; real ones have two or three.</summary>
    public const int MaxPlugins = 16;

    /// <summary>The versions spoken, oldest first.</summary>
    public static readonly IReadOnlyList<string> Versions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0"];

    public required string Name { get; init; }

    public required string Version { get; init; }

    /// <summary>No CHECK is made (spec section 1, disableCheck).</summary>
    public bool DisableCheck { get; init; }

    /// <summary>The plugins' own objects, in order.</summary>
    public required IReadOnlyList<JsonElement> Plugins { get; init; }

    /// <summary>The whole document as a list, which is what is kept for DEL.</summary>
    public required JsonElement Document { get; init; }

    /// <summary>Whether ADD's result may be given to DEL and CHECK exists (since 0.4.0).</summary>
    public bool HasCheck => Version is "0.4.0" or "1.0.0";

    /// <summary>Reads a <c>.conf</c> or <c>.conflist</c> file or refuses it with a sentence that names <paramref name="where"/>.</summary>
    public static CniConfiguration Parse(string text, string where)
    {
        try
        {
            return Parse(StrictJson.Parse(Encoding.UTF8.GetBytes(text)), where);
        }
        catch (JsonException e)
        {
            throw Refused(where, JsonFault.Of(e), e);
        }
    }

    /// <summary>The network's name, or null when the text is no JSON object with one.</summary>
    public static string? NameOf(string text)
    {
        try
        {
            return StrictJson.Parse(Encoding.UTF8.GetBytes(text)) is { ValueKind: JsonValueKind.Object } root ? Text(root, "name") : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal static CniConfiguration Parse(JsonElement root, string where)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Refused(where, "it is not a JSON object");
        }

        var name = Text(root, "name");
        if (name is null || name.Length > 128 || !char.IsAsciiLetterOrDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'))
        {
            throw Refused(where, "\"name\" must begin with a letter or digit and hold only these, dots, dashes and underscores");
        }

        var version = Text(root, "cniVersion") ?? "0.2.0";
        if (!Versions.Contains(version))
        {
            throw Refused(where, $"\"cniVersion\" {version} is not one of {string.Join(", ", Versions)}");
        }

        var plugins = new List<JsonElement>();
        if (root.TryGetProperty("plugins", out var list))
        {
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > MaxPlugins)
            {
                throw Refused(where, $"\"plugins\" must be a list of 1 to {MaxPlugins} objects");
            }

            plugins.AddRange(list.EnumerateArray());
        }
        else
        {
            plugins.Add(root);
        }

        foreach (var plugin in plugins)
        {
            var type = plugin.ValueKind == JsonValueKind.Object ? Text(plugin, "type") : null;
            if (string.IsNullOrEmpty(type) || type.Length > 64 || type[0] == '.' || !type.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'))
            {
                throw Refused(where, "every plugin needs a \"type\", the name of a program without slashes");
            }
        }

        return new CniConfiguration
        {
            Name = name,
            Version = version,
            DisableCheck = root.TryGetProperty("disableCheck", out var off) && off.ValueKind == JsonValueKind.True,
            Plugins = plugins,
            Document = root,
        };
    }

    internal static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static MusterException Refused(string where, string why, Exception? inner = null) =>
        new(ErrorKind.Invalid, $"{where} is not a CNI network that can be used: {why}", inner);
}
