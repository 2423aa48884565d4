using System.Text.Json;
using Muster.Core;

namespace Muster.Images.Oci;

/// <summary>Turns an OCI image configuration into the form that pods are made from (image-spec config.md; names as docker2aci gave them).</summary>
public static class OciAppTemplate
{
    /// <summary>Ports, volumes, variables and labels of one image: more would not fit a process's environment or a person's head.</summary>
    private const int MaxItems = 4096;

    /// <summary>Makes the template; what the configuration leaves out has OCI's default.</summary>
    public static AppTemplate From(OciProcessJson? config)
    {
        if (config is null)
        {
            return new AppTemplate();
        }

        if (config.ExposedPorts?.Count > MaxItems || config.Volumes?.Count > MaxItems || config.Env?.Count > MaxItems || config.Labels?.Count > MaxItems)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The image's configuration has more than {MaxItems} ports, volumes, variables or labels");
        }

        var (user, group) = User(config.User);
        return new AppTemplate
        {
            Exec = config.Entrypoint ?? [],
            DefaultArguments = config.Cmd ?? [],
            User = user,
            Group = group,
            WorkingDirectory = Directory(config.WorkingDir),
            Environment = Environment(config.Env),
            Ports = Ports(config.ExposedPorts),
            MountPoints = Volumes(config.Volumes),
            StopSignal = string.IsNullOrEmpty(config.StopSignal) ? null : config.StopSignal,
            UserLabels = config.Labels is null ? [] : [.. config.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => new NameValue(l.Key, l.Value ?? ""))],
        };
    }

    private static (string User, string? Group) User(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return ("0", null);
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (text, null) : (colon == 0 ? "0" : text[..colon], colon == text.Length - 1 ? null : text[(colon + 1)..]);
    }

    private static string? Directory(string? text) => string.IsNullOrEmpty(text) ? null : text.StartsWith('/') ? text : "/" + text;

    private static List<NameValue> Environment(List<string>? list)
    {
        var result = new List<NameValue>();
        foreach (var variable in list ?? [])
        {
            var equals = variable.IndexOf('=', StringComparison.Ordinal);
            if (equals == 0 || variable.Contains('\0', StringComparison.Ordinal))
            {
                throw new MusterException(ErrorKind.Invalid, "The image's configuration has an environment variable without a name or with a NUL in it");
            }

            var name = equals < 0 ? variable : variable[..equals];
            result.RemoveAll(v => v.Name == name);
            result.Add(new NameValue(name, equals < 0 ? "" : variable[(equals + 1)..]));
        }

        return result;
    }

    // "80", "80/tcp", "8000-8010/udp".
    private static List<PortSpec> Ports(Dictionary<string, JsonElement>? ports)
    {
        var result = new List<PortSpec>();
        foreach (var text in ports?.Keys.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>())
        {
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            var protocol = slash < 0 ? "tcp" : text[(slash + 1)..].ToLowerInvariant();
            var numbers = (slash < 0 ? text : text[..slash]).Split('-');
            if (numbers.Length > 2 || !IsPort(numbers[0], out var first) || !IsPort(numbers[^1], out var last) || last < first || protocol is not ("tcp" or "udp" or "sctp"))
            {
                throw new MusterException(ErrorKind.Invalid, $"The image's configuration exposes \"{Archives.TarEntry.Display(System.Text.Encoding.UTF8.GetBytes(text))}\", which is not a port: it must be like 80/tcp");
            }

            result.Add(new PortSpec(first == last ? $"{first}-{protocol}" : $"{first}-{last}-{protocol}", protocol, first, last - first + 1));
        }

        return result;
    }

    private static bool IsPort(string text, out int port) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536;

    private static List<MountPoint> Volumes(Dictionary<string, JsonElement>? volumes)
    {
        var result = new List<MountPoint>();
        foreach (var path in volumes?.Keys.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>())
        {
            if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal) || path.Split('/').Contains(".."))
            {
                throw new MusterException(ErrorKind.Invalid, "The image's configuration has a volume whose path is empty or has \"..\" or a NUL in it");
            }

            var name = "volume-" + AcName.Sanitize(path);
            for (var n = 2; result.Exists(m => m.Name == name); n++)
            {
                name = $"volume-{AcName.Sanitize(path)}-{n}";
            }

            result.Add(new MountPoint(name, path.StartsWith('/') ? path : "/" + path));
        }

        return result;
    }
}
