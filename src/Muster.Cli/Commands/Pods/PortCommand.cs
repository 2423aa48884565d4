using Muster.Cli.CommandLine;
using Muster.Containers.Manifests;
using Muster.Network;

namespace Muster.Cli.Commands.Pods;

internal static class PortCommand
{
    public static readonly Command Command = new()
    {
        Words = ["port"],
        Lists = true,
        Summary = "Show the published ports of a pod",
        Usage = "POD",
        Example = "muster port web",
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var door = new PodDoor(call);
            using var pod = door.Store.Find(call.Arguments[0]);
            var ports = pod.ReadRecord().Ports;
            Listing.Write(call, ports,
            [
                new Column<PortMapping>("name", p => p.Name ?? "-"),
                new Column<PortMapping>("protocol", p => p.Protocol),
                new Column<PortMapping>("host", p => p.HostAddress is null ? $"*:{p.HostPort}" : PortMappings.HostEnd(p.HostAddress, p.HostPort)),
                new Column<PortMapping>("pod", p => p.PodPort.ToString()),
            ], CliJson.Default.PortMapping);
            return Task.FromResult(0);
        },
    };

    public static readonly Command CatManifest = new()
    {
        Words = ["cat-manifest"],
        Summary = "Print a pod's App Container PodManifest",
        Usage = "POD",
        Example = "muster cat-manifest web",
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var door = new PodDoor(call);
            using var pod = door.Store.Find(call.Arguments[0]);
            var record = pod.ReadRecord();
            Listing.WriteJson(call, json => PodManifestWriter.Write(json, record));
            return Task.FromResult(0);
        },
    };
}
