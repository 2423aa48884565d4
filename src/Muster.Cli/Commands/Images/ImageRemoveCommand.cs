using Muster.Cli.CommandLine;
using Muster.Images;

namespace Muster.Cli.Commands.Images;

internal static class ImageRemoveCommand
{
    public static readonly Command Command = new()
    {
        Words = ["image", "rm"],
        Aliases = [["rmi"]],
        Summary = "Remove images from the store",
        Usage = "IMAGE…",
        Description = """
            A name is removed, and the image with it when no other name is left; an id removes the image with all its names.
            Files that a pod still uses stay until the pod has been removed. Prints the names that were removed.
            """,
        Example = "muster image rm example.com/app:1.0",
        Arguments = (1, 10_000),
        Run = async (call, ct) =>
        {
            var store = new ImageStore(call.Root, call.Time);
            var removed = new List<string>();
            foreach (var name in call.Arguments)
            {
                removed.AddRange(await store.RemoveAsync(name, ct));
            }

            if (call.Json)
            {
                Listing.WriteJson(call, writer =>
                {
                    writer.WriteStartArray();
                    removed.ForEach(writer.WriteStringValue);
                    writer.WriteEndArray();
                });
            }
            else if (!call.Quiet)
            {
                removed.ForEach(call.Terminal.Out.WriteLine);
            }

            return 0;
        },
    };
}
