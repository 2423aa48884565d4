using System.Diagnostics.CodeAnalysis;
using System.Text;
using Muster.Core;

namespace Muster.Images;

/// <summary>The kinds of image references.</summary>
public enum ReferenceKind
{
    /// <summary><c>./file.aci</c>, <c>/dir/file.aci</c>, <c>file:///dir/file.aci</c>.</summary>
    AciFile,

    /// <summary><c>https://host/path.aci</c> (<c>http://</c> needs an insecure option).</summary>
    AciUrl,

    /// <summary><c>name[:version][,label=value…]</c>, found by App Container discovery.</summary>
    AciName,

    /// <summary><c>docker://[host[:port]/]repository[:tag][@digest]</c>.</summary>
    Docker,

    /// <summary><c>oci:DIR[:tag]</c>.</summary>
    OciLayout,

    /// <summary><c>oci-archive:FILE[:tag]</c>.</summary>
    OciArchive,

    /// <summary><c>docker-archive:FILE[:repository:tag]</c>.</summary>
    DockerArchive,

    /// <summary>An image id or a prefix of one.</summary>
    Id,
}

/// <summary>A parsed image reference. Its text form is normalised: two spellings of one thing give one text.</summary>
public sealed class ImageReference
{
    /// <summary>The longest reference taken: a path of 4096 bytes and a tag.</summary>
    public const int MaxLength = 4608;

    private ImageReference(ReferenceKind kind, string name)
    {
        Kind = kind;
        Name = name;
    }

    public ReferenceKind Kind { get; }

    /// <summary>The ACI name, the repository (with host for docker), the absolute path, the URL or the id prefix.</summary>
    public string Name { get; }

    /// <summary>The tag, or the version label.</summary>
    public string? Tag { get; private init; }

    /// <summary>The digest of a docker reference.</summary>
    public Digest? Digest { get; private init; }

    /// <summary>Labels of an ACI name, without the version, sorted by name.</summary>
    public IReadOnlyList<NameValue> Labels { get; private init; } = [];

    /// <summary>The registry host of a docker reference with its port; null for a short name.</summary>
    public string? Host { get; private init; }

    /// <summary>The repository of a docker reference without the host.</summary>
    public string Repository => Host is null ? Name : Name[(Host.Length + 1)..];

    /// <summary>Reads a reference or refuses it with a sentence; one of the command line is refused as <see cref="ErrorKind.Usage"/>.</summary>
    public static ImageReference Parse(string text, ErrorKind refusal = ErrorKind.Invalid) => TryParse(text, out var reference)
        ? reference
        : throw new MusterException(refusal, $"\"{Shown(text)}\" is not an image reference: write ./file.aci, https://host/file.aci, name[:version][,label=value], docker://host/repository[:tag], oci:DIR[:tag], oci-archive:FILE, docker-archive:FILE or an image id");

    /// <summary>Reads a reference; relative paths are taken from the current directory.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImageReference? reference)
    {
        reference = null;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength || text.AsSpan().ContainsAnyInRange('\0', '\x1f') || text.Contains('\x7f', StringComparison.Ordinal))
        {
            return false;
        }

