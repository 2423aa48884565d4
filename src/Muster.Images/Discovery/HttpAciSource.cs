using System.Net;
using System.Net.Http.Headers;
using Muster.Core;
using Muster.Images.Http;
using Muster.Images.Oci.Registry;

namespace Muster.Images.Discovery;

/// <summary>What a server said of a file, to ask it later whether that still holds (RFC 9111): kept with the reference.</summary>
/// <param name="ETag">The version's mark, or null.</param>
/// <param name="FreshUntil">Until when it need not be asked; null for always asking.</param>
public sealed record RemoteVersion(string? ETag, DateTimeOffset? FreshUntil);

/// <summary>An App Container image on the web as it streams in, with its length where the server gave one.</summary>
public sealed record RemoteAci(Stream Content, long? Length, RemoteVersion Version) : IAsyncDisposable
{
    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Content.DisposeAsync();
}

/// <summary>An App Container image at an address, and its detached signature beside it (<c>.asc</c>).</summary>
public sealed class HttpAciSource
{
    /// <summary>The largest image taken from the web when the server does not say a length.</summary>
    public const long MaxBytes = 64L << 30;

    private readonly HttpFetcher _web;

    /// <summary>A source for a direct address; the signature is <c>ADDRESS.asc</c> unless discovery said otherwise.</summary>
    public HttpAciSource(HttpFetcher web, Uri image, Uri? signature = null)
    {
        _web = web;
        Image = image;
        Signature = signature ?? new UriBuilder(image) { Path = image.AbsolutePath + ".asc" }.Uri;
    }

    public Uri Image { get; }

    public Uri Signature { get; }

    /// <summary>The signature's bytes, or null where there is none.</summary>
    public async Task<byte[]?> ReadSignatureAsync(CancellationToken ct) =>
        (await _web.GetAsync(Signature, Trust.OpenPgp.OpenPgpLimits.MaxSignatureBytes, null, ct))?.Bytes;

    /// <summary>Opens the image; null when the server says that the <paramref name="known"/> version still holds (304).</summary>
    public async Task<RemoteAci?> OpenAsync(RemoteVersion? known, CancellationToken ct)
    {
        if (known?.FreshUntil is { } until && until > _web.Time.GetUtcNow())
        {
            return null;
        }

        var response = await _web.SendAsync(Image, uri => HttpFetcher.Request(HttpMethod.Get, uri, headers =>
        {
            if (known?.ETag is { } etag && EntityTagHeaderValue.TryParse(etag, out var tag))
            {
                headers.IfNoneMatch.Add(tag);
            }
        }), again: true, ct);
        try
        {
            if (response.StatusCode == HttpStatusCode.NotModified)
            {
                response.Dispose();
                return null;
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw HttpFetcher.Failed(response);
            }

            if (response.Content.Headers.ContentType?.MediaType == "text/html")
            {
                throw new MusterException(ErrorKind.Upstream, $"{HttpFetcher.Shown(Image)} is a web page, not an image: check the address");
            }

            return await OpenAsync(response, ct);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<RemoteAci> OpenAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var length = response.Content.Headers.ContentLength;
        if (length > MaxBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"{HttpFetcher.Shown(Image)} has {Quantity.FormatBytes(length.Value)}, more than {Quantity.FormatBytes(MaxBytes)}");
        }

        var etag = response.Headers.ETag;
        var mark = Mark(response);
        var fresh = response.Headers.CacheControl is { NoCache: false, NoStore: false, MaxAge: { } age } && age > TimeSpan.Zero ? _web.Time.GetUtcNow() + age : (DateTimeOffset?)null;
        var body = await _web.OpenAsync(response, ct);
        // Without a length, or a strong mark of the version, a broken download cannot be told apart from another file: it fails.
        var content = length is { } size && mark is not null
            ? new ResumingStream(body, 0, size, HttpFetcher.Shown(Image), (at, token) => ResumeAsync(at, size, mark, token))
            : body;
        return new RemoteAci(content, length, new RemoteVersion(etag?.ToString(), fresh));
    }

    /// <summary>
    /// What tells one version of the file from another in If-Range (RFC 9110 §13.1.5): a strong ETag; without any, the time of
    /// the last change, which is a strong mark when the answer is a second or more younger (§8.8.2.2).
    /// </summary>
    private static RangeConditionHeaderValue? Mark(HttpResponseMessage response) => response.Headers.ETag is { } tag
        ? tag.IsWeak ? null : new RangeConditionHeaderValue(tag)
        : response.Content.Headers.LastModified is { } changed && response.Headers.Date is { } answered && answered - changed >= TimeSpan.FromSeconds(1)
            ? new RangeConditionHeaderValue(changed)
            : null;

    private static bool IsSame(HttpResponseMessage response, RangeConditionHeaderValue mark, long size)
    {
        if (response.Content.Headers.ContentRange?.Length is { } whole && whole != size)
        {
            return false;
        }

        // Some servers give a part of whatever they have now, and others ignore the range: the mark tells whether it is the same file.
        return mark.EntityTag is { } tag
            ? response.Headers.ETag is { IsWeak: false } now ? now.Tag == tag.Tag : response.StatusCode == HttpStatusCode.PartialContent
            : response.Content.Headers.LastModified is { } changed ? changed == mark.Date : response.StatusCode == HttpStatusCode.PartialContent;
    }

    private async Task<Stream> ResumeAsync(long at, long size, RangeConditionHeaderValue mark, CancellationToken ct)
    {
        var response = await _web.SendAsync(Image, uri => HttpFetcher.Request(HttpMethod.Get, uri, headers =>
        {
            headers.Range = new RangeHeaderValue(at, null);
            headers.IfRange = mark;
        }), again: true, ct);
        var same = IsSame(response, mark, size);
        if (same && response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == at)
        {
            return await _web.OpenAsync(response, ct);
        }

        if (same && response.StatusCode == HttpStatusCode.OK)
        {
            var whole = await _web.OpenAsync(response, ct);
            await ResumingStream.SkipAsync(whole, at, ct);
            return whole;
        }

        var changed = !same && response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable;
        using (response)
        {
            throw changed
                ? new MusterException(ErrorKind.Corrupt, $"{HttpFetcher.Shown(Image)} changed while it was downloaded: try again")
                : HttpFetcher.Failed(response);
        }
    }
}
