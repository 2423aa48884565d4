using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>realpath(3).</summary>
public static partial class RealPath
{
    /// <summary>The absolute path without symbolic links; every part must exist.</summary>
    public static string Resolve(string path)
    {
        var resolved = realpath(path, 0);
        if (resolved == 0)
        {
            throw LinuxException.Last("realpath", path);
        }

        try
        {
            return Marshal.PtrToStringUTF8(resolved)!;
        }
        finally
        {
            free(resolved);
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial nint realpath(string path, nint resolved);

    [LibraryImport("libc")]
    private static partial void free(nint pointer);
}
