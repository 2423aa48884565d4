using Muster.Core;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Muster.Images.Oci.Registry;

/// <summary>
/// Where simple-signing signatures of a registry's images lie: containers-registries.d(5), <c>lookaside</c> or the older
/// <c>sigstore</c>, per scope; without any, /var/lib/containers/sigstore as podman writes it.
/// </summary>
internal static class LookasideConfiguration
{
    private const int MaxFiles = 100;
    private const int MaxFileBytes = 1 << 20;
    private const string Otherwise = "file:///var/lib/containers/sigstore";

    /// <summary>
    /// The address below which <c>signature-1</c>, <c>signature-2</c>, … of a manifest lie: the configured place, the
    /// repository's path, <c>@sha256=HEX</c> (containers/image, docs/signature-protocols.md).
    /// </summary>
    public static Uri? Find(MusterRoot root, RegistryReference reference, Digest manifest) => Find(root, reference, manifest, ["lookaside", "sigstore"]);

    /// <summary>Where signatures of a pushed image are written: the place for staging where one is named.</summary>
    public static Uri? FindForWriting(MusterRoot root, RegistryReference reference, Digest manifest) =>
        Find(root, reference, manifest, ["lookaside-staging", "sigstore-staging", "lookaside", "sigstore"]);

    private static Uri? Find(MusterRoot root, RegistryReference reference, Digest manifest, IReadOnlyList<string> keys)
    {
        var configured = Lookup([Path.Combine(root.Etc, "registries.d"), "/etc/containers/registries.d"], reference, keys) ?? (root.IsSystem ? Otherwise : null);
        if (configured is null)
        {
            return null;
        }

        return Uri.TryCreate(configured.TrimEnd('/') + "/" + reference.Repository + "@" + manifest.Algorithm + "=" + manifest.Hex, UriKind.Absolute, out var address)
            && (address.IsFile || address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
            ? address
            : throw new MusterException(ErrorKind.Invalid, $"The lookaside \"{configured}\" of registries.d is not a file:// or https:// address: correct it");
    }

    private static string? Lookup(IReadOnlyList<string> folders, RegistryReference reference, IReadOnlyList<string> keys)
    {
        var scopes = new Dictionary<string, string>(StringComparer.Ordinal);
        string? otherwise = null;
        foreach (var folder in folders)
        {
            if (!Directory.Exists(folder))
            {
                continue;
            }

            foreach (var path in Directory.EnumerateFiles(folder, "*.yaml").Order(StringComparer.Ordinal).Take(MaxFiles))
            {
                Add(path, keys, scopes, ref otherwise);
            }
        }

        for (var scope = reference.ToString(); ;)
        {
            if (scopes.TryGetValue(scope, out var found))
            {
                return found;
            }

            var end = scope == reference.ToString() && scope != reference.Name ? reference.Name.Length : scope.LastIndexOf('/');
            if (end <= 0)
            {
                return otherwise;
            }

            scope = scope[..end];
        }
    }

    private static void Add(string path, IReadOnlyList<string> keys, Dictionary<string, string> scopes, ref string? otherwise)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                throw new MusterException(ErrorKind.Invalid, $"{path} is larger than {MaxFileBytes >> 20} MiB");
            }

            using var text = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(text);
            if (yaml.Documents.Count == 0 || yaml.Documents[0].RootNode is not YamlMappingNode top)
            {
                return;
            }

            otherwise ??= Child(top, "default-docker") is YamlMappingNode general ? Address(general, keys) : null;
            if (Child(top, "docker") is YamlMappingNode docker)
            {
                foreach (var (scope, place) in docker.Children)
                {
                    if (scope is YamlScalarNode { Value: { } name } && place is YamlMappingNode mapping && Address(mapping, keys) is { } address)
                    {
                        scopes.TryAdd(name, address);
                    }
                }
            }
        }
        catch (Exception e) when (e is YamlDotNet.Core.YamlException or InvalidOperationException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} is not YAML ({e.Message}): correct it", e);
        }
    }

    private static string? Address(YamlMappingNode place, IReadOnlyList<string> keys) => (keys.Select(key => Child(place, key)).FirstOrDefault(node => node is not null) as YamlScalarNode)?.Value;

    private static YamlNode? Child(YamlMappingNode node, string name) => node.Children.TryGetValue(new YamlScalarNode(name), out var child) ? child : null;
}
