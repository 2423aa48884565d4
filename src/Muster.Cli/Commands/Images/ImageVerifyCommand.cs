using System.Text.Json.Serialization;
using Muster.Cli.CommandLine;
using Muster.Cli.Commands.Trust;
using Muster.Core;
using Muster.Images;

namespace Muster.Cli.Commands.Images;

/// <summary>A difference, with the image that it belongs to.</summary>
internal sealed record VerifyRow(string Image, string Part, string Problem);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(VerifyRow))]
internal sealed partial class VerifyJson : JsonSerializerContext;

internal static class ImageVerifyCommand
{
    /// <summary>The status when something differs, so that scripts tell it from a failure to look (254).</summary>
    private const int Differs = 1;

    public static readonly Command Command = new()
    {
        Words = ["image", "verify"],
        Lists = true,
        Summary = "Hash an image's blobs, unpack them anew and name every file that differs from what the store keeps",
        Usage = "[OPTION…] [IMAGE…]",
        Description = """
            Without IMAGE every image is verified. Ends with 0 when nothing differs, with 1 when something does.
            With --signature it says who signed, when and with which key, why that was accepted, and whether it still is by
            today's keys, policies and bans (1 when it is not); the signatures that the store keeps are verified again, without
            any network.
            """,
        Example = """
            muster image verify example.com/app:1.0
            muster image verify --signature example.com/app:1.0
            muster image verify --format=json
            """,
        Options = [new("signature", "Judge the signatures instead of the content")],
        Arguments = (0, 10_000),
        Run = RunAsync,
    };

    private static async Task<int> RunAsync(Invocation call, CancellationToken ct)
    {
        var store = new ImageStore(call.Root, call.Time);
        if (call.Has("signature"))
        {
            return SignatureReport.Write(call, store, call.Arguments.Count == 0 ? store.List() : [.. call.Arguments.Select(name => ImageRows.Find(store, name))], ct);
        }

        var images = call.Arguments.Count == 0
            ? [.. store.List().Select(i => i.Record).DistinctBy(r => r.Id)]
            : call.Arguments.Select(name => ImageRows.Find(store, name).Record).ToList();
        var rows = new List<VerifyRow>();
        foreach (var image in images)
        {
            using var progress = new ByteProgress(call, "verifying " + image.Name);
            rows.AddRange((await new ImageVerifier(store).VerifyAsync(image, progress.Add, ct)).Select(f => new VerifyRow(image.Id, f.Part, f.Problem)));
        }

        if (call.Json || rows.Count > 0)
        {
            Listing.Write(call, rows, [new("image", r => ImageRows.ShortId(r.Image)), new("part", r => r.Part.Length > 19 ? r.Part[..19] : r.Part), new("problem", r => r.Problem)], VerifyJson.Default.VerifyRow, legend: !call.Quiet);
        }
        else if (!call.Quiet)
        {
            call.Terminal.Out.WriteLine($"{Quantity.Counted(images.Count, "image")}: nothing differs");
        }

        return rows.Count == 0 ? 0 : Differs;
    }
}
