using System.Text.Json.Serialization;
using Muster.Cli.Commands.Host;
using Muster.Network;

namespace Muster.Cli;

/// <summary>Source-generated JSON of what verbs print that is no record of another room.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PortMapping))]
[JsonSerializable(typeof(ConfigRow))]
[JsonSerializable(typeof(DoctorRow))]
internal sealed partial class CliJson : JsonSerializerContext;
