using System.Text.Json;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images;

/// <summary>The store's small files.</summary>
internal static class StoreFiles
{
    /// <summary>The largest record read: a manifest of 4 MiB and a configuration of as much, escaped.</summary>
    private const long MaxRecordBytes = 32L << 20;

    /// <summary>Reads a record that must be there.</summary>
    public static T Read<T>(string path, RecordFormat<T> format)
        where T : class => TryRead(path, format) ?? throw new MusterException(ErrorKind.Corrupt, $"The image store lacks {path}, which another of its files names: run muster image gc and fetch the image again");

    /// <summary>Reads a record; null when there is none.</summary>
    public static T? TryRead<T>(string path, RecordFormat<T> format)
        where T : class
    {
        byte[] content;
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            if (length > MaxRecordBytes)
            {
                throw new MusterException(ErrorKind.Corrupt, $"The record {path} has {length} bytes, more than any record has: remove it and fetch the image again");
            }

            content = new byte[length];
            var n = RandomAccess.Read(file, content, 0);
            content = n == length ? content : content[..n];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        try
        {
            return format.Read(content);
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Corrupt, $"The record {path} cannot be read ({JsonFault.Of(e)}): it is damaged or of a newer Muster; remove it and fetch the image again", e);
        }
    }

    /// <summary>Makes a new file of mode 0600 that only root reads.</summary>
    public static void Create(string path, ReadOnlySpan<byte> content)
    {
        var fd = CreateDescriptor(path);
        try
        {
            LinuxException.Check(FileCalls.WriteAll(fd, content), "write", path);
        }
        finally
        {
            _ = FileCalls.Close(fd);
        }
    }

    /// <summary>Makes a new file of mode 0600 and returns its descriptor.</summary>
    public static int CreateDescriptor(string path) =>
        LinuxException.Check(FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), FileCalls.WriteOnly | FileCalls.Create | FileCalls.Exclusive | FileCalls.NoFollow, 0x180), "open", path);

    /// <summary>Failures of the disk as sentences; others as they are.</summary>
    public static Exception Explain(Exception e, string what) => e switch
    {
        LinuxException { Errno: Errno.ENOSPC or Errno.EDQUOT } => new MusterException(ErrorKind.Exhausted, $"The disk of the image store is full while storing {what}: nothing of it was kept; make room (muster image gc) and try again", e),
        LinuxException { Errno: Errno.EACCES or Errno.EROFS } linux => new MusterException(ErrorKind.Forbidden, $"The image store cannot be written while storing {what} ({linux.Message}): run as root or choose another --root", e),
        IOException io when (io.HResult & 0xffff) is Errno.ENOSPC or Errno.EDQUOT => new MusterException(ErrorKind.Exhausted, $"The disk of the image store is full while storing {what}: nothing of it was kept; make room (muster image gc) and try again", e),
        _ => e,
    };
}
