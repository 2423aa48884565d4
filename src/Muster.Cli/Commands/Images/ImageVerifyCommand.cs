using System.Text.Json.Serialization;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;
using Muster.Images.Trust;

namespace Muster.Cli.Commands.Images;

/// <summary>A difference, with the image that it belongs to.</summary>
internal sealed record VerifyRow(string Image, string Part, string Problem);

/// <summary>Why a reference was let in, and whether it would be today.</summary>
internal sealed record SignatureRow(string Reference, string Image, string Verdict, string? Scheme, string? Signer, string? Key, DateTimeOffset? SignedAt, DateTimeOffset JudgedAt, string? Reason, bool AcceptedToday, string? RefusedToday);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(VerifyRow))]
[JsonSerializable(typeof(SignatureRow))]
internal sealed partial class VerifyJson : JsonSerializerContext;

internal static class ImageVerifyCommand
{
    /// <summary>The status when something differs, so that scripts tell it from a failure to look (254).</summary>
    private const int Differs = 1;

    public static readonly Command Command = new()
    {
        Words = ["image", "verify"],
        Summary = "Hash an image's blobs, unpack them anew and name every file that differs from what the store keeps",
        Usage = "[OPTION…] [IMAGE…]",
        Description = """
            Without IMAGE every image is verified. With --signature the files are left alone; instead it says for each name who
            signed the image, when, with which key, why it was let in, and whether today's keys and policies still accept it.
            Ends with 0 when nothing is wrong, with 1 when something is.
            """,
        Example = """
            muster image verify example.com/app:1.0
            muster image verify --signature example.com/app:1.0
            """,
        Options = [new("signature", "Judge the recorded signatures by today's keys instead of comparing files")],
        Arguments = (0, 10_000),
        Run = RunAsync,
    };

    private static async Task<int> RunAsync(Invocation call, CancellationToken ct)
    {
        var store = new ImageStore(call.Root, call.Time);
        if (call.Has("signature"))
        {
            return JudgeSignatures(call, store);
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
            call.Terminal.Out.WriteLine($"{images.Count} images: nothing differs");
        }

        return rows.Count == 0 ? 0 : Differs;
    }

    private static int JudgeSignatures(Invocation call, ImageStore store)
    {
        var judge = new TrustJudge(call.Root, call.Time);
        var images = call.Arguments.Count == 0 ? store.List() : [.. call.Arguments.Select(name => ImageRows.Find(store, name))];
        var rows = images.Select(image => Judge(judge, image)).ToList();
        if (call.Json)
        {
            Listing.Write(call, rows, [new("reference", r => r.Reference)], VerifyJson.Default.SignatureRow);
        }
        else
        {
            foreach (var row in rows)
            {
                call.Terminal.Out.WriteLine($"{row.Reference}: {row.Verdict}{(row.Signer is null ? "" : $" by {Clean(row.Signer)}")}{(row.SignedAt is { } time ? $" on {ImageRows.Time(time)}" : "")}{(row.Key is null ? "" : $", key {row.Key}")}{(row.Scheme is null ? "" : $" ({row.Scheme})")}; {Clean(row.Reason ?? "no reason was recorded")}; today {(row.AcceptedToday ? "accepted" : "refused: " + Clean(row.RefusedToday!))}");
            }
        }

        return rows.TrueForAll(r => r.AcceptedToday) ? 0 : Differs;
    }

    private static SignatureRow Judge(TrustJudge judge, StoredImage image)
    {
        string? refused = null;
        try
        {
            judge.JudgeAgain(image);
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Forbidden or ErrorKind.Corrupt or ErrorKind.Invalid)
        {
            refused = e.Message;
        }

        var trust = image.Reference.Trust;
        return new SignatureRow(image.Reference.Reference, image.Record.Id, trust.Verdict.ToString().ToLowerInvariant(), trust.Scheme, trust.Signer, trust.Key, trust.SignedAt, trust.JudgedAt, trust.Reason, refused is null, refused);
    }

    // A signer's name is whatever the key says.
    private static string Clean(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
