using System.Runtime.InteropServices;
using System.Text;

namespace Muster.Linux;

/// <summary>
/// Starting programs: posix_spawn(3) for children and execve(2) for becoming one. Children start with every signal at its
/// default and none blocked, which .NET's ignored SIGPIPE would otherwise break.
/// </summary>
public static unsafe partial class Spawn
{
    private const short POSIX_SPAWN_SETPGROUP = 2;
    private const short POSIX_SPAWN_SETSIGDEF = 4;
    private const short POSIX_SPAWN_SETSIGMASK = 8;
    private const short POSIX_SPAWN_SETSID = 0x80;

    /// <summary>Starts a program and returns its pid. The caller reaps it.</summary>
    /// <param name="path">The program, absolute.</param>
    /// <param name="arguments">Its arguments, the first being its own name.</param>
    /// <param name="environment">NAME=VALUE strings.</param>
    /// <param name="stdin">The descriptor it gets as 0; likewise 1 and 2. Negative: /dev/null.</param>
    /// <param name="extra">Further descriptors: ours, and the number it has in the child.</param>
    /// <param name="session">Whether it leads a new session; it then lives on after us and gets nothing that our caller left open, such as a lock.</param>
    /// <param name="supervised">Whether it starts with <see cref="Signals.Supervised"/> blocked, as a shim must.</param>
    public static int Start(
        string path,
        IReadOnlyList<string> arguments,
        IReadOnlyList<string> environment,
        int stdin = -1,
        int stdout = -1,
        int stderr = -1,
        ReadOnlySpan<(int Ours, int Theirs)> extra = default,
        bool session = false,
        bool supervised = false)
    {
        var actions = stackalloc byte[256];
        var attributes = stackalloc byte[512];
        var set = stackalloc ulong[16];
        var first = 3;
        using var argv = new CStrings(arguments);
        using var envp = new CStrings(environment);
        Fail(posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init", path);
        Fail(posix_spawnattr_init(attributes), "posix_spawnattr_init", path);
        try
        {
            Standard(actions, stdin, 0, path);
            Standard(actions, stdout, 1, path);
            Standard(actions, stderr, 2, path);
            foreach (var (ours, theirs) in extra)
            {
                Fail(posix_spawn_file_actions_adddup2(actions, ours, theirs), "posix_spawn_file_actions_adddup2", path);
                first = Math.Max(first, theirs + 1);
            }

            if (session)
            {
                Fail(posix_spawn_file_actions_addclosefrom_np(actions, first), "posix_spawn_file_actions_addclosefrom_np", path);
            }

            for (var i = 0; i < 16; i++)
            {
                set[i] = 0;
            }

            if (supervised)
            {
                foreach (var signal in Signals.Supervised)
                {
                    set[0] |= 1UL << (signal - 1);
                }
            }

            Fail(posix_spawnattr_setsigmask(attributes, set), "posix_spawnattr_setsigmask", path);
            set[0] = ~0UL;
            Fail(posix_spawnattr_setsigdefault(attributes, set), "posix_spawnattr_setsigdefault", path);
            Fail(posix_spawnattr_setflags(attributes, (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (session ? POSIX_SPAWN_SETSID : 0))), "posix_spawnattr_setflags", path);
            int pid;
            Fail(posix_spawn(&pid, path, actions, attributes, argv.Pointer, envp.Pointer), "execve", path);
            return pid;
        }
        finally
        {
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
        }
    }

    /// <summary>Becomes another program; returns only by throwing.</summary>
    public static void Become(string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        using var argv = new CStrings(arguments);
        using var envp = new CStrings(environment);
        Descriptors.FillStandard();
        _ = execve(path, argv.Pointer, envp.Pointer);
        throw LinuxException.Last("execve", path);
    }

    /// <summary>This process' environment as NAME=VALUE strings.</summary>
    public static List<string> Environment()
    {
        var result = new List<string>();
        foreach (System.Collections.DictionaryEntry pair in System.Environment.GetEnvironmentVariables())
        {
            result.Add($"{pair.Key}={pair.Value}");
        }

        return result;
    }

    /// <summary>Waits for one child: its exit status, or 128 + the signal that killed it.</summary>
    public static int Wait(int pid)
    {
        int status;
        while (waitpid(pid, &status, 0) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Errno.EINTR)
            {
                throw LinuxException.Last("waitpid");
            }
        }

        return ExitStatus(status);
    }

    /// <summary>Reaps one child that has ended, whichever it is; false when none has.</summary>
    public static bool TryReap(out int pid, out int status)
    {
        int raw;
        pid = waitpid(-1, &raw, 1 /* WNOHANG */);
        status = pid > 0 ? ExitStatus(raw) : 0;
        return pid > 0;
    }

    private static int ExitStatus(int raw) => (raw & 0x7f) == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f);

    private static void Standard(byte* actions, int ours, int theirs, string path)
    {
        if (ours < 0)
        {
            Fail(posix_spawn_file_actions_addopen(actions, theirs, "/dev/null", theirs == 0 ? 0 : 1, 0), "posix_spawn_file_actions_addopen", path);
        }
        else
        {
            Fail(posix_spawn_file_actions_adddup2(actions, ours, theirs), "posix_spawn_file_actions_adddup2", path);
        }
    }

    private static void Fail(int error, string call, string path)
    {
        if (error != 0)
        {
            throw new LinuxException(call, error, path);
        }
    }

    /// <summary>A NULL-terminated array of C strings in unmanaged memory.</summary>
    private sealed class CStrings : IDisposable
    {
        private readonly nint _block;

        public CStrings(IReadOnlyList<string> strings)
        {
            var bytes = 0;
            foreach (var s in strings)
            {
                if (s.Contains('\0', StringComparison.Ordinal))
                {
                    throw new ArgumentException("A NUL character cannot be part of an argument or of the environment", nameof(strings));
                }

                bytes += Encoding.UTF8.GetByteCount(s) + 1;
            }

            var pointers = (strings.Count + 1) * sizeof(nint);
            _block = (nint)NativeMemory.Alloc((nuint)(pointers + bytes));
            var array = (nint*)_block;
            var text = (byte*)_block + pointers;
            for (var i = 0; i < strings.Count; i++)
            {
                array[i] = (nint)text;
                var n = Encoding.UTF8.GetBytes(strings[i], new Span<byte>(text, bytes));
                text[n] = 0;
                text += n + 1;
                bytes -= n + 1;
            }

            array[strings.Count] = 0;
        }

        public nint* Pointer => (nint*)_block;

        public void Dispose() => NativeMemory.Free((void*)_block);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(int* pid, string path, byte* actions, byte* attributes, nint* argv, nint* envp);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_addclosefrom_np(byte* actions, int first);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_adddup2(byte* actions, int from, int to);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(byte* attributes, ulong* set);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(byte* attributes, ulong* set);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int execve(string path, nint* argv, nint* envp);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, int* status, int options);
}
