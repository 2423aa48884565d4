using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Http;

namespace Muster.Images.Oci.Registry;

/// <summary>
/// An image in a registry (distribution-spec 1.1): manifests, blobs with resumption, signatures of all kinds, tags. Mirrors
/// of registries.conf are asked first; what a mirror fails at is asked of the next.
/// </summary>
public sealed class RegistrySource : IOciSource
{
    internal const string ManifestTypes = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Pages of a listing of tags, a thousand each.</summary>
    private const int MaxPages = 1000;

    private readonly RegistrySession _session;
    private readonly RegistryReference _reference;
    private readonly IReadOnlyList<RegistryReference> _places;
    private int _place;
    private int _inLookaside;
    private string? _refused;

    /// <summary>A source for one reference; contacts nobody yet. The session stays the caller's.</summary>
    /// <param name="firstPlace">How many of the mirrors are passed by, because what they sent was no good.</param>
    public RegistrySource(RegistrySession session, RegistryReference reference, int firstPlace = 0)
    {
        _session = session;
        _reference = reference;
        _places = session.Registries.Places(reference);
        _place = firstPlace;
        Location = "docker://" + reference;
    }

    /// <summary>The place that answered last, counted from the first mirror.</summary>
    internal int Place => Volatile.Read(ref _place);

    /// <summary>Whether there is another place to ask behind the one that answered last.</summary>
    internal bool HasMorePlaces => Place < _places.Count - 1;

    /// <inheritdoc/>
    public string Location { get; }

    /// <inheritdoc/>
    public Task<OciDocument> ReadRootAsync(CancellationToken ct) =>
        AnywhereAsync((place, token) => ReadManifestAsync(place, _reference.Target, _reference.Digest, token), ct);

    /// <inheritdoc/>
    public async Task<OciDocument> ReadDocumentAsync(OciDescriptor descriptor, CancellationToken ct)
    {
        if (descriptor.Size > WebLimits.MaxManifestBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"{Location}: the document {descriptor.Digest} has {descriptor.Size} bytes, more than {WebLimits.MaxManifestBytes}");
        }

