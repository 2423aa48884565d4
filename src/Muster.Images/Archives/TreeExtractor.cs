using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>How entries become files.</summary>
/// <param name="Whiteouts">OCI layers: <c>.wh.NAME</c> and <c>.wh..wh..opq</c> become overlayfs's own marks (image-spec layer.md, Whiteouts).</param>
/// <param name="RefuseDuplicates">App Container images: a name may come once (appc spec/aci.md).</param>
/// <param name="IsShared">
/// The folder has files of others: it keeps its own mode and time, and a folder there is not replaced by a file, nor a file by a folder.
/// </param>
public sealed record ExtractionRules(bool Whiteouts, bool RefuseDuplicates, bool IsShared = false);

/// <summary>
/// Makes files below one directory from tar entries. Parents are opened by openat2 with RESOLVE_IN_ROOT, so no name and no
/// link can lead outside; what stands where an entry goes is replaced, never followed. Four system calls for a usual file.
/// </summary>
public sealed class TreeExtractor : IDisposable
{
    private const uint OwnerAll = 0x1c0;

    private readonly DirectoryHandle _root;
    private readonly ExtractionRules _rules;
    private readonly TarLimits _limits;
    private readonly bool _privileged = FileCalls.EffectiveUser == 0;
    private readonly uint _umask = FileCalls.Umask();
    private readonly TreeFolders _folders;
    private readonly byte[] _path;
    private readonly byte[] _target;

    /// <summary>Starts on an existing, empty directory that only its owner may enter.</summary>
    public TreeExtractor(string root, ExtractionRules rules, TarLimits limits)
    {
        _root = DirectoryHandle.Open(root);
        _rules = rules;
        _limits = limits;
        _path = new byte[limits.MaxPathBytes + 2];
        _target = new byte[limits.MaxPathBytes + 2];
        _folders = new TreeFolders(_root, limits.MaxFolderBytes);
    }

    /// <summary>Sum of the files' sizes, holes not counted.</summary>
    public long Bytes { get; private set; }

    /// <summary>Directories made only as parents of others, bytes as Latin-1; the root as an empty text.</summary>
    public IReadOnlyList<string> ImplicitFolders => _folders.Implicit();

    /// <summary>Makes one entry; <paramref name="name"/> and <paramref name="link"/> are its names below the root.</summary>
    public void Extract(TarEntry entry, ReadOnlySpan<byte> name, ReadOnlySpan<byte> link, TarReader? content)
    {
        var length = TarPath.Normalise(name, _path, _limits);
        var path = _path.AsSpan(0, length);
        if (length == 0)
        {
            ExtractRoot(entry);
            return;
        }

        var slash = path.LastIndexOf((byte)'/');
        var parent = _folders.Open(slash < 0 ? [] : path[..slash]);
        var last = _path.AsSpan(slash + 1, length - slash);
        if (_rules.Whiteouts && last.StartsWith(".wh."u8))
        {
            MarkDeleted(parent, path, last, entry);
            return;
        }

        switch (entry.Type)
        {
            case TarEntryType.Directory:
                MakeFolder(parent, path, last, entry);
                return;
            case TarEntryType.File:
                MakeFile(parent, path, last, entry, content!);
                return;
            case TarEntryType.Symlink:
                Clear(parent, path, last, entry, () => FileCalls.MakeSymlink([.. entry.LinkName, 0], parent, _path.AsSpan(slash + 1, length - slash)));
                break;
            case TarEntryType.HardLink:
                MakeLink(parent, path, last, entry, link);
                return;
            default:
                MakeNode(parent, path, last, entry);
                break;
        }

        SetOwner(parent, last, entry);
        SetXattrs(-1, parent, last, entry);
        Check(FileCalls.SetTime(parent, last, entry.ModifiedSeconds, entry.ModifiedNanoseconds), "utimensat", entry);
    }

    /// <summary>Makes a hard link at <paramref name="path"/> to a file of another tree on the same file system, links not followed.</summary>
    public void LinkFrom(int directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        var slash = path.LastIndexOf((byte)'/');
        var parent = _folders.Open(slash < 0 ? [] : path[..slash]);
        if (FileCalls.MakeLink(directory, name, parent, [.. path[(slash + 1)..], 0]) < 0)
        {
            throw FileCalls.Error == Errno.EMLINK
                ? new MusterException(ErrorKind.Exhausted, $"The file \"{TarEntry.Display(path)}\" is shared by as many rendered images as the file system allows: remove unused images with muster image gc")
                : LinuxException.Last("linkat", TarEntry.Display(path));
        }
    }

