using System.Globalization;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Runtime;

/// <summary>Asks an OCI runtime to run the smallest container that shows whether it can work on this host's cgroups and kernel.</summary>
public static class RuntimeProbe
{
    private const string Mark = "probe-";

    // What was told to end is gone within milliseconds; a process that the kernel holds up is left to the next sweep.
    private const int MostEnding = 50;
    private const int EndingMilliseconds = 20;

    /// <summary>Null when it works, else the reason in the runtime's words.</summary>
    public static string? Try(MusterRoot root, OciRuntime runtime)
    {
        Sweep(root);
        // Whose it is stands in the name: killed in the middle, it is found by that.
        var trial = string.Create(CultureInfo.InvariantCulture, $"{Mark}{Environment.ProcessId}-{ProcessControl.StartTime(Environment.ProcessId)}");
        var folder = System.IO.Path.Combine(root.Run, trial);
        var cgroup = $"{root.Cgroup}-{trial}";
        Directory.CreateDirectory(System.IO.Path.Combine(folder, "rootfs"));
        try
        {
            File.WriteAllBytes(System.IO.Path.Combine(folder, "config.json"), Bundle(runtime, cgroup));
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
            CgroupHierarchies.Load().Remove(cgroup);
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Removes the cgroups and folders of trials whose muster was killed in the middle; those of living ones stay.</summary>
    public static void Sweep(MusterRoot root)
    {
        var hierarchies = CgroupHierarchies.Load();
        var prefix = root.Cgroup + "-";
        foreach (var cgroup in hierarchies.Children("").Select(n => "/" + n).Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && IsOfTheDead(n[prefix.Length..])).Distinct().ToList())
        {
            for (var attempt = 0; attempt < MostEnding; attempt++)
            {
                foreach (var pid in hierarchies.Processes(cgroup))
                {
                    Signals.Send(pid, Signals.SIGKILL);
                }

                if (hierarchies.Remove(cgroup))
                {
                    break;
                }

                _ = Descriptors.Poll([], EndingMilliseconds);
            }
        }

        if (Directory.Exists(root.Run))
        {
            foreach (var folder in Directory.GetDirectories(root.Run, Mark + "*").Where(f => IsOfTheDead(System.IO.Path.GetFileName(f))))
            {
                try
                {
                    Directory.Delete(folder, recursive: true);
                }
                catch (IOException)
                {
                    // Another sweep was faster, or the dead one's runtime still writes there: the next sweep removes it.
                }
            }
        }
    }

    // "probe-PID-STARTTIME"; an older muster wrote no start time.
    private static bool IsOfTheDead(string trial)
    {
        var words = trial.Split('-');
        if (words.Length is not (2 or 3) || words[0] + "-" != Mark || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
        {
            return false;
        }

        var alive = ProcessControl.StartTime(pid);
        return alive == 0 || (words.Length == 3 && words[2] != alive.ToString(CultureInfo.InvariantCulture));
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
