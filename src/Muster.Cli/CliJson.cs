using System.Text.Json.Serialization;
using Muster.Network;

namespace Muster.Cli;

/// <summary>Source-generated JSON of what verbs print that is no record of another room.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PortMapping))]
internal sealed partial class CliJson : JsonSerializerContext;
