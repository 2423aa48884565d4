using System.Runtime.InteropServices;

namespace Muster.Linux.Namespaces;

/// <summary>mkdir(2), which tells whether the folder was there: making one is a claim that only one caller wins.</summary>
public static partial class HostFolders
{
    /// <summary>Makes a folder of mode 0700; false when the name is taken.</summary>
    public static bool TryMake(string path)
    {
        if (mkdir(path, 0x1c0) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == Errno.EEXIST ? false : throw LinuxException.Last("mkdir", path);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int mkdir(string path, uint mode);
}
