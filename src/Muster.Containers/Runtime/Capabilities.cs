using Muster.Core;

namespace Muster.Containers.Runtime;

/// <summary>Linux capabilities by name (capabilities(7)) and App Container's default set (appc spec/ace.md).</summary>
public static class Capabilities
{
    /// <summary>The 14 capabilities that an app has when its image and its user say nothing.</summary>
    public static readonly IReadOnlyList<string> Default =
    [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD", "CAP_NET_RAW",
        "CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETFCAP", "CAP_SYS_CHROOT",
    ];

    private static readonly string[] Known =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
        "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
        "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
        "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
        "PERFMON", "BPF", "CHECKPOINT_RESTORE",
    ];

    /// <summary>Every capability that this process may hand on (its bounding set), for <c>--insecure-options=capabilities</c>.</summary>
    public static IReadOnlyList<string> All
    {
        get
        {
            var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("CapBnd:", StringComparison.Ordinal));
            var bounding = Convert.ToUInt64(line[7..].Trim(), 16);
            return [.. Known.Where((_, number) => (bounding & (1UL << number)) != 0).Select(name => "CAP_" + name)];
        }
    }

    /// <summary>The name with its prefix, or a refusal.</summary>
    public static string Normalize(string name)
    {
        var bare = name.ToUpperInvariant();
        if (bare.StartsWith("CAP_", StringComparison.Ordinal))
        {
            bare = bare[4..];
        }

        return Array.IndexOf(Known, bare) >= 0
            ? "CAP_" + bare
            : throw new MusterException(ErrorKind.Invalid, $"\"{name}\" is not a Linux capability: see capabilities(7) for their names");
    }
}
