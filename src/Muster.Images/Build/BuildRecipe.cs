using System.Globalization;
using Muster.Core;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Muster.Images.Build;

/// <summary>A file or folder that goes into an image.</summary>
/// <param name="From">A path relative to the recipe.</param>
/// <param name="To">The absolute path in the image.</param>
/// <param name="Mode">The permission bits of files, or null to keep them.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
public sealed record BuildCopy(string From, string To, uint? Mode, uint Uid, uint Gid);

/// <summary>What <c>image.yaml</c> says.</summary>
public sealed record BuildRecipe
{
    public required string Name { get; init; }

    public string? Version { get; init; }

    public ImageKind Kind { get; init; } = ImageKind.Oci;

    /// <summary>The image that this one stands on; null for none.</summary>
    public string? From { get; init; }

    public IReadOnlyList<BuildCopy> Copies { get; init; } = [];

    /// <summary>Null members are taken from the image below.</summary>
    public IReadOnlyList<string>? Exec { get; init; }

    public IReadOnlyList<string>? Arguments { get; init; }

    public string? User { get; init; }

    public string? Group { get; init; }

    public string? WorkingDirectory { get; init; }

    public string? StopSignal { get; init; }

    public IReadOnlyList<NameValue> Environment { get; init; } = [];

    public IReadOnlyList<PortSpec> Ports { get; init; } = [];

    public IReadOnlyList<MountPoint> Mounts { get; init; } = [];

    public IReadOnlyList<NameValue> Labels { get; init; } = [];

    public IReadOnlyList<NameValue> Annotations { get; init; } = [];
}

/// <summary>Reads <c>image.yaml</c>; unknown members are refused, every fault is told at once.</summary>
public static class BuildRecipeReader
{
    /// <summary>The largest recipe: a page or two are usual.</summary>
    private const int MaxBytes = 1 << 20;

    /// <summary>How deep a recipe may nest; it needs four levels, and the YAML reader recurses.</summary>
    private const int MaxDepth = 16;

    private static readonly string[] Members =
        ["name", "version", "type", "from", "copy", "exec", "args", "user", "group", "workdir", "stopsignal", "env", "ports", "mounts", "labels", "annotations"];

    /// <summary>Reads a recipe or refuses it with every fault.</summary>
    public static BuildRecipe Read(string yaml)
    {
        if (yaml.Length > MaxBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The recipe is larger than {MaxBytes} characters");
        }

        YamlMappingNode root;
        try
        {
            CheckDepth(yaml);
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            root = stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode mapping
                ? mapping
                : throw new MusterException(ErrorKind.Invalid, "The recipe is not one YAML mapping");
        }
        catch (YamlException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"The recipe is not YAML (line {e.Start.Line}: {e.Message.TrimEnd('.')})", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // YamlDotNet's scanner throws these for some lists that are not closed and for escapes that are no character.
            throw new MusterException(ErrorKind.Invalid, "The recipe is not YAML: a list or a map is not closed, or an escape is no character", e);
        }

        var faults = new List<string>();
        var recipe = Read(new Node(root, "", faults));
        return faults.Count == 0 ? recipe : throw new MusterException(ErrorKind.Invalid, $"The recipe is not valid: {string.Join("; ", faults.Take(20))}");
    }

