using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Muster.Linux;

/// <summary>
/// Opens files where an app may put something else at any moment: a pipe would keep whoever opens it, a device would be the host's, a
/// link would lead to the host's files.
/// </summary>
public static class RegularFile
{
    /// <summary>Opens a regular file for reading, following no link anywhere and not leaving <paramref name="directory"/>.</summary>
    /// <param name="directory">Where <paramref name="path"/> begins.</param>
    /// <param name="path">A relative path, NUL-terminated.</param>
    /// <param name="isOther">Whether there is something, but no regular file.</param>
    /// <returns>Null when there is none, with the error in <see cref="FileCalls.Error"/>.</returns>
    public static FileStream? TryOpen(int directory, ReadOnlySpan<byte> path, out bool isOther)
    {
        isOther = false;
        var place = FileCalls.OpenBelow(directory, path, FileCalls.PathOnly | FileCalls.NoFollow, FileCalls.ResolveBeneath | FileCalls.ResolveNoSymlinks);
        if (place < 0)
        {
            isOther = FileCalls.Error == Errno.ELOOP;
            return null;
        }

        try
        {
            isOther = FileStatus.Read(place).Type != FileStatus.Regular;
            // What was looked at is what is opened.
            var opened = isOther ? -1 : FileCalls.Open(FileCalls.AtCurrentDirectory, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{place}\0")), FileCalls.ReadOnly);
            return opened < 0 ? null : new FileStream(new SafeFileHandle(opened, ownsHandle: true), FileAccess.Read, 0);
        }
        finally
        {
            _ = FileCalls.Close(place);
        }
    }
}
