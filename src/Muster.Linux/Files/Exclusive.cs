using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>Claims that only one caller wins: mkdir(2) and link(2) fail where the name is taken, and are done in one step.</summary>
public static partial class Exclusive
{
    /// <summary>Makes a folder of mode 0700; false when the name is taken.</summary>
    public static bool TryMakeFolder(string path)
    {
        if (mkdir(path, 0x1c0) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == Errno.EEXIST ? false : throw LinuxException.Last("mkdir", path);
    }

    /// <summary>Gives a file a second name, with its content from the first moment on; false when the name is taken.</summary>
    public static bool TryLink(string file, string name)
    {
        if (link(file, name) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == Errno.EEXIST ? false : throw LinuxException.Last("link", name);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int mkdir(string path, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int link(string file, string name);
}
