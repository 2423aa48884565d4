using System.Text.Json;

namespace Muster.Metrics.Containers;

/// <summary>Reads other engines' JSON: what is missing or of another type is as good as absent.</summary>
internal static class ForeignJson
{
    public static JsonElement? Member(this JsonElement element, string name)
    {
        try
        {
            return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : null;
        }
        catch (InvalidOperationException)
        {
            // The bytes of a member's name are no UTF-8.
            return null;
        }
    }

    public static string Text(this JsonElement? element)
    {
        try
        {
            return element is { ValueKind: JsonValueKind.String } text ? text.GetString() ?? "" : "";
        }
        catch (InvalidOperationException)
        {
            // Its bytes are no UTF-8.
            return "";
        }
    }

    public static bool Truth(this JsonElement? element) => element is { ValueKind: JsonValueKind.True };

    public static int Number(this JsonElement? element) => element is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) ? value : 0;

    public static DateTimeOffset? Time(this JsonElement? element) =>
        // An engine that has never started a container writes the year 1.
        DateTimeOffset.TryParse(Text(element), out var time) && time.Year > 1970 ? time : null;

    /// <summary>Whether a text can be the instance name of a container: no blanks, no control characters, not too long.</summary>
    public static bool IsName(string text) => text.Length is > 0 and <= 255 && !text.AsSpan().ContainsAny(' ', '\n', '\t') && !text.Any(char.IsControl);

    /// <summary>The labels project and service as docker's and podman's compose tools write them.</summary>
    public static IEnumerable<KeyValuePair<string, string>> ComposeLabels(JsonElement? labels)
    {
        foreach (var (label, from) in new[] { ("project", "com.docker.compose.project"), ("project", "io.podman.compose.project"), ("service", "com.docker.compose.service"), ("stack", "com.docker.stack.namespace") })
        {
            if (labels?.Member(from).Text() is { Length: > 0 } value)
            {
                yield return new(label, value);
            }
        }
    }
}
