using System.Globalization;
using Muster.Core;
using Muster.Images.Aci;
using Muster.Images.Discovery;
using Muster.Images.Http;
using Muster.Images.Oci.Registry;
using Muster.Images.Trust;
using Muster.Linux;

namespace Muster.Images;

/// <content>Images from the network: registries, addresses, App Container names.</content>
public sealed partial class ImageFetcher
{
    private async Task<StoredImage> FromRegistryAsync(ImageReference reference, StoredImage? known, FetchOptions options, CancellationToken ct)
    {
        // Records know no variant: only the registry can say which image of an index has it.
        if (known is not null && options.Pull == PullPolicy.New && options.Platform?.Variant is null && Suffices(known, options))
        {
            return known;
        }

        using var session = new RegistrySession(_store.Root, Web(options), _store.Time);
        var full = RegistryReference.Parse(session.Registries.Qualify(reference.ToString()["docker://".Length..]));
        for (var place = 0; ;)
        {
            var source = new RegistrySource(session, full, place);
            try
            {
                return await FromOciAsync(source, reference, known, options, ct);
            }
            catch (MusterException e) when (e.Kind == ErrorKind.Corrupt && source.HasMorePlaces)
            {
                // What a mirror has damaged or altered is not the image: the next place has it whole.
                options.Warn?.Invoke($"a mirror of {full} sends what does not fit its digest, and is passed by ({e.Message.TrimEnd('.')})");
                place = source.Place + 1;
            }
        }
    }

    private async Task<StoredImage> FromUrlAsync(ImageReference reference, StoredImage? known, FetchOptions options, CancellationToken ct)
    {
        if (known is not null && options.Pull == PullPolicy.New && Suffices(known, options))
        {
            return known;
        }

        using var web = OpenWeb(options);
        return await FromWebAsync(new HttpAciSource(web, new Uri(reference.Name)), reference, known, options, [], ct);
    }

    private async Task<StoredImage> FromNameAsync(ImageReference reference, StoredImage? known, FetchOptions options, IReadOnlyList<AciManifest> chain, CancellationToken ct)
    {
        if (known is not null && Suffices(known, options) && (options.Pull == PullPolicy.New || !reference.Name.Contains('.', StringComparison.Ordinal)))
        {
            return known;
        }

        // What was built here has no other place to be asked for.
        if (known is { Reference.Trust.Verdict: TrustVerdict.Built })
        {
            return OnlyHere(known, options);
        }

        // The first part of a name that discovery can look up is a host; a bare word is only ever a local name.
        if (!reference.Name.Split('/')[0].Contains('.', StringComparison.Ordinal))
        {
            throw Missing(reference.ToString(), options);
        }

        using var web = OpenWeb(options);
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["os"] = "linux", ["arch"] = ImageReference.HostArchitecture };
        foreach (var label in Wanted(reference))
        {
            labels[label.Name] = label.Value;
        }

        var found = await new ImageDiscovery(web).FindImagesAsync(reference.Name, labels, ct);
        MusterException? told = null;
        for (var i = 0; ; i++)
        {
            try
            {
                return await FromWebAsync(new HttpAciSource(web, found[i].Image, found[i].Signature), reference, known, options, chain, ct);
            }
            catch (MusterException e) when (IsOfThePlace(e.Kind) && i < found.Count - 1)
            {
                // The page names several places: the next may have it, or have it as it should be.
                told ??= IsSilent(e.Kind) ? null : e;
            }
            catch (MusterException e) when (told is not null && IsSilent(e.Kind))
            {
                // What was wrong with an image that is there says more than that the last place has none.
                throw told;
            }
        }
    }

    private static bool IsSilent(ErrorKind kind) => kind is ErrorKind.NotFound or ErrorKind.Upstream or ErrorKind.Timeout;

    // Of one place on the web, and not of this host.
    private static bool IsOfThePlace(ErrorKind kind) => IsSilent(kind) || kind is ErrorKind.Forbidden or ErrorKind.Invalid or ErrorKind.Corrupt;

    private async Task<StoredImage> FromWebAsync(HttpAciSource source, ImageReference reference, StoredImage? known, FetchOptions options, IReadOnlyList<AciManifest> chain, CancellationToken ct)
    {
        // Who comes second waits for the first, and takes what it has brought.
        var started = _store.Time.GetUtcNow();
        _store.Paths.MakeFolders();
        using var single = chain.Count > 0 ? null : await FileLock.TakeNamedAsync($"{_store.Paths.Locks}/{StorePaths.Escape("web " + reference)}", _store.Time, ct);
        known = _store.Find(reference.ToString()) ?? known;
        var usable = known is not null && Suffices(known, options);
        if (usable && single is not null && known!.Reference.FetchedAt >= started)
        {
            return known;
        }

        for (var again = false; ; again = true)
        {
            var image = await source.OpenAsync(usable ? Version(known!.Reference.Stamp) : null, ct);
            if (image is null)
            {
                return known!;
            }

            await using var opened = image;
            _verdicts.BeforeFetch(reference.Kind == ReferenceKind.AciName ? reference.Name : reference.ToString(), []);
            var signature = options.Insecure.HasFlag(InsecureOptions.Image) ? null
                : options.SignatureFile is { } path ? Oci.LayoutFiles.ReadGiven(path, MaxSignature)
                : await source.ReadSignatureAsync(ct);
            try
            {
                return await ImportAciAsync(opened.Content, reference, Stamp(opened.Version), signature, options, chain, ct);
            }
            catch (MusterException e) when (!again && opened.Content is ResumingStream { WasResumed: true } && (ResumingStream.IsWrongContent(e) || TrustJudge.IsMismatch(e)))
            {
                // The file was changed on its server while it came, or its parts do not fit together: begun anew, once.
            }
        }
    }

    private HttpFetcher OpenWeb(FetchOptions options)
    {
        var logins = new AuthFiles(_store.Root);
        return new HttpFetcher(_store.Root, Web(options), _store.Time) { Logins = logins.Find };
    }

    /// <summary>The part of the options that concerns connections.</summary>
    internal static WebOptions Web(FetchOptions options) => new()
    {
        AllowHttp = options.Insecure.HasFlag(InsecureOptions.Http),
        SkipCertificateCheck = options.Insecure.HasFlag(InsecureOptions.Tls),
    };

    // "until etag": seconds since 1970 until which the server need not be asked, 0 for always.
    private static string Stamp(RemoteVersion version) =>
        (version.FreshUntil?.ToUnixTimeSeconds() ?? 0).ToString(CultureInfo.InvariantCulture) + " " + version.ETag;

    private static RemoteVersion? Version(string? stamp)
    {
        var blank = stamp?.IndexOf(' ', StringComparison.Ordinal) ?? -1;
        return blank > 0 && long.TryParse(stamp.AsSpan(0, blank), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? new RemoteVersion(blank + 1 < stamp!.Length ? stamp[(blank + 1)..] : null, seconds == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(Math.Min(seconds, 253402300799)))
            : null;
    }
}
