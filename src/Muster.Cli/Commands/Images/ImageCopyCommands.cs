using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;
using Muster.Images.Oci;

namespace Muster.Cli.Commands.Images;

/// <summary>The verbs that take an image somewhere else: export, push, copy.</summary>
internal static class ImageCopyCommands
{
    private static readonly Option Overwrite = new("overwrite", "Replace a file that exists");

    private static readonly Option Gzip = new("gzip", "Compress an ACI with gzip instead of leaving it uncompressed");

    private const string Forms = "FILE.aci (or file:///FILE of any name), oci:DIR[:tag], oci-archive:FILE[:tag] or docker://host/repository[:tag]";

    private static readonly Option Insecure = FetchCommand.Insecure;

    public static readonly Command Export = new()
    {
        Words = ["image", "export"],
        Summary = "Write an image of the store to a file, as App Container or OCI image",
        Usage = "[OPTION…] IMAGE FILE.aci|file:///FILE|oci:DIR[:TAG]|oci-archive:FILE[:TAG]",
        Description = """
            An image in its own format leaves as it came, with the same id: an OCI image bit by bit, an ACI uncompressed. In
            the other format its root becomes one layer, or one rootfs, and its app section is translated. Signatures go along
            where the format has a place for them: an ACI that is signed leaves as it came, with its signature beside it as
            FILE.aci.asc; a layout keeps those of cosign. A warning names what stays behind. A path that does not end in .aci does
            not say what to write and is refused; file:///PATH is an ACI under any name.
            """,
        Example = """
            muster image export example.com/app:1.0 app.aci
            muster image export example.com/app:1.0 oci-archive:app.tar:1.0
            """,
        Options = [Overwrite, Gzip],
        Arguments = (2, 2),
        Run = (call, ct) => RunAsync(call, local: true, ct),
    };

    public static readonly Command Push = new()
    {
        Words = ["image", "push"],
        Aliases = [["push"]],
        Summary = "Push an image of the store to a registry or a layout",
        Usage = "[OPTION…] IMAGE DESTINATION",
        Description = "DESTINATION is docker://[host[:port]/]repository[:tag], oci:DIR[:tag], oci-archive:FILE[:tag] or a FILE.aci. What is there already is not sent again. Signatures are pushed first: cosign's under their tag, bundles as referrers, simple signing into the folder that registries.d names (lookaside-staging). --sign-by and --sign-by-sigstore-private-key sign it anew, under the name that it has there.",
        Example = """
            muster image push example.com/app:1.0 docker://registry.example.com/app:1.0
            # signed with a key of cosign generate-key-pair
            muster image push --sign-by-sigstore-private-key=cosign.key example.com/app:1.0 docker://registry.example.com/app:1.0
            """,
        Options = [Overwrite, Gzip, Insecure, .. SigningOptions.All],
        Arguments = (2, 2),
        Run = (call, ct) => RunAsync(call, local: true, ct),
    };

    public static readonly Command Copy = new()
    {
        Words = ["image", "copy"],
        Aliases = [["image", "cp"]],
        Summary = "Copy an image from anywhere to anywhere: files, layouts, registries, another root",
        Usage = "[OPTION…] IMAGE DESTINATION | --to-root=DIR IMAGE",
        Description = """
            IMAGE is any reference; what the store lacks is fetched and verified first. With --to-root the image goes into the
            store of another root, which checks and unpacks it anew and judges the signatures that come along by its own keys
            (--insecure-options=image takes it unverified).
            """,
        Example = """
            muster image copy docker://registry.example.com/app:1.0 oci-archive:app.tar
            muster image copy --to-root=/srv/other example.com/app:1.0
            """,
        Options = [Overwrite, Gzip, Insecure, FetchCommand.Platform, new("to-root", "Copy into the store of the root DIR", "DIR"), .. SigningOptions.All],
        Arguments = (1, 2),
        Run = (call, ct) => RunAsync(call, local: false, ct),
    };

    private static async Task<int> RunAsync(Invocation call, bool local, CancellationToken ct)
    {
        var store = new ImageStore(call.Root, call.Time);
        // Before anything is fetched or written: a wrong destination is a slip of the pen.
        var destination = call.Value("to-root") is not null ? null
            : call.Arguments.Count > 1 ? Destination(call.Arguments[1])
            : throw new MusterException(ErrorKind.Usage, $"Name a destination: {Forms}");
        var options = new FetchOptions
        {
            Insecure = FetchOptions.ParseInsecure(call.Values("insecure-options")),
            Platform = call.Value("platform") is { } platform ? OciPlatform.Parse(platform) : null,
        };
        var signers = SigningOptions.Read(call, ct);
        using var progress = new ByteProgress(call, "copying " + call.Arguments[0]);
        options = options with { Progress = progress.Add, Warn = call.Warn };
        var image = local ? ImageRows.Find(store, call.Arguments[0]) : await new ImageFetcher(store).ResolveAsync(call.Arguments[0], options, ct);
        var export = new ImageExport(store) { Signers = signers };
        if (call.Value("to-root") is { } other)
        {
            if (call.Arguments.Count > 1)
            {
                throw new MusterException(ErrorKind.Usage, $"With --to-root there is no other destination: leave out \"{call.Arguments[1]}\"");
            }

            if (signers.Count > 0)
            {
                throw new MusterException(ErrorKind.Usage, "A root keeps the signatures that an image has: sign it on its way to a registry, docker://host/repository:tag");
            }

            Directory.CreateDirectory(other);
            var copied = await export.ToRootAsync(image, new MusterRoot(Muster.Linux.RealPath.Resolve(other)), options, ct);
            ImageRows.WriteIds(call, [copied]);
            return 0;
        }

        await export.ToAsync(image, destination!, call.Has("overwrite"), call.Has("gzip"), options, call.Warn, ct);
        ImageRows.WriteIds(call, [image]);
        return 0;
    }

    private static ImageReference Destination(string text)
    {
        var reference = ImageReference.Parse(text, ErrorKind.Usage);
        if (reference.Kind is ReferenceKind.AciName or ReferenceKind.Id or ReferenceKind.AciUrl or ReferenceKind.DockerArchive)
        {
            throw new MusterException(ErrorKind.Usage, $"\"{text}\" is not a place to write to: name {Forms}");
        }

        // A path alone may be meant as any of them: one that does not say which is not guessed at.
        return reference.Kind == ReferenceKind.AciFile && !text.EndsWith(".aci", StringComparison.Ordinal) && !text.StartsWith("file:", StringComparison.Ordinal)
            ? throw new MusterException(ErrorKind.Usage, $"\"{text}\" does not say what kind of image is to be written there: name {Forms}")
            : reference;
    }
}
