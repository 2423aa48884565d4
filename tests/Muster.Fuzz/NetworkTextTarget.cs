using System.Text;
using Muster.Core;
using Muster.Network;

namespace Muster.Fuzz;

/// <summary>Network definitions, prefixes, ports and resolv.conf: anything but a MusterException is a fault.</summary>
public static class NetworkTextTarget
{
    public static void Run(ReadOnlySpan<byte> data)
    {
        var text = Encoding.UTF8.GetString(data);
        Try(() => NetworkDefinitionText.ParseYaml(text, "fuzz"));
        Try(() => NetworkDefinitionText.ParseJson(text, "fuzz"));
        Try(() => PortMappings.Parse(text));
        Try(() => PortMappings.ParseNamed(text));
        _ = Subnet.TryParse(text, out _);
        HostResolvers.Parse(text);
    }

    private static void Try<T>(Func<T> parse)
    {
        try
        {
            parse();
        }
        catch (MusterException)
        {
        }
    }
}
