using System.Globalization;
using System.Text.Json;
using Muster.Core;

namespace Muster.Images.Aci;

/// <summary>
/// Reads an image manifest and says everything that is wrong with it at once (appc spec/aci.md, spec/types.md and the
/// reference validator's schema/types).
/// </summary>
public static class AciManifestReader
{
    /// <summary>The largest manifest taken; real ones have a few KiB.</summary>
    public const int MaxBytes = 4 << 20;

    // What the specification knows of operating systems and machines.
    private static readonly Dictionary<string, string[]> Architectures = new(StringComparer.Ordinal)
    {
        ["linux"] = ["amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b", "ppc64", "ppc64le", "s390x"],
        ["freebsd"] = ["amd64", "i386", "arm"],
        ["darwin"] = ["x86_64", "i386"],
    };

    /// <summary>Reads a manifest or refuses it with every fault that was found.</summary>
    public static AciManifest Read(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > MaxBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The image manifest has {bytes.Length} bytes, more than the {MaxBytes} that are taken");
        }

        JsonElement json;
        try
        {
            json = StrictJson.Parse(bytes);
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"The image manifest cannot be read: {JsonFault.Of(e)}", e);
        }

        var faults = new ManifestFaults("The image manifest");
        var manifest = new AciNode(json, "", faults).IsObject() ? Read(new AciNode(json, "", faults), json) : null;
        faults.Throw();
        return manifest!;
    }

    private static AciManifest Read(AciNode root, JsonElement json)
    {
        if (root.Text("acKind", required: true) is { } kind && kind != "ImageManifest")
        {
            root.Fault("acKind", $"is \"{kind}\" instead of \"ImageManifest\"");
        }

        CheckVersion(root);
        var name = root.Text("name", required: true) ?? "";
        if (name.Length > 0 && !AcName.IsIdentifier(name))
        {
            root.Fault("name", "is not an AC Identifier: lower-case letters and digits with single - . _ ~ / between them");
        }

        return new AciManifest
        {
            Name = name,
            Labels = Labels(root, "labels"),
            App = root.Object("app") is { } app ? AciAppReader.Read(app) : null,
            Dependencies = Dependencies(root),
            PathWhitelist = Whitelist(root),
            Annotations = Annotations(root),
            Json = json,
        };
    }

    private static void CheckVersion(AciNode root)
    {
        if (root.Text("acVersion", required: true) is not { } version)
        {
            return;
        }

        var numbers = version.Split('-', '+')[0].Split('.');
        if (numbers.Length != 3 || numbers.Any(n => n.Length is 0 or > 9 || !n.All(char.IsAsciiDigit)))
        {
            root.Fault("acVersion", "is not a version such as 0.8.11");
        }
        else if (numbers[0] != "0")
        {
            root.Fault("acVersion", $"is {version}, and only versions 0.x of the specification are known");
        }
    }

    private static List<NameValue> Labels(AciNode parent, string member)
    {
        var labels = NameValues(parent, member, name => name == "name" ? "must not be called \"name\"" : AcName.IsIdentifier(name) ? null : "has a name that is no AC Identifier");
        var os = labels.Find(l => l.Name == "os")?.Value;
        var arch = labels.Find(l => l.Name == "arch")?.Value;
        if (os is not null && !Architectures.ContainsKey(os))
        {
            parent.Fault(member, $"has the unknown os \"{os}\": known are {string.Join(", ", Architectures.Keys)}");
        }
        else if (arch is not null && os is null)
        {
            parent.Fault(member, "has an arch without an os");
        }
        else if (arch is not null && !Architectures[os!].Contains(arch))
        {
            parent.Fault(member, $"has the unknown arch \"{arch}\" for {os}: known are {string.Join(", ", Architectures[os!])}");
        }

        return labels;
    }

    private static List<NameValue> Annotations(AciNode root)
    {
        var annotations = NameValues(root, "annotations", name => AcName.IsIdentifier(name) ? null : "has a name that is no AC Identifier");
        foreach (var (name, value) in annotations)
        {
            if (name == "created" && !DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
            {
                root.Fault("annotations", "has \"created\", which is not a time as RFC 3339 writes it");
            }
            else if (name is "homepage" or "documentation" && !(Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
            {
                root.Fault("annotations", $"has \"{name}\", which is not an http or https address");
            }
        }

        return annotations;
    }

    private static List<AciDependency> Dependencies(AciNode root)
    {
        var result = new List<AciDependency>();
        foreach (var item in root.Objects("dependencies"))
        {
            var name = item.Text("imageName", required: true) ?? "";
            if (name.Length > 0 && !AcName.IsIdentifier(name))
            {
                item.Fault("imageName", "is not an AC Identifier");
            }

            var id = item.Text("imageID", required: false);
            if (id is { Length: 0 })
            {
                id = null;
            }

            if (id is not null && !(id.StartsWith("sha512-", StringComparison.Ordinal) && id.Length is > 8 and <= 135 && id.AsSpan(7).IndexOfAnyExcept("0123456789abcdef") < 0))
            {
                item.Fault("imageID", "is not sha512- and hex digits");
            }

            result.Add(new AciDependency(name, id, Labels(item, "labels"), item.Number("size", 0, long.MaxValue)));
        }

        return result;
    }

    private static List<string> Whitelist(AciNode root)
    {
        var paths = root.Texts("pathWhitelist");
        foreach (var path in paths)
        {
            if (!path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
            {
                root.Fault("pathWhitelist", $"has \"{path}\", which is not an absolute path");
            }
        }

        return paths;
    }

    /// <summary>A list of objects with <c>name</c> and <c>value</c>, each name once; <paramref name="fault"/> says what is wrong with a name.</summary>
    internal static List<NameValue> NameValues(AciNode parent, string member, Func<string, string?> fault)
    {
        var result = new List<NameValue>();
        foreach (var item in parent.Objects(member))
        {
            var name = item.Text("name", required: true) ?? "";
            var value = item.Text("value", required: true) ?? "";
            if (fault(name) is { } wrong)
            {
                item.Fault("", wrong);
            }
            else if (result.Exists(r => r.Name == name))
            {
                item.Fault("", $"repeats the name \"{name}\"");
            }

            result.Add(new NameValue(name, value));
        }

        return result;
    }
}
