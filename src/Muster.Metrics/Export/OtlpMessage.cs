using System.Globalization;

namespace Muster.Metrics.Export;

/// <summary>
/// One ExportMetricsServiceRequest (opentelemetry-proto, collector/metrics/v1) with one resource and one scope, in protobuf
/// or in its JSON form. Metrics are added one after the other.
/// </summary>
internal abstract class OtlpMessage : IDisposable
{
    protected const string Scope = "muster";

    /// <summary>AGGREGATION_TEMPORALITY_CUMULATIVE.</summary>
    protected const int Cumulative = 2;

    protected TextBuffer Buffer { get; } = new();

    /// <summary>Data points so far.</summary>
    public int Points { get; private set; }

    /// <summary>The media type of the request.</summary>
    public abstract string ContentType { get; }

    public static OtlpMessage Begin(bool isJson, IReadOnlyList<KeyValuePair<string, string>> resource)
    {
        OtlpMessage message = isJson ? new OtlpJson() : new OtlpProtobuf();
        message.BeginResource(resource);
        return message;
    }

    /// <summary>Begins a metric: its name, one line, UCUM unit, and whether it only grows.</summary>
    public abstract void BeginMetric(string name, string description, string unit, bool isCounter);

    /// <summary>Adds a data point with a whole number.</summary>
    public void AddPoint(ulong timeNanoseconds, long value, IReadOnlyList<KeyValuePair<string, string>> attributes)
    {
        Points++;
        Point(timeNanoseconds, value, null, attributes);
    }

    /// <summary>Adds a data point with a real number.</summary>
    public void AddPoint(ulong timeNanoseconds, double value, IReadOnlyList<KeyValuePair<string, string>> attributes)
    {
        Points++;
        Point(timeNanoseconds, 0, value, attributes);
    }

    public abstract void EndMetric();

    /// <summary>Ends the request; its bytes.</summary>
    public byte[] End()
    {
        EndResource();
        return Buffer.Written.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Buffer.Dispose();
        GC.SuppressFinalize(this);
    }

    protected abstract void BeginResource(IReadOnlyList<KeyValuePair<string, string>> resource);

    protected abstract void Point(ulong timeNanoseconds, long whole, double? real, IReadOnlyList<KeyValuePair<string, string>> attributes);

    protected abstract void EndResource();
}

/// <summary>The protobuf form (proto3), written by hand: a handful of messages with numbered fields.</summary>
internal sealed class OtlpProtobuf : OtlpMessage
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Bytes = 2;

    // The largest length of a message takes five bytes; what is not needed is closed up when the message ends.
    private const int LengthRoom = 5;

    private readonly Stack<int> _open = new();
    private bool _isCounter;

    public override string ContentType => "application/x-protobuf";

    public override void BeginMetric(string name, string description, string unit, bool isCounter)
    {
        _isCounter = isCounter;
        Open(2);
        Text(1, name);
        Text(2, description);
        Text(3, unit);
        Open(isCounter ? 7 : 5);
    }

    public override void EndMetric()
    {
        if (_isCounter)
        {
            Number(2, Cumulative);
            Number(3, 1);
        }

        Close();
        Close();
    }

    protected override void BeginResource(IReadOnlyList<KeyValuePair<string, string>> resource)
    {
        Open(1);
        Open(1);
        Attributes(1, resource);
        Close();
        Open(2);
        Open(1);
        Text(1, Scope);
        Close();
    }

    protected override void Point(ulong timeNanoseconds, long whole, double? real, IReadOnlyList<KeyValuePair<string, string>> attributes)
    {
        Open(1);
        Fixed(3, timeNanoseconds);
        Fixed(real is null ? 6 : 4, real is { } number ? BitConverter.DoubleToUInt64Bits(number) : (ulong)whole);
        Attributes(7, attributes);
        Close();
    }

    protected override void EndResource()
    {
        Close();
        Close();
    }

    private void Attributes(int field, IReadOnlyList<KeyValuePair<string, string>> attributes)
    {
        foreach (var (name, value) in attributes)
        {
            Open(field);
            Text(1, name);
            Open(2);
            Text(1, value);
            Close();
            Close();
        }
    }

    private void Open(int field)
    {
        Tag(field, Bytes);
        Buffer.GetSpan(LengthRoom);
        Buffer.Advance(LengthRoom);
        _open.Push(Buffer.Length);
    }

    private void Close()
    {
        var start = _open.Pop();
        Buffer.CloseUp(start, LengthRoom, Buffer.Length - start);
    }

    private void Text(int field, string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        Tag(field, Bytes);
        Buffer.AddVarint((ulong)System.Text.Encoding.UTF8.GetByteCount(text));
        Buffer.Add(text);
    }

    private void Number(int field, ulong value)
    {
        Tag(field, Varint);
        Buffer.AddVarint(value);
    }

    private void Fixed(int field, ulong value)
    {
        Tag(field, Fixed64);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(Buffer.GetSpan(8), value);
        Buffer.Advance(8);
    }

    private void Tag(int field, int wireType) => Buffer.AddVarint((ulong)((field << 3) | wireType));
}

