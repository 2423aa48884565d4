using System.Text.Json;
using Muster.Containers.Manifests;
using Muster.Containers.Pods;
using Muster.Containers.Runtime;
using Muster.Core;
using Muster.Images;

namespace Muster.Fuzz;

/// <summary>Any bytes as a PodManifest, and its apps' isolators: taken or refused with a sentence, never another exception.</summary>
public static class PodManifestTarget
{
    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        """
        {"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"web","image":{"name":"example.com/web","id":"sha512-00"},
        "app":{"exec":["/bin/web"],"user":"0","group":"0","isolators":[{"name":"resource/memory","value":{"limit":"1G","request":"1M"}},
        {"name":"resource/cpu","value":{"limit":"1500m"}},{"name":"os/linux/seccomp-retain-set","value":{"set":["@appc.io/all"],"errno":"EPERM"}},
        {"name":"os/linux/oom-score-adj","value":5},{"name":"os/linux/no-new-privileges","value":true}]},
        "mounts":[{"volume":"data","path":"/data","appVolume":{"name":"own","kind":"empty","mode":"0700"}}],"annotations":[{"name":"a","value":"b"}]}],
        "volumes":[{"name":"data","kind":"host","source":"/srv","readOnly":true,"recursive":false},{"name":"tmp","kind":"empty","uid":5,"gid":6}],
        "isolators":[{"name":"os/unix/sysctl","value":{"net.core.somaxconn":"128"}}],"ports":[{"name":"http","hostPort":8080,"podPort":80,"hostIP":"127.0.0.1"}],
        "userAnnotations":{"x":"y"},"userLabels":{"l":"v"}}
        """u8.ToArray(),
        """{"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"a","image":{"id":"sha512-0"},"app":null}],"userLabels":{"\ud800":"\udc00"}}"""u8.ToArray(),
    ];

    public static void Run(ReadOnlySpan<byte> data)
    {
        try
        {
            var manifest = PodManifestReader.Read(data.ToArray(), "fuzz");
            foreach (var app in manifest.Apps.Where(a => a.App is not null))
            {
                Resolve(app.App!);
            }
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Invalid or ErrorKind.Unsupported && !e.Message.Contains('\n', StringComparison.Ordinal))
        {
            // Refused, as it should be.
        }
    }

    private static void Resolve(AppTemplate template)
    {
        var app = new AppSpec { Image = null!, Layers = [] };
        var isolation = Isolation.Resolve(app, template, [], _ => { });
        using var json = new Utf8JsonWriter(Stream.Null);
        json.WriteStartObject();
        SeccompProfile.Write(json, isolation.Seccomp, isolation.Capabilities);
        json.WriteEndObject();
    }
}
