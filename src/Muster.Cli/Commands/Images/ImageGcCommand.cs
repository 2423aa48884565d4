using System.Text.Json.Serialization;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;

namespace Muster.Cli.Commands.Images;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GarbageReport))]
internal sealed partial class GarbageJson : JsonSerializerContext;

internal static class ImageGcCommand
{
    public static readonly Command Command = new()
    {
        Words = ["image", "gc"],
        Summary = "Remove what no name and no pod uses: old images, layers, leftovers of killed fetches",
        Usage = "[OPTION…]",
        Description = """
            An image loses its name when the name is fetched again and has become another image. Such images are kept for the
            grace period after their last use. Images that have names stay, unless --unused is given.
            """,
        Example = """
            muster image gc
            # also images that no pod was started from for a week
            muster image gc --unused --grace-period=7d
            """,
        Options =
        [
            new("grace-period", "How long after its last use an image is kept", "TIME") { Default = "24h" },
            new("unused", "Remove images with names as well, when they were not used within the grace period"),
        ],
        Arguments = (0, 0),
        Run = async (call, ct) =>
        {
            var options = new GarbageOptions(call.Duration("grace-period", TimeSpan.FromHours(24)), call.Has("unused"));
            var report = await new ImageStore(call.Root, call.Time).CollectGarbageAsync(options, ct);
            if (call.Json)
            {
                Listing.WriteJson(call, report, GarbageJson.Default.GarbageReport);
            }
            else if (!call.Quiet)
            {
                call.Terminal.Out.WriteLine($"removed {Quantity.Counted(report.Images.Count, "image")}, {Quantity.Counted(report.Trees, "tree")}, {Quantity.Counted(report.Blobs, "blob")}, {Quantity.Counted(report.Leftovers, "leftover")}: {Quantity.FormatBytes(report.Bytes)}");
            }

            return 0;
        },
    };
}
