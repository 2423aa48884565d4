using System.Text.Json;
using System.Text.Unicode;

namespace Muster.Core;

/// <summary>
/// JSON that others wrote, taken only when all of it can be read: no member twice, and no bytes or escapes that are not
/// Unicode, which pass the parser and fail with InvalidOperationException when the text is read, compared or written.
/// </summary>
public static class StrictJson
{
    /// <summary>As deep as the parser itself goes unless told otherwise.</summary>
    public const int MaxDepth = 64;

    /// <summary>Parses a document; the element needs no disposal.</summary>
    /// <exception cref="JsonException">With what <see cref="JsonFault"/> puts into words.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> json, int maxDepth = MaxDepth)
    {
        // The parser looks into no text: neither bytes that are not UTF-8 nor escapes are noticed before it is read.
        if (!Utf8.IsValid(json.Span))
        {
            throw new JsonException(JsonFault.NotUnicode);
        }

        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = maxDepth, AllowDuplicateProperties = false });
            using var writer = new Utf8JsonWriter(Stream.Null);
            document.RootElement.WriteTo(writer);
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new JsonException(JsonFault.NotUnicode, e);
        }
    }
}
