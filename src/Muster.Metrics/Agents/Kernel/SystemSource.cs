using System.Runtime.InteropServices;
using Muster.Linux.Namespaces;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>What uname(2) and os-release(5) say; in a container its own host name and distribution.</summary>
internal sealed class SystemSource(string musterVersion) : Source(ContainerScope.RunningContainer, new SheetShape(InstanceDomainId.None, ["release", "version", "sysname", "machine", "nodename", "distro", "uname", "version_muster"]))
{
    // A foreign root's file of any size must not fill our memory.
    private const int MaxOsRelease = 64 * 1024;

    private static readonly string Machine = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "x86_64",
        Architecture.Arm64 => "aarch64",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        // The files below /proc/sys/kernel show the namespace of the thread that reads them.
        var name = context.Pid == 0 ? HostName() : UtsNamespace.Run($"/proc/{context.Pid}/ns/uts", HostName);
        var sysname = Read("ostype");
        var release = Read("osrelease");
        var version = Read("version");
        var row = sheets[0].AddRow(-1);
        string[] values = [release, version, sysname, Machine, name, sheets[0].Wants(5) ? Distribution(context.Pid) : "", $"{sysname} {name} {release} {version} {Machine}", musterVersion];
        for (var column = 0; column < values.Length; column++)
        {
            sheets[0].Set(row, column, values[column]);
        }
    }

    /// <summary>The name and release that an os-release text gives: <c>Debian 12.11</c> comes from debian_version, others from PRETTY_NAME.</summary>
    internal static string Distribution(string osRelease, string debianVersion)
    {
        if (debianVersion.Length > 0)
        {
            return "Debian " + debianVersion;
        }

        foreach (var line in osRelease.Split('\n'))
        {
            if (line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))
            {
                return line["PRETTY_NAME=".Length..].Trim().Trim('"', '\'');
            }
        }

        return "";
    }

    private static string HostName() => Read("hostname");

    private static string Read(string file) => File.ReadAllText("/proc/sys/kernel/" + file).Trim();

    private static string Distribution(int pid)
    {
        using var root = ProcessRoot.Open(pid);
        return Distribution(root.ReadText("etc/os-release", MaxOsRelease), root.ReadText("etc/debian_version", MaxOsRelease).Trim());
    }
}
