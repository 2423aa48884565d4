using System.Text.Json.Serialization;

namespace Muster.Cli.Commands.Metrics;

/// <summary>A row of <c>metric list</c>.</summary>
internal sealed record MetricSummary(string Name, string Number, string Type, string Semantics, string Units, string Instances, string What);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MetricSummary))]
[JsonSerializable(typeof(TopRow))]
internal sealed partial class MetricJson : JsonSerializerContext;
