using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Muster.Core;

namespace Muster.Images;

/// <summary>
/// How one kind of the store's records is read. Making the metadata of these types costs 2 ms, which every start of a pod would pay:
/// what has the usual form is read member by member, and the serializer reads, or explains, everything else.
/// </summary>
internal sealed class RecordFormat<T>(Func<JsonElement, T>? members, Func<JsonTypeInfo<T>> metadata)
    where T : class
{
    /// <exception cref="JsonException">It is no such record; with the place, for <see cref="JsonFault"/>.</exception>
    public T? Read(byte[] utf8) => ReadMembers(utf8) ?? JsonSerializer.Deserialize(utf8, metadata());

    /// <summary>The record; null where the serializer is to read it, or to say what is wrong.</summary>
    internal T? ReadMembers(byte[] utf8)
    {
        try
        {
            // Not disposed: the record keeps elements of it.
            return members?.Invoke(JsonDocument.Parse(utf8).RootElement);
        }
        catch (Exception e) when (JsonMembers.IsMisfit(e))
        {
            return null;
        }
    }
}
