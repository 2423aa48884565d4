using System.Reflection;
using Muster.Cli.CommandLine;

namespace Muster.Cli.Commands.Host;

internal static class VersionCommand
{
    public static readonly string Version = typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    public static readonly Command Command = new()
    {
        Words = ["version"],
        Summary = "Print the version",
        Example = "muster version",
        Arguments = (0, 0),
        Run = (call, _) =>
        {
            if (call.Json)
            {
                Listing.WriteJson(call, writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("version", Version);
                    writer.WriteString("appc", "0.8.11");
                    writer.WriteString("oci", "1.1");
                    writer.WriteEndObject();
                });
            }
            else
            {
                call.Terminal.Out.WriteLine($"muster {Version} (App Container 0.8.11, OCI 1.1)");
            }

            return Task.FromResult(0);
        },
    };
}
