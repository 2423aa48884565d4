using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using Muster.Core;

namespace Muster.Images.Http;

/// <summary>
/// The one way in which Muster fetches over HTTP: own certificates per host, proxies from the environment, redirects
/// followed by hand (never from https to http, never with credentials to another host), further tries with patience,
/// limits on everything. Failures are <see cref="ErrorKind.Upstream"/> and <see cref="ErrorKind.Timeout"/>.
/// </summary>
public sealed class HttpFetcher : IDisposable
{
    private readonly MusterRoot _root;
    private readonly TimeProvider _time;
    private readonly Lazy<EnvironmentProxy> _proxy = new(() => EnvironmentProxy.Read(Environment.GetEnvironmentVariable));
    private readonly ConcurrentDictionary<string, Lazy<(HttpMessageInvoker Invoker, HostCertificates Certificates)>> _hosts = new(StringComparer.Ordinal);

    /// <summary>A client for one command; connections are kept while it lives.</summary>
    public HttpFetcher(MusterRoot root, WebOptions options, TimeProvider time)
    {
        _root = root;
        Options = options;
        _time = time;
    }

    public WebOptions Options { get; }

    /// <summary>Finds the login for <c>host[:port]/path</c> of a web site that asks for one (Basic, over https only); registries log in by themselves.</summary>
    internal Func<string, Oci.Registry.RegistryLogin?>? Logins { get; init; }

    internal TimeProvider Time => _time;

