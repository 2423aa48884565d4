using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;
using Muster.Images.Archives;
using Muster.Images.Oci;

namespace Muster.Cli.Commands.Images;

internal static class ImageImportCommand
{
    public static readonly Command Command = new()
    {
        Words = ["image", "import"],
        Summary = "Bring a file into the store: an ACI, an OCI or Docker archive, or a layout folder, told by its content",
        Usage = "[OPTION…] FILE|DIR…",
        Description = "Works as fetch does, without a prefix before the path: what the file is, is seen from its content. Signatures are checked all the same.",
        Example = """
            muster image import --insecure-options=image ./saved.tar
            """,
        Options = [FetchCommand.Insecure, FetchCommand.Platform, new("tag", "The image of an archive or layout that holds several", "TAG")],
        Arguments = (1, 1000),
        Run = async (call, ct) =>
        {
            var fetcher = new ImageFetcher(new ImageStore(call.Root, call.Time));
            var fetched = new List<StoredImage>();
            foreach (var path in call.Arguments)
            {
                using var progress = new ByteProgress(call, "importing " + path);
                var kind = ArchiveKinds.Recognise(path);
                var tag = call.Value("tag") is { } name ? ":" + name : "";
                if (kind is "" && tag.Length > 0)
                {
                    throw new MusterException(ErrorKind.Usage, $"--tag does not fit {path}, which is an App Container image");
                }

                fetched.Add(await fetcher.ResolveAsync(kind.Length == 0 ? Path.GetFullPath(path) : kind + ":" + Path.GetFullPath(path) + tag, new FetchOptions
                {
                    Insecure = FetchOptions.ParseInsecure(call.Values("insecure-options")),
                    Pull = PullPolicy.Update,
                    Platform = call.Value("platform") is { } platform ? OciPlatform.Parse(platform) : null,
                    Progress = progress.Add,
                    Warn = call.Warn,
                }, ct));
            }

            ImageRows.WriteIds(call, fetched);
            return 0;
        },
    };
}