/// <summary>The JSON form (OTLP specification, JSON Protobuf Encoding): lowerCamelCase names, 64-bit integers as texts.</summary>
internal sealed class OtlpJson : OtlpMessage
{
    private readonly System.Text.Json.Utf8JsonWriter _json;
    private bool _isCounter;

    public OtlpJson() => _json = new System.Text.Json.Utf8JsonWriter(Buffer);

    public override string ContentType => "application/json";

    public override void BeginMetric(string name, string description, string unit, bool isCounter)
    {
        _isCounter = isCounter;
        _json.WriteStartObject();
        _json.WriteString("name"u8, name);
        _json.WriteString("description"u8, description);
        _json.WriteString("unit"u8, unit);
        _json.WriteStartObject(isCounter ? "sum"u8 : "gauge"u8);
        _json.WriteStartArray("dataPoints"u8);
    }

    public override void EndMetric()
    {
        _json.WriteEndArray();
        if (_isCounter)
        {
            _json.WriteNumber("aggregationTemporality"u8, Cumulative);
            _json.WriteBoolean("isMonotonic"u8, true);
        }

        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    protected override void BeginResource(IReadOnlyList<KeyValuePair<string, string>> resource)
    {
        _json.WriteStartObject();
        _json.WriteStartArray("resourceMetrics"u8);
        _json.WriteStartObject();
        _json.WriteStartObject("resource"u8);
        Attributes(resource);
        _json.WriteEndObject();
        _json.WriteStartArray("scopeMetrics"u8);
        _json.WriteStartObject();
        _json.WriteStartObject("scope"u8);
        _json.WriteString("name"u8, Scope);
        _json.WriteEndObject();
        _json.WriteStartArray("metrics"u8);
    }

    protected override void Point(ulong timeNanoseconds, long whole, double? real, IReadOnlyList<KeyValuePair<string, string>> attributes)
    {
        _json.WriteStartObject();
        _json.WriteString("timeUnixNano"u8, timeNanoseconds.ToString(CultureInfo.InvariantCulture));
        if (real is not { } number)
        {
            _json.WriteString("asInt"u8, whole.ToString(CultureInfo.InvariantCulture));
        }
        else if (double.IsFinite(number))
        {
            _json.WriteNumber("asDouble"u8, number);
        }
        else
        {
            _json.WriteString("asDouble"u8, double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        }

        Attributes(attributes);
        _json.WriteEndObject();
    }

    protected override void EndResource()
    {
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.Flush();
        _json.Dispose();
    }

    private void Attributes(IReadOnlyList<KeyValuePair<string, string>> attributes)
    {
        _json.WriteStartArray("attributes"u8);
        foreach (var (name, value) in attributes)
        {
            _json.WriteStartObject();
            _json.WriteString("key"u8, name);
            _json.WriteStartObject("value"u8);
            _json.WriteString("stringValue"u8, value);
            _json.WriteEndObject();
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }
}
