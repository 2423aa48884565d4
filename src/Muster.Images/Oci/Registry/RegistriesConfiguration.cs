using System.Text;
using Muster.Core;

namespace Muster.Images.Oci.Registry;

/// <summary>A place that a registry's images are also kept at.</summary>
/// <param name="Name"><c>host[:port][/path]</c> in place of the prefix.</param>
/// <param name="DigestOnly">Asked only for what is named by a digest.</param>
/// <param name="TagOnly">Asked only for what is named by a tag.</param>
public sealed record RegistryMirror(string Name, bool DigestOnly, bool TagOnly);

/// <summary>
/// containers-registries.conf(5), version 2: mirrors, moved locations, blocked registries and short names. Read from
/// <c>etc/registries.conf</c> of the root if there is one, else $CONTAINERS_REGISTRIES_CONF, ~/.config/containers or
/// /etc/containers, with their <c>registries.conf.d/*.conf</c>. Its <c>insecure = true</c> does not count here: what is
/// insecure is said by <c>--insecure-options</c> on each call.
/// </summary>
public sealed class RegistriesConfiguration
{
    private const int MaxFiles = 100;

    private readonly List<Entry> _entries = [];
    private readonly Dictionary<string, string> _aliases = new(StringComparer.Ordinal);
    private IReadOnlyList<string> _search = [];

    private RegistriesConfiguration()
    {
    }

    private sealed record Entry(string Prefix, string Location, bool Blocked, bool MirrorByDigestOnly, IReadOnlyList<RegistryMirror> Mirrors);

    /// <summary>Reads the files that hold for <paramref name="root"/>; none is an empty configuration.</summary>
    public static RegistriesConfiguration Load(MusterRoot root)
    {
        var configuration = new RegistriesConfiguration();
        var own = Path.Combine(root.Etc, "registries.conf");
        var given = Environment.GetEnvironmentVariable("CONTAINERS_REGISTRIES_CONF");
        var user = Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/", ".config/containers/registries.conf");
        var main = File.Exists(own) ? own : given is { Length: > 0 } ? given : File.Exists(user) ? user : "/etc/containers/registries.conf";
        configuration.Add(main);
        var folder = main + ".d";
        if (Directory.Exists(folder))
        {
            foreach (var path in Directory.EnumerateFiles(folder, "*.conf").Order(StringComparer.Ordinal).Take(MaxFiles))
            {
                configuration.Add(path);
            }
        }

        return configuration;
    }

    /// <summary>
    /// Completes a short name (<c>busybox</c>, <c>team/app:1</c>) with its registry: an alias, the one search registry, or
    /// Docker Hub when none is configured. Several search registries are a refusal: guessing would fetch a stranger's image.
    /// </summary>
    public string Qualify(string text)
    {
        if (RegistryReference.HasHost(text))
        {
            return text;
        }

        var end = text.IndexOfAny([':', '@']);
        if (_aliases.TryGetValue(end < 0 ? text : text[..end], out var alias))
        {
            return alias + (end < 0 ? "" : text[end..]);
        }

        return _search.Count switch
        {
            0 => "docker.io/" + text,
            1 => _search[0] + "/" + text,
            _ => throw new MusterException(ErrorKind.Invalid, $"\"{text}\" may be in any of {string.Join(", ", _search)}: write the registry before it"),
        };
    }

    /// <summary>Where an image is to be looked for, in order, its own location last; refuses a blocked registry.</summary>
    public IReadOnlyList<RegistryReference> Places(RegistryReference reference)
    {
        Entry? best = null;
        foreach (var entry in _entries)
        {
            if (Matches(reference, entry.Prefix) && (best is null || entry.Prefix.Length > best.Prefix.Length))
            {
                best = entry;
            }
        }

        if (best is null)
        {
            return [reference];
        }

        if (best.Blocked)
        {
            throw new MusterException(ErrorKind.Forbidden, $"The registry of {reference} is blocked by registries.conf (prefix \"{best.Prefix}\"): use another image, or change that file");
        }

        var rest = best.Prefix.StartsWith("*.", StringComparison.Ordinal) ? reference.Name[reference.Host.Length..] : reference.Name[Math.Min(best.Prefix.Length, reference.Name.Length)..];
        var places = new List<RegistryReference>();
        foreach (var mirror in best.Mirrors)
        {
            if (reference.Digest is null ? !mirror.DigestOnly && !best.MirrorByDigestOnly : !mirror.TagOnly)
            {
                places.Add(reference.In(mirror.Name + rest));
            }
        }

        places.Add(best.Location.Length == 0 ? reference : reference.In(best.Location + rest));
        return places;
    }

