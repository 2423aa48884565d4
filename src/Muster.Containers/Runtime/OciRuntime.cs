using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Runtime;

/// <summary>
/// The OCI runtime of this host. Two are known to work, crun and runc; the first that runs a container here is kept for
/// this boot in a small file, so that the choice costs nothing at a run.
/// </summary>
public sealed record OciRuntime(string Name, string Path)
{
    private static readonly string[] Places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>True for runtimes that take a compiled seccomp filter from an annotation.</summary>
    public bool TakesCompiledFilter => Name == "crun";

    /// <summary>The words before the verb: where the runtime keeps its state.</summary>
    public static IReadOnlyList<string> Arguments(MusterRoot root) => ["--root", System.IO.Path.Combine(root.Run, "runtime")];

    /// <summary>The runtime asked for by <c>--runtime</c> (a name or a path), or the one that works here.</summary>
    public static OciRuntime Choose(MusterRoot root, string? asked)
    {
        if (asked is not null)
        {
            var path = asked.Contains('/', StringComparison.Ordinal) ? asked : Locate(asked);
            return path is not null && File.Exists(path)
                ? new OciRuntime(System.IO.Path.GetFileName(path), path)
                : throw new MusterException(ErrorKind.NotFound, $"The OCI runtime \"{asked}\" is not installed: install it, or choose another with --runtime");
        }

        var memo = System.IO.Path.Combine(root.Run, "runtime.choice");
        if (Recall(memo) is { } known)
        {
            return known;
        }

        var reasons = new List<string>();
        foreach (var name in (ReadOnlySpan<string>)["crun", "runc"])
        {
            if (Locate(name) is not { } path)
            {
                reasons.Add(name + " is not installed");
                continue;
            }

            var runtime = new OciRuntime(name, path);
            if (RuntimeProbe.Try(root, runtime) is { } reason)
            {
                reasons.Add($"{name} does not work here ({reason})");
                continue;
            }

            // Several first runs at once each write their own and rename it: all say the same.
            var beside = $"{memo}.{Environment.ProcessId}";
            File.WriteAllText(beside, $"{ProcessControl.BootId()}\n{File.GetLastWriteTimeUtc(path).Ticks}\n{path}\n");
            File.Move(beside, memo, overwrite: true);
            return runtime;
        }

        throw new MusterException(ErrorKind.Unsupported, $"No OCI runtime can start a container on this host: {string.Join("; ", reasons)}. Install crun or runc; \"muster doctor\" tells more");
    }

    private static OciRuntime? Recall(string memo)
    {
        try
        {
            var lines = File.ReadAllLines(memo);
            return lines.Length >= 3 && lines[0] == ProcessControl.BootId() && File.Exists(lines[2]) && File.GetLastWriteTimeUtc(lines[2]).Ticks.ToString() == lines[1]
                ? new OciRuntime(System.IO.Path.GetFileName(lines[2]), lines[2])
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Finds a program in the usual places; null when it is nowhere.</summary>
    public static string? Locate(string program) => Places.Select(p => System.IO.Path.Combine(p, program)).FirstOrDefault(File.Exists);
}
