using System.Text;
using Muster.Containers.Accounts;
using Muster.Linux;

namespace Muster.Containers.Runtime;

/// <summary>What a shell would say of a program.</summary>
public enum ProgramVerdict
{
    /// <summary>Nothing speaks against it.</summary>
    Fine,

    /// <summary>There is no such file: a shell ends with 127.</summary>
    Missing,

    /// <summary>It is there and cannot be executed: a shell ends with 126.</summary>
    NotExecutable,
}

/// <summary>
/// Looks for a program in the root of a running app before a runtime is asked to start it: what a runtime says of a missing
/// one goes to the same standard error as the program's own words, and ends with a status that a program could have too.
/// </summary>
public static class ProgramLookup
{
    private const int PathOnly = 0x200000;
    private const int NonBlocking = 0x800;

    /// <summary>Looks for a program as execvp(3) does.</summary>
    /// <param name="root">A path of the app's root, such as <c>/proc/PID/root</c>.</param>
    /// <param name="program">A name for PATH, or a path.</param>
    /// <param name="environment">What the program gets: its PATH counts.</param>
    /// <param name="workingDirectory">Where a relative path begins.</param>
    /// <param name="identity">Who is to execute it, in numbers of the host.</param>
    public static ProgramVerdict Judge(string root, string program, IReadOnlyList<string> environment, string workingDirectory, Identity identity)
    {
        using var handle = DirectoryHandle.TryOpen(root + "/.");
        if (handle is null)
        {
            return ProgramVerdict.Fine;
        }

        var verdict = Search(handle, program, environment, workingDirectory, identity, out var found);
        // A script is started by the program that its first line names.
        return verdict == ProgramVerdict.Fine && found is not null && Interpreter(handle, found) is { } interpreter
            ? JudgeFile(handle, Path.Combine(workingDirectory, interpreter), identity)
            : verdict;
    }

    private static ProgramVerdict Search(DirectoryHandle handle, string program, IReadOnlyList<string> environment, string workingDirectory, Identity identity, out string? found)
    {
        found = null;
        if (program.Contains('/', StringComparison.Ordinal))
        {
            return JudgeFile(handle, found = Path.Combine(workingDirectory, program), identity);
        }

        if (program.Length == 0)
        {
            return ProgramVerdict.Missing;
        }

        if (environment.FirstOrDefault(e => e.StartsWith("PATH=", StringComparison.Ordinal)) is not { } path)
        {
            // What is searched then is the runtime's affair.
            return ProgramVerdict.Fine;
        }

        var verdict = ProgramVerdict.Missing;
        foreach (var folder in path[5..].Split(':'))
        {
            var candidate = Path.Combine(workingDirectory, folder, program);
            switch (JudgeFile(handle, candidate, identity))
            {
                case ProgramVerdict.Fine:
                    found = candidate;
                    return ProgramVerdict.Fine;
                case ProgramVerdict.NotExecutable:
                    verdict = ProgramVerdict.NotExecutable;
                    break;
                default:
                    break;
            }
        }

        return verdict;
    }

    /// <summary>Whether a folder is there, links followed inside the root.</summary>
    public static bool HasFolder(string root, string folder)
    {
        using var handle = DirectoryHandle.TryOpen(root + "/.");
        using var found = handle?.TryOpenInRoot(folder);
        return handle is null || found is not null || FileCalls.Error is not (Errno.ENOENT or Errno.ENOTDIR);
    }

    private static string? Interpreter(DirectoryHandle root, string path)
    {
        // The app may put a pipe in the program's place at this moment: opening it must not wait for its writer.
        var descriptor = Open(root, path, NonBlocking);
        if (descriptor < 0)
        {
            return null;
        }

        try
        {
            // The kernel reads no more of the line (BINPRM_BUF_SIZE).
            Span<byte> first = stackalloc byte[256];
            first = first[..Math.Max(0, FileCalls.Read(descriptor, first))];
            if (!first.StartsWith("#!"u8) || first.IndexOf((byte)'\n') is not (> 2 and var end))
            {
                return null;
            }

            return Encoding.UTF8.GetString(first[2..end]).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        }
        finally
        {
            Descriptors.Close(descriptor);
        }
    }

    private static int Open(DirectoryHandle root, string path, int flags) =>
        FileCalls.OpenBelow(root.Descriptor, FileCalls.Terminated(path.TrimStart('/') is { Length: > 0 } inside ? inside : "."), flags, FileCalls.ResolveInRoot | FileCalls.ResolveNoMagicLinks);

    private static ProgramVerdict JudgeFile(DirectoryHandle root, string path, Identity identity)
    {
        var descriptor = Open(root, path, PathOnly);
        if (descriptor < 0)
        {
            // Anything odd is left to the kernel, which is right.
            return FileCalls.Error is Errno.ENOENT or Errno.ENOTDIR ? ProgramVerdict.Missing : ProgramVerdict.Fine;
        }

        try
        {
            var status = FileStatus.Read(descriptor);
            if (status.Type != FileStatus.Regular)
            {
                return ProgramVerdict.NotExecutable;
            }

            // One x for anybody is enough for root, whose capability passes over the rest; an access list has its mask in the group's.
            var bits = identity.Uid == 0 ? 0b001_001_001u
                : status.Uid == identity.Uid ? 0b001_000_000u
                : status.Gid == identity.Gid || identity.SupplementaryGids.Contains(status.Gid) ? 0b000_001_000u
                : 0b000_001_001u;
            return (status.Permissions & bits) != 0 ? ProgramVerdict.Fine : ProgramVerdict.NotExecutable;
        }
        finally
        {
            Descriptors.Close(descriptor);
        }
    }
}
