using System.Text.Json;

namespace Muster.Core;

/// <summary>
/// JSON that others wrote, taken only when all of it can be read: no member twice, and no half of a surrogate pair, which
/// passes the parser and fails with InvalidOperationException when its text is read, compared or written.
/// </summary>
public static class StrictJson
{
    /// <summary>As deep as the parser itself goes unless told otherwise.</summary>
    public const int MaxDepth = 64;

    /// <summary>Parses a document; the element needs no disposal.</summary>
    /// <exception cref="JsonException">With what <see cref="JsonFault"/> puts into words.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> json, int maxDepth = MaxDepth)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = maxDepth, AllowDuplicateProperties = false });
        try
        {
            using var writer = new Utf8JsonWriter(Stream.Null);
            document.RootElement.WriteTo(writer);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new JsonException(JsonFault.NotUnicode, e);
        }

        return document.RootElement.Clone();
    }
}