        var document = ManifestTypes.Contains(descriptor.MediaType, StringComparison.Ordinal) && descriptor.MediaType.Length > 0
            ? await AnywhereAsync((place, token) => ReadManifestAsync(place, descriptor.Digest.ToString(), descriptor.Digest, token), ct)
            : await ReadSmallBlobAsync(() => ResumeAsync(descriptor, 0, ct), descriptor, ct);
        return document.Bytes.Length == descriptor.Size
            ? document
            : throw new MusterException(ErrorKind.Corrupt, $"{Location}: the document {descriptor.Digest} has {document.Bytes.Length} bytes, not the {descriptor.Size} of its descriptor");
    }

    /// <inheritdoc/>
    public async Task<Stream> OpenBlobAsync(OciDescriptor descriptor, long offset, CancellationToken ct) => await ResumeAsync(descriptor, offset, ct);

    private async Task<ResumingStream> ResumeAsync(OciDescriptor descriptor, long offset, CancellationToken ct)
    {
        var body = await OpenAtAsync(descriptor, offset, ct);
        var last = offset;
        return new ResumingStream(body, offset, descriptor.Size, $"{Location}: the blob {descriptor.Digest}", (at, token) =>
        {
            // A mirror that breaks off at the same byte again, or soon behind it, is one that fails: the next place goes on from there.
            var place = Place;
            if (at - last < WebLimits.LeastInWindow && place < _places.Count - 1)
            {
                _ = Interlocked.CompareExchange(ref _place, place + 1, place);
            }

            last = at;
            return OpenAtAsync(descriptor, at, token);
        });
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<OciSignature>> ReadSignaturesAsync(Digest manifest, CancellationToken ct)
    {
        var found = new List<OciSignature>();
        await AddLookasideAsync(found, manifest, ct);
        for (var place = Place; place < _places.Count; place++)
        {
            await AddCosignAsync(found, manifest, place, ct);
            await AddBundlesAsync(found, manifest, place, ct);
            if (found.Count > 0)
            {
                break;
            }

            // Mirrors often have the image without what is attached to it: its signatures are asked of the next place.
        }

        return found;
    }

    /// <inheritdoc/>
    public UnreadSignatures? Unread => _refused is null ? null : new UnreadSignatures(_refused, _inLookaside == 0);

    /// <summary>Every tag of the repository, page by page (distribution-spec, "Listing Tags").</summary>
    public async Task<IReadOnlyList<string>> ListTagsAsync(CancellationToken ct)
    {
        var place = _places[^1];
        var tags = new List<string>();
        Uri? next = new(await _session.Connect(place).BaseAsync(ct), place.Repository + "/tags/list?n=1000");
        for (var page = 0; next is not null; page++)
        {
            if (page == MaxPages)
            {
                throw new MusterException(ErrorKind.Exhausted, $"{Location} lists its tags on more than {MaxPages} pages");
            }

            using var response = await SendAsync(place, next, uri => HttpFetcher.Request(HttpMethod.Get, uri), ct);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw HttpFetcher.Failed(response);
            }

            AddTags(tags, await _session.Web.ReadAsync(response, WebLimits.MaxManifestBytes, ct));
            next = Next(response, next);
        }

        return tags;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Asks the places in order, beginning with the one that answered last.</summary>
    private async Task<T> AnywhereAsync<T>(Func<RegistryReference, CancellationToken, Task<T>> ask, CancellationToken ct)
    {
        for (var i = Volatile.Read(ref _place); ; i++)
        {
            try
            {
                var answer = await ask(_places[i], ct);
                Volatile.Write(ref _place, i);
                return answer;
            }
            catch (MusterException) when (i < _places.Count - 1)
            {
                // A mirror that fails in any way is only a mirror; the last place's failure is the one to tell.
            }
        }
    }

    private async Task<OciDocument> ReadManifestAsync(RegistryReference place, string target, Digest? expected, CancellationToken ct)
    {
        var address = new Uri(await _session.Connect(place).BaseAsync(ct), $"{place.Repository}/manifests/{target}");
        using var response = await SendAsync(place, address, uri => HttpFetcher.Request(HttpMethod.Get, uri, headers => headers.TryAddWithoutValidation("Accept", ManifestTypes)), ct);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw response.StatusCode == HttpStatusCode.NotFound ? new MusterException(ErrorKind.NotFound, $"There is no image docker://{place}: check the name and the tag") : HttpFetcher.Failed(response);
        }

        var type = response.Content.Headers.ContentType?.MediaType ?? "";
        var bytes = await _session.Web.ReadAsync(response, WebLimits.MaxManifestBytes, ct);
        if (type == "text/html" || bytes is not [(byte)'{' or (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t', ..])
        {
            throw new MusterException(ErrorKind.Upstream, $"{HttpFetcher.Shown(address)} sends {(type == "text/html" ? "a web page" : "something that is not a JSON object")} where a manifest is expected: check host and port");
        }

        return Checked(bytes, type is "application/json" or "text/plain" or "application/octet-stream" ? "" : type, expected);
    }

    private async Task<OciDocument> ReadSmallBlobAsync(Func<Task<ResumingStream>> open, OciDescriptor descriptor, CancellationToken ct)
    {
        for (var again = false; ; again = true)
        {
            await using var blob = await open();
            using var whole = new MemoryStream();
            await blob.CopyToAsync(whole, ct);
            try
            {
                return Checked(whole.ToArray(), descriptor.MediaType, descriptor.Digest);
            }
            catch (MusterException e) when (!again && blob.WasResumed && ResumingStream.IsWrongContent(e))
            {
                // Begun anew, once.
            }
        }
    }

    private OciDocument Checked(byte[] bytes, string type, Digest? expected)
    {
        var digest = expected is { Algorithm: "sha512" }
            ? Digest.FromHash("sha512", System.Security.Cryptography.SHA512.HashData(bytes))
            : Digest.Sha256(bytes);
        return expected is null || digest == expected
            ? new OciDocument(digest, type, bytes)
            : throw new MusterException(ErrorKind.Corrupt, $"{Location}: what was sent as {expected} has the digest {digest}: it is damaged or was altered");
    }

    private Task<Stream> OpenAtAsync(OciDescriptor descriptor, long offset, CancellationToken ct) =>
        AnywhereAsync((place, token) => OpenAtAsync(place, descriptor, offset, token), ct);

    private async Task<Stream> OpenAtAsync(RegistryReference place, OciDescriptor descriptor, long offset, CancellationToken ct)
    {
        var address = new Uri(await _session.Connect(place).BaseAsync(ct), $"{place.Repository}/blobs/{descriptor.Digest}");
        Task<HttpResponseMessage> AskAsync(RangeHeaderValue? range) => SendAsync(place, address, uri => HttpFetcher.Request(HttpMethod.Get, uri, headers => headers.Range = range), ct);
        var response = await AskAsync(offset > 0 ? new RangeHeaderValue(offset, null) : null);
        if (offset > 0 && response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // Said by some that know no ranges: all of it again, as of those that do not heed them.
            response.Dispose();
            response = await AskAsync(null);
        }

        try
        {
            var length = response.Content.Headers.ContentLength;
            var resumed = response.StatusCode == HttpStatusCode.PartialContent && offset > 0 && response.Content.Headers.ContentRange?.From == offset;
            if (response.StatusCode != HttpStatusCode.OK && !resumed)
            {
                throw response.StatusCode == HttpStatusCode.PartialContent
                    ? new MusterException(ErrorKind.Upstream, $"{HttpFetcher.Shown(address)} sends another part than the one asked for: tell its owner")
                    : HttpFetcher.Failed(response);
            }

            if (length is { } said && said != descriptor.Size - (resumed ? offset : 0))
            {
                throw new MusterException(ErrorKind.Corrupt, $"{HttpFetcher.Shown(address)} announces {said} bytes where the manifest says {descriptor.Size - (resumed ? offset : 0)}: it is damaged or was altered");
            }

            var body = await _session.Web.OpenAsync(response, ct);
            if (offset > 0 && !resumed)
            {
                // A server without ranges sends all of it again: what is known is read past.
                await ResumingStream.SkipAsync(body, offset, ct);
            }

            return body;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private Task<HttpResponseMessage> SendAsync(RegistryReference place, Uri address, Func<Uri, HttpRequestMessage> make, CancellationToken ct) =>
        _session.Connect(place).SendAsync(address, $"repository:{place.Repository}:pull", make, again: true, ct);

    private async Task AddLookasideAsync(List<OciSignature> found, Digest manifest, CancellationToken ct)
    {
        if (LookasideConfiguration.Find(_session.Root, _reference, manifest) is not { } place)
        {
            return;
        }

        for (var i = 1; i <= SignatureManifests.MaxSignatures; i++)
        {
            var address = new Uri($"{place.AbsoluteUri}/signature-{i}");
            byte[]? bytes;
            if (address.IsFile)
            {
                var file = new FileInfo(address.LocalPath);
                bytes = !file.Exists ? null : file.Length <= WebLimits.MaxSmallBytes ? await File.ReadAllBytesAsync(file.FullName, ct)
                    : throw new MusterException(ErrorKind.Invalid, $"The signature {file.FullName} has {file.Length} bytes, more than {WebLimits.MaxSmallBytes}");
            }
            else
            {
                bytes = await ReadFromLookasideAsync(address, ct);
            }

            if (bytes is null)
            {
                return;
            }

            _inLookaside++;
            found.Add(new OciSignature("simple-signing", bytes, default, address.IsFile ? address.LocalPath : HttpFetcher.Shown(address)));
        }
    }

    /// <summary>A signature of a lookaside on the web, or null: where one ends or has none. A refusal is remembered.</summary>
    private async Task<byte[]?> ReadFromLookasideAsync(Uri address, CancellationToken ct)
    {
        using var response = await _session.Web.SendAsync(address, uri => HttpFetcher.Request(HttpMethod.Get, uri), again: true, ct);
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                return await _session.Web.ReadAsync(response, WebLimits.MaxSmallBytes, ct);
            case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                return null;
            case HttpStatusCode.Forbidden:
                // Storage services say so of what they do not have to those who may not list it.
                _refused ??= $"the lookaside refused {HttpFetcher.Shown(address)} with 403";
                return null;
            default:
                throw HttpFetcher.Failed(response);
        }
    }

    private async Task AddCosignAsync(List<OciSignature> found, Digest manifest, int place, CancellationToken ct)
    {
        var tag = SignatureManifests.CosignTag(manifest);
        if (await TryReadAsync(tag, null, place, ct) is not { } document)
        {
            return;
        }

        found.AddRange(await SignatureCarriers.ReadAsync(document, cosign: true, _reference.Name + ":" + tag, PartsOf(place), ct));
    }

    private Func<OciDescriptor, CancellationToken, Task<ReadOnlyMemory<byte>>> PartsOf(int place) => async (part, ct) => (await ReadSmallBlobAsync(
        async () => new ResumingStream(await OpenAtAsync(_places[place], part, 0, ct), 0, part.Size, $"{Location}: the blob {part.Digest}", (at, token) => OpenAtAsync(_places[place], part, at, token)),
        part,
        ct)).Bytes;

    private async Task AddBundlesAsync(List<OciSignature> found, Digest manifest, int place, CancellationToken ct)
    {
        var index = await ReadReferrersAsync(manifest, place, ct) ?? await TryReadAsync(SignatureManifests.ReferrersTag(manifest), null, place, ct);
        if (index is null)
        {
            return;
        }

        foreach (var referrer in SignatureManifests.Referrers(index.Bytes))
        {
            if (await TryReadAsync(referrer.Digest.ToString(), referrer.Digest, place, ct) is not { } document)
            {
                continue;
            }

            found.AddRange(await SignatureCarriers.ReadAsync(document, cosign: false, _reference.Name + "@" + referrer.Digest, PartsOf(place), ct));
        }
    }

    private async Task<OciDocument?> TryReadAsync(string target, Digest? expected, int place, CancellationToken ct)
    {
        try
        {
            return await ReadManifestAsync(_places[place], target, expected, ct);
        }
        catch (MusterException e) when (e.Kind is ErrorKind.NotFound or ErrorKind.Forbidden || place < _places.Count - 1)
        {
            // Some registries forbid what does not exist. Without a signature the image is refused later, with that reason.
            return null;
        }
    }

    /// <summary>The referrers API; null where the registry has none (404) and the tag is to be read.</summary>
    private async Task<OciDocument?> ReadReferrersAsync(Digest manifest, int number, CancellationToken ct)
    {
        var place = _places[number];
        var address = new Uri(await _session.Connect(place).BaseAsync(ct), $"{place.Repository}/referrers/{manifest}");
        using var response = await SendAsync(place, address, uri => HttpFetcher.Request(HttpMethod.Get, uri), ct);
        if (response.StatusCode != HttpStatusCode.OK || response.Content.Headers.ContentType?.MediaType != "application/vnd.oci.image.index.v1+json")
        {
            // 404 is the specification's way to say no; older registries answer with anything.
            return null;
        }

        var bytes = await _session.Web.ReadAsync(response, WebLimits.MaxManifestBytes, ct);
        return new OciDocument(Digest.Sha256(bytes), "application/vnd.oci.image.index.v1+json", bytes);
    }

    private void AddTags(List<string> tags, byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.TryGetProperty("tags", out var list) && list.ValueKind == JsonValueKind.Array)
            {
                tags.AddRange(list.EnumerateArray().Where(t => t.ValueKind == JsonValueKind.String && RegistryReference.IsTag(t.GetString()!)).Select(t => t.GetString()!));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new MusterException(ErrorKind.Upstream, $"{Location} sends a list of tags that is not JSON: check host and port", e);
        }
    }

    /// <summary>The address of the next page from <c>Link: &lt;…&gt;; rel="next"</c> (RFC 8288), on the same host only.</summary>
    private static Uri? Next(HttpResponseMessage response, Uri address)
    {
        if (!response.Headers.TryGetValues("Link", out var links))
        {
            return null;
        }

        foreach (var link in links)
        {
            var end = link.IndexOf('>', StringComparison.Ordinal);
            if (end > 1 && link[0] == '<' && link[end..].Contains("next", StringComparison.Ordinal) && Uri.TryCreate(address, link[1..end], out var next) && HttpFetcher.SameHost(next, address))
            {
                return next;
            }
        }

        return null;
    }
}
