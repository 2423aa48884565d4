using Muster.Core;

namespace Muster.Images.Aci;

/// <summary>Reads the <c>app</c> section, the same in image and pod manifests (appc spec/aci.md, app).</summary>
internal static class AciAppReader
{
    public static AppTemplate Read(AciNode app) => new()
    {
        Exec = Exec(app),
        User = app.Text("user", required: true) ?? "0",
        Group = app.Text("group", required: true),
        SupplementaryGids = Gids(app),
        WorkingDirectory = WorkingDirectory(app),
        Environment = AciManifestReader.NameValues(app, "environment", name =>
            name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-') ? "has a name that is no environment variable's" : null),
        EventHandlers = EventHandlers(app),
        MountPoints = MountPoints(app),
        Ports = Ports(app),
        Isolators = Isolators(app),
        UserAnnotations = app.Map("userAnnotations"),
        UserLabels = app.Map("userLabels"),
    };

    private static List<string> Exec(AciNode node)
    {
        var exec = node.Texts("exec");
        if (exec.Count > 0 && exec[0].Length == 0)
        {
            node.Fault("exec", "names no program");
        }

        if (exec.Exists(e => e.Contains('\0', StringComparison.Ordinal)))
        {
            node.Fault("exec", "has a NUL in it");
        }

        return exec;
    }

    private static List<uint> Gids(AciNode app)
    {
        var gids = new List<uint>();
        foreach (var item in app.List("supplementaryGIDs"))
        {
            if (item.ValueKind == System.Text.Json.JsonValueKind.Number && item.TryGetUInt32(out var gid) && gid < uint.MaxValue)
            {
                gids.Add(gid);
            }
            else
            {
                app.Fault("supplementaryGIDs", "has an item that is no group id");
                break;
            }
        }

        return gids;
    }

    private static string? WorkingDirectory(AciNode app)
    {
        var directory = app.Text("workingDirectory", required: false);
        if (string.IsNullOrEmpty(directory))
        {
            return null;
        }

        if (!directory.StartsWith('/') || directory.Contains('\0', StringComparison.Ordinal))
        {
            app.Fault("workingDirectory", "is not an absolute path");
        }

        return directory;
    }

    private static List<EventHandlerSpec> EventHandlers(AciNode app)
    {
        var result = new List<EventHandlerSpec>();
        foreach (var item in app.Objects("eventHandlers"))
        {
            var name = item.Text("name", required: true) ?? "";
            var exec = Exec(item);
            if (name is not ("pre-start" or "post-stop"))
            {
                item.Fault("name", "is neither pre-start nor post-stop");
            }
            else if (result.Exists(r => r.Name == name))
            {
                item.Fault("name", $"repeats {name}");
            }

            if (exec.Count == 0)
            {
                item.Fault("exec", "is empty");
            }

            result.Add(new EventHandlerSpec(name, exec));
        }

        return result;
    }

    private static List<MountPoint> MountPoints(AciNode app)
    {
        var result = new List<MountPoint>();
        foreach (var item in app.Objects("mountPoints"))
        {
            var name = Name(item);
            var path = item.Text("path", required: true) ?? "/";
            if (!path.StartsWith('/') || path.Split('/').Contains("..") || path.Contains('\0', StringComparison.Ordinal))
            {
                item.Fault("path", "is not an absolute path without \"..\"");
            }

            if (result.Exists(r => r.Name == name))
            {
                item.Fault("name", $"repeats \"{name}\"");
            }

            result.Add(new MountPoint(name, path, item.Flag("readOnly")));
        }

        return result;
    }

    private static List<PortSpec> Ports(AciNode app)
    {
        var result = new List<PortSpec>();
        foreach (var item in app.Objects("ports"))
        {
            var name = Name(item);
            var protocol = item.Text("protocol", required: true) ?? "tcp";
            if (protocol is not ("tcp" or "udp"))
            {
                item.Fault("protocol", "is neither tcp nor udp");
            }

            if (!item.Element.TryGetProperty("port", out _))
            {
                item.Fault("port", "is missing");
            }

            var port = (int)(item.Number("port", 1, 65535) ?? 1);
            var count = (int)(item.Number("count", 1, 65535) ?? 1);
            if (port + count > 65536)
            {
                item.Fault("count", "goes beyond port 65535");
            }

            if (result.Exists(r => r.Name == name))
            {
                item.Fault("name", $"repeats \"{name}\"");
            }

            result.Add(new PortSpec(name, protocol, port, count, item.Flag("socketActivated")));
        }

        return result;
    }

    private static List<Isolator> Isolators(AciNode app)
    {
        var result = new List<Isolator>();
        foreach (var item in app.Objects("isolators"))
        {
            var name = item.Text("name", required: true) ?? "";
            if (name.Length > 0 && !AcName.IsIdentifier(name))
            {
                item.Fault("name", "is not an AC Identifier");
            }

            if (!item.Element.TryGetProperty("value", out var value))
            {
                item.Fault("value", "is missing");
            }
            else
            {
                result.Add(new Isolator(name, value.Clone()));
            }
        }

        return result;
    }

    private static string Name(AciNode item)
    {
        var name = item.Text("name", required: true) ?? "";
        if (name.Length > 0 && !AcName.IsName(name))
        {
            item.Fault("name", "is not an AC Name: lower-case letters and digits with single dashes between them");
        }

        return name;
    }
}
