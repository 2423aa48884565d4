using System.Net;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>
/// Lets packets pass between a bridge and the links that have routes. IPv4 forwards by the link a packet comes in by, so
/// only those links are switched, not the whole host; IPv6 can do the same since Linux 6.17 (force_forwarding), before it
/// has only one switch. Every change is recorded and never undone: others may rely on it by then.
/// </summary>
internal static class Forwarding
{
    // Addresses for documentation (RFC 5737, RFC 3849): nobody has them, so the way to them is the way to the world.
    private static readonly IPAddress World4 = new([198, 51, 100, 1]);
    private static readonly IPAddress World6 = new([0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    /// <summary>
    /// Whether the bridge and the links towards the world are as <see cref="Allow"/> leaves them: something may have reset
    /// them since, or the host may have got its uplink only after the bridge.
    /// </summary>
    public static bool IsAllowed(ManagedNetwork network, RouteSocket route)
    {
        if (NetworkNamespace.ReadSetting($"ipv4/conf/{network.Bridge}/forwarding") is "0")
        {
            return false;
        }

        if (route.Towards(World4) is { } v4 && NetworkNamespace.ReadSetting($"ipv4/conf/{v4.Name}/forwarding") is "0")
        {
            return false;
        }

        return !network.Prefixes.Any(p => p.IsV6)
            || NetworkNamespace.ReadSetting("ipv6/conf/all/forwarding") is not "0"
            || route.Towards(World6) is not { } v6
            || NetworkNamespace.ReadSetting($"ipv6/conf/{v6.Name}/force_forwarding") is "1";
    }

    /// <summary>Switches on what the network needs and records each change in <paramref name="record"/>.</summary>
    public static void Allow(ManagedNetwork network, RouteSocket route, string record)
    {
        var changes = new List<string>();

        // Links of hardware too: at boot they may be there before their routes.
        var routed = route.Routes().Select(r => r.Link).ToHashSet();
        var links = route.Links().Where(l => l.Name != network.Bridge && l.Name != "lo" && (routed.Contains(l.Index) || l.Kind is null)).Select(l => l.Name).ToList();

        // Published ports answer on 127.0.0.1 too; a rule of ours keeps pods from using this to reach the host's loopback.
        Switch($"ipv4/conf/{network.Bridge}/route_localnet", changes);
        foreach (var link in links.Prepend(network.Bridge))
        {
            Switch($"ipv4/conf/{link}/forwarding", changes);
        }

        if (network.Prefixes.Any(p => p.IsV6))
        {
            AllowV6(network, links, changes);
        }

        if (changes.Count > 0)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(record)!);
            File.AppendAllLines(record, changes.Select(c => $"{c} for network {network.Name}"));
        }
    }

    private static void AllowV6(ManagedNetwork network, List<string> links, List<string> changes)
    {
        if (NetworkNamespace.ReadSetting("ipv6/conf/all/forwarding") is not "0")
        {
            return;
        }

        if (NetworkNamespace.ReadSetting($"ipv6/conf/{network.Bridge}/force_forwarding") is not null)
        {
            foreach (var link in links.Prepend(network.Bridge))
            {
                Switch($"ipv6/conf/{link}/force_forwarding", changes);
            }

            return;
        }

        // A forwarding host ignores router advertisements unless told twice; without this it would lose its own default route.
        foreach (var link in links)
        {
            Switch($"ipv6/conf/{link}/accept_ra", changes, from: "1", to: "2");
        }

        Switch("ipv6/conf/all/forwarding", changes);
    }

    private static void Switch(string name, List<string> changes, string from = "0", string to = "1")
    {
        if (NetworkNamespace.ReadSetting(name) == from)
        {
            NetworkNamespace.WriteSetting(name, to);
            changes.Add($"net.{name.Replace('/', '.')} from {from} to {to}");
        }
    }
}
