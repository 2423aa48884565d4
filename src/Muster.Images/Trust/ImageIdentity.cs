using Muster.Core;

namespace Muster.Images.Trust;

/// <summary>
/// The parts of a normalised reference that trust looks at: which transport (in containers-policy.json's words; null for
/// App Container images), the name without it, and of <c>docker://</c> references repository, tag and digest.
/// </summary>
public sealed record ImageIdentity(string? Transport, string Name)
{
    /// <summary><c>host[:port]/path</c> of a registry's image; null for anything else.</summary>
    public string? Repository { get; private init; }

    public string? Tag { get; private init; }

    public Digest? Digest { get; private init; }

    /// <summary>Takes a reference of <see cref="ReferenceRecord.Reference"/> apart.</summary>
    public static ImageIdentity Of(string reference)
    {
        if (reference.StartsWith("docker://", StringComparison.Ordinal))
        {
            return OfRegistry(reference["docker://".Length..]);
        }

        foreach (var transport in (ReadOnlySpan<string>)["oci", "oci-archive", "docker-archive"])
        {
            if (reference.StartsWith(transport, StringComparison.Ordinal) && reference.Length > transport.Length && reference[transport.Length] == ':')
            {
                return new ImageIdentity(transport, reference[(transport.Length + 1)..]);
            }
        }

        return new ImageIdentity(null, reference);
    }

    /// <summary>Takes <c>host[:port]/path[:tag][@digest]</c> apart.</summary>
    public static ImageIdentity OfRegistry(string name)
    {
        var repository = name;
        Digest? digest = null;
        var at = repository.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            digest = Core.Digest.TryParse(repository[(at + 1)..], out var parsed) ? parsed : null;
            repository = repository[..at];
        }

        string? tag = null;
        var colon = repository.LastIndexOf(':');
        if (colon > repository.LastIndexOf('/'))
        {
            tag = repository[(colon + 1)..];
            repository = repository[..colon];
        }

        return new ImageIdentity("docker", name) { Repository = repository, Tag = tag, Digest = digest };
    }

    /// <summary>
    /// Whether a signature that names <paramref name="signed"/> is about this image: the same repository and tag, or the
    /// same repository where the image is asked for by digest or the signature names no tag (containers-policy.json,
    /// matchRepoDigestOrExact).
    /// </summary>
    public bool IsNamedBy(ImageIdentity signed) =>
        Repository == signed.Repository
        && (signed.Tag is null || Digest is not null || signed.Tag == (Tag ?? "latest"));

    /// <summary>The same image below another prefix; null when it is not below the first.</summary>
    public ImageIdentity? Moved(string prefix, string to) => Repository is { } repository && IsBelow(repository, prefix)
        ? this with { Repository = to + repository[prefix.Length..] }
        : null;

    /// <summary>Whether a name is a prefix's own or below it, by whole path components.</summary>
    public static bool IsBelow(string name, string prefix) =>
        prefix.Length == 0
        || (name.StartsWith(prefix, StringComparison.Ordinal) && (name.Length == prefix.Length || name[prefix.Length] == '/'));

    /// <summary>
    /// Whether the name of any image may be this or below it. False only for what is certain, such as a scheme, a tag, a
    /// wildcard or capitals in a repository: a layout's folder gives its image any name of one part.
    /// </summary>
    public static bool CanBegin(string prefix)
    {
        var slash = prefix.LastIndexOf('/');
        var colon = prefix.LastIndexOf(':');
        return prefix.Length > 0 && prefix[0] != '/' && slash != prefix.Length - 1 && !prefix.Contains("//", StringComparison.Ordinal)
            && prefix.IndexOfAny(['@', '*', '?', ' ', '\t']) < 0
            && (colon < 0 || (colon > 0 && colon < slash) || (slash < 0 && prefix.AsSpan(colon + 1).IndexOfAnyExceptInRange('0', '9') < 0))
            && (slash < 0 || !prefix.Any(char.IsAsciiLetterUpper));
    }
}
