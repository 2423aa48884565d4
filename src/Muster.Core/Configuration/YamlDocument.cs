using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Muster.Core.Configuration;

/// <summary>
/// YAML as another way of writing JSON: mappings, lists and scalars. Anchors, tags and several documents are refused, as they
/// hide what a file means. Only what reads such files links the YAML library; muster.yaml has a reader of its own.
/// </summary>
public sealed class YamlDocument
{
    /// <summary>Files that people write are a handful of levels deep.</summary>
    public const int MaxDepth = 12;

    private readonly string _text;
    private readonly string _where;
    private readonly JsonNode? _root;
    private Dictionary<string, long>? _lines;

    private YamlDocument(string text, string where, JsonNode? root) => (_text, _where, _root) = (text, where, root);

    /// <summary>Nothing, or nothing but comments.</summary>
    public bool IsEmpty => _root is null;

    /// <summary>Reads one document.</summary>
    /// <param name="text">The document.</param>
    /// <param name="where">Its file, for the sentence of a refusal.</param>
    /// <exception cref="MusterException">It is not YAML, or not as it is taken here; with the line.</exception>
    public static YamlDocument Parse(string text, string where)
    {
        try
        {
            return new YamlDocument(text, where, new Walk(text, null).Read());
        }
        catch (YamlException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{where} is not YAML as it is taken here (line {e.Start.Line}): {e.Message.TrimEnd('.')}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{where} is not YAML: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>The document as a value; numbers in it are text, which the type's JSON has to allow. Members that the type does not have are for it to refuse.</summary>
    /// <exception cref="MusterException">The document is empty or does not fit the type; with the line.</exception>
    public T To<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return _root?.Deserialize(type) ?? throw new MusterException(ErrorKind.Invalid, $"{_where} is empty");
        }
        catch (JsonException e)
        {
            // The place that the reader tells is one in JSON that nobody wrote.
            throw new MusterException(ErrorKind.Invalid, $"{_where}, line {LineOf(e.Path ?? "$")}, is not valid: {JsonFault.Of(new JsonException(e.Message, e.Path, null, null))}", e);
        }
    }

    /// <summary>The line, from 1, on which a member stands, or the nearest one around it that there is.</summary>
    /// <param name="path">A path as the JSON reader tells them: <c>$.rules[2].when</c>.</param>
    public long LineOf(string path)
    {
        if (_lines is null)
        {
            _lines = new(StringComparer.Ordinal);
            _ = new Walk(_text, _lines).Read();
        }

        for (var part = path; part.Length > 0; part = part[..Math.Max(0, part.LastIndexOfAny(['.', '[']))])
        {
            if (_lines.TryGetValue(part, out var line))
            {
                return line;
            }
        }

        return 1;
    }

    /// <summary>Reads the events of a document, and notes the lines of all paths when they are asked for.</summary>
    private sealed class Walk(string text, Dictionary<string, long>? lines)
    {
        private readonly Parser _parser = new(new StringReader(text));

        public JsonNode? Read()
        {
            _parser.Consume<StreamStart>();
            if (_parser.TryConsume<StreamEnd>(out _))
            {
                return null;
            }

            _parser.Consume<DocumentStart>();
            var tree = Read("$", 0);
            _parser.Consume<DocumentEnd>();
            _parser.Consume<StreamEnd>();
            return tree;
        }

        private JsonNode? Read(string path, int depth)
        {
            if (depth > MaxDepth)
            {
                throw new YamlException(_parser.Current!.Start, _parser.Current.End, $"more than {MaxDepth} levels");
            }

            if (_parser.Current is NodeEvent { Anchor.IsEmpty: false } or AnchorAlias or NodeEvent { Tag.IsEmpty: false })
            {
                throw new YamlException(_parser.Current.Start, _parser.Current.End, "anchors, aliases and tags are not taken");
            }

            lines?.TryAdd(path, _parser.Current!.Start.Line);
            if (_parser.TryConsume<Scalar>(out var scalar))
            {
                return Value(scalar);
            }

            if (_parser.TryConsume<SequenceStart>(out _))
            {
                var list = new JsonArray();
                while (!_parser.TryConsume<SequenceEnd>(out _))
                {
                    list.Add(Read(lines is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{path}[{list.Count}]"), depth + 1));
                }

                return list;
            }

            _parser.Consume<MappingStart>();
            var map = new JsonObject();
            while (!_parser.TryConsume<MappingEnd>(out _))
            {
                var key = _parser.Consume<Scalar>();
                if (map.ContainsKey(key.Value))
                {
                    throw new YamlException(key.Start, key.End, $"\"{key.Value}\" is given twice");
                }

                var member = lines is null ? "" : $"{path}.{key.Value}";
                lines?.TryAdd(member, key.Start.Line);
                map.Add(key.Value, Read(member, depth + 1));
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
}
