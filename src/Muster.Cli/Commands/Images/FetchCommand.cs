using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;
using Muster.Images.Oci;

namespace Muster.Cli.Commands.Images;

internal static class FetchCommand
{
    public static readonly Option Insecure = new("insecure-options", "Do without, comma-separated: image (signatures), tls (server certificates), http (plain http), pubkey, all-fetch", "LIST") { Repeatable = true, Default = "none" };

    public static readonly Option Platform = new("platform", "The platform to take from an index", "OS/ARCH[/VARIANT]") { Default = "this host" };

    private static readonly Option Signature = new("signature", "The detached OpenPGP signature of an ACI, instead of the one beside it", "FILE");

    private static readonly Option Pull = new("pull-policy", "When the place is asked again for what is in the store", "POLICY") { Choices = ["new", "update", "never"], Default = "update" };

    public static readonly Command Command = new()
    {
        Words = ["fetch"],
        Aliases = [["pull"]],
        Summary = "Fetch images into the store and verify them",
        Usage = "[OPTION…] IMAGE…",
        Description = """
            IMAGE is ./file.aci, https://host/file.aci, name[:version][,label=value] (App Container discovery),
            docker://[host[:port]/]repository[:tag|@digest], oci:DIR[:tag], oci-archive:FILE[:tag] or docker-archive:FILE[:tag].
            An image without a valid signature by a trusted key is refused unless --insecure-options=image is given; that is
            recorded with the image. Prints the id of each image.
            """,
        Example = """
            muster fetch docker://registry.example.com/app:1.0
            # a local layout, unsigned
            muster fetch --insecure-options=image oci:./layout:latest
            """,
        Options = [Insecure, Platform, Pull, Signature],
        Arguments = (1, 1000),
        Run = RunAsync,
    };

    private static async Task<int> RunAsync(Invocation call, CancellationToken ct)
    {
        var insecure = FetchOptions.ParseInsecure(call.Values("insecure-options"));
        if ((insecure & InsecureOptions.AllRun) != InsecureOptions.None)
        {
            throw new MusterException(ErrorKind.Usage, "--insecure-options=capabilities, paths, seccomp, all-run and all are for run and prepare: fetch takes image, tls, http, pubkey and all-fetch");
        }

        var fetcher = new ImageFetcher(new ImageStore(call.Root, call.Time));
        var fetched = new List<StoredImage>();
        foreach (var reference in call.Arguments)
        {
            using var progress = new ByteProgress(call, "fetching " + reference);
            fetched.Add(await fetcher.ResolveAsync(reference, new FetchOptions
            {
                Insecure = insecure,
                Pull = FetchOptions.ParsePull(call.Value("pull-policy") ?? "update"),
                SignatureFile = call.Value("signature"),
                Platform = call.Value("platform") is { } platform ? OciPlatform.Parse(platform) : null,
                Progress = progress.Add,
                Warn = call.Warn,
            }, ct));
        }

        ImageRows.WriteIds(call, fetched);
        return 0;
    }
}
