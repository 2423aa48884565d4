using System.Text.Json;

namespace Muster.Core;

/// <summary>
/// Members of JSON objects, read one by one: for files that are read at every start of a pod, where making the metadata of their
/// types would cost more than everything else. What does not fit is an <see cref="InvalidOperationException"/>, a
/// <see cref="FormatException"/>, a <see cref="KeyNotFoundException"/> or a <see cref="JsonException"/>.
/// </summary>
public static class JsonMembers
{
    /// <summary>Whether an exception of this class's says that the JSON is another than expected.</summary>
    public static bool IsMisfit(Exception e) => e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException;

    /// <summary>Refuses an object that has other members too.</summary>
    public static void Known(JsonElement json, params ReadOnlySpan<string> names)
    {
        foreach (var member in json.EnumerateObject())
        {
            if (!names.Contains(member.Name))
            {
                throw new JsonException($"the member \"{member.Name}\" is not known");
            }
        }
    }

    /// <summary>A list; empty when it is absent or null.</summary>
    public static IReadOnlyList<T> Each<T>(JsonElement json, string name, Func<JsonElement, T> read) =>
        json.TryGetProperty(name, out var list) && list.ValueKind != JsonValueKind.Null ? [.. list.EnumerateArray().Select(read)] : [];

    /// <summary>A list of texts; empty when it is absent or null.</summary>
    public static IReadOnlyList<string> Texts(JsonElement json, string name) => Each(json, name, NotNull);

    /// <summary>A text that is not null.</summary>
    public static string NotNull(JsonElement json) => json.GetString() ?? throw new JsonException("a text is null");

    /// <summary>A text that must be there.</summary>
    public static string Text(JsonElement json, string name) => NotNull(json.GetProperty(name));

    /// <summary>A text, or null when it is absent.</summary>
    public static string? TextOrNull(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;

    /// <summary>A whole number, or <paramref name="otherwise"/> when it is absent.</summary>
    public static int Number(JsonElement json, string name, int otherwise) => json.TryGetProperty(name, out var value) ? value.GetInt32() : otherwise;

    /// <summary>A switch, off when it is absent.</summary>
    public static bool Flag(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.GetBoolean();
}
