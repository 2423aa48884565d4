using Muster.Cli.CommandLine;
using Muster.Containers.Runtime;
using Muster.Core;
using Muster.Linux;
using Muster.Network;

namespace Muster.Cli.Commands.Host;

internal static class DoctorCommand
{
    public static readonly Command Command = new()
    {
        Words = ["doctor"],
        Lists = true,
        Summary = "Tell what this host can do, what is missing and the remedy",
        Usage = "[OPTION…]",
        Description = "Looks and changes nothing, but for trying whether the OCI runtimes start a container. The status is 1 when something that pods need is missing.",
        Example = "muster doctor\nmuster doctor --filter result=missing",
        Arguments = (0, 0),
        Run = (call, _) =>
        {
            var rows = Checks(call.Root).ToList();
            Listing.Write(call, rows,
            [
                new Column<DoctorRow>("check", r => r.Name),
                new Column<DoctorRow>("result", r => r.Ok ? "ok" : r.Needed ? "missing" : "without"),
                new Column<DoctorRow>("why", r => r.Why + (r.Ok || r.Remedy is null ? "" : ": " + r.Remedy)),
            ], CliJson.Default.DoctorRow);
            return Task.FromResult(rows.TrueForAll(r => r.Ok || !r.Needed) ? 0 : 1);
        },
    };

    private static IEnumerable<DoctorRow> Checks(MusterRoot root)
    {
        var user = ProcessControl.EffectiveUser;
        yield return new("root", user == 0, true, user == 0 ? "running as root" : $"running as user {user}", "use sudo: pods need namespaces, mounts and cgroups");
        var hierarchies = CgroupHierarchies.Load();
        yield return new("cgroups", hierarchies.All.Count > 0, true, hierarchies.All.Count == 0 ? "no cgroup hierarchy is mounted" : hierarchies.IsUnified ? "version 2" : $"version 1, {Quantity.Counted(hierarchies.All.Count, "hierarchy", "hierarchies")}", "mount cgroup2 at /sys/fs/cgroup");
        foreach (var system in new[] { "overlay", "tmpfs", "proc" })
        {
            var known = File.ReadLines("/proc/filesystems").Any(l => l.TrimStart().EndsWith(system, StringComparison.Ordinal)) || Module(system);
            yield return new("file system " + system, known, true, known ? "known to the kernel" : "not known to the kernel", "load its module, or use a kernel that has it");
        }

        foreach (var (name, file) in new[] { ("seccomp", "/proc/sys/kernel/seccomp/actions_avail"), ("user namespaces", "/proc/self/ns/user"), ("cgroup namespaces", "/proc/self/ns/cgroup"), ("pressure", "/proc/pressure/cpu") })
        {
            var there = File.Exists(file) || new FileInfo(file).LinkTarget is not null;
            yield return new(name, there, name is "seccomp" or "cgroup namespaces", there ? "in the kernel" : "not in the kernel", "use a kernel that has it");
        }

        foreach (var row in user == 0 ? Runtimes(root) : [])
        {
            yield return row;
        }

        foreach (var (program, package, needed, what) in new[] { ("catatonit", "catatonit", false, "pods of several apps"), ("criu", "criu", false, "saving the state of containers"), ("tar", "tar", false, "muster cp") })
        {
            var path = program == "criu" && File.Exists("/usr/local/lib/muster/criu/criu") ? "/usr/local/lib/muster/criu/criu" : OciRuntime.Locate(program);
            yield return new(program, path is not null, needed, path ?? $"not installed, needed for {what}", $"install the package {package}");
        }

        foreach (var (library, package, what) in new[] { ("libseccomp.so.2", "libseccomp2", "quick starts with crun"), ("liblzma.so.5", "liblzma5", "images compressed with xz"), ("libbz2.so.1.0", "libbz2-1.0", "images compressed with bzip2") })
        {
            var loads = System.Runtime.InteropServices.NativeLibrary.TryLoad(library, out _);
            yield return new(library, loads, false, loads ? "found" : $"not found, needed for {what}", $"install the package {package}");
        }

        // .NET ends the process where it needs OpenSSL and finds none, so it is told here first.
        var openSsl = Array.Find(["libssl.so.3", "libssl.so.1.1"], l => System.Runtime.InteropServices.NativeLibrary.TryLoad(l, out _));
        yield return new("OpenSSL", openSsl is not null, true, openSsl ?? "not found, needed for registries over TLS and for signatures", "install the package libssl3");

        if (user == 0)
        {
            foreach (var check in NetworkDiagnosis.Diagnose(root))
            {
                yield return new("network " + check.Name, check.Ok, true, check.Why, check.Remedy);
            }
        }
    }

    private static IEnumerable<DoctorRow> Runtimes(MusterRoot root)
    {
        Directory.CreateDirectory(root.Run);
        var works = false;
        var rows = new List<DoctorRow>();
        foreach (var name in new[] { "crun", "runc" })
        {
            var path = OciRuntime.Locate(name);
            var reason = path is null ? "not installed" : RuntimeProbe.Try(root, new OciRuntime(name, path));
            works |= reason is null;
            rows.Add(new DoctorRow(name, reason is null, false, reason ?? "starts containers here", path is null ? $"install the package {name}" : "see the reason, or use the other runtime"));
        }

        return rows.Append(new DoctorRow("OCI runtime", works, true, works ? "at least one works" : "none works", "install crun or runc"));
    }

    private static bool Module(string name) => Directory.Exists("/sys/module/" + name);
}

/// <summary>A row of <c>muster doctor</c>.</summary>
internal sealed record DoctorRow(string Name, bool Ok, bool Needed, string Why, string? Remedy);
