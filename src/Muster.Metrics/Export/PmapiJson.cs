using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Export;

/// <summary>JSON of the REST interface, written member by member in pmproxy's order.</summary>
internal static class PmapiJson
{
    // Answers are JSON with their own media type, never part of a page.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ReadOnlyMemory<byte> Write(int? context, Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            if (context is { } number)
            {
                json.WriteNumber("context"u8, number);
            }

            members(json);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> Success(int? context) => Write(context, json => json.WriteBoolean("success"u8, true));

    public static ReadOnlyMemory<byte> Failure(int? context, string message) => Write(context, json =>
    {
        json.WriteString("message"u8, message);
        json.WriteBoolean("success"u8, false);
    });

    public static void Labels(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, string>> labels)
    {
        json.WriteStartObject("labels"u8);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, value) in labels.OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            // Inner levels come first in the list and win over outer ones.
            if (names.Add(name))
            {
                json.WritePropertyName(name);
                if (LabelWriter.IsNumber(name, value))
                {
                    json.WriteRawValue(value);
                }
                else
                {
                    json.WriteStringValue(value);
                }
            }
        }

        json.WriteEndObject();
    }

    public static void Value(Utf8JsonWriter json, MetricType type, MetricValue value)
    {
        switch (type)
        {
            case MetricType.Int32 or MetricType.Int64:
                json.WriteNumberValue(value.Signed);
                break;
            case MetricType.UInt32:
                json.WriteNumberValue((uint)value.Unsigned);
                break;
            case MetricType.UInt64:
                json.WriteNumberValue(value.Unsigned);
                break;
            case MetricType.Float when float.IsFinite((float)value.Real):
                json.WriteNumberValue((float)value.Real);
                break;
            case MetricType.Double when double.IsFinite(value.Real):
                json.WriteNumberValue(value.Real);
                break;
            case MetricType.Float or MetricType.Double:
                json.WriteStringValue(value.Real.ToString(CultureInfo.InvariantCulture));
                break;
            case MetricType.String:
                json.WriteStringValue(value.Text);
                break;
            case MetricType.Aggregate:
                json.WriteStringValue(Convert.ToBase64String(value.Bytes));
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    /// <summary>PCP's words for types (pmTypeStr(3)), as pmproxy shortens them.</summary>
    public static string TypeName(MetricType type) => type switch
    {
        MetricType.Int32 => "32",
        MetricType.UInt32 => "u32",
        MetricType.Int64 => "64",
        MetricType.UInt64 => "u64",
        MetricType.Float => "float",
        MetricType.Double => "double",
        MetricType.String => "string",
        MetricType.Aggregate => "aggregate",
        MetricType.Event => "event",
        MetricType.HighResolutionEvent => "highres event",
        _ => "no_support",
    };

    public static string SemanticsName(MetricSemantics semantics) => semantics switch
    {
        MetricSemantics.Counter => "counter",
        MetricSemantics.Discrete => "discrete",
        _ => "instant",
    };

    public static string UnitsName(MetricUnits units) => units.ToString();
}
