using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Muster.Core;
using Muster.Core.Configuration;

namespace Muster.Network;

/// <summary>Reads our definitions, in JSON and in YAML.</summary>
public static class NetworkDefinitionText
{
    /// <summary>Reads a JSON definition; unknown members are refused.</summary>
    public static NetworkDefinition ParseJson(string text, string where)
    {
        try
        {
            return JsonSerializer.Deserialize(text, NetworkDefinitionJson.Default.NetworkDefinition)
                ?? throw new MusterException(ErrorKind.Invalid, $"{where} is empty: write at least subnets, or remove the file");
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{where} is not a network definition: {JsonFault.Of(e)}", e);
        }
    }

    /// <summary>Reads a YAML definition; unknown members are refused.</summary>
    public static NetworkDefinition ParseYaml(string text, string where)
    {
        var document = YamlDocument.Parse(text, where);
        return document.IsEmpty ? new NetworkDefinition() : document.To(NetworkDefinitionJson.Default.NetworkDefinition);
    }
}

/// <summary>Source-generated JSON of definitions as users see them.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.AllowReadingFromString,
    WriteIndented = true)]
[JsonSerializable(typeof(NetworkDefinition))]
[JsonSerializable(typeof(ManagedNetwork))]
[JsonSerializable(typeof(JsonNode))]
public sealed partial class NetworkDefinitionJson : JsonSerializerContext;
