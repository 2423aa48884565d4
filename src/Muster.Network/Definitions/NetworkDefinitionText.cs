using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Muster.Core;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Muster.Network;

/// <summary>
/// Reads our definitions. YAML is only another way of writing the same JSON: mappings, lists and scalars; anchors, tags and
/// several documents are refused, as they hide what a file means.
/// </summary>
public static class NetworkDefinitionText
{
    /// <summary>A definition is a mapping with lists of scalars; deeper nesting is not one.</summary>
    public const int MaxDepth = 8;

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
        JsonNode? tree;
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.TryConsume<StreamEnd>(out _))
            {
                return new NetworkDefinition();
            }

            parser.Consume<DocumentStart>();
            tree = Read(parser, 0);
            parser.Consume<DocumentEnd>();
            parser.Consume<StreamEnd>();
        }
        catch (YamlException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{where} is not YAML that a network definition may use (line {e.Start.Line}): {e.Message}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{where} is not YAML: {e.Message}", e);
        }

        try
        {
            return tree is null ? new NetworkDefinition() : tree.Deserialize(NetworkDefinitionJson.Default.NetworkDefinition) ?? new NetworkDefinition();
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{where} is not a network definition: {JsonFault.Of(e)}", e);
        }
    }

    private static JsonNode? Read(IParser parser, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new YamlException(parser.Current!.Start, parser.Current.End, $"more than {MaxDepth} levels");
        }

        if (parser.Current is NodeEvent { Anchor.IsEmpty: false } or AnchorAlias or NodeEvent { Tag.IsEmpty: false })
        {
            throw new YamlException(parser.Current.Start, parser.Current.End, "anchors, aliases and tags are not taken");
        }

        if (parser.TryConsume<Scalar>(out var scalar))
        {
            return Value(scalar);
        }

        if (parser.TryConsume<SequenceStart>(out _))
        {
            var list = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                list.Add(Read(parser, depth + 1));
            }

            return list;
        }

        parser.Consume<MappingStart>();
        var map = new JsonObject();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = parser.Consume<Scalar>();
            if (map.ContainsKey(key.Value))
            {
                throw new YamlException(key.Start, key.End, $"\"{key.Value}\" is given twice");
            }

            map.Add(key.Value, Read(parser, depth + 1));
        }

        return map;
    }

    // The core schema's booleans, whole numbers and null (YAML 1.2, section 10.3.2); all else is text.
    private static JsonNode? Value(Scalar scalar)
    {
        if (scalar.Style != ScalarStyle.Plain)
        {
            return JsonValue.Create(scalar.Value);
        }

        return scalar.Value switch
        {
            "" or "~" or "null" => null,
            "true" or "True" => JsonValue.Create(true),
            "false" or "False" => JsonValue.Create(false),
            var text when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
            var text => JsonValue.Create(text),
        };
    }
}

/// <summary>Source-generated JSON of definitions as users see them.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    WriteIndented = true)]
[JsonSerializable(typeof(NetworkDefinition))]
[JsonSerializable(typeof(ManagedNetwork))]
[JsonSerializable(typeof(JsonNode))]
public sealed partial class NetworkDefinitionJson : JsonSerializerContext;
