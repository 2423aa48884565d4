using Muster.Core;
using Muster.Images.Http;

namespace Muster.Images.Discovery;

/// <summary>Where an App Container image and its signature are, as discovery found it.</summary>
public sealed record DiscoveredImage(Uri Image, Uri Signature);

/// <summary>
/// App Container image discovery (appc spec/discovery.md, Meta Discovery): <c>https://NAME?ac-discovery=1</c>, and the same
/// for each shorter path up to the host, until a page has a tag whose prefix fits the name.
/// </summary>
public sealed class ImageDiscovery
{
    /// <summary>Candidates tried for one name; sites give one or two.</summary>
    public const int MaxCandidates = 16;

    private const string ImageTag = "ac-discovery";
    private const string KeyTag = "ac-discovery-pubkeys";

    private readonly HttpFetcher _web;

    /// <summary>A discovery through <paramref name="web"/>, whose options say whether plain http is taken.</summary>
    public ImageDiscovery(HttpFetcher web) => _web = web;

    /// <summary>The places of an image, in the page's order. Labels are <c>version</c>, <c>os</c>, <c>arch</c> and any other; version defaults to <c>latest</c>.</summary>
    public async Task<IReadOnlyList<DiscoveredImage>> FindImagesAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken ct)
    {
        var found = await WalkAsync(name, page => Images(page, name, labels), ct);
        return found.Count > 0
            ? found
            : throw new MusterException(ErrorKind.NotFound, $"No page of {name} says where that image is (meta {ImageTag}): check the name, or give the image's https address");
    }

    /// <summary>The addresses of the keys that sign images below a prefix, as the site itself says: to be reviewed before they are trusted.</summary>
    public async Task<IReadOnlyList<Uri>> FindKeysAsync(string prefix, CancellationToken ct)
    {
        var found = await WalkAsync(prefix, page => Keys(page, prefix), ct);
        return found.Count > 0
            ? found
            : throw new MusterException(ErrorKind.NotFound, $"No page of {prefix} names keys (meta {KeyTag}): give the key's file or https address");
    }

    private static List<DiscoveredImage> Images(WebDocument page, string name, IReadOnlyDictionary<string, string> labels)
    {
        var found = new List<DiscoveredImage>();
        foreach (var (prefix, template) in Tags(page, ImageTag, name))
        {
            if (Fill(template, name, labels, "aci") is { } image && Fill(template, name, labels, "aci.asc") is { } signature
                && Address(page, image) is { } imageAddress && Address(page, signature) is { } signatureAddress)
            {
                // A template without {ext} would make one address of both; the signature then lies beside the image.
                found.Add(new DiscoveredImage(imageAddress, imageAddress == signatureAddress ? new Uri(imageAddress.AbsoluteUri + ".asc") : signatureAddress));
            }
        }

        return found;
    }

    private static List<Uri> Keys(WebDocument page, string prefix)
    {
        var found = new List<Uri>();
        foreach (var (_, target) in Tags(page, KeyTag, prefix))
        {
            if (Address(page, target) is { } address && !found.Contains(address))
            {
                found.Add(address);
            }
        }

        return found;
    }

    /// <summary>The tags whose prefix is a string prefix of the name, as the specification has it.</summary>
    private static IEnumerable<(string Prefix, string Target)> Tags(WebDocument page, string kind, string name)
    {
        var count = 0;
        foreach (var tag in MetaTags.Read(page.Bytes))
        {
            if (tag.Name != kind)
            {
                continue;
            }

            var words = tag.Content.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 2 && name.StartsWith(words[0], StringComparison.Ordinal) && count++ < MaxCandidates)
            {
                yield return (words[0], words[1]);
            }
        }
    }

    private static Uri? Address(WebDocument page, string target) =>
        Uri.TryCreate(page.Address, target, out var address) && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp) ? address : null;

    /// <summary>Puts name, labels and extension into a template; null when something in braces is left over.</summary>
    internal static string? Fill(string template, string name, IReadOnlyDictionary<string, string> labels, string extension)
    {
        var address = template.Replace("{name}", name, StringComparison.Ordinal).Replace("{ext}", extension, StringComparison.Ordinal);
        foreach (var (label, value) in labels)
        {
            address = address.Replace("{" + label + "}", Uri.EscapeDataString(value), StringComparison.Ordinal);
        }

        address = address.Replace("{version}", "latest", StringComparison.Ordinal);
        return address.AsSpan().IndexOfAny('{', '}') < 0 ? address : null;
    }

    private async Task<IReadOnlyList<T>> WalkAsync<T>(string name, Func<WebDocument, IReadOnlyList<T>> read, CancellationToken ct)
    {
        MusterException? failure = null;
        for (var path = name; ;)
        {
            try
            {
                if (await PageAsync(path, ct) is { } page && read(page) is { Count: > 0 } found)
                {
                    return found;
                }
            }
            catch (MusterException e) when (e.Kind is ErrorKind.Upstream or ErrorKind.Timeout or ErrorKind.Forbidden && e.InnerException is null)
            {
                // A page that is refused or broken is no answer; a shorter path may have one.
                failure = e;
            }

            var slash = path.LastIndexOf('/');
            if (slash < 0)
            {
                return failure is null ? [] : throw failure;
            }

            path = path[..slash];
        }
    }

    private async Task<WebDocument?> PageAsync(string path, CancellationToken ct)
    {
        if (!Uri.TryCreate($"https://{path}?ac-discovery=1", UriKind.Absolute, out var address) || address.UserInfo.Length > 0)
        {
            throw new MusterException(ErrorKind.Invalid, $"\"{path}\" cannot be looked up on the web: the first part of the name must be a host");
        }

        try
        {
            return await _web.GetBeginningAsync(address, MetaTags.MaxBytes, ct);
        }
        catch (MusterException e) when (_web.Options.AllowHttp && e.InnerException is HttpRequestException or OperationCanceledException)
        {
            return await _web.GetBeginningAsync(new UriBuilder(address) { Scheme = "http", Port = address.IsDefaultPort ? 80 : address.Port }.Uri, MetaTags.MaxBytes, ct);
        }
    }
}
