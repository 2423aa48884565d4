using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>Signals by number and name, the mask, and signalfd(2).</summary>
public static unsafe partial class Signals
{
    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGKILL = 9;
    public const int SIGUSR1 = 10;
    public const int SIGUSR2 = 12;
    public const int SIGTERM = 15;
    public const int SIGCHLD = 17;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;
    public const int SIGTTIN = 21;
    public const int SIGTTOU = 22;
    public const int SIGWINCH = 28;

    /// <summary>What a shim reads from its signalfd; muster blocks the same before it becomes one.</summary>
    public static ReadOnlySpan<int> Supervised => [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD, SIGWINCH, SIGUSR1, SIGUSR2, SIGTTOU];

    // Order and numbers of signal(7) for every architecture of Linux but alpha, mips, parisc and sparc.
    private static ReadOnlySpan<byte> NameTable =>
        " HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS "u8;

    /// <summary>The number of <c>TERM</c>, <c>SIGTERM</c>, <c>15</c>, <c>RTMIN+3</c>; false for anything else.</summary>
    public static bool TryParse(string text, out int signal)
    {
        if (int.TryParse(text, out signal))
        {
            return signal is >= 1 and <= 64;
        }

        var name = text.ToUpperInvariant();
        if (name.StartsWith("SIG", StringComparison.Ordinal))
        {
            name = name[3..];
        }

        if (name.StartsWith("RTMIN", StringComparison.Ordinal))
        {
            signal = 34;
            return name.Length == 5 || (name[5] == '+' && int.TryParse(name.AsSpan(6), out var offset) && (signal += offset) <= 64 && offset >= 0);
        }

        if (name.StartsWith("RTMAX", StringComparison.Ordinal))
        {
            signal = 64;
            return name.Length == 5 || (name[5] == '-' && int.TryParse(name.AsSpan(6), out var offset) && (signal -= offset) >= 34 && offset >= 0);
        }

        var names = Names();
        signal = Array.IndexOf(names, name) + 1;
        return signal > 0;
    }

    /// <summary><c>SIGTERM</c> for 15.</summary>
    public static string Name(int signal)
    {
        var names = Names();
        return signal >= 1 && signal <= names.Length ? "SIG" + names[signal - 1] : signal >= 34 ? $"SIGRTMIN+{signal - 34}" : $"signal {signal}";
    }

    private static string[] Names() => System.Text.Encoding.ASCII.GetString(NameTable).Trim().Split(' ');

    /// <summary>Blocks <see cref="Supervised"/> in the calling thread (and in what it becomes by execve).</summary>
    public static void BlockSupervised()
    {
        var set = Set(Supervised);
        LinuxException.Check(-pthread_sigmask(0 /* SIG_BLOCK */, &set, null), "pthread_sigmask");
    }

    /// <summary>A descriptor that yields <see cref="Supervised"/>, which must be blocked; non-blocking, close-on-exec.</summary>
    public static int OpenSupervised()
    {
        var set = Set(Supervised);
        return LinuxException.Check(signalfd(-1, &set, 0x80800), "signalfd");
    }

    /// <summary>The next signal that arrived at a signalfd, or 0.</summary>
    public static int Next(int descriptor)
    {
        Span<byte> info = stackalloc byte[128];
        return Descriptors.Read(descriptor, info) == 128 ? BitConverter.ToInt32(info) : 0;
    }

    /// <summary>Sends a signal; false when there is no such process.</summary>
    public static bool Send(int pid, int signal)
    {
        if (pid is 0 or 1 or -1)
        {
            throw new ArgumentOutOfRangeException(nameof(pid), pid, "A signal to this pid would reach others");
        }

        return kill(pid, signal) == 0 || (Marshal.GetLastPInvokeError() == Errno.ESRCH ? false : throw LinuxException.Last("kill"));
    }

    // The kernel's sigset is 64 bits; glibc's type is 128 bytes and only its first 8 count.
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct SigSet
    {
        public ulong Bits;
    }

    private static SigSet Set(ReadOnlySpan<int> signals)
    {
        var set = default(SigSet);
        foreach (var signal in signals)
        {
            set.Bits |= 1UL << (signal - 1);
        }

        return set;
    }

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, SigSet* set, SigSet* old);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int signalfd(int descriptor, SigSet* set, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