    /// <summary>Gives the directories their modes and times, which the files made in them had changed.</summary>
    public void Finish() => _folders.Finish(_privileged, _umask, _rules.IsShared);

    /// <inheritdoc/>
    public void Dispose()
    {
        _folders.Dispose();
        _root.Dispose();
    }

    private void ExtractRoot(TarEntry entry)
    {
        if (entry.Type != TarEntryType.Directory)
        {
            throw new MusterException(ErrorKind.Invalid, $"The archive has \"{entry.DisplayName}\", which stands for its root, as something that is not a directory");
        }

        _folders.Remember([], entry, _rules.RefuseDuplicates);
        if (_privileged)
        {
            Check(FileCalls.ChangeOwner(_root.Descriptor, entry.Uid, entry.Gid), "fchown", entry);
        }

        SetXattrs(_root.Descriptor, -1, [], entry);
    }

    private void MakeFolder(int parent, ReadOnlySpan<byte> path, ReadOnlySpan<byte> last, TarEntry entry)
    {
        var hidden = false;
        if (FileCalls.MakeDirectory(parent, last, entry.Mode | OwnerAll) < 0)
        {
            Expect(Errno.EEXIST, "mkdirat", entry);
            if (!FileStatus.TryRead(parent, last, out var there))
            {
                throw Failed("statx", entry);
            }

            if (there.Type != FileStatus.Folder)
            {
                hidden = _rules.Whiteouts && there.IsWhiteout;
                RemoveOld(parent, path, last, entry);
                Check(FileCalls.MakeDirectory(parent, last, entry.Mode | OwnerAll), "mkdirat", entry);
            }
        }

        _folders.Remember(path, entry, _rules.RefuseDuplicates);
        SetOwner(parent, last, entry);
        SetXattrs(-1, parent, last, entry);
        if (hidden)
        {
            MakeOpaque(parent, last, entry);
        }
    }

    private void MakeFile(int parent, ReadOnlySpan<byte> path, ReadOnlySpan<byte> last, TarEntry entry, TarReader content)
    {
        var flags = FileCalls.WriteOnly | FileCalls.Create | FileCalls.Exclusive | FileCalls.NoFollow;
        var mode = entry.Mode & 0x1ff;
        var fd = FileCalls.Open(parent, last, flags, mode);
        if (fd < 0)
        {
            Expect(Errno.EEXIST, "openat", entry);
            RemoveOld(parent, path, last, entry);
            fd = FileCalls.Open(parent, last, flags, mode);
            Check(fd, "openat", entry);
        }

        try
        {
            WriteContent(fd, entry, content);
            if (_privileged && (entry.Uid != 0 || entry.Gid != 0))
            {
                Check(FileCalls.ChangeOwner(fd, entry.Uid, entry.Gid), "fchown", entry);
            }

            // After chown, which takes setuid and setgid away.
            if ((entry.Mode & (0xe00 | _umask)) != 0)
            {
                Check(FileCalls.ChangeMode(fd, entry.Mode), "fchmod", entry);
            }

            SetXattrs(fd, -1, [], entry);
            Check(FileCalls.SetTime(fd, entry.ModifiedSeconds, entry.ModifiedNanoseconds), "futimens", entry);
        }
        finally
        {
            _ = FileCalls.Close(fd);
        }
    }

    private void WriteContent(int fd, TarEntry entry, TarReader content)
    {
        Bytes += entry.StoredSize;
        if (entry.Sparse is null)
        {
            while (content.ReadData() is { Length: > 0 } piece)
            {
                Check(FileCalls.WriteAll(fd, piece), "write", entry);
            }

            return;
        }

        var segment = 0;
        long left = 0;
        while (content.ReadData() is { Length: > 0 } piece)
        {
            while (piece.Length > 0)
            {
                while (left == 0)
                {
                    var (offset, size) = entry.Sparse[segment++];
                    left = size;
                    Check((int)Math.Min(0, FileCalls.Seek(fd, offset)), "lseek", entry);
                }

                var n = (int)Math.Min(left, piece.Length);
                Check(FileCalls.WriteAll(fd, piece[..n]), "write", entry);
                piece = piece[n..];
                left -= n;
            }
        }

        Check(FileCalls.SetLength(fd, entry.Size), "ftruncate", entry);
    }

