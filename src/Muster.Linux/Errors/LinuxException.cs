using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>A system call that failed: its name, errno, and the path or name it was about.</summary>
public sealed class LinuxException : IOException
{
    /// <summary>Makes the error of <paramref name="call"/>.</summary>
    public LinuxException(string call, int errno, string? path = null)
        : base($"{call}{(path is null ? "" : " " + path)}: {Describe(errno)}")
    {
        Call = call;
        Errno = errno;
        Path = path;
    }

    /// <summary>The system call's name.</summary>
    public string Call { get; }

    /// <summary>The error number (see <see cref="Linux.Errno"/>).</summary>
    public int Errno { get; }

    /// <summary>The path or name it was about, where there is one.</summary>
    public string? Path { get; }

    /// <summary>The error of the last <c>SetLastError</c> P/Invoke.</summary>
    public static LinuxException Last(string call, string? path = null) => new(call, Marshal.GetLastPInvokeError(), path);

    /// <summary>Throws the last error when <paramref name="result"/> is negative; else returns it.</summary>
    public static int Check(int result, string call, string? path = null) => result >= 0 ? result : throw Last(call, path);

    /// <inheritdoc cref="Check(int, string, string?)"/>
    public static long Check(long result, string call, string? path = null) => result >= 0 ? result : throw Last(call, path);

    private static string Describe(int errno) => Marshal.GetPInvokeErrorMessage(errno);
}
