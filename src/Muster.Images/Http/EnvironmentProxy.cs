using System.Net;
using Muster.Core;

namespace Muster.Images.Http;

/// <summary>
/// The proxies that the environment names, as curl, podman and skopeo read them: <c>http_proxy</c>, <c>https_proxy</c>,
/// <c>all_proxy</c>, and <c>no_proxy</c> for the hosts that are reached without; in capitals too. This host itself is
/// always reached without.
/// </summary>
internal sealed class EnvironmentProxy : IWebProxy, ICredentials
{
    /// <summary>Entries of no_proxy that are read: lists of whole companies have some hundreds.</summary>
    private const int MaxExceptions = 10_000;

    private readonly Uri? _http;
    private readonly Uri? _https;
    private readonly List<Direct> _exceptions = [];
    private bool _all;

    private EnvironmentProxy(Uri? http, Uri? https)
    {
        _http = http;
        _https = https;
    }

    // A host that is reached without: an address range, or a domain with all below it; port 0 is every port.
    private sealed record Direct(IPNetwork? Range, string Domain, int Port);

    /// <inheritdoc/>
    public ICredentials? Credentials
    {
        get => this;
        set => throw new NotSupportedException("The environment says who logs in at a proxy");
    }

    /// <summary>Reads the variables; refuses a proxy that cannot be one, which would otherwise be passed by unseen.</summary>
    public static EnvironmentProxy Read(Func<string, string?> variable)
    {
        var all = Proxy(variable, "all_proxy") ?? Proxy(variable, "ALL_PROXY");
        // A web server that runs programs hands its client's headers on as HTTP_…: that name is not the user's there.
        var http = Proxy(variable, "http_proxy") ?? (variable("GATEWAY_INTERFACE") is null ? Proxy(variable, "HTTP_PROXY") : null);
        var proxies = new EnvironmentProxy(http ?? all, Proxy(variable, "https_proxy") ?? Proxy(variable, "HTTPS_PROXY") ?? all);
        var none = variable("no_proxy") is { Length: > 0 } lower ? lower : variable("NO_PROXY") ?? "";
        foreach (var entry in none.Split([',', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Take(MaxExceptions))
        {
            proxies.Add(entry);
        }

        return proxies;
    }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) =>
        IsBypassed(destination) ? null : destination.Scheme == Uri.UriSchemeHttps ? _https : _http;

    /// <inheritdoc/>
    public bool IsBypassed(Uri host)
    {
        var name = host.IdnHost.TrimEnd('.');
        var address = IPAddress.TryParse(name, out var parsed) ? parsed : null;
        if (_all || host.IsLoopback || (address is not null && IPAddress.IsLoopback(address)))
        {
            return true;
        }

        return _exceptions.Exists(e => (e.Port == 0 || e.Port == host.Port) && (e.Range is { } range
            ? address is not null && range.Contains(address)
            : name.EndsWith(e.Domain, StringComparison.OrdinalIgnoreCase) && (name.Length == e.Domain.Length || name[^(e.Domain.Length + 1)] == '.')));
    }

    /// <summary>The login that the proxy's own address holds.</summary>
    public NetworkCredential? GetCredential(Uri uri, string authType)
    {
        foreach (var proxy in new[] { _https, _http })
        {
            if (proxy is { UserInfo.Length: > 0 } && proxy.Host == uri.Host && proxy.Port == uri.Port)
            {
                var colon = proxy.UserInfo.IndexOf(':', StringComparison.Ordinal);
                return colon < 0
                    ? new NetworkCredential(Uri.UnescapeDataString(proxy.UserInfo), "")
                    : new NetworkCredential(Uri.UnescapeDataString(proxy.UserInfo[..colon]), Uri.UnescapeDataString(proxy.UserInfo[(colon + 1)..]));
            }
        }

        return null;
    }

    private void Add(string entry)
    {
        if (entry == "*")
        {
            _all = true;
            return;
        }

        if (TryRange(entry, out var network))
        {
            _exceptions.Add(new Direct(network, "", 0));
            return;
        }

        // host, host:port, address, [address6], [address6]:port
        var port = 0;
        var colon = entry.LastIndexOf(':');
        var last = colon > 0 && (entry.IndexOf(':', StringComparison.Ordinal) == colon || entry[colon - 1] == ']') && int.TryParse(entry.AsSpan(colon + 1), out port) ? entry[..colon] : entry;
        if (IPAddress.TryParse(last.Trim('[', ']'), out var address))
        {
            _exceptions.Add(new Direct(new IPNetwork(address, address.GetAddressBytes().Length * 8), "", port));
            return;
        }

        var domain = (last.StartsWith("*.", StringComparison.Ordinal) ? last[1..] : last).Trim('.');
        if (domain.Length > 0)
        {
            _exceptions.Add(new Direct(null, domain, port));
        }
    }

    // ADDRESS/BITS; what stands behind the bits does not count, as everywhere.
    private static bool TryRange(string entry, out IPNetwork range)
    {
        range = default;
        var slash = entry.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPAddress.TryParse(entry[..slash], out var address) || !int.TryParse(entry.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out var bits))
        {
            return false;
        }

        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] &= (byte)(0xff00 >> Math.Clamp(bits - (8 * i), 0, 8));
        }

        return bits <= 8 * bytes.Length && IPNetwork.TryParse($"{new IPAddress(bytes)}/{bits}", out range);
    }

    private static Uri? Proxy(Func<string, string?> variable, string name)
    {
        var text = variable(name)?.Trim();
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        var whole = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        // The name is always resolved by the proxy, which socks5h says of itself.
        whole = whole.StartsWith("socks5h://", StringComparison.OrdinalIgnoreCase) ? "socks5://" + whole["socks5h://".Length..] : whole;
        return Uri.TryCreate(whole, UriKind.Absolute, out var proxy) && proxy.Scheme is "http" or "https" or "socks4" or "socks4a" or "socks5" && proxy.Host.Length > 0
            ? proxy
            : throw new MusterException(ErrorKind.Invalid, $"The environment's {name} does not name a proxy: write {name}=http://host:port (https, socks4, socks4a and socks5 are known too), or unset it");
    }
}
