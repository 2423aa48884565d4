using Microsoft.Win32.SafeHandles;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Oci;

/// <summary>Files of foreign folders: only regular ones are opened, never through a link at the end (but for those a user named), and reading cannot block on a pipe.</summary>
internal static class LayoutFiles
{
    /// <summary>Opens a regular file; null when there is none.</summary>
    public static FileStream? TryOpen(string path) => TryOpen(path, FileCalls.NoFollow);

    /// <summary>Opens a regular file that the user named: a link of the user's own is followed, as every tool does. Null when there is none.</summary>
    public static FileStream? TryOpenGiven(string path) => TryOpen(path, 0);

    /// <summary>Reads a whole regular file of at most <paramref name="most"/> bytes.</summary>
    public static byte[] Read(string path, int most) => Read(TryOpen(path), path, most);

    /// <summary>Reads a whole regular file that the user named, of at most <paramref name="most"/> bytes; a link is followed.</summary>
    public static byte[] ReadGiven(string path, int most) => Read(TryOpenGiven(path), path, most);

    private static FileStream? TryOpen(string path, int links)
    {
        var fd = FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), FileCalls.ReadOnly | FileCalls.NonBlocking | links);
        if (fd < 0)
        {
            return FileCalls.Error switch
            {
                Errno.ENOENT or Errno.ENOTDIR => null,
                Errno.ELOOP when links != 0 => throw new MusterException(ErrorKind.Invalid, $"{path} is a symbolic link, which is not followed here: put the file itself in its place"),
                _ => throw LinuxException.Last("open", path),
            };
        }

        using var handle = new SafeFileHandle(fd, ownsHandle: true);
        if (FileStatus.Read(fd).Type != FileStatus.Regular)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} is not a regular file");
        }

        var stream = new FileStream(new SafeFileHandle(fd, ownsHandle: true), FileAccess.Read, bufferSize: 0);
        handle.SetHandleAsInvalid();
        return stream;
    }

    private static byte[] Read(FileStream? opened, string path, int most)
    {
        using var file = opened ?? throw new MusterException(ErrorKind.NotFound, $"{path} does not exist");
        if (file.Length > most)
        {
            throw new MusterException(ErrorKind.Exhausted, $"{path} has {file.Length} bytes, more than the {most} that are taken");
        }

        var content = new byte[file.Length];
        var n = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return n == content.Length ? content : content[..n];
    }
}
