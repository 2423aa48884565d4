using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Muster.Core;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Muster.Metrics.Logging;

/// <summary>YAML as another way of writing JSON: mappings, lists and scalars. Anchors, tags and several documents are refused, as they hide what a file means.</summary>
internal static class YamlText
{
    /// <summary>A person writes these files.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int MaxDepth = 12;

    /// <summary>Reads a file of at most <see cref="MaxBytes"/>.</summary>
    public static string Load(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[MaxBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxBytes ? System.Text.Encoding.UTF8.GetString(bytes, 0, length) : throw new MusterException(ErrorKind.Invalid, $"{path} has more than {MaxBytes} bytes: this is no configuration");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new MusterException(ErrorKind.NotFound, $"There is no file {path}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>Reads a document; members that the type does not have are refused.</summary>
    public static T Parse<T>(string text, string where, JsonTypeInfo<T> type)
        where T : class
    {
        JsonNode? tree;
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.TryConsume<StreamEnd>(out _))
            {
                throw new MusterException(ErrorKind.Invalid, $"{where} is empty");
            }

            parser.Consume<DocumentStart>();
            tree = Read(parser, 0);
            parser.Consume<DocumentEnd>();
            parser.Consume<StreamEnd>();
        }
        catch (YamlException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{where} is not YAML as it is taken here (line {e.Start.Line}): {e.Message.TrimEnd('.')}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{where} is not YAML: {e.Message.TrimEnd('.')}", e);
        }

        try
        {
            return tree?.Deserialize(type) ?? throw new MusterException(ErrorKind.Invalid, $"{where} is empty");
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{where} is not valid: {JsonFault.Of(e)}", e);
        }
    }

    private static JsonNode? Read(Parser parser, int depth)
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

    // Every scalar is text to these files (a size may be 4096 or 4Ki) but for the booleans and null of the core schema (YAML 1.2, section 10.3.2).
    private static JsonValue? Value(Scalar scalar) => scalar.Style != ScalarStyle.Plain ? JsonValue.Create(scalar.Value) : scalar.Value switch
    {
        "" or "~" or "null" => null,
        "true" or "True" => JsonValue.Create(true),
        "false" or "False" => JsonValue.Create(false),
        var text => JsonValue.Create(text),
    };
}
