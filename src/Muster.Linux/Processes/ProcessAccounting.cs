using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>acct(2): the kernel appends a record to a file for each process that ends.</summary>
public static partial class ProcessAccounting
{
    /// <summary>Begins to write to a file that exists, in place of any other. Needs CAP_SYS_PACCT; one file for the whole machine.</summary>
    /// <exception cref="LinuxException">The kernel has no accounting, or does not let us.</exception>
    public static void Start(string path) => LinuxException.Check(acct(path), "acct", path);

    /// <summary>Ends it, whoever began it.</summary>
    /// <exception cref="LinuxException">The kernel has no accounting, or does not let us.</exception>
    public static void Stop() => LinuxException.Check(acct(null), "acct");

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int acct(string? path);
}
