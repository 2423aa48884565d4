using System.Text.Json.Serialization;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;

namespace Muster.Cli.Commands.Images;

/// <summary>Everything the store knows of an image.</summary>
internal sealed record ImageDetails(ImageRecord Image, IReadOnlyList<ReferenceRecord> References, IReadOnlyList<string> Lowers, DateTimeOffset LastUsed);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ImageDetails))]
internal sealed partial class ImageDetailsJson : JsonSerializerContext;

internal static class ImageInspectCommand
{
    public static readonly Command Command = new()
    {
        Words = ["image", "inspect"],
        Summary = "Show everything about an image: its app, layers, names and why it was let in",
        Usage = "IMAGE",
        Example = """
            muster image inspect example.com/app:1.0
            muster image inspect --format=json sha256-354ce04f
            """,
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var store = new ImageStore(call.Root, call.Time);
            var image = ImageRows.Find(store, call.Arguments[0]);
            var details = new ImageDetails(image.Record, store.ReferencesTo(image.Record.Id), store.LowerDirectories(image.Record), store.LastUsed(image.Record));
            if (call.Json)
            {
                Listing.WriteJson(call, details, ImageDetailsJson.Default.ImageDetails);
            }
            else
            {
                Write(call, details);
            }

            return Task.FromResult(0);
        },
    };

    private static void Write(Invocation call, ImageDetails details)
    {
        var image = details.Image;
        Line(call, "id", image.Id);
        Line(call, "name", image.VersionLabel is null ? image.Name : $"{image.Name}:{image.VersionLabel}");
        Line(call, "kind", $"{image.Kind.ToString().ToLowerInvariant()}, {image.Os}/{image.Architecture}");
        Line(call, "size", $"{Quantity.FormatBytes(image.TreeBytes)} unpacked, {Quantity.FormatBytes(image.BlobBytes)} stored");
        Line(call, "imported", $"{ImageRows.Time(image.ImportedAt)}, last used {ImageRows.Time(details.LastUsed)}");
        Line(call, "exec", string.Join(' ', image.App.Exec.Concat(image.App.DefaultArguments).Select(Quote)));
        Line(call, "user", image.App.Group is null ? image.App.User : $"{image.App.User}:{image.App.Group}");
        Line(call, "directory", image.App.WorkingDirectory ?? "/");
        foreach (var variable in image.App.Environment)
        {
            Line(call, "env", $"{variable.Name}={variable.Value}");
        }

        foreach (var port in image.App.Ports)
        {
            Line(call, "port", $"{port.Name} {port.Port}{(port.Count > 1 ? $"-{port.Port + port.Count - 1}" : "")}/{port.Protocol}");
        }

        foreach (var mount in image.App.MountPoints)
        {
            Line(call, "mount", $"{mount.Name} {mount.Path}{(mount.ReadOnly ? " (read-only)" : "")}");
        }

        foreach (var isolator in image.App.Isolators)
        {
            Line(call, "isolator", $"{isolator.Name} {isolator.Value.GetRawText()}");
        }

        foreach (var tree in image.Trees)
        {
            Line(call, "tree", tree);
        }

        foreach (var reference in details.References)
        {
            Line(call, "reference", $"{reference.Reference}: {reference.Trust.Verdict.ToString().ToLowerInvariant()}{(reference.Trust.Signer is { } signer ? $" by {signer}" : "")}, {ImageRows.Time(reference.FetchedAt)}{(reference.Trust.Reason is { } reason ? $" ({reason})" : "")}");
        }
    }

    private static string Quote(string word) => word.Contains(' ', StringComparison.Ordinal) || word.Length == 0 ? $"'{word}'" : word;

    // What comes from an image must not steer the terminal.
    private static void Line(Invocation call, string name, string text) =>
        call.Terminal.Out.WriteLine($"{name,-10} {string.Concat(text.Select(c => char.IsControl(c) ? '?' : c))}");
}
