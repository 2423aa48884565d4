using Muster.Cli.CommandLine;
using Muster.Images;

namespace Muster.Cli.Commands.Images;

/// <summary>The verbs that unpack an image into a folder: extract (the image's own files) and render (with everything below it).</summary>
internal static class ImageExtractCommands
{
    private static readonly Option Overwrite = new("overwrite", "Empty the folder first when it exists");

    private static readonly Option RootOnly = new("rootfs-only", "Only the root file system, without a manifest beside it");

    public static readonly Command Extract = new()
    {
        Words = ["image", "extract"],
        Summary = "Unpack an image's own files into a folder",
        Usage = "[OPTION…] IMAGE DIR",
        Description = "Makes DIR/manifest and DIR/rootfs. An ACI gives its own files without its dependencies; an OCI image its merged layers.",
        Example = "muster image extract example.com/app:1.0 ./app",
        Options = [Overwrite, RootOnly],
        Arguments = (2, 2),
        Run = (call, ct) => RunAsync(call, rendered: false, ct),
    };

    public static readonly Command Render = new()
    {
        Words = ["image", "render"],
        Summary = "Unpack an image as a pod sees it, dependencies included, into a folder",
        Usage = "[OPTION…] IMAGE DIR",
        Example = "muster image render --rootfs-only example.com/app:1.0 ./root",
        Options = [Overwrite, RootOnly],
        Arguments = (2, 2),
        Run = (call, ct) => RunAsync(call, rendered: true, ct),
    };

    private static async Task<int> RunAsync(Invocation call, bool rendered, CancellationToken ct)
    {
        var store = new ImageStore(call.Root, call.Time);
        var image = ImageRows.Find(store, call.Arguments[0]);
        using var hold = await store.HoldAsync(ct);
        await ImageExtraction.ExtractAsync(store, image.Record, Path.GetFullPath(call.Arguments[1]), rendered, call.Has("rootfs-only"), call.Has("overwrite"), ct);
        return 0;
    }
}
