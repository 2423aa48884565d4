using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Muster.TestKit;

/// <summary>
/// Leaves optional members out of a document that was written with every one at its default: what is read must be the same.
/// A generated reader gives members that are set at construction their type's default where the record says another.
/// </summary>
public static class LeftOutMembers
{
    /// <summary>How many members <see cref="Check"/> can leave out of what <paramref name="sample"/> is written as.</summary>
    public static int Count<T>(T sample, JsonTypeInfo<T> json) => Optional(JsonSerializer.SerializeToNode(sample, json)!, json).Count;

    /// <summary>Leaves out every optional member whose turn in <paramref name="left"/> is true, and fails with the first difference.</summary>
    public static void Check<T>(T sample, JsonTypeInfo<T> json, IReadOnlyList<bool> left)
    {
        var document = JsonSerializer.SerializeToNode(sample, json)!;
        var whole = document.ToJsonString();
        var members = Optional(document, json);
        for (var i = members.Count - 1; i >= 0; i--)
        {
            if (left[i % left.Count])
            {
                members[i].Parent.Remove(members[i].Name);
            }
        }

        var cut = document.ToJsonString();
        var again = JsonSerializer.Serialize(JsonSerializer.Deserialize(cut, json)!, json);
        if (JsonNode.DeepEquals(JsonNode.Parse(again), JsonNode.Parse(whole)) is false)
        {
            throw new InvalidOperationException($"{typeof(T).Name} read from {cut} is {again}, not {whole}");
        }
    }

    private static List<(JsonObject Parent, string Name)> Optional(JsonNode node, JsonTypeInfo json)
    {
        var found = new List<(JsonObject Parent, string Name)>();
        Add(node, json, found);
        return found;
    }

    private static void Add(JsonNode? node, JsonTypeInfo json, List<(JsonObject Parent, string Name)> found)
    {
        if (node is JsonArray list && json.ElementType is { } element)
        {
            foreach (var item in list)
            {
                Add(item, json.Options.GetTypeInfo(element), found);
            }
        }
        else if (node is JsonObject members && json.Kind == JsonTypeInfoKind.Object)
        {
            foreach (var property in json.Properties)
            {
                // A file without a version is of no version that is known: that one is never left out.
                if (members[property.Name] is { } value && property.Name != "version")
                {
                    Add(value, json.Options.GetTypeInfo(property.PropertyType), found);
                    // A list that the sample fills holds records to look into: it is no default.
                    if (!property.IsRequired && value is not JsonArray { Count: > 0 } && property.AssociatedParameter is not { HasDefaultValue: false, IsMemberInitializer: false })
                    {
                        found.Add((members, property.Name));
                    }
                }
            }
        }
    }
}
