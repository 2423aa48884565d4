using System.Text;
using Microsoft.Win32.SafeHandles;
using Muster.Core;

namespace Muster.Linux;

/// <summary>
/// A file that a user names and a verb writes. A regular file is written beside and renamed when it is whole, with the mode and
/// owner of the one before, so that a failure leaves the old one or nothing; symbolic links are followed first. What is no
/// regular file (a pipe, a terminal, a device), has several names, or stands where nothing can be made beside it is written
/// in place. <c>-</c> is standard output.
/// </summary>
public sealed class OutputFile : IDisposable
{
    private const uint AnyMode = 0x1b6;
    private const int AppendFlag = 0x400;
    private const int BufferSize = 64 * 1024;

    private readonly string? _target;
    private readonly string? _beside;
    private readonly bool _isCreated;
    private readonly bool _mayReplace;
    private bool _isWhole;

    private OutputFile(string name, int descriptor, string? target = null, string? beside = null, bool isCreated = false, bool mayReplace = true, bool isOwned = true)
    {
        (Name, _target, _beside, _isCreated, _mayReplace) = (name, target, beside, isCreated, mayReplace);
        Stream = new FileStream(new SafeFileHandle(descriptor, isOwned), FileAccess.Write, BufferSize);
    }

    /// <summary>The name as the user gave it.</summary>
    public string Name { get; }

    /// <summary>What is written.</summary>
    public FileStream Stream { get; }

    /// <summary>Whether a file of its own is written, in which what is passed over reads as zeros.</summary>
    public bool IsNew => _beside is not null;

    /// <summary>Whether the name is that of a file, beside which others can lie; false for a pipe, a device, and a descriptor by its name.</summary>
    public bool IsFile => _target is not null;

    /// <summary>Whether a name stands for standard output.</summary>
    public static bool IsStandardOutput(string name) => name == "-";

    /// <summary>Refuses a regular file or folder that is there, unless it may be replaced.</summary>
    public static void Check(string name, bool overwrite)
    {
        if (!overwrite && !IsStandardOutput(name) && FileStatus.Find(name) is { } status && (status.Type is FileStatus.Regular or FileStatus.Folder || (status.Type == FileStatus.Symlink && (File.Exists(name) && IsRegular(name) || Directory.Exists(name)))))
        {
            throw new MusterException(ErrorKind.Conflict, $"{name} exists: choose another name, or add --overwrite");
        }
    }