    private void MakeLink(int parent, ReadOnlySpan<byte> path, ReadOnlySpan<byte> last, TarEntry entry, ReadOnlySpan<byte> link)
    {
        var length = TarPath.Normalise(link, _target, _limits);
        var target = _target.AsSpan(0, length);
        var slash = target.LastIndexOf((byte)'/');
        var name = _target.AsSpan(slash + 1, length - slash).ToArray();
        if (length == 0 || target.SequenceEqual(path))
        {
            throw new MusterException(ErrorKind.Invalid, $"The archive has a hard link \"{entry.DisplayName}\" to itself or to its root");
        }

        // The parent of the target is opened apart: the cached one is where the link goes.
        var directory = _folders.OpenExisting(slash < 0 ? [] : target[..slash]);
        try
        {
            if (directory < 0 || !FileStatus.TryRead(directory, name, out var there) || there.Type == FileStatus.Folder || there.IsWhiteout)
            {
                throw new MusterException(ErrorKind.Invalid, $"The archive has a hard link \"{entry.DisplayName}\" to \"{TarEntry.Display(entry.LinkName)}\", which is not a file before it in this archive");
            }

            var result = FileCalls.MakeLink(directory, name, parent, last);
            if (result < 0 && FileCalls.Error == Errno.EEXIST)
            {
                RemoveOld(parent, path, last, entry);
                result = FileCalls.MakeLink(directory, name, parent, last);
            }

            Check(result, "linkat", entry);
        }
        finally
        {
            _ = FileCalls.Close(directory);
        }
    }

    private void MakeNode(int parent, ReadOnlySpan<byte> path, ReadOnlySpan<byte> last, TarEntry entry)
    {
        if (entry.Type == TarEntryType.CharacterDevice && entry.DeviceMajor == 0 && entry.DeviceMinor == 0)
        {
            throw new MusterException(ErrorKind.Invalid, $"The archive has \"{entry.DisplayName}\" as character device 0/0, overlayfs's mark for a deleted file, which an image must not set itself");
        }

        var type = entry.Type switch
        {
            TarEntryType.CharacterDevice => FileStatus.CharacterDevice,
            TarEntryType.BlockDevice => FileStatus.BlockDevice,
            _ => FileStatus.Fifo,
        };
        var mode = type | (entry.Mode & 0xfff);
        if (FileCalls.MakeNode(parent, last, mode, entry.DeviceMajor, entry.DeviceMinor) < 0)
        {
            Expect(Errno.EEXIST, "mknodat", entry);
            RemoveOld(parent, path, last, entry);
            Check(FileCalls.MakeNode(parent, last, mode, entry.DeviceMajor, entry.DeviceMinor), "mknodat", entry);
        }

        if (_privileged)
        {
            Check(FileCalls.ChangeOwner(parent, last, entry.Uid, entry.Gid), "fchownat", entry);
        }

        Check(FileCalls.ChangeMode(parent, last, entry.Mode), "fchmodat", entry);
    }

    private void MarkDeleted(int parent, ReadOnlySpan<byte> path, ReadOnlySpan<byte> last, TarEntry entry)
    {
        if (last.StartsWith(".wh..wh."u8))
        {
            // aufs kept further files of its own under this prefix; only the opaque mark has a meaning in OCI.
            if (last.SequenceEqual(".wh..wh..opq\0"u8))
            {
                MakeOpaque(parent, [], entry);
            }

            return;
        }

        var name = last[4..];
        if (name.SequenceEqual("\0"u8) || name.SequenceEqual(".\0"u8) || name.SequenceEqual("..\0"u8))
        {
            throw new MusterException(ErrorKind.Invalid, $"The layer has a whiteout of no name: \"{entry.DisplayName}\"");
        }

        if (FileCalls.MakeNode(parent, name, FileStatus.CharacterDevice, 0, 0) == 0)
        {
            Check(FileCalls.SetTime(parent, name, entry.ModifiedSeconds, entry.ModifiedNanoseconds), "utimensat", entry);
            return;
        }

        // A whiteout hides what is below; what this layer itself holds under the name stays, and hides it as well.
        Expect(Errno.EEXIST, "mknodat", entry);
        if (FileStatus.TryRead(parent, name, out var there) && there.Type == FileStatus.Folder)
        {
            MakeOpaque(parent, name, entry);
        }
    }

