using System.Net;
using System.Net.Http.Headers;
using Muster.Core;
using Muster.Images.Http;

namespace Muster.Images.Oci.Registry;

/// <summary>
/// A repository that is pushed to (distribution-spec 1.1, "Pushing"): blobs are asked for, mounted from another repository
/// of the same registry where that is known, sent in one piece or, when large, in chunks; the manifest comes last.
/// </summary>
public sealed class RegistryTarget : IOciTarget
{
    /// <summary>Above this a blob is sent in chunks of this size, so that a break costs one chunk only.</summary>
    public const long DefaultChunkBytes = 64L << 20;

    private const int MaxManifestBytes = WebLimits.MaxManifestBytes;

    private readonly RegistrySession _session;
    private readonly RegistryReference _reference;
    private readonly RegistryConnection _connection;
    private readonly string? _mountFrom;
    private readonly long _chunk;

    /// <summary>A target for one reference. The session stays the caller's.</summary>
    /// <param name="mountFrom">A repository of the same registry that may have the blobs already.</param>
    public RegistryTarget(RegistrySession session, RegistryReference reference, string? mountFrom = null, long chunkBytes = DefaultChunkBytes)
    {
        _session = session;
        _reference = reference;
        _connection = session.Connect(reference);
        _mountFrom = mountFrom;
        _chunk = chunkBytes;
        Location = "docker://" + reference;
    }

    /// <inheritdoc/>
    public string Location { get; }

    private string Scope => $"repository:{_reference.Repository}:pull,push";

