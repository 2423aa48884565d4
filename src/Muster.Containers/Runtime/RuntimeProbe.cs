using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Runtime;

/// <summary>Asks an OCI runtime to run the smallest container that shows whether it can work on this host's cgroups and kernel.</summary>
public static class RuntimeProbe
{
    /// <summary>Null when it works, else the reason in the runtime's words.</summary>
    public static string? Try(MusterRoot root, OciRuntime runtime)
    {
        var folder = System.IO.Path.Combine(root.Run, $"probe-{Environment.ProcessId}");
        Directory.CreateDirectory(System.IO.Path.Combine(folder, "rootfs"));
        try
        {
            File.WriteAllBytes(System.IO.Path.Combine(folder, "config.json"), Bundle(runtime, root.Cgroup + "-probe-" + Environment.ProcessId));
            var log = System.IO.Path.Combine(folder, "log");
            var id = $"muster-probe{root.Tag}-{Environment.ProcessId}";
            var status = Spawn.Wait(Spawn.Start(runtime.Path, [runtime.Path, "--root", folder, "--log", log, "run", "--bundle", folder, id], ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]));

            // The root is empty, so a working runtime fails at the very last step: it finds no program to execute.
            var text = File.Exists(log) ? File.ReadAllText(log) : "";
            Spawn.Wait(Spawn.Start(runtime.Path, [runtime.Path, "--root", folder, "delete", "--force", id], ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]));
            return status == 0 || text.Contains("/nothing", StringComparison.Ordinal) ? null : LastLine(text, status);
        }
        finally
        {
            CgroupHierarchies.Load().Remove(root.Cgroup + "-probe-" + Environment.ProcessId);
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string LastLine(string text, int status)
    {
        var line = text.Trim().Split('\n')[^1];
        return line.Length > 0 ? line.Trim() : $"status {status}";
    }

    private static byte[] Bundle(OciRuntime runtime, string cgroup)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("ociVersion"u8, "1.0.2");
            json.WriteStartObject("process"u8);
            json.WriteStartObject("user"u8);
            json.WriteNumber("uid"u8, 0);
            json.WriteNumber("gid"u8, 0);
            json.WriteEndObject();
            json.WriteStartArray("args"u8);
            json.WriteStringValue("/nothing");
            json.WriteEndArray();
            json.WriteString("cwd"u8, "/");
            json.WriteEndObject();
            json.WriteStartObject("root"u8);
            json.WriteString("path"u8, "rootfs");
            json.WriteEndObject();
            json.WriteStartArray("mounts"u8);
            foreach (var (target, type) in (ReadOnlySpan<(string, string)>)[("/proc", "proc"), ("/dev", "tmpfs")])
            {
                json.WriteStartObject();
                json.WriteString("destination"u8, target);
                json.WriteString("type"u8, type);
                json.WriteString("source"u8, type);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("linux"u8);
            json.WriteString("cgroupsPath"u8, cgroup);
            json.WriteStartArray("namespaces"u8);
            foreach (var kind in (ReadOnlySpan<string>)["pid", "mount", "ipc", "uts"])
            {
                json.WriteStartObject();
                json.WriteString("type"u8, kind);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
