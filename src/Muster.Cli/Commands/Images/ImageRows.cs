using System.Globalization;
using System.Text.Json.Serialization;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;

namespace Muster.Cli.Commands.Images;

/// <summary>An image as listings show it.</summary>
internal sealed record ImageRow
{
    public required string Id { get; init; }

    public required string Reference { get; init; }

    public required string Name { get; init; }

    public required string Kind { get; init; }

    public required string Platform { get; init; }

    /// <summary><c>signed</c>, <c>built</c> or <c>insecure</c>.</summary>
    public required string Trust { get; init; }

    public string? Signer { get; init; }

    public required long Size { get; init; }

    public required DateTimeOffset ImportedAt { get; init; }

    public required DateTimeOffset LastUsed { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ImageRow))]
internal sealed partial class ImageRowJson : JsonSerializerContext;

/// <summary>Images as rows.</summary>
internal static class ImageRows
{
    public static ImageRow From(StoredImage image, ImageStore store) => new()
    {
        Id = image.Record.Id,
        Reference = image.Reference.Reference,
        Name = image.Record.VersionLabel is { } version ? $"{image.Record.Name}:{version}" : image.Record.Name,
        Kind = image.Record.Kind == ImageKind.Aci ? "aci" : "oci",
        Platform = $"{image.Record.Os}/{image.Record.Architecture}",
        Trust = image.Reference.Trust.Verdict switch { TrustVerdict.Signed => "signed", TrustVerdict.Built => "built", _ => "insecure" },
        Signer = image.Reference.Trust.Signer,
        Size = image.Record.TreeBytes,
        ImportedAt = image.Record.ImportedAt,
        LastUsed = store.LastUsed(image.Record),
    };

    /// <summary>An image that must be in the store.</summary>
    public static StoredImage Find(ImageStore store, string reference) => store.Find(reference) ?? throw ImageStore.Missing(reference);

    /// <summary>The id as people read it: the algorithm and twelve digits, as rkt prints it.</summary>
    public static string ShortId(string id) => id.Length > 19 ? id[..19] : id;

    public static string Time(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>Prints what a verb fetched or made: ids, or JSON.</summary>
    public static void WriteIds(Invocation call, IReadOnlyList<StoredImage> images)
    {
        if (call.Json)
        {
            var store = new ImageStore(call.Root, call.Time);
            Listing.Write(call, images.Select(i => From(i, store)), [], ImageRowJson.Default.ImageRow);
            return;
        }

        foreach (var image in images)
        {
            call.Terminal.Out.WriteLine(image.Record.Id);
        }
    }
}
