using System.Globalization;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;
using Muster.Images.Build;

namespace Muster.Cli.Commands.Images;

internal static class ImageBuildCommand
{
    public static readonly Command Command = new()
    {
        Words = ["image", "build"],
        Aliases = [["build"]],
        Summary = "Build an image from a folder: an image.yaml with files beside it, or manifest and rootfs",
        Usage = "[OPTION…] DIR|image.yaml",
        Description = """
            image.yaml has name, version, type (oci or aci), from, copy (from, to, mode, owner), exec, args, user, group,
            workdir, env, ports, mounts, labels, annotations, stopsignal. The same input gives the same image, bit by bit; the
            latest time in it is SOURCE_DATE_EPOCH where that is set. The image is trusted in this root, where it was built.
            Prints its id.
            """,
        Example = """
            muster image build ./app
            SOURCE_DATE_EPOCH=1700000000 muster image build ./app/image.yaml
            """,
        Options = [FetchCommand.Insecure],
        Arguments = (1, 1),
        Run = async (call, ct) =>
        {
            var epoch = Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH");
            long? time = string.IsNullOrEmpty(epoch) ? null
                : long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= 253_402_300_799 ? seconds
                : throw new MusterException(ErrorKind.Usage, $"SOURCE_DATE_EPOCH={epoch} is not a number of seconds since 1970");
            var options = new FetchOptions { Insecure = FetchOptions.ParseInsecure(call.Values("insecure-options")) };
            var image = await new ImageBuilder(new ImageStore(call.Root, call.Time)).BuildAsync(call.Arguments[0], time, options, ct);
            ImageRows.WriteIds(call, [image]);
            return 0;
        },
    };
}
