using Muster.Containers.Pods;
using Muster.Core;
using Muster.Network;

namespace Muster.Cli.Commands.Pods;

/// <summary><c>--net</c>: a comma-separated list of names, each with arguments behind a colon: <c>n1,n2:IP=10.1.2.3;MASK=…</c>.</summary>
internal static class NetworkWords
{
    public static IReadOnlyList<NetworkChoice> Parse(IReadOnlyList<string> values)
    {
        var choices = new List<NetworkChoice>();
        if (values.Any(v => v.AsSpan().ContainsAnyExcept(',') is false))
        {
            throw new MusterException(ErrorKind.Usage, "--net= names no network: write default, none, host or a network's name, or leave it out");
        }

        foreach (var value in values.SelectMany(Split))
        {
            var colon = value.IndexOf(':', StringComparison.Ordinal);
            var name = colon < 0 ? value : value[..colon];
            var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var pair in colon < 0 ? [] : value[(colon + 1)..].Split([';', ','], StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals < 1)
                {
                    throw new MusterException(ErrorKind.Usage, $"--net={value}: \"{pair}\" is not KEY=VALUE");
                }

                arguments[pair[..equals]] = pair[(equals + 1)..];
            }

            if (!AcName.IsName(name))
            {
                throw new MusterException(ErrorKind.Usage, $"--net={value}: \"{name}\" is no network's name");
            }

            if (choices.Exists(c => c.Name == name))
            {
                throw new MusterException(ErrorKind.Usage, $"--net names the network \"{name}\" twice");
            }

            choices.Add(new NetworkChoice(name, arguments));
        }

        return choices.Count > 0 ? choices : [new NetworkChoice("default", new Dictionary<string, string>())];
    }

    // After a colon, KEY=VALUE behind a comma is one more argument; anything else begins the next network.
    private static IEnumerable<string> Split(string value)
    {
        string? network = null;
        foreach (var part in value.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var sign = part.AsSpan().IndexOfAny(':', '=');
            if (network is not null && network.Contains(':', StringComparison.Ordinal) && sign >= 0 && part[sign] == '=')
            {
                network += "," + part;
                continue;
            }

            if (network is not null)
            {
                yield return network;
            }

            network = part;
        }

        if (network is not null)
        {
            yield return network;
        }
    }
}

/// <summary><c>--port</c> and <c>--publish</c>, as Network reads them.</summary>
internal static class PortWords
{
    /// <summary><c>NAME:[ADDRESS:]PORT</c>.</summary>
    public static PortRequest Named(string text)
    {
        var (name, address, port) = PortMappings.ParseNamed(text);
        return new PortRequest(name, address, port, null, null);
    }

    /// <summary><c>[ADDRESS:]HOST:POD[/PROTOCOL]</c>; two ranges give a request for each port.</summary>
    public static IEnumerable<PortRequest> Numbered(string text) =>
        PortMappings.Parse(text).Select(p => new PortRequest(null, p.HostAddress, p.HostPort, p.PodPort, p.Protocol));
}

/// <summary><c>--volume</c> and <c>--mount</c>.</summary>
internal static class VolumeWords
{
    /// <summary><c>NAME,kind=host,source=PATH[,readOnly=BOOL][,recursive=BOOL]</c> or <c>NAME,kind=empty[,mode=…][,uid=…][,gid=…]</c>.</summary>
    public static VolumeRecord Volume(string text)
    {
        var parts = text.Split(',');
        if (!AcName.IsName(parts[0]))
        {
            throw new MusterException(ErrorKind.Usage, $"--volume={text}: \"{parts[0]}\" is no volume's name (lower-case letters, digits and dashes)");
        }

        var volume = new VolumeRecord { Name = parts[0], Kind = "" };
        foreach (var (key, value) in parts.Skip(1).Select(p => Pair(p, "--volume=" + text)))
        {
            volume = key switch
            {
                "kind" when value is "host" or "empty" => volume with { Kind = value },
                "source" when value.StartsWith('/') => volume with { Source = value },
                "readOnly" => volume with { ReadOnly = Truth(value, text) },
                "recursive" => volume with { Recursive = Truth(value, text) },
                "mode" when value.Length is 3 or 4 && !value.AsSpan().ContainsAnyExcept("01234567") => volume with { Mode = value },
                "uid" when uint.TryParse(value, out var uid) => volume with { Uid = uid },
                "gid" when uint.TryParse(value, out var gid) => volume with { Gid = gid },
                _ => throw new MusterException(ErrorKind.Usage, $"--volume={text}: \"{key}={value}\" is not understood: kind is host or empty, source an absolute path, readOnly and recursive true or false, mode octal, uid and gid numbers"),
            };
        }

        return (volume.Kind, volume.Source) switch
        {
            ("", _) => throw new MusterException(ErrorKind.Usage, $"--volume={text} says no kind: add kind=host or kind=empty"),
            ("host", null) => throw new MusterException(ErrorKind.Usage, $"--volume={text} says no source: add source=PATH"),
            ("empty", not null) => throw new MusterException(ErrorKind.Usage, $"--volume={text}: an empty volume has no source"),
            _ => volume,
        };
    }

    /// <summary><c>volume=NAME,target=PATH</c>.</summary>
    public static MountRequest Mount(string text)
    {
        string? volume = null;
        string? target = null;
        foreach (var (key, value) in text.Split(',').Select(p => Pair(p, "--mount=" + text)))
        {
            switch (key)
            {
                case "volume":
                    volume = value;
                    break;
                case "target":
                    target = value;
                    break;
                default:
                    throw new MusterException(ErrorKind.Usage, $"--mount={text}: \"{key}\" is not understood: write volume=NAME,target=PATH");
            }
        }

        return volume is not null && target is not null
            ? new MountRequest(volume, target)
            : throw new MusterException(ErrorKind.Usage, $"--mount={text} is not volume=NAME,target=PATH");
    }

    private static (string Key, string Value) Pair(string text, string whole)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..]) : throw new MusterException(ErrorKind.Usage, $"{whole}: \"{text}\" is not KEY=VALUE");
    }

    private static bool Truth(string value, string whole) => value switch
    {
        "true" => true,
        "false" => false,
        _ => throw new MusterException(ErrorKind.Usage, $"\"{value}\" in \"{whole}\" is neither true nor false"),
    };
}

/// <summary><c>--seccomp=mode=retain|remove[,errno=NAME],CALL,…</c>.</summary>
internal static class SeccompWords
{
    public static SeccompChoice? Parse(string? text)
    {
        if (text is null)
        {
            return null;
        }

        string? mode = null;
        string? errno = null;
        var calls = new List<string>();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.StartsWith("mode=", StringComparison.Ordinal))
            {
                mode = part[5..];
            }
            else if (part.StartsWith("errno=", StringComparison.Ordinal))
            {
                errno = part[6..];
            }
            else
            {
                calls.Add(part);
            }
        }

        return mode is "retain" or "remove" && calls.Count > 0
            ? new SeccompChoice { Mode = mode, Calls = calls, Errno = errno ?? "kill" }
            : throw new MusterException(ErrorKind.Usage, $"--seccomp={text} is not mode=retain|remove[,errno=NAME],CALL,…");
    }
}
