using System.Text;
using System.Text.Json;
using Muster.Containers.Pods;
using Muster.Containers.Runtime;
using Muster.Images;
using Muster.Network;

namespace Muster.Containers.Tests;

/// <summary>Records of a pod, as a preparation would have made them.</summary>
internal static class Kit
{
    public static readonly IsolationRecord Plain = new() { Capabilities = Capabilities.Default, Seccomp = new SeccompChoice { Mode = "default" }, PidsLimit = 100 };

    public static AppRecord App(string name = "web") => new()
    {
        Name = name,
        ImageId = "sha512-" + new string('0', 128),
        ImageName = "example.com/web",
        Reference = "example.com/web",
        Trust = new TrustRecord { Verdict = TrustVerdict.Built },
        Trees = ["tree"],
        Arguments = ["/bin/web", "--verbose", ""],
        Environment = ["PATH=/bin", "EMPTY=", "SIGNS=a=b"],
        WorkingDirectory = "/srv",
        Uid = 1000,
        Gid = 1001,
        SupplementaryGids = [5, 6],
        Mounts = [new MountRecord("data", "/data/sub", true), new MountRecord("tmp", "/data", false)],
        Ports = [new PortSpec("http", "tcp", 80)],
        EventHandlers = [new EventHandlerSpec("pre-start", ["/bin/true"])],
        Isolation = Plain,
        Annotations = [new NameValue("note", "\"quoted\"\n\u00e4")],
    };

    public static PodRecord Pod(params AppRecord[] apps) => new()
    {
        Uuid = "00000000-0000-4000-8000-000000000001",
        CreatedAt = DateTimeOffset.UnixEpoch,
        Apps = apps.Length > 0 ? apps : [App()],
        Hostname = "web",
        Networks = [new NetworkChoice("none", new Dictionary<string, string>())],
        Volumes = [new VolumeRecord { Name = "data", Kind = "host", Source = "/srv/data", ReadOnly = true, Recursive = false }, new VolumeRecord { Name = "tmp", Kind = "empty", Mode = "0700", Uid = 5, Gid = 6 }],
        Ports = [new PortMapping("http", "tcp", "127.0.0.1", 8080, 80)],
        Sysctls = new Dictionary<string, string> { ["net.core.somaxconn"] = "128" },
        UserAnnotations = [new NameValue("x", "y")],
        UserLabels = [new NameValue("l", "v")],
    };

    public static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            write(json);
        }

        return stream.ToArray();
    }

    public static AppTemplate Template(params string[] isolators) => new()
    {
        Isolators = [.. isolators.Select(i => i.Split(' ', 2)).Select(p => new Isolator(p[0], p.Length > 1 ? JsonDocument.Parse(Encoding.UTF8.GetBytes(p[1])).RootElement.Clone() : default))],
    };
}
