using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Http;

namespace Muster.Images.Oci.Registry;

/// <summary>
/// One registry host: finds out its scheme, does the authentication (distribution-spec with docker's token
/// authentication: Basic, Bearer with token server, refresh tokens), and sends requests below <c>/v2/</c>.
/// </summary>
internal sealed class RegistryConnection : IDisposable
{
    /// <summary>A token server that names no time means a minute (docker token specification).</summary>
    private const int DefaultTokenSeconds = 60;

    private readonly HttpFetcher _web;
    private readonly string _host;
    private readonly Func<RegistryLogin?> _findLogin;
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<string, (AuthenticationHeaderValue Header, DateTimeOffset Until)> _tokens = new(StringComparer.Ordinal);
    private Uri? _base;
    private Challenge? _challenge;
    private Lazy<RegistryLogin?>? _login;

    /// <summary>A connection to <c>host[:port]</c>; contacts nobody yet.</summary>
    public RegistryConnection(HttpFetcher web, string host, Func<RegistryLogin?> findLogin)
    {
        _web = web;
        _host = host;
        _findLogin = findLogin;
    }

    public HttpFetcher Web => _web;

    /// <summary><c>https://host[:port]/v2/</c>, once the registry was asked; Docker Hub's host is not its name.</summary>
    public async Task<Uri> BaseAsync(CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            return _base ??= await PingAsync(ct);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>
    /// Sends a request to an address of this registry with what authentication asks for: <paramref name="scope"/> is
    /// <c>repository:NAME:pull</c> or <c>…:pull,push</c>. The answer comes back whatever its status.
    /// </summary>
    public async Task<HttpResponseMessage> SendAsync(Uri address, string scope, Func<Uri, HttpRequestMessage> make, bool again, CancellationToken ct)
    {
        var origin = await BaseAsync(ct);
        for (var fresh = false; ; fresh = true)
        {
            // Storage behind a registry (another host in an upload's Location) has its own tickets in the address.
            var header = HttpFetcher.SameHost(origin, address) ? await AuthorizeAsync(scope, fresh, ct) : null;
            var response = await _web.SendAsync(address, uri =>
            {
                var request = make(uri);
                request.Headers.Authorization = header;
                return request;
            }, again, ct);
            if (response.StatusCode != HttpStatusCode.Unauthorized || fresh || Choose(response) is not { } challenge)
            {
                return response;
            }

            // The registry's word may differ from its ping's (a wider scope, an expired token): once more with a new one.
            response.Dispose();
            _challenge = challenge;
        }
    }

    /// <summary>Whether a login is right: the ping answers 200 with it.</summary>
    public async Task CheckLoginAsync(CancellationToken ct)
    {
        var address = await BaseAsync(ct);
        using var response = await SendAsync(address, "", uri => HttpFetcher.Request(HttpMethod.Get, uri), again: true, ct);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw response.StatusCode == HttpStatusCode.Unauthorized
                ? new MusterException(ErrorKind.Forbidden, $"{_host} refuses this user or password (401): check both")
                : HttpFetcher.Failed(response);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<Uri> PingAsync(CancellationToken ct)
    {
        var host = _host == "docker.io" ? "registry-1.docker.io" : _host;
        try
        {
            return await PingAsync(new Uri($"https://{host}/v2/"), ct);
        }
        catch (MusterException e) when (_web.Options.AllowHttp && e.InnerException is HttpRequestException or OperationCanceledException)
        {
            return await PingAsync(new Uri($"http://{host}/v2/"), ct);
        }
    }

    private async Task<Uri> PingAsync(Uri address, CancellationToken ct)
    {
        using var response = await _web.SendAsync(address, uri => HttpFetcher.Request(HttpMethod.Get, uri), again: address.Scheme == Uri.UriSchemeHttps && !_web.Options.AllowHttp, ct);
        switch (response.StatusCode)
        {
            case HttpStatusCode.Unauthorized:
                _challenge = Choose(response) ?? throw new MusterException(ErrorKind.Unsupported, $"{HttpFetcher.Shown(address)} asks for a kind of login that is neither Basic nor Bearer");
                break;
            case HttpStatusCode.OK:
                break;
            case HttpStatusCode.NotFound:
                throw new MusterException(ErrorKind.Upstream, $"{HttpFetcher.Shown(address)} is not a registry (404): check host and port");
            default:
                throw HttpFetcher.Failed(response);
        }

        return address;
    }

    private static Challenge? Choose(HttpResponseMessage response)
    {
        Challenge? basic = null;
        foreach (var header in response.Headers.WwwAuthenticate)
        {
            if (header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
            {
                return Challenge.Read("Bearer", header.Parameter);
            }

            if (header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
            {
                basic = Challenge.Read("Basic", header.Parameter);
            }
        }

        return basic;
    }

    private async Task<AuthenticationHeaderValue?> AuthorizeAsync(string scope, bool fresh, CancellationToken ct)
    {
        if (_challenge is not { } challenge)
        {
            return null;
        }

        _login ??= new Lazy<RegistryLogin?>(_findLogin);
        if (challenge.Scheme == "Basic")
        {
            return _login.Value is { IsIdentityToken: false } login ? login.Basic : null;
        }

        await _one.WaitAsync(ct);
        try
        {
            if (!fresh && _tokens.TryGetValue(scope, out var kept) && kept.Until > _web.Time.GetUtcNow())
            {
                return kept.Header;
            }

            var (token, lifetime) = await FetchTokenAsync(challenge, scope, _login.Value, ct);
            var header = new AuthenticationHeaderValue("Bearer", token);
            // Asked for anew a little early, so that it does not end on the way.
            _tokens[scope] = (header, _web.Time.GetUtcNow() + (lifetime * 0.8));
            return header;
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<(string Token, TimeSpan Lifetime)> FetchTokenAsync(Challenge challenge, string scope, RegistryLogin? login, CancellationToken ct)
    {
        if (!Uri.TryCreate(challenge.Value("realm"), UriKind.Absolute, out var realm) || (realm.Scheme != Uri.UriSchemeHttps && (realm.Scheme != Uri.UriSchemeHttp || _base?.Scheme == Uri.UriSchemeHttps)))
        {
            throw new MusterException(ErrorKind.Upstream, $"{_host} names a token server that is not an https address: tell its owner");
        }

        // The scope that the registry itself named is the surest; ours is for tokens asked for ahead.
        scope = scope.Length > 0 ? scope : challenge.Value("scope") ?? "";
        var service = challenge.Value("service");
        using var response = login is { IsIdentityToken: true }
            ? await RefreshAsync(realm, service, scope, login, ct)
            : await _web.SendAsync(TokenAddress(realm, service, scope, login), uri => HttpFetcher.Request(HttpMethod.Get, uri, headers => headers.Authorization = login?.Basic), again: true, ct);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest
                ? new MusterException(ErrorKind.Forbidden, $"The token server of {_host} refuses {(login is null ? "anonymous access" : "this user or password")} ({(int)response.StatusCode}): use muster login {_host}")
                : HttpFetcher.Failed(response);
        }

        return ReadToken(await _web.ReadAsync(response, WebLimits.MaxSmallBytes, ct), realm);
    }

    private static Uri TokenAddress(Uri realm, string? service, string scope, RegistryLogin? login)
    {
        var query = new StringBuilder(realm.Query.Length > 1 ? realm.Query[1..] : "");
        void Add(string name, string value) => query.Append(query.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
        if (service is not null)
        {
            Add("service", service);
        }

        foreach (var one in scope.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            Add("scope", one);
        }

        if (login is not null)
        {
            Add("account", login.User);
        }

        return new UriBuilder(realm) { Query = query.ToString() }.Uri;
    }

    private Task<HttpResponseMessage> RefreshAsync(Uri realm, string? service, string scope, RegistryLogin login, CancellationToken ct) =>
        _web.SendAsync(realm, uri => new HttpRequestMessage(HttpMethod.Post, uri)
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "refresh_token",
                ["refresh_token"] = login.Password,
                ["service"] = service ?? "",
                ["scope"] = scope,
                ["client_id"] = "muster",
            }),
        }, again: true, ct);

    private static (string Token, TimeSpan Lifetime) ReadToken(byte[] json, Uri realm)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            var answer = document.RootElement;
            foreach (var name in (ReadOnlySpan<string>)["token", "access_token"])
            {
                if (answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(name, out var token) && token.ValueKind == JsonValueKind.String && token.GetString() is { Length: > 0 } text
                    && !text.AsSpan().ContainsAnyExceptInRange('!', '~'))
                {
                    var seconds = answer.TryGetProperty("expires_in", out var expires) && expires.TryGetInt32(out var given) ? Math.Clamp(given, 10, 86400) : DefaultTokenSeconds;
                    return (text, TimeSpan.FromSeconds(seconds));
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Said below together with an answer that has no token.
        }

        throw new MusterException(ErrorKind.Upstream, $"The token server {HttpFetcher.Shown(realm)} sent no token: tell its owner");
    }
}
