using System.Net;
using System.Text.Json;
using Muster.Core;

namespace Muster.Network;

/// <summary>What a CNI plugin answered to ADD (CNI spec, section 5, "ADD Success"): the part that a pod is told.</summary>
public sealed record CniResult(string? Mac, string? HostLink, IReadOnlyList<string> Addresses, IReadOnlyList<string> Gateways, IReadOnlyList<string> Nameservers, IReadOnlyList<string> Search)
{
    /// <summary>The most interfaces, addresses or servers read: a result with more is broken.</summary>
    public const int MaxEntries = 64;

    /// <summary>Reads a result of 0.3.0 to 1.0.0 for the interface <paramref name="interfaceName"/>; what has another form is refused.</summary>
    public static CniResult Parse(JsonElement root, string interfaceName, string plugin)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Refused(plugin, "its answer is not a JSON object");
        }

        string? mac = null, hostLink = null;
        var own = new HashSet<int>();
        var index = 0;
        foreach (var link in List(root, "interfaces", plugin))
        {
            if (link.ValueKind == JsonValueKind.Object && !string.IsNullOrEmpty(CniConfiguration.Text(link, "sandbox")))
            {
                if (CniConfiguration.Text(link, "name") == interfaceName)
                {
                    mac = CniConfiguration.Text(link, "mac");
                }

                own.Add(index);
            }
            else if (link.ValueKind == JsonValueKind.Object && CniConfiguration.Text(link, "name") is { } name && name.StartsWith("veth", StringComparison.Ordinal))
            {
                hostLink = name;
            }

            index++;
        }

        var addresses = new List<string>();
        var gateways = new List<string>();
        foreach (var ip in List(root, "ips", plugin))
        {
            if (ip.ValueKind != JsonValueKind.Object || CniConfiguration.Text(ip, "address") is not { } address || !IPNetworkText(address))
            {
                throw Refused(plugin, "an entry of its \"ips\" has no address in CIDR form");
            }

            if (ip.TryGetProperty("interface", out var of) && of.ValueKind == JsonValueKind.Number && of.TryGetInt32(out var number) && own.Count > 0 && !own.Contains(number))
            {
                continue;
            }

            addresses.Add(address);
            if (CniConfiguration.Text(ip, "gateway") is { } gateway && IPAddress.TryParse(gateway, out _))
            {
                gateways.Add(gateway);
            }
        }

        var dns = root.TryGetProperty("dns", out var d) && d.ValueKind == JsonValueKind.Object ? d : default;
        return new CniResult(
            mac,
            hostLink,
            addresses,
            gateways,
            [.. Texts(dns, "nameservers", plugin).Where(t => IPAddress.TryParse(t, out _))],
            [.. Texts(dns, "search", plugin)]);
    }

    private static bool IPNetworkText(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && IPAddress.TryParse(text.AsSpan(0, slash), out _) && byte.TryParse(text.AsSpan(slash + 1), out var length) && length <= 128;
    }

    private static IEnumerable<string> Texts(JsonElement element, string name, string plugin) =>
        element.ValueKind != JsonValueKind.Object ? [] : List(element, name, plugin).Where(e => e.ValueKind == JsonValueKind.String).Select(e => e.GetString()!);

    private static IEnumerable<JsonElement> List(JsonElement element, string name, string plugin)
    {
        if (!element.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        return list.ValueKind == JsonValueKind.Array && list.GetArrayLength() <= MaxEntries
            ? list.EnumerateArray()
            : throw Refused(plugin, $"\"{name}\" of its answer is not a list of at most {MaxEntries}");
    }

    private static MusterException Refused(string plugin, string why) => new(ErrorKind.Upstream, $"CNI plugin {plugin} answered nonsense: {why}; check its version");
}
