using Microsoft.Win32.SafeHandles;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Oci;

/// <summary>Files of foreign folders: only regular ones are opened, never through a link at the end, and reading cannot block on a pipe.</summary>
internal static class LayoutFiles
{
    /// <summary>Opens a regular file; null when there is none.</summary>
    public static FileStream? TryOpen(string path)
    {
        var fd = FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), FileCalls.ReadOnly | FileCalls.NoFollow | FileCalls.NonBlocking);
        if (fd < 0)
        {
            return FileCalls.Error is Errno.ENOENT or Errno.ENOTDIR ? null : throw LinuxException.Last("open", path);
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

    /// <summary>Reads a whole regular file of at most <paramref name="most"/> bytes.</summary>
    public static byte[] Read(string path, int most)
    {
        using var file = TryOpen(path) ?? throw new MusterException(ErrorKind.NotFound, $"{path} does not exist");
        if (file.Length > most)
        {
            throw new MusterException(ErrorKind.Exhausted, $"{path} has {file.Length} bytes, more than the {most} that are taken");
        }

        var content = new byte[file.Length];
        var n = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return n == content.Length ? content : content[..n];
    }
}
