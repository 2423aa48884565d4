using System.Text.Json;

namespace Muster.Containers.Runtime;

/// <summary>What an OCI runtime wrote into its log (<c>--log-format json</c>: one record a line).</summary>
public static class RuntimeLog
{
    /// <summary>
    /// The last error: the status that a shell would give for it (126 cannot be executed, 127 not found, 254 otherwise) and the
    /// runtime's words; null when there is none.
    /// </summary>
    public static (int Status, string Text)? Failure(string path)
    {
        string? text = null;
        foreach (var line in File.ReadLines(path))
        {
            try
            {
                using var json = JsonDocument.Parse(line);
                if (json.RootElement.TryGetProperty("level", out var level) && level.GetString() == "error")
                {
                    text = json.RootElement.GetProperty("msg").GetString();
                }
            }
            catch (JsonException)
            {
                // Not a record: a runtime that was killed while it wrote.
            }
        }

        return text is null ? null : (Status(text), Shorten(text));
    }

    private static int Status(string text)
    {
        bool Says(string words) => text.Contains(words, StringComparison.OrdinalIgnoreCase);
        return Says("exec") && !Says("mount")
            ? Says("not found") || Says("no such file or directory") ? 127 : Says("permission denied") || Says("not permitted") || Says("exec format error") ? 126 : 254
            : 254;
    }

    // runc tells its own innards first; what went wrong stands behind.
    private static string Shorten(string text)
    {
        const string lead = "unable to start container process: ";
        var at = text.IndexOf(lead, StringComparison.Ordinal);
        return (at < 0 ? text : text[(at + lead.Length)..]).Trim();
    }
}
