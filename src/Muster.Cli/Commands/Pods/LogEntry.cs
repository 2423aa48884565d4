using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Muster.Cli.Commands.Pods;

/// <summary>One record of an app's log, as muster-shim writes it.</summary>
/// <param name="Record">The whole record as it is stored.</param>
/// <param name="Written">Its time as it is stored.</param>
/// <param name="IsPartial">True for a piece of a line that goes on in the next record.</param>
internal sealed record LogEntry(string App, string Record, DateTimeOffset Time, string Written, bool IsError, string Text, bool IsPartial)
{
    /// <summary>Reads a record; null for one that a crash cut short.</summary>
    public static LogEntry? TryRead(string app, ReadOnlyMemory<byte> line)
    {
        try
        {
            using var record = JsonDocument.Parse(line);
            var root = record.RootElement;
            return root.ValueKind == JsonValueKind.Object
                && Member(root, "time") is { } time
                && DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                && Member(root, "stream") is { } stream
                && Member(root, "log") is { } text
                ? new LogEntry(app, Encoding.UTF8.GetString(line.Span), at, time, stream == "stderr", text, root.TryGetProperty("partial", out _))
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Member(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