    /// <inheritdoc/>
    public async Task<bool> HasBlobAsync(OciDescriptor descriptor, CancellationToken ct)
    {
        using var response = await SendAsync(await AddressAsync($"blobs/{descriptor.Digest}", ct), uri => HttpFetcher.Request(HttpMethod.Head, uri), again: true, ct);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => response.Content.Headers.ContentLength is not { } length || length == descriptor.Size,
            HttpStatusCode.NotFound => false,
            _ => throw HttpFetcher.Failed(response),
        };
    }

    /// <inheritdoc/>
    public async Task PutBlobAsync(OciDescriptor descriptor, Func<CancellationToken, Task<Stream>> open, CancellationToken ct)
    {
        var delay = _session.Web.Options.FirstRetryDelay;
        for (var tries = 1; ; tries++)
        {
            try
            {
                if (await BeginAsync(descriptor, ct) is { } upload)
                {
                    await using var content = await open(ct);
                    await SendBlobAsync(upload, descriptor, content, ct);
                }

                return;
            }
            catch (MusterException e) when (e.Kind is ErrorKind.Upstream or ErrorKind.Timeout && tries < WebLimits.MaxTries)
            {
                await Task.Delay(delay, _session.Web.Time, ct);
                delay *= 2;
            }
        }
    }

    /// <inheritdoc/>
    public Task PutSignaturesAsync(OciDescriptor image, IReadOnlyList<OciSignature> signatures, Action<string> tell, CancellationToken ct) =>
        new RegistrySignatures(this, _session.Root, _reference).PutAsync(image, signatures, tell, ct);

    /// <summary>The manifest of a tag of this repository; null when there is none.</summary>
    internal async Task<OciDocument?> TryReadManifestAsync(string tag, CancellationToken ct)
    {
        using var response = await SendAsync(await AddressAsync("manifests/" + tag, ct), uri => HttpFetcher.Request(HttpMethod.Get, uri, headers => headers.TryAddWithoutValidation("Accept", RegistrySource.ManifestTypes)), again: true, ct);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw HttpFetcher.Failed(response);
        }

        var bytes = await _session.Web.ReadAsync(response, MaxManifestBytes, ct);
        return new OciDocument(Digest.Sha256(bytes), response.Content.Headers.ContentType?.MediaType ?? "", bytes);
    }

    /// <inheritdoc/>
    public async Task PutManifestAsync(OciDocument manifest, CancellationToken ct) => _ = await PutManifestAsync(_reference.Tag ?? manifest.Digest.ToString(), manifest, ct);

    /// <summary>Puts a manifest under a tag or its digest; true when the registry lists it as a referrer of its subject (OCI-Subject).</summary>
    internal async Task<bool> PutManifestAsync(string target, OciDocument manifest, CancellationToken ct)
    {
        if (manifest.Bytes.Length > MaxManifestBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The manifest has {manifest.Bytes.Length} bytes, more than the {MaxManifestBytes} that registries take");
        }

        using var response = await SendAsync(await AddressAsync("manifests/" + target, ct), uri =>
        {
            var request = HttpFetcher.Request(HttpMethod.Put, uri);
            request.Content = new ReadOnlyMemoryContent(manifest.Bytes);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(manifest.MediaType);
            return request;
        }, again: true, ct);
        if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.OK))
        {
            throw response.StatusCode == HttpStatusCode.BadRequest
                ? new MusterException(ErrorKind.Upstream, $"{Location} refuses the manifest (400): {await ReasonAsync(response, ct)}")
                : HttpFetcher.Failed(response);
        }

        if (response.Headers.TryGetValues("Docker-Content-Digest", out var digests) && digests.FirstOrDefault() is { } digest && digest != manifest.Digest.ToString())
        {
            throw new MusterException(ErrorKind.Corrupt, $"{Location} stored the manifest as {digest}, not as {manifest.Digest}: delete it there and tell the registry's owner");
        }

        return response.Headers.Contains("OCI-Subject");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts an upload, or mounts: null when the registry has the blob now.</summary>
    private async Task<Uri?> BeginAsync(OciDescriptor descriptor, CancellationToken ct)
    {
        var query = _mountFrom is null ? "" : $"?mount={Uri.EscapeDataString(descriptor.Digest.ToString())}&from={Uri.EscapeDataString(_mountFrom)}";
        var scope = _mountFrom is null ? Scope : $"{Scope} repository:{_mountFrom}:pull";
        var address = await AddressAsync("blobs/uploads/" + query, ct);
        using var response = await _connection.SendAsync(address, scope, uri =>
        {
            var request = HttpFetcher.Request(HttpMethod.Post, uri);
            request.Content = new ByteArrayContent([]);
            return request;
        }, again: true, ct);
        return response.StatusCode switch
        {
            HttpStatusCode.Created => null,
            HttpStatusCode.Accepted => Next(response, address),
            _ => throw HttpFetcher.Failed(response),
        };
    }

    private async Task SendBlobAsync(Uri upload, OciDescriptor descriptor, Stream content, CancellationToken ct)
    {
        if (descriptor.Size > _chunk)
        {
            for (long at = 0; at < descriptor.Size;)
            {
                var length = Math.Min(_chunk, descriptor.Size - at);
                upload = await PatchAsync(upload, content, at, length, ct);
                at += length;
            }

            await FinishAsync(upload, descriptor, null, ct);
            return;
        }

        await FinishAsync(upload, descriptor, content, ct);
    }

    private async Task<Uri> PatchAsync(Uri upload, Stream content, long at, long length, CancellationToken ct)
    {
        using var response = await SendAsync(upload, uri =>
        {
            var request = HttpFetcher.Request(HttpMethod.Patch, uri);
            request.Content = new UploadContent(content, at, length);
            // The specification's own form, without the word bytes.
            request.Content.Headers.TryAddWithoutValidation("Content-Range", $"{at}-{at + length - 1}");
            return request;
        }, again: false, ct);
        return response.StatusCode == HttpStatusCode.Accepted ? Next(response, upload) : throw HttpFetcher.Failed(response);
    }

    private async Task FinishAsync(Uri upload, OciDescriptor descriptor, Stream? content, CancellationToken ct)
    {
        var query = (upload.Query.Length > 1 ? upload.Query[1..] + "&" : "") + "digest=" + Uri.EscapeDataString(descriptor.Digest.ToString());
        using var response = await SendAsync(new UriBuilder(upload) { Query = query }.Uri, uri =>
        {
            var request = HttpFetcher.Request(HttpMethod.Put, uri);
            request.Content = content is null ? new ByteArrayContent([]) : new UploadContent(content, 0, descriptor.Size);
            return request;
        }, again: false, ct);
        if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.OK))
        {
            throw response.StatusCode == HttpStatusCode.BadRequest
                ? new MusterException(ErrorKind.Upstream, $"{Location} refuses the blob {descriptor.Digest} (400): {await ReasonAsync(response, ct)}")
                : HttpFetcher.Failed(response);
        }
    }

    private async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken ct) =>
        Trust.OpenPgp.PgpText.Clean(await _session.Web.ReadAsync(response, WebLimits.MaxSmallBytes, ct));

    private Uri Next(HttpResponseMessage response, Uri address)
    {
        if (response.Headers.Location is not { } location)
        {
            throw new MusterException(ErrorKind.Upstream, $"{Location} does not say where the upload goes on: tell its owner");
        }

        var next = new Uri(address, location);
        return address.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps
            ? throw new MusterException(ErrorKind.Upstream, $"{Location} sends the upload from https to {next.Scheme}, which is refused: set the registry's relativeurls or external address")
            : next;
    }

    private Task<HttpResponseMessage> SendAsync(Uri address, Func<Uri, HttpRequestMessage> make, bool again, CancellationToken ct) =>
        _connection.SendAsync(address, Scope, make, again, ct);

    private async Task<Uri> AddressAsync(string path, CancellationToken ct) => new(await _connection.BaseAsync(ct), $"{_reference.Repository}/{path}");
}