    /// <summary>Begins to write; nothing is seen of it before <see cref="Commit"/> where the name is a regular file or none.</summary>
    /// <param name="name">The name as the user gave it.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced.</param>
    public static OutputFile Begin(string name, bool overwrite = true)
    {
        Check(name, overwrite);
        try
        {
            return IsStandardOutput(name) ? new OutputFile(name, 1, isOwned: false) : Open(name, overwrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(name, e);
        }
    }

    /// <summary>Writes all of a file.</summary>
    public static void Write(string name, ReadOnlySpan<byte> content)
    {
        using var file = Begin(name);
        try
        {
            file.Stream.Write(content);
            file.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(name, e);
        }
    }

    /// <summary>Writes all of a file as UTF-8.</summary>
    public static void Write(string name, string content) => Write(name, Encoding.UTF8.GetBytes(content));

    /// <summary>The file is whole.</summary>
    public void Commit()
    {
        Stream.Flush();
        if (_target is not null)
        {
            Stream.Flush(flushToDisk: true);
        }

        Stream.Dispose();
        if (_beside is not null && !_mayReplace)
        {
            File.Move(_beside, _target!, overwrite: false);
        }
        else if (_beside is not null)
        {
            LinuxException.Check(FileCalls.Rename(FileCalls.AtCurrentDirectory, FileCalls.Terminated(_beside), FileCalls.AtCurrentDirectory, FileCalls.Terminated(_target!)), "rename", Name);
        }

        _isWhole = true;
    }

    /// <summary>Removes what is not whole.</summary>
    public void Dispose()
    {
        try
        {
            Stream.Dispose();
        }
        catch (IOException) when (!_isWhole)
        {
            // The failure before is the one to be told.
        }

        if (!_isWhole && (_beside ?? (_isCreated ? _target : null)) is { } unfinished)
        {
            _ = FileCalls.Remove(FileCalls.AtCurrentDirectory, FileCalls.Terminated(unfinished), isDirectory: false);
        }
    }

    private static OutputFile Open(string name, bool overwrite)
    {
        // A descriptor of this process by its name in /proc (/dev/stdout, /dev/fd/3) may be a file that others go on writing to.
        var fd = FileCalls.OpenBelow(FileCalls.AtCurrentDirectory, FileCalls.Terminated(name), FileCalls.PathOnly, FileCalls.ResolveNoMagicLinks);
        if (fd < 0)
        {
            return FileCalls.Error switch
            {
                Errno.ELOOP => InPlace(name, name, AppendFlag),
                Errno.ENOENT => New(name, overwrite),
                _ => throw LinuxException.Last("open", name),
            };
        }

        try
        {
            var status = FileStatus.Read(fd);
            return status.Type switch
            {
                FileStatus.Folder => throw new MusterException(ErrorKind.Invalid, $"{name} is a folder: name a file"),
                FileStatus.Regular => Replacing(name, RealPath.Resolve(name), status),
                _ => InPlace(name, name, 0),
            };
        }
        finally
        {
            _ = FileCalls.Close(fd);
        }
    }

    // The kernel follows a link that leads nowhere yet, by its own rules for folders that all may write to.
    private static OutputFile New(string name, bool overwrite)
    {
        if (FileStatus.Find(name) is null)
        {
            var path = Path.GetFullPath(name);
            var beside = BesideOf(path);
            return new OutputFile(name, LinuxException.Check(FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(beside), FileCalls.WriteOnly | FileCalls.Create | FileCalls.Exclusive | FileCalls.NoFollow, AnyMode), "open", name), path, beside, mayReplace: overwrite);
        }

        var fd = FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(name), FileCalls.WriteOnly | FileCalls.Create, AnyMode);
        return fd >= 0 ? new OutputFile(name, fd, RealPath.Resolve(name), isCreated: true) : throw LinuxException.Last("open", name);
    }

    private static OutputFile Replacing(string name, string path, in FileStatus status)
    {
        // Who may not write to a file does not replace it either.
        var old = LinuxException.Check(FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), FileCalls.WriteOnly | FileCalls.NoFollow), "open", name);
        var beside = BesideOf(path);
        var fd = status.Links > 1 ? -1 : FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(beside), FileCalls.WriteOnly | FileCalls.Create | FileCalls.Exclusive | FileCalls.NoFollow, 0x180);
        if (fd >= 0)
        {
            var made = FileStatus.Read(fd);
            var isAlike = ((made.Uid == status.Uid && made.Gid == status.Gid) || FileCalls.ChangeOwner(fd, status.Uid, status.Gid) == 0) && FileCalls.ChangeMode(fd, status.Permissions) == 0;
            if (isAlike)
            {
                _ = FileCalls.Close(old);
                return new OutputFile(name, fd, path, beside);
            }

            _ = FileCalls.Close(fd);
            _ = FileCalls.Remove(FileCalls.AtCurrentDirectory, FileCalls.Terminated(beside), isDirectory: false);
        }

        if (FileCalls.SetLength(old, 0) < 0)
        {
            var e = LinuxException.Last("ftruncate", name);
            _ = FileCalls.Close(old);
            throw e;
        }

        return new OutputFile(name, old, path);
    }

    private static OutputFile InPlace(string name, string path, int flags) =>
        new(name, LinuxException.Check(FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), FileCalls.WriteOnly | flags), "open", name));

    // Nobody else can have made it before, and no name becomes too long by it.
    private static string BesideOf(string path) => Path.Combine(Path.GetDirectoryName(path) ?? "/", ".muster-" + Guid.NewGuid().ToString("N"));

    private static bool IsRegular(string path) => FileStatus.Find(RealPath.Resolve(path)) is { Type: FileStatus.Regular };

    private static MusterException Unwritable(string name, Exception e) => new(ErrorKind.Invalid, $"{name} cannot be written: {e.Message.TrimEnd('.')}", e);
}
