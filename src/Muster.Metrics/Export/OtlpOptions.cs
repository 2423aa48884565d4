namespace Muster.Metrics.Export;

/// <summary>Where and how metrics are pushed by OpenTelemetry's protocol.</summary>
public sealed record OtlpOptions
{
    /// <summary>The collector's whole address: <c>http://127.0.0.1:4318/v1/metrics</c>.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>True for JSON, false for protobuf.</summary>
    public bool IsJson { get; init; }

    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Beginnings of names; those that no metric has are passed over, since containers bring theirs when they come.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Data points in one request: about 1 MB.</summary>
    public int MaxPoints { get; init; } = 8192;

    /// <summary>Bytes that wait for a collector that does not answer; beyond it the oldest are dropped.</summary>
    public long MaxQueued { get; init; } = 16L * 1024 * 1024;
}
