using System.Text.Json;
using Muster.Containers.Accounts;

namespace Muster.Containers.Runtime;

/// <summary>What of an app's process is another one's when a command is run beside it.</summary>
public sealed record AddedProcess
{
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>NAME=VALUE, final.</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    public required string WorkingDirectory { get; init; }

    public required Identity Identity { get; init; }

    public bool Terminal { get; init; }
}

/// <summary>
/// The process that an OCI runtime adds to a container (<c>exec --process</c>; OCI runtime specification 1.0.2, config.md,
/// Process): the app's own, so that all that confines the app confines the command as well, but for what the caller chose.
/// Runtimes differ in what they take from the app where words on their command line say nothing.
/// </summary>
public static class ProcessDocument
{
    private static readonly string[] Changed = ["terminal", "consoleSize", "user", "args", "env", "cwd"];

    /// <summary>The document for <paramref name="added"/> beside the app whose bundle is at <paramref name="bundle"/>.</summary>
    public static byte[] Make(string bundle, AddedProcess added)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(bundle, "config.json")));
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var member in config.RootElement.GetProperty("process").EnumerateObject())
            {
                if (Array.IndexOf(Changed, member.Name) < 0)
                {
                    member.WriteTo(json);
                }
            }

            json.WriteBoolean("terminal"u8, added.Terminal);
            BundleWriter.WriteUser(json, added.Identity.Uid, added.Identity.Gid, added.Identity.SupplementaryGids);
            BundleWriter.Strings(json, "args", added.Arguments);
            BundleWriter.Strings(json, "env", added.Environment);
            json.WriteString("cwd"u8, added.WorkingDirectory);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The app's environment with a home that fits the user, then <paramref name="more"/>, the later winning.</summary>
    public static List<string> Environment(IReadOnlyList<string> app, string? home, IEnumerable<string> more)
    {
        var values = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in app.Concat(home is null ? [] : ["HOME=" + home]).Concat(more))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            values[equals < 0 ? pair : pair[..equals]] = equals < 0 ? "" : pair[(equals + 1)..];
        }

        return [.. values.Select(v => $"{v.Key}={v.Value}")];
    }
}
