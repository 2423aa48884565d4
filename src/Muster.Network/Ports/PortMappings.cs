using System.Globalization;
using System.Net;
using Muster.Core;

namespace Muster.Network;

/// <summary>Published ports as flags write them.</summary>
public static class PortMappings
{
    /// <summary>The most ports of one pod: a mistyped range must not fill the rule set.</summary>
    public const int MaxPorts = 1024;

    /// <summary>
    /// Reads <c>[HOSTADDRESS:]HOSTPORT:PODPORT[/tcp|/udp]</c>, the form of <c>-p</c>; an IPv6 address stands in brackets.
    /// Two ranges of the same length (<c>8000-8009:80-89</c>) give one mapping a port.
    /// </summary>
    public static IReadOnlyList<PortMapping> Parse(string text)
    {
        var slash = text.LastIndexOf('/');
        var protocol = slash < 0 ? "tcp" : text[(slash + 1)..];
        if (protocol is not ("tcp" or "udp"))
        {
            throw Refused(text, $"the protocol \"{protocol}\" is neither tcp nor udp");
        }

        var body = slash < 0 ? text : text[..slash];
        var last = body.LastIndexOf(':');
        if (last < 1)
        {
            throw Refused(text, "there is no colon between the host's port and the pod's");
        }

        var pod = Range(body[(last + 1)..], text);
        var rest = body[..last];
        var colon = rest.EndsWith(']') ? -1 : rest.LastIndexOf(':');
        var host = Range(rest[(colon + 1)..], text);
        var address = colon < 0 ? null : Address(rest[..colon], text);
        if (host.Count != pod.Count)
        {
            throw Refused(text, $"the host's range has {Quantity.Counted(host.Count, "port")} and the pod's {pod.Count}");
        }

        return [.. Enumerable.Range(0, host.Count).Select(i => new PortMapping(null, protocol, address, host.First + i, pod.First + i))];
    }

    /// <summary>Reads <c>NAME:[HOSTADDRESS:]HOSTPORT</c>, rkt's <c>--port</c>: the image says which port NAME is.</summary>
    public static (string Name, string? HostAddress, int HostPort) ParseNamed(string text)
    {
        var first = text.IndexOf(':', StringComparison.Ordinal);
        if (first < 1 || !AcName.IsName(text[..first]))
        {
            throw Refused(text, "it does not begin with the name of a port of the image");
        }

        var rest = text[(first + 1)..];
        var last = rest.LastIndexOf(':');
        var port = Range(rest[(last + 1)..], text);
        return port.Count == 1
            ? (text[..first], last < 0 ? null : Address(rest[..last], text), port.First)
            : throw Refused(text, "a named port takes one host port");
    }

    /// <summary>The host's end as flags write it: <c>8080</c>, <c>127.0.0.1:8080</c>, <c>[::1]:8080</c>.</summary>
    public static string HostEnd(string? address, int port) => address is null ? port.ToString(CultureInfo.InvariantCulture)
        : address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port}"
        : $"{address}:{port}";

    /// <summary>All that is wrong with the ports of one pod; empty when they can be claimed.</summary>
    public static IReadOnlyList<string> Problems(IReadOnlyList<PortMapping> ports)
    {
        var problems = new List<string>();
        if (ports.Count > MaxPorts)
        {
            return [$"{ports.Count} ports are published, more than the {MaxPorts} that one pod may"];
        }

        var seen = new HashSet<(string, string?, int)>();
        foreach (var port in ports)
        {
            if (port.Protocol is not ("tcp" or "udp"))
            {
                problems.Add($"protocol \"{port.Protocol}\" cannot be published: only tcp and udp can");
            }

            if (port.HostPort is < 1 or > 65535 || port.PodPort is < 1 or > 65535)
            {
                problems.Add($"{port.HostPort}:{port.PodPort} is not a pair of ports from 1 to 65535");
            }

            if (port.HostAddress is not null && !IPAddress.TryParse(port.HostAddress, out _))
            {
                problems.Add($"host address \"{port.HostAddress}\" is no IP address");
            }

            if (!seen.Add((port.Protocol, port.HostAddress, port.HostPort)))
            {
                problems.Add($"host port {port.HostPort}/{port.Protocol} is published twice");
            }
        }

        return problems;
    }

    private static string Address(string text, string whole)
    {
        var bracketed = text.StartsWith('[') && text.EndsWith(']');
        var bare = bracketed ? text[1..^1] : text;
        return IPAddress.TryParse(bare, out var address) && address.ScopeIdOrZero() == 0
            && (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? bracketed : address.ToString() == bare)
            ? address.ToString()
            : throw Refused(whole, $"\"{text}\" is no IP address of this host (write IPv6 in brackets)");
    }

    private static long ScopeIdOrZero(this IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? address.ScopeId : 0;

    private static (int First, int Count) Range(string text, string whole)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var first = Port(dash < 0 ? text : text[..dash], whole);
        var last = dash < 0 ? first : Port(text[(dash + 1)..], whole);
        return last >= first && last - first < MaxPorts
            ? (first, last - first + 1)
            : throw Refused(whole, $"{text} is not a range of at most {MaxPorts} ports");
    }

    private static int Port(string text, string whole) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
            : throw Refused(whole, $"\"{text}\" is not a port from 1 to 65535");

    private static MusterException Refused(string text, string why) =>
        new(ErrorKind.Usage, $"Port \"{text}\" cannot be published: {why}; write for example 8080:80, 127.0.0.1:8080:80 or 5353:53/udp");
}