    private static bool Matches(RegistryReference reference, string prefix)
    {
        if (prefix.StartsWith("*.", StringComparison.Ordinal))
        {
            return reference.Host.EndsWith(prefix[1..], StringComparison.Ordinal);
        }

        var name = reference.ToString();
        return name.StartsWith(prefix, StringComparison.Ordinal) && (name.Length == prefix.Length || name[prefix.Length] is '/' or ':' or '@');
    }

    private void Add(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        try
        {
            if (new FileInfo(path).Length > Toml.MaxCharacters)
            {
                throw new MusterException(ErrorKind.Invalid, $"it is larger than {Toml.MaxCharacters} bytes");
            }

            Add(Toml.Parse(File.ReadAllText(path, Encoding.UTF8)));
        }
        catch (MusterException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} cannot be used: {e.Message}", e);
        }
    }

    private void Add(Dictionary<string, object> file)
    {
        if (file.TryGetValue("unqualified-search-registries", out var search))
        {
            _search = [.. List(search, "unqualified-search-registries").Select(s => s as string ?? throw Wrong("unqualified-search-registries"))];
        }

        if (file.TryGetValue("aliases", out var aliases) && aliases is Dictionary<string, object> names)
        {
            foreach (var (name, value) in names)
            {
                _aliases[name] = value as string ?? throw Wrong("aliases");
            }
        }

        foreach (var item in file.TryGetValue("registry", out var registries) ? List(registries, "registry") : [])
        {
            var table = item as Dictionary<string, object> ?? throw Wrong("registry");
            var location = Place(Text(table, "location"));
            var prefix = Place(Text(table, "prefix"));
            prefix = prefix.Length > 0 ? prefix : location;
            if (prefix.Length == 0)
            {
                throw Wrong("registry without prefix and location");
            }

            _entries.RemoveAll(e => e.Prefix == prefix);
            _entries.Add(new Entry(prefix, location, Flag(table, "blocked"), Flag(table, "mirror-by-digest-only"), [.. Mirrors(table)]));
        }
    }

    private static IEnumerable<RegistryMirror> Mirrors(Dictionary<string, object> table)
    {
        foreach (var item in table.TryGetValue("mirror", out var mirrors) ? List(mirrors, "mirror") : [])
        {
            var mirror = item as Dictionary<string, object> ?? throw Wrong("mirror");
            var location = Place(Text(mirror, "location"));
            if (location.Length == 0)
            {
                throw Wrong("mirror without location");
            }

            var pull = Text(mirror, "pull-from-mirror");
            if (pull is not ("" or "all" or "digest-only" or "tag-only"))
            {
                throw Wrong("pull-from-mirror");
            }

            yield return new RegistryMirror(location, DigestOnly: pull == "digest-only", TagOnly: pull == "tag-only");
        }
    }

    private static List<object> List(object value, string what) => value as List<object> ?? throw Wrong(what);

    private static string Text(Dictionary<string, object> table, string name) => !table.TryGetValue(name, out var value) ? "" : value as string ?? throw Wrong(name);

    private static bool Flag(Dictionary<string, object> table, string name) => table.TryGetValue(name, out var value) && (value as bool? ?? throw Wrong(name));

    private static string Place(string location) => !location.Contains("://", StringComparison.Ordinal) ? location.TrimEnd('/') : throw Wrong("a location with a scheme");

    private static MusterException Wrong(string what) => new(ErrorKind.Invalid, $"{what} is not of the form that containers-registries.conf(5) asks for");
}