        reference = Read(text);
        return reference is not null;
    }

    /// <summary>The reference of an App Container image by its own name: version in its place, labels that are this host's left out.</summary>
    public static string ForAci(string name, IReadOnlyList<NameValue> labels)
    {
        var version = labels.FirstOrDefault(l => l.Name == "version")?.Value;
        var others = labels.Where(l => l.Name != "version" && !(l.Name == "os" && l.Value == "linux") && !(l.Name == "arch" && l.Value == HostArchitecture)).OrderBy(l => l.Name, StringComparer.Ordinal).ToList();
        return new ImageReference(ReferenceKind.AciName, name) { Tag = version, Labels = others }.ToString();
    }

    /// <summary>This host in App Container's words.</summary>
    public static string HostArchitecture => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "aarch64" : "amd64";

    /// <summary>Whether an App Container image has the name and every label asked for (labels not asked for may have any value).</summary>
    public bool Fits(ImageRecord image)
    {
        if (image.Name != Name || (Tag is not null && image.VersionLabel != Tag))
        {
            return false;
        }

        foreach (var label in Labels)
        {
            if (!image.Labels.Contains(label))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The normalised text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        switch (Kind)
        {
            case ReferenceKind.AciFile:
                return "file:" + Name;
            case ReferenceKind.Docker:
                text.Append("docker://").Append(Name);
                _ = Tag is null ? text : text.Append(':').Append(Tag);
                return (Digest is { } digest ? text.Append('@').Append(digest) : text).ToString();
            case ReferenceKind.OciLayout or ReferenceKind.OciArchive or ReferenceKind.DockerArchive:
                text.Append(Kind == ReferenceKind.OciLayout ? "oci:" : Kind == ReferenceKind.OciArchive ? "oci-archive:" : "docker-archive:").Append(Name);
                return (Tag is null ? text : text.Append(':').Append(Tag)).ToString();
            case ReferenceKind.AciName:
                text.Append(Name);
                _ = Tag is null ? text : text.Append(':').Append(Tag);
                foreach (var label in Labels)
                {
                    text.Append(',').Append(label.Name).Append('=').Append(label.Value);
                }

                return text.ToString();
            default:
                return Name;
        }
    }

    private static ImageReference? Read(string text)
    {
        if (After(text, "docker://") is { } docker)
        {
            return ReadDocker(docker);
        }

        if (After(text, "oci:") is { } layout)
        {
            return ReadPath(ReferenceKind.OciLayout, layout);
        }

        if (After(text, "oci-archive:") is { } ociArchive)
        {
            return ReadPath(ReferenceKind.OciArchive, ociArchive);
        }

        if (After(text, "docker-archive:") is { } dockerArchive)
        {
            return ReadPath(ReferenceKind.DockerArchive, dockerArchive);
        }

        if (text.StartsWith("https://", StringComparison.Ordinal) || text.StartsWith("http://", StringComparison.Ordinal))
        {
            return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Host.Length > 0 && url.UserInfo.Length == 0 && url.Fragment.Length == 0 && url.AbsolutePath.Length > 1
                ? new ImageReference(ReferenceKind.AciUrl, url.AbsoluteUri)
                : null;
        }

        if (After(text, "file:") is { } file)
        {
            file = file.StartsWith("///", StringComparison.Ordinal) ? file[2..] : file;
            return file.StartsWith('/') && !file.StartsWith("//", StringComparison.Ordinal) ? new ImageReference(ReferenceKind.AciFile, Path.GetFullPath(file)) : null;
        }

        // Another scheme is no file of that name.
        if (text.IndexOf("://", StringComparison.Ordinal) is > 0 and var scheme && !text.AsSpan(0, scheme).ContainsAny('/', '.'))
        {
            return null;
        }

        if (text is ['/', ..] or ['.', '/', ..] or ['.', '.', '/', ..] || text.EndsWith(".aci", StringComparison.Ordinal))
        {
            return text.EndsWith('/') ? null : new ImageReference(ReferenceKind.AciFile, Path.GetFullPath(text));
        }

        return ReadId(text) ?? ReadName(text);
    }

    private static ImageReference? ReadId(string text)
    {
        if (!text.StartsWith("sha512", StringComparison.Ordinal) && !text.StartsWith("sha256", StringComparison.Ordinal))
        {
            return null;
        }

        var most = text.StartsWith("sha512", StringComparison.Ordinal) ? 128 : 64;
        return text.Length > 8 && text.Length <= 7 + most && text[6] is '-' or ':' && text.AsSpan(7).IndexOfAnyExcept("0123456789abcdef") < 0
            ? new ImageReference(ReferenceKind.Id, text[..6] + "-" + text[7..])
            : null;
    }

    // name[:version][,label=value…]: the colon only right behind the name (appc spec/discovery.md; the grammar of actool).
    private static ImageReference? ReadName(string text)
    {
        var comma = text.IndexOf(',', StringComparison.Ordinal);
        var head = comma < 0 ? text : text[..comma];
        var colon = head.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? head : head[..colon];
        var version = colon < 0 ? null : head[(colon + 1)..];
        if (!AcName.IsIdentifier(name) || version is { Length: 0 or > 128 } || version?.Contains(':', StringComparison.Ordinal) == true)
        {
            return null;
        }

        var labels = new List<NameValue>();
        foreach (var part in comma < 0 ? [] : text[(comma + 1)..].Split(','))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || equals == part.Length - 1 || !AcName.IsIdentifier(part[..equals]) || part[..equals] == "name" || labels.Exists(l => l.Name == part[..equals]))
            {
                return null;
            }

            labels.Add(new NameValue(part[..equals], part[(equals + 1)..]));
        }

        if (labels.Find(l => l.Name == "version") is { } label)
        {
            if (version is not null || label.Value.Contains(':', StringComparison.Ordinal))
            {
                return null;
            }

            version = label.Value;
            labels.Remove(label);
        }

        labels.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new ImageReference(ReferenceKind.AciName, name) { Tag = version, Labels = labels };
    }

    // The path ends at the first colon, as in skopeo: what follows may itself have colons (docker-archive:FILE:repository:tag).
    private static ImageReference? ReadPath(ReferenceKind kind, string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var path = colon < 0 ? text : text[..colon];
        var tag = colon < 0 ? null : text[(colon + 1)..];
        if (path.Length == 0 || (tag is not null && !IsReferenceName(tag)))
        {
            return null;
        }

        var full = Path.GetFullPath(path);
        return new ImageReference(kind, full.Length > 1 ? full.TrimEnd('/') : full) { Tag = tag };
    }

    // image-spec annotations.md, org.opencontainers.image.ref.name: components of letters, digits and single separators.
    private static bool IsReferenceName(string tag)
    {
        if (tag.Length is 0 or > 384)
        {
            return false;
        }

        foreach (var c in tag)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"-._:@/+".Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return char.IsAsciiLetterOrDigit(tag[0]) && tag[^1] != '/';
    }

    // [host[:port]/]repository[:tag][@digest] (distribution-spec, Pulling manifests).
    private static ImageReference? ReadDocker(string text)
    {
        Digest? digest = null;
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            if (!Core.Digest.TryParse(text[(at + 1)..], out var parsed) || text[at + 7] != ':')
            {
                return null;
            }

            digest = parsed;
            text = text[..at];
        }

        string? tag = null;
        var colon = text.LastIndexOf(':');
        if (colon > text.LastIndexOf('/'))
        {
            tag = text[(colon + 1)..];
            text = text[..colon];
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : text[..slash];
        var host = first == "localhost" || first.AsSpan().IndexOfAny(".:") >= 0 ? first : null;
        var repository = host is null ? text : text[(slash + 1)..];
        if (!IsRepository(repository) || (tag is not null && !IsTag(tag)) || (host is not null && !IsHost(host)))
        {
            return null;
        }

        return new ImageReference(ReferenceKind.Docker, text) { Tag = tag ?? (digest is null ? "latest" : null), Digest = digest, Host = host };
    }

    private static bool IsTag(string tag)
    {
        if (tag.Length is 0 or > 128 || tag[0] is '.' or '-')
        {
            return false;
        }

        return tag.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
    }

    private static bool IsHost(string host)
    {
        var colon = host.LastIndexOf(':');
        var name = host;
        if (host.StartsWith('['))
        {
            var end = host.IndexOf(']', StringComparison.Ordinal);
            if (end < 0 || !System.Net.IPAddress.TryParse(host.AsSpan(1, end - 1), out _) || (end != host.Length - 1 && colon != end + 1))
            {
                return false;
            }

            return colon < end || IsPort(host[(colon + 1)..]);
        }

        if (colon >= 0)
        {
            if (!IsPort(host[(colon + 1)..]))
            {
                return false;
            }

            name = host[..colon];
        }

        return name.Length is > 0 and <= 253 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-') && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1]);
    }

    private static bool IsPort(string text) => text.Length is > 0 and <= 5 && int.TryParse(text, System.Globalization.NumberStyles.None, null, out var port) && port is > 0 and < 65536;

    // path-component ["/" path-component]*; lower case, separators . _ __ or dashes between letters and digits.
    private static bool IsRepository(string repository)
    {
        if (repository.Length is 0 or > 255)
        {
            return false;
        }

        foreach (var part in repository.Split('/'))
        {
            if (part.Length == 0 || !IsLowerOrDigit(part[0]) || !IsLowerOrDigit(part[^1]) || part.Contains("..", StringComparison.Ordinal) || part.Contains("___", StringComparison.Ordinal)
                || !part.All(c => IsLowerOrDigit(c) || c is '.' or '_' or '-'))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsLowerOrDigit(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9');

    private static string? After(string text, string prefix) => text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : null;

    private static string Shown(string text) => string.Concat((text.Length > 200 ? text[..200] + "…" : text).Select(c => char.IsControl(c) ? '?' : c));
}
