using Muster.Cli.CommandLine;
using Muster.Images;

namespace Muster.Cli.Commands.Images;

internal static class ImageManifestCommand
{
    public static readonly Command Command = new()
    {
        Words = ["image", "cat-manifest"],
        Summary = "Print an image's manifest",
        Usage = "[OPTION…] IMAGE",
        Example = "muster image cat-manifest --pretty-print example.com/app:1.0",
        Options =
        [
            new("pretty-print", "Indent the JSON"),
            new("config", "An OCI image's configuration instead of its manifest"),
        ],
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var store = new ImageStore(call.Root, call.Time);
            var image = ImageRows.Find(store, call.Arguments[0]).Record;
            if (!call.Has("pretty-print") && !call.Json && image.Kind == ImageKind.Oci)
            {
                // To the byte as it is signed and named: what is printed has the digest that the image has.
                var digest = call.Has("config") ? image.Blobs[1] : image.Blobs[0];
                call.Terminal.Out.Write(System.Text.Encoding.UTF8.GetString(File.ReadAllBytes(store.BlobPath(digest))));
                return Task.FromResult(0);
            }

            var json = !call.Has("config") ? image.Manifest
                : image.Configuration ?? throw new Core.MusterException(Core.ErrorKind.Invalid, $"{image.Name} is an App Container image and has no configuration beside its manifest");
            if (call.Has("pretty-print") || call.Json)
            {
                Listing.WriteJson(call, json.WriteTo);
            }
            else
            {
                call.Terminal.Out.WriteLine(json.GetRawText());
            }

            return Task.FromResult(0);
        },
    };
}
