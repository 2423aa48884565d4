using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>prctl(2) and what /proc tells of a process.</summary>
public static partial class ProcessControl
{
    /// <summary>Makes this process the parent of orphaned descendants (PR_SET_CHILD_SUBREAPER).</summary>
    public static void BecomeSubreaper() => LinuxException.Check(prctl(36, 1, 0, 0, 0), "prctl");

    /// <summary>Keeps others of the same user from tracing us or opening our /proc files (PR_SET_DUMPABLE 0; CVE-2019-5736).</summary>
    public static void ForbidTracing() => LinuxException.Check(prctl(4, 0, 0, 0, 0), "prctl");

    /// <summary>The start time of a process in clock ticks after boot (proc(5), stat field 22), which tells a reused pid; 0 when it is gone.</summary>
    public static ulong StartTime(int pid)
    {
        return Stat(pid) is { } fields && fields[0] is not ("Z" or "X") ? ulong.Parse(fields[19]) : 0;
    }

    /// <summary>
    /// Whether the process that began at <paramref name="startTime"/> (<see cref="StartTime"/>) is gone or in the middle of its end, which
    /// process 1 of a pid namespace finishes only after all others of it (proc(5), stat field 9: PF_EXITING).
    /// </summary>
    public static bool IsEnding(int pid, ulong startTime) =>
        Stat(pid) is not { } fields || fields[0] is "Z" or "X" || ulong.Parse(fields[19]) != startTime || (ulong.Parse(fields[6]) & 4) != 0;

    // The fields from the third on; null when the process is gone.
    private static string[]? Stat(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            // The name in parentheses may hold anything, the last parenthesis ends it.
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>When the machine was started, as the kernel reckons it now: setting the clock moves it (proc(5), stat, btime).</summary>
    public static DateTimeOffset BootTime()
    {
        foreach (var line in File.ReadLines("/proc/stat"))
        {
            if (line.StartsWith("btime ", StringComparison.Ordinal))
            {
                return DateTimeOffset.FromUnixTimeSeconds(long.Parse(line.AsSpan(6)));
            }
        }

        throw new LinuxException("read", Errno.EIO, "/proc/stat");
    }

    /// <summary>Clock ticks in a second, the same on every architecture that Linux's ABI gives to programs (USER_HZ).</summary>
    public const int TicksPerSecond = 100;

    /// <summary>This boot's id: run files carry it, so that what a reboot left is told apart.</summary>
    public static string BootId() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>Lets everything else that wants to run go first (nice 19); never fails.</summary>
    public static void Yield() => _ = setpriority(0, 0, 19);

    /// <summary>The caller's effective user id.</summary>
    public static uint EffectiveUser => geteuid();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc")]
    private static partial int setpriority(int which, uint who, int value);
}