    /// <summary>
    /// Sends what <paramref name="make"/> makes for an address and returns the answer, whatever its status, its body not yet
    /// read. 429 and 5xx, and connections that fail, are tried again when <paramref name="again"/> is true.
    /// </summary>
    public async Task<HttpResponseMessage> SendAsync(Uri address, Func<Uri, HttpRequestMessage> make, bool again, CancellationToken ct)
    {
        var delay = Options.FirstRetryDelay;
        for (var tries = 1; ; tries++)
        {
            var last = !again || tries == WebLimits.MaxTries;
            TimeSpan wait;
            try
            {
                var response = await FollowAsync(address, make, ct);
                if (last || response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError))
                {
                    return response;
                }

                wait = RetryAfter(response) ?? delay;
                if (wait > WebLimits.LongestRetryAfter)
                {
                    return response;
                }

                response.Dispose();
            }
            catch (MusterException e) when (!last && tries < WebLimits.MaxConnectionTries && e.Kind is ErrorKind.Upstream or ErrorKind.Timeout && e.InnerException is HttpRequestException { HttpRequestError: not (HttpRequestError.SecureConnectionError or HttpRequestError.NameResolutionError) })
            {
                wait = delay;
            }

            await Task.Delay(wait, _time, ct);
            delay *= 2;
        }
    }

    /// <summary>GETs a small document of at most <paramref name="limit"/> bytes; an answer other than 200 is a failure, 404 and 410 are null.</summary>
    public Task<WebDocument?> GetAsync(Uri address, int limit, Action<HttpRequestHeaders>? headers, CancellationToken ct) => GetAsync(address, limit, isCut: false, headers, ct);

    /// <summary>As <see cref="GetAsync(Uri, int, Action{HttpRequestHeaders}?, CancellationToken)"/>, of a document of which only the beginning matters: what is beyond <paramref name="limit"/> bytes is left out.</summary>
    public Task<WebDocument?> GetBeginningAsync(Uri address, int limit, CancellationToken ct) => GetAsync(address, limit, isCut: true, null, ct);

    private async Task<WebDocument?> GetAsync(Uri address, int limit, bool isCut, Action<HttpRequestHeaders>? headers, CancellationToken ct)
    {
        using var response = await SendAsync(address, uri => Request(HttpMethod.Get, uri, headers), again: true, ct);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            return null;
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw Failed(response);
        }

        return new WebDocument(response.RequestMessage!.RequestUri!, response.Content.Headers.ContentType?.MediaType, await ReadAsync(response, limit, isCut, ct), response.Headers.ETag?.ToString(), response.Headers.CacheControl?.MaxAge);
    }

    /// <summary>A request with headers of one's own.</summary>
    public static HttpRequestMessage Request(HttpMethod method, Uri address, Action<HttpRequestHeaders>? headers = null)
    {
        var request = new HttpRequestMessage(method, address);
        headers?.Invoke(request.Headers);
        return request;
    }

    /// <summary>Reads a small body whole, within a limit of bytes and of time.</summary>
    public Task<byte[]> ReadAsync(HttpResponseMessage response, int limit, CancellationToken ct) => ReadAsync(response, limit, isCut: false, ct);

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, int limit, bool isCut, CancellationToken ct)
    {
        var address = response.RequestMessage!.RequestUri!;
        if (!isCut && response.Content.Headers.ContentLength > limit)
        {
            throw TooLong(address, limit);
        }

        using var clock = new CancellationTokenSource(WebLimits.SmallDocument, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, ct);
        await using var body = await OpenAsync(response, both.Token);
        using var whole = new MemoryStream();
        var buffer = new byte[16384];
        try
        {
            int read;
            while ((read = await body.ReadAsync(buffer, both.Token)) > 0)
            {
                if (whole.Length + read > limit)
                {
                    if (!isCut)
                    {
                        throw TooLong(address, limit);
                    }

                    whole.Write(buffer, 0, limit - (int)whole.Length);
                    break;
                }

                whole.Write(buffer, 0, read);
            }
        }
        catch (OperationCanceledException) when (clock.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new MusterException(ErrorKind.Timeout, $"{Shown(address)} did not send a small document within {WebLimits.SmallDocument.TotalSeconds} s: try again later");
        }

        return whole.ToArray();
    }

    /// <summary>The body as a stream that fails when nothing comes for too long. It owns the response.</summary>
    public async Task<Stream> OpenAsync(HttpResponseMessage response, CancellationToken ct) =>
        new StallingStream(response, await response.Content.ReadAsStreamAsync(ct), Options.Stall, _time);

    /// <summary>The sentence for an answer that is not the one hoped for.</summary>
    public static MusterException Failed(HttpResponseMessage response)
    {
        var address = Shown(response.RequestMessage!.RequestUri!);
        var status = (int)response.StatusCode;
        return response.StatusCode switch
        {
            HttpStatusCode.NotFound => new MusterException(ErrorKind.NotFound, $"{address} does not exist there (404): check the name"),
            HttpStatusCode.Unauthorized => new MusterException(ErrorKind.Forbidden, $"{address} needs a login that is right (401): use muster login"),
            HttpStatusCode.Forbidden => new MusterException(ErrorKind.Forbidden, $"{address} is forbidden to this login (403): ask its owner, or use muster login with another one"),
            HttpStatusCode.TooManyRequests => new MusterException(ErrorKind.Upstream, $"{address} refuses more requests for now (429{After(response)}): try again later, or log in"),
            _ => new MusterException(ErrorKind.Upstream, $"{address} answered {status} {Reason(response)}: try again later"),
        };
    }

    // The server's own words: they must not steer a terminal.
    private static string Reason(HttpResponseMessage response) =>
        Trust.OpenPgp.PgpText.Clean(System.Text.Encoding.UTF8.GetBytes(response.ReasonPhrase ?? ""));

    /// <summary>An address for messages, without what may be secret in it: user and query.</summary>
    public static string Shown(Uri address) => address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var host in _hosts.Values)
        {
            if (host.IsValueCreated)
            {
                host.Value.Invoker.Dispose();
                host.Value.Certificates.Dispose();
            }
        }
    }

    private async Task<HttpResponseMessage> FollowAsync(Uri address, Func<Uri, HttpRequestMessage> make, CancellationToken ct)
    {
        var origin = address;
        for (var redirects = 0; ; redirects++)
        {
            CheckScheme(address);
            var request = make(address);
            if (!SameHost(origin, address))
            {
                // What a registry may see, its storage or whoever it names must not.
                request.Headers.Authorization = null;
            }

            var response = await SendOnceAsync(request, ct);
            if (response.StatusCode == HttpStatusCode.Unauthorized && Login(response, request) is { } login)
            {
                response.Dispose();
                request = make(address);
                request.Headers.Authorization = login;
                response = await SendOnceAsync(request, ct);
            }

            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
                || response.Headers.Location is not { } location || request.Method != HttpMethod.Get && request.Method != HttpMethod.Head)
            {
                return response;
            }

            response.Dispose();
            var next = new Uri(address, location);
            if (address.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps)
            {
                throw new MusterException(ErrorKind.Upstream, $"{Shown(address)} redirects from https to {next.Scheme}, which is refused: tell its owner");
            }

            if (redirects == WebLimits.MaxRedirects)
            {
                throw new MusterException(ErrorKind.Upstream, $"{Shown(origin)} redirects more than {WebLimits.MaxRedirects} times: it may go in a circle, tell its owner");
            }

            address = next;
        }
    }

    private AuthenticationHeaderValue? Login(HttpResponseMessage response, HttpRequestMessage request)
    {
        var address = request.RequestUri!;
        return Logins is not null && request.Headers.Authorization is null && address.Scheme == Uri.UriSchemeHttps
            && response.Headers.WwwAuthenticate.Any(h => h.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
            && Logins(address.Authority + address.AbsolutePath.TrimEnd('/')) is { IsIdentityToken: false } login
            ? login.Basic
            : null;
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var address = request.RequestUri!;
        request.Headers.UserAgent.ParseAdd("muster");
        using var clock = new CancellationTokenSource(Options.Stall, _time);
        if (request.Content is UploadContent upload)
        {
            // An upload may take long as a whole, but no part of it may; at its end the registry checks the digest.
            upload.Progress = atEnd => clock.CancelAfter(atEnd ? WebLimits.UploadCommit : Options.Stall);
        }

        using var both = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, ct);
        try
        {
            return await Host(address).Invoker.SendAsync(request, both.Token);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new MusterException(ErrorKind.Timeout, $"{Shown(address)} did not answer in time ({Options.Stall.TotalSeconds:0.#} s without progress): check the network, or try again later", e);
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(address, e);
        }
    }

    private (HttpMessageInvoker Invoker, HostCertificates Certificates) Host(Uri address) =>
        _hosts.GetOrAdd(address.Scheme + "://" + address.Authority, _ => new(() => Connect(address))).Value;

    private (HttpMessageInvoker Invoker, HostCertificates Certificates) Connect(Uri address)
    {
        var certificates = HostCertificates.Load(_root, address.HostNameType == UriHostNameType.IPv6 ? address.Host : address.IdnHost, address.Port);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            Proxy = _proxy.Value,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = WebLimits.Connect,
            MaxResponseHeadersLength = WebLimits.MaxHeaderKib,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            ActivityHeadersPropagator = null,
            SslOptions = new SslClientAuthenticationOptions
            {
#pragma warning disable CA5359 // Only where the command line said --insecure-options=tls.
                RemoteCertificateValidationCallback = Options.SkipCertificateCheck
                    ? (_, _, _, _) => true
                    : (_, certificate, chain, errors) => certificates.Accepts(certificate, chain, errors),
#pragma warning restore CA5359
                ClientCertificates = certificates.Client is { } client ? [client] : null,
            },
        };
        return (new HttpMessageInvoker(handler), certificates);
    }

    private void CheckScheme(Uri address)
    {
        if (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && Options.AllowHttp))
        {
            return;
        }

        throw new MusterException(ErrorKind.Forbidden, address.Scheme == Uri.UriSchemeHttp
            ? $"{Shown(address)} is plain http, where anybody on the way can change what is sent: use https, or accept it with --insecure-options=http"
            : $"{Shown(address)} is neither https nor http");
    }

    private MusterException Unreachable(Uri address, HttpRequestException e)
    {
        var why = (e.HttpRequestError == HttpRequestError.SecureConnectionError ? Host(address).Certificates.Refusal : null) ?? (e.InnerException ?? e).Message;
        var proxy = _proxy.Value.GetProxy(address) is { } through ? $" through the proxy {Shown(through)}, which the environment names," : "";
        return e.HttpRequestError switch
        {
            HttpRequestError.ProxyTunnelError => new MusterException(ErrorKind.Upstream, $"The proxy {Shown(_proxy.Value.GetProxy(address) ?? address)} does not lead to {address.Authority} ({why}): correct https_proxy, or name the host in no_proxy", e),
            HttpRequestError.SecureConnectionError => new MusterException(ErrorKind.Upstream, $"The certificate of {address.Authority} is not accepted ({why}): put its authority into etc/certs.d/{address.Authority}/ca.crt, or accept any with --insecure-options=tls", e),
            HttpRequestError.NameResolutionError => new MusterException(ErrorKind.Upstream, $"The name {address.Host} cannot be resolved ({why}): check the name and the network's DNS", e),
            HttpRequestError.ConfigurationLimitExceeded => new MusterException(ErrorKind.Upstream, $"{Shown(address)} sends more than {WebLimits.MaxHeaderKib} KiB of headers: tell its owner", e),
            _ => new MusterException(ErrorKind.Upstream, $"{Shown(address)} cannot be reached{proxy} ({why}): check the name, the port and the network", e),
        };
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date > _time.GetUtcNow() ? date - _time.GetUtcNow() : TimeSpan.Zero,
        _ => null,
    };

    private static string After(HttpResponseMessage response) => response.Headers.RetryAfter?.Delta is { } delta ? $", for {delta.TotalSeconds:0} s" : "";

    private static MusterException TooLong(Uri address, int limit) =>
        new(ErrorKind.Upstream, $"{Shown(address)} sends more than {limit} bytes where a small document is expected: check the address");

    internal static bool SameHost(Uri a, Uri b) => a.Scheme == b.Scheme && a.Port == b.Port && a.IdnHost.Equals(b.IdnHost, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A small document and what its server said about it.</summary>
public sealed record WebDocument(Uri Address, string? MediaType, byte[] Bytes, string? ETag, TimeSpan? MaxAge);