    private static void CheckDepth(string yaml)
    {
        var parser = new Parser(new StringReader(yaml));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current is MappingStart or SequenceStart ? 1 : parser.Current is MappingEnd or SequenceEnd ? -1 : 0;
            if (depth > MaxDepth || parser.Current is AnchorAlias)
            {
                throw new MusterException(ErrorKind.Invalid, $"The recipe nests more than {MaxDepth} levels or uses YAML aliases, which it does not need");
            }
        }
    }

    private static BuildRecipe Read(Node root)
    {
        root.Only(Members);
        var name = root.Text("name");
        if (name is null || !AcName.IsIdentifier(name))
        {
            root.Fault("name", "must be lower-case letters and digits with single - . _ ~ / between them");
        }

        var type = root.Text("type") ?? "oci";
        if (type is not ("oci" or "aci"))
        {
            root.Fault("type", "is neither oci nor aci");
        }

        var workdir = root.Text("workdir");
        if (workdir is not null && !workdir.StartsWith('/'))
        {
            root.Fault("workdir", "is not an absolute path");
        }

        var version = root.Text("version");
        if (version is not null && !(type == "aci" ? ImageReference.TryParse($"example.com/x:{version}", out var read) && read.Tag == version : Oci.Registry.RegistryReference.IsTag(version)))
        {
            // The image could not be called by it, here or in a registry.
            root.Fault("version", "is not a version: at most 128 letters, digits and . _ - are");
        }

        var signal = root.Text("stopsignal");
        if (signal is not null && !Linux.Signals.TryParse(signal, out _))
        {
            root.Fault("stopsignal", "is not a signal: write a name or number such as SIGTERM");
        }

        return new BuildRecipe
        {
            Name = name ?? "",
            Version = version,
            Kind = type == "aci" ? ImageKind.Aci : ImageKind.Oci,
            From = root.Text("from"),
            Copies = [.. root.Maps("copy").Select(Copy)],
            Exec = root.Texts("exec"),
            Arguments = root.Texts("args"),
            User = root.Text("user"),
            Group = root.Text("group"),
            WorkingDirectory = workdir,
            StopSignal = signal,
            Environment = root.Pairs("env"),
            Ports = [.. root.Maps("ports").Select(Port)],
            Mounts = [.. root.Maps("mounts").Select(Mount)],
            Labels = root.Pairs("labels"),
            Annotations = root.Pairs("annotations"),
        };
    }

    private static BuildCopy Copy(Node node)
    {
        node.Only(["from", "to", "mode", "owner"]);
        var from = node.Text("from") ?? "";
        var to = node.Text("to") ?? "";
        if (from.Length == 0 || from.StartsWith('/') || from.Split('/').Contains(".."))
        {
            node.Fault("from", "must be a path inside the recipe's folder");
        }

        if (!to.StartsWith('/') || to.Split('/').Contains(".."))
        {
            node.Fault("to", "must be an absolute path without \"..\"");
        }

        uint? mode = null;
        if (node.Text("mode") is { } text)
        {
            var digits = text.StartsWith("0o", StringComparison.Ordinal) ? text[2..] : text;
            if (digits.Length is 0 or > 5 || digits.Any(c => c is < '0' or > '7') || Convert.ToUInt32(digits, 8) > 0xfff)
            {
                node.Fault("mode", "is not an octal mode such as 0755");
            }
            else
            {
                mode = Convert.ToUInt32(digits, 8);
            }
        }

        var owner = (node.Text("owner") ?? "0:0").Split(':');
        uint gid = 0;
        if (owner.Length != 2 || !uint.TryParse(owner[0], NumberStyles.None, null, out var uid) || !uint.TryParse(owner[1], NumberStyles.None, null, out gid) || uid == uint.MaxValue || gid == uint.MaxValue)
        {
            node.Fault("owner", "is not UID:GID in numbers");
            uid = 0;
        }

        return new BuildCopy(from, to, mode, uid, gid);
    }

    private static PortSpec Port(Node node)
    {
        node.Only(["name", "port", "protocol", "count"]);
        var protocol = node.Text("protocol") ?? "tcp";
        if (protocol is not ("tcp" or "udp"))
        {
            node.Fault("protocol", "is neither tcp nor udp");
        }

        var port = node.Number("port", 1, 65535) ?? 1;
        var name = node.Text("name") ?? $"{port}-{protocol}";
        if (!AcName.IsName(name))
        {
            node.Fault("name", "must be lower-case letters and digits with single dashes between them");
        }

        return new PortSpec(name, protocol, port, node.Number("count", 1, 65536 - port) ?? 1);
    }

    private static MountPoint Mount(Node node)
    {
        node.Only(["name", "path", "readOnly"]);
        var path = node.Text("path") ?? "";
        if (!path.StartsWith('/') || path.Split('/').Contains(".."))
        {
            node.Fault("path", "must be an absolute path without \"..\"");
        }

        var name = node.Text("name") ?? "volume-" + AcName.Sanitize(path);
        if (!AcName.IsName(name))
        {
            node.Fault("name", "must be lower-case letters and digits with single dashes between them");
        }

        return new MountPoint(name, path, node.Text("readOnly") is "true");
    }

    private readonly struct Node(YamlMappingNode mapping, string path, List<string> faults)
    {
        public void Fault(string member, string fault) => faults.Add($"{path}{member} {fault}");

        public void Only(string[] members)
        {
            foreach (var key in mapping.Children.Keys)
            {
                if (key is not YamlScalarNode { Value: { } name } || !members.Contains(name))
                {
                    faults.Add($"{path}{key} is unknown: known are {string.Join(", ", members)}");
                }
            }
        }

        public string? Text(string member)
        {
            if (Find(member) is not { } node)
            {
                return null;
            }

            if (node is YamlScalarNode { Value: { } value } && !value.Contains('\0', StringComparison.Ordinal))
            {
                return value;
            }

            Fault(member, "is not a text");
            return null;
        }

        public int? Number(string member, int least, int most)
        {
            if (Text(member) is not { } text)
            {
                return null;
            }

            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            {
                return number;
            }

            Fault(member, $"is not a whole number from {least} to {most}");
            return null;
        }

        public List<string>? Texts(string member)
        {
            if (Find(member) is not { } node)
            {
                return null;
            }

            if (node is YamlSequenceNode list && list.Children.All(c => c is YamlScalarNode { Value: not null }))
            {
                return [.. list.Children.Select(c => ((YamlScalarNode)c).Value!)];
            }

            Fault(member, "is not a list of texts");
            return null;
        }

        public List<NameValue> Pairs(string member)
        {
            if (Find(member) is not { } node)
            {
                return [];
            }

            if (node is YamlMappingNode map && map.Children.All(c => c is { Key: YamlScalarNode { Value.Length: > 0 }, Value: YamlScalarNode { Value: not null } }))
            {
                return [.. map.Children.Select(c => new NameValue(((YamlScalarNode)c.Key).Value!, ((YamlScalarNode)c.Value).Value!))];
            }

            Fault(member, "is not a mapping of names to texts");
            return [];
        }

        public List<Node> Maps(string member)
        {
            if (Find(member) is not { } node)
            {
                return [];
            }

            if (node is YamlSequenceNode list && list.Children.All(c => c is YamlMappingNode))
            {
                var (parent, all) = (path, faults);
                return [.. list.Children.Select((c, i) => new Node((YamlMappingNode)c, $"{parent}{member}[{i}].", all))];
            }

            Fault(member, "is not a list of mappings");
            return [];
        }

        private YamlNode? Find(string member) =>
            mapping.Children.TryGetValue(new YamlScalarNode(member), out var node) && node is not YamlScalarNode { Value: null or "" or "~", Style: ScalarStyle.Plain } ? node : null;
    }
}