    // An empty name means the directory itself.
    private static void MakeOpaque(int directory, ReadOnlySpan<byte> name, TarEntry entry) =>
        Check(ExtendedAttributes.Set(directory, name.Length == 0 ? "."u8 : name, "trusted.overlay.opaque\0"u8, "y"u8), "setxattr", entry);

    private void Clear(int parent, ReadOnlySpan<byte> path, ReadOnlySpan<byte> last, TarEntry entry, Func<int> make)
    {
        if (make() < 0)
        {
            Expect(Errno.EEXIST, "symlinkat", entry);
            RemoveOld(parent, path, last, entry);
            Check(make(), "symlinkat", entry);
        }
    }

    private void RemoveOld(int parent, ReadOnlySpan<byte> path, ReadOnlySpan<byte> last, TarEntry entry)
    {
        if (_rules.RefuseDuplicates)
        {
            throw new MusterException(ErrorKind.Invalid, $"The archive has \"{entry.DisplayName}\" twice, which an App Container image must not");
        }

        if (_rules.IsShared && FileStatus.TryRead(parent, last, out var there) && (there.Type == FileStatus.Folder) != (entry.Type == TarEntryType.Directory))
        {
            throw new MusterException(ErrorKind.Conflict, there.Type == FileStatus.Folder
                ? $"\"{TarEntry.Display(path)}\" is a folder in the target and a file in the source: remove one of them, or choose another target"
                : $"\"{TarEntry.Display(path)}\" is a file in the target and a folder in the source: remove one of them, or choose another target");
        }

        // Parents opened before may have been reached through what is replaced now.
        _folders.Forget(path);
        if (FileCalls.Remove(parent, last, isDirectory: false) < 0)
        {
            Expect(Errno.EISDIR, "unlinkat", entry);
            using var directory = DirectoryHandle.Open($"/proc/self/fd/{parent}/.");
            directory.RemoveAll(last);
        }
    }

    private void SetOwner(int parent, ReadOnlySpan<byte> last, TarEntry entry)
    {
        if (_privileged && (entry.Uid != 0 || entry.Gid != 0 || entry.Type == TarEntryType.Directory))
        {
            Check(FileCalls.ChangeOwner(parent, last, entry.Uid, entry.Gid), "fchownat", entry);
        }
    }

    private static void SetXattrs(int fd, int parent, ReadOnlySpan<byte> last, TarEntry entry)
    {
        foreach (var (name, value) in entry.Xattrs)
        {
            if (!TreeXattrs.IsKept(name, entry))
            {
                continue;
            }

            byte[] attribute = [.. name, 0];
            if ((fd >= 0 ? ExtendedAttributes.Set(fd, attribute, value) : ExtendedAttributes.Set(parent, last, attribute, value)) < 0)
            {
                throw FileCalls.Error is Errno.ENOTSUP or Errno.EPERM
                    ? new MusterException(ErrorKind.Unsupported, $"The file system of the image store cannot keep the extended attribute \"{TarEntry.Display(name)}\" of \"{entry.DisplayName}\" ({Failed("setxattr", entry).Message})")
                    : Failed("setxattr", entry);
            }
        }
    }

    private static void Expect(int error, string call, TarEntry entry)
    {
        if (FileCalls.Error != error)
        {
            throw Failed(call, entry);
        }
    }

    private static void Check(int result, string call, TarEntry entry)
    {
        if (result < 0)
        {
            throw Failed(call, entry);
        }
    }

    private static Exception Failed(string call, TarEntry entry) => FileCalls.Error switch
    {
        Errno.EMLINK => new MusterException(ErrorKind.Exhausted, $"The archive has \"{entry.DisplayName}\", one more name of its file or directory than this file system allows", LinuxException.Last(call, entry.DisplayName)),
        Errno.ENAMETOOLONG or Errno.EINVAL => new MusterException(ErrorKind.Invalid, $"The archive has \"{entry.DisplayName}\", which this file system cannot hold", LinuxException.Last(call, entry.DisplayName)),
        Errno.EPERM when FileCalls.EffectiveUser != 0 => new MusterException(ErrorKind.Forbidden, $"The archive has \"{entry.DisplayName}\", which only root can make: run the command as root", LinuxException.Last(call, entry.DisplayName)),
        _ => LinuxException.Last(call, entry.DisplayName),
    };
}
