using System.Buffers;
using Muster.Core;

namespace Muster.Images.Oci.Registry;

/// <summary>
/// <c>host[:port]/repository[:tag][@digest]</c> (distribution-spec, "Pulling manifests", with docker's rule that the first
/// part is a host when it has a dot or a colon or is <c>localhost</c>). Without tag and digest the tag is <c>latest</c>.
/// </summary>
public sealed record RegistryReference
{
    /// <summary>The most that registries take for a repository's name.</summary>
    public const int MaxRepositoryLength = 255;

    private const int MaxTagLength = 128;

    private static readonly SearchValues<char> TagCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    private static readonly SearchValues<char> HostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]");

    private RegistryReference(string host, string repository, string? tag, Digest? digest)
    {
        Host = host;
        Repository = repository;
        Tag = tag;
        Digest = digest;
    }

    /// <summary><c>host[:port]</c>.</summary>
    public string Host { get; }

    /// <summary>The path below the host.</summary>
    public string Repository { get; }

    /// <summary>Null when only a digest was given.</summary>
    public string? Tag { get; }

    public Digest? Digest { get; }

    /// <summary><c>host[:port]/repository</c>: what trust and mirrors are looked up by.</summary>
    public string Name => Host + "/" + Repository;

    /// <summary>What the manifest is asked for by: the digest where there is one, else the tag.</summary>
    public string Target => Digest?.ToString() ?? Tag!;

    /// <summary>Whether the text names its registry (docker's rule); otherwise it is a short name.</summary>
    public static bool HasHost(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && (text.AsSpan(0, slash).IndexOfAny('.', ':') >= 0 || text.AsSpan(0, slash).SequenceEqual("localhost"));
    }

    /// <summary>Reads a reference with its host, with or without <c>docker://</c> before it.</summary>
    public static RegistryReference Parse(string text)
    {
        var rest = text.StartsWith("docker://", StringComparison.Ordinal) ? text["docker://".Length..] : text;
        if (rest.Length > 1024 || !HasHost(rest))
        {
            throw Refused(text, "it names no registry");
        }

        Digest? digest = null;
        var at = rest.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            digest = Core.Digest.TryParse(rest[(at + 1)..], out var parsed) && rest[at + 7] == ':' ? parsed : throw Refused(text, "what follows the @ is not a digest");
            rest = rest[..at];
        }

        string? tag = null;
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf('/'))
        {
            tag = rest[(colon + 1)..];
            rest = rest[..colon];
            if (!IsTag(tag))
            {
                throw Refused(text, $"\"{tag}\" is not a tag");
            }
        }

        var host = rest[..slash];
        var repository = rest[(slash + 1)..];
        if (host.AsSpan().ContainsAnyExcept(HostCharacters) || !Uri.TryCreate("https://" + host + "/", UriKind.Absolute, out var uri) || uri.AbsolutePath != "/")
        {
            throw Refused(text, $"\"{host}\" is not a host");
        }

        // Docker Hub's own images live below library/.
        if (host is "docker.io" or "index.docker.io")
        {
            host = "docker.io";
            repository = repository.Contains('/', StringComparison.Ordinal) ? repository : "library/" + repository;
        }

        return IsRepository(repository)
            ? new RegistryReference(host, repository, tag ?? (digest is null ? "latest" : null), digest)
            : throw Refused(text, $"\"{repository}\" is not a repository's name (lower-case letters, digits and . _ - / between them)");
    }

    /// <summary>The same image in another place of the form <c>host[:port]/path</c>.</summary>
    public RegistryReference In(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return new RegistryReference(name[..slash], name[(slash + 1)..], Tag, Digest);
    }

    /// <summary>Whether a text is a tag: <c>[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}</c>.</summary>
    public static bool IsTag(string tag) => tag.Length is > 0 and <= MaxTagLength && tag[0] is not ('.' or '-') && !tag.AsSpan().ContainsAnyExcept(TagCharacters);

    /// <summary>Whether a text is a repository's name: <c>[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*</c> between slashes.</summary>
    public static bool IsRepository(string name)
    {
        if (name.Length is 0 or > MaxRepositoryLength)
        {
            return false;
        }

        foreach (var part in name.Split('/'))
        {
            var separators = 0;
            var separator = '\0';
            if (part.Length == 0 || !char.IsAsciiLetterOrDigit(part[^1]))
            {
                return false;
            }

            foreach (var c in part)
            {
                if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
                {
                    separators = 0;
                    separator = c;
                    continue;
                }

                separators++;
                var fits = separator != '\0' && c switch
                {
                    '-' => separators == 1 || separator == '-',
                    '_' => separators == 1 || (separators == 2 && separator == '_'),
                    '.' => separators == 1,
                    _ => false,
                };
                if (!fits)
                {
                    return false;
                }

                separator = c;
            }
        }

        return true;
    }

    /// <summary><c>host[:port]/repository[:tag][@digest]</c>.</summary>
    public override string ToString() => Name + (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    private static MusterException Refused(string text, string why) =>
        new(ErrorKind.Invalid, $"\"{text}\" is not a registry reference: {why}; write docker://host[:port]/repository[:tag|@digest]");
}
