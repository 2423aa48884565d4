using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Network;

namespace Muster.Fuzz;

/// <summary>CNI configurations and plugin results: anything but a MusterException is a fault.</summary>
public static class CniTarget
{
    public static void Run(ReadOnlySpan<byte> data)
    {
        var text = Encoding.UTF8.GetString(data);
        try
        {
            CniConfiguration.NameOf(text);
            CniConfiguration.Parse(text, "fuzz");
        }
        catch (MusterException)
        {
        }

        try
        {
            CniResult.Parse(StrictJson.Parse(data.ToArray()), "eth0", "fuzz");
        }
        catch (Exception e) when (e is MusterException or JsonException)
        {
        }
    }
}
