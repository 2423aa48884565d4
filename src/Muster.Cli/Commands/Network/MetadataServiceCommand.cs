using Muster.Cli.CommandLine;
using Muster.Cli.Commands.Pods;
using Muster.Containers.Metadata;
using Muster.Linux;
using Muster.Network;

namespace Muster.Cli.Commands.Network;

internal static class MetadataServiceCommand
{
    public static readonly Command Command = new()
    {
        Words = [MetadataRegistration.Verb],
        Summary = "Serve the App Container metadata service until the last registered pod has gone",
        Usage = "[OPTION…]",
        Description = "muster run --mds-register starts it when it is needed. It listens on the gateway addresses of the pods' networks: port 18112 on the system root, a port that the kernel chooses below --root. Run by hand it ends after 30 seconds without a registered pod.",
        Example = """
            muster run --mds-register oci:app
            muster metadata-service --detach
            """,
        Options = [new("detach", "Go on in the background")],
        Arguments = (0, 0),
        Run = async (call, ct) =>
        {
            if (call.Has("detach"))
            {
                // The child is left to init: this process ends at once.
                var self = Programs.Self(call.Root);
                ServiceCgroup.MoveOut(Spawn.Start(self[0], [.. self, MetadataRegistration.Verb], Spawn.Environment(), session: true), call.Root);
                return 0;
            }

            using var server = new MetadataServer(call.Root, call.Time);
            await server.RunAsync(ct);
            return 0;
        },
    };
}
