using System.Text;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>The directories of a tree while it is unpacked: opens parents inside the root, remembers what each is to be at the end.</summary>
internal sealed class TreeFolders : IDisposable
{
    private const uint OwnerAll = 0x1c0;
    private const uint DefaultMode = 0x1ed;
    private const ulong Inside = FileCalls.ResolveInRoot | FileCalls.ResolveNoMagicLinks;

    private readonly DirectoryHandle _root;
    /// <summary>What a directory costs beside its path: its places in the table and in the heap.</summary>
    private const int FolderOverhead = 100;

    private readonly long _mostBytes;
    private readonly Dictionary<string, Wanted> _wanted = new(StringComparer.Ordinal);
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);
    private long _bytes;
    private byte[] _cachedPath = [];
    private int _cached = -1;

    /// <summary>Folders below <paramref name="root"/>, remembered within <paramref name="mostBytes"/> of memory.</summary>
    public TreeFolders(DirectoryHandle root, long mostBytes)
    {
        _root = root;
        _mostBytes = mostBytes;
    }

    // What an entry says of a directory, without the rest of it: attributes may have megabytes, and every directory is kept to the end.
    private readonly record struct Wanted(uint Mode, long ModifiedSeconds, uint ModifiedNanoseconds);

    /// <summary>A descriptor (O_PATH) of the directory at <paramref name="path"/>, made with its parents when missing. It stays this object's.</summary>
    public int Open(ReadOnlySpan<byte> path)
    {
        if (path.Length == 0)
        {
            return _root.Descriptor;
        }

        if (_cached >= 0 && path.SequenceEqual(_cachedPath))
        {
            return _cached;
        }

        var fd = OpenExisting(path);
        if (fd < 0)
        {
            fd = FileCalls.Error == Errno.ENOENT ? MakeParents(path) : throw Refused(path);
        }

        Drop();
        _cached = fd;
        _cachedPath = path.ToArray();
        return fd;
    }

    /// <summary>As <see cref="Open"/> without making anything; the descriptor is the caller's, -1 with the error when it is not there.</summary>
    public int OpenExisting(ReadOnlySpan<byte> path) =>
        FileCalls.OpenBelow(_root.Descriptor, path.Length == 0 ? "."u8 : (byte[])[.. path, 0], FileCalls.PathOnly | FileCalls.DirectoryOnly, Inside);

    /// <summary>Keeps what a directory is to be at the end; its last entry wins.</summary>
    public void Remember(ReadOnlySpan<byte> path, TarEntry entry, bool refuseTwice)
    {
        var key = Encoding.Latin1.GetString(path);
        var wanted = new Wanted(entry.Mode, entry.ModifiedSeconds, entry.ModifiedNanoseconds);
        if (_wanted.TryAdd(key, wanted))
        {
            Count(key);
            return;
        }

        _wanted[key] = refuseTwice
            ? throw new MusterException(ErrorKind.Invalid, $"The archive has \"{entry.DisplayName}\" twice, which an App Container image must not")
            : wanted;
    }

    /// <summary>Directories that no entry described.</summary>
    public IReadOnlyList<string> Implicit()
    {
        var found = _made.Where(path => !_wanted.ContainsKey(path)).ToList();
        if (!_wanted.ContainsKey(""))
        {
            found.Add("");
        }

        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <summary>Something at <paramref name="path"/> was replaced: no cached parent may lead through it.</summary>
    public void Forget(ReadOnlySpan<byte> path)
    {
        var key = Encoding.Latin1.GetString(path);
        if (_wanted.Remove(key))
        {
            _bytes -= (2 * key.Length) + FolderOverhead;
        }

        // The caller still uses the cached descriptor as the parent of what it replaces; only its name is forgotten.
        _cachedPath = [0];
    }

    /// <summary>Sets modes where creating could not, and times.</summary>
    /// <param name="privileged">Whether owners could be set.</param>
    /// <param name="umask">What creating has taken away.</param>
    /// <param name="isShared">Whether the root is somebody else's, and stays as it is.</param>
    public void Finish(bool privileged, uint umask, bool isShared = false)
    {
        foreach (var key in Implicit())
        {
            if (isShared && key.Length == 0)
            {
                continue;
            }


            // The time of unpacking must not be in the tree: unpacked again it must be the same.
            var path = key.Length == 0 ? "."u8.ToArray() : Encoding.Latin1.GetBytes(key);
            var fd = FileCalls.OpenBelow(_root.Descriptor, [.. path, 0], FileCalls.ReadOnly | FileCalls.DirectoryOnly | FileCalls.NoFollow, Inside);
            if (fd >= 0)
            {
                _ = FileCalls.SetTime(fd, 0, 0);
                _ = FileCalls.Close(fd);
            }
        }

        foreach (var (key, wanted) in _wanted)
        {
            var path = Encoding.Latin1.GetBytes(key);
            var fd = path.Length == 0
                ? FileCalls.OpenBelow(_root.Descriptor, "."u8, FileCalls.ReadOnly | FileCalls.DirectoryOnly, Inside)
                : FileCalls.OpenBelow(_root.Descriptor, [.. path, 0], FileCalls.ReadOnly | FileCalls.DirectoryOnly | FileCalls.NoFollow, Inside);
            if (fd < 0)
            {
                // Replaced later by something that is no directory, or removed with a replaced parent.
                if (FileCalls.Error is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP)
                {
                    continue;
                }

                throw LinuxException.Last("openat2", TarEntry.Display(path));
            }

            try
            {
                var made = (wanted.Mode | OwnerAll) & 0x3ff & ~umask;
                if (path.Length == 0 || made != wanted.Mode || !privileged)
                {
                    LinuxException.Check(FileCalls.ChangeMode(fd, wanted.Mode), "fchmod", TarEntry.Display(path));
                }

                LinuxException.Check(FileCalls.SetTime(fd, wanted.ModifiedSeconds, wanted.ModifiedNanoseconds), "futimens", TarEntry.Display(path));
            }
            finally
            {
                _ = FileCalls.Close(fd);
            }
        }
    }

    public void Dispose() => Drop();

    private void Drop()
    {
        if (_cached >= 0)
        {
            _ = FileCalls.Close(_cached);
            _cached = -1;
        }
    }

    // Parents without an entry of their own get 0755 of root, as tar gives them.
    private int MakeParents(ReadOnlySpan<byte> path)
    {
        for (var at = 0; at <= path.Length; at++)
        {
            if (at < path.Length && path[at] != '/')
            {
                continue;
            }

            var fd = OpenExisting(path[..at]);
            if (fd < 0)
            {
                if (FileCalls.Error != Errno.ENOENT)
                {
                    throw Refused(path[..at]);
                }

                MakeOne(path[..at]);
                fd = OpenExisting(path[..at]);
            }

            if (fd < 0)
            {
                throw Refused(path[..at]);
            }

            if (at == path.Length)
            {
                return fd;
            }

            _ = FileCalls.Close(fd);
        }

        throw Refused(path);
    }

    private void MakeOne(ReadOnlySpan<byte> path)
    {
        var slash = path.LastIndexOf((byte)'/');
        var parent = OpenExisting(slash < 0 ? [] : path[..slash]);
        if (parent < 0)
        {
            throw Refused(path);
        }

        try
        {
            if (FileCalls.MakeDirectory(parent, [.. path[(slash + 1)..], 0], DefaultMode) < 0)
            {
                throw Refused(path);
            }

            var key = Encoding.Latin1.GetString(path);
            if (_made.Add(key))
            {
                Count(key);
            }

            // The umask must not decide what an image looks like.
            LinuxException.Check(FileCalls.ChangeMode(parent, [.. path[(slash + 1)..], 0], DefaultMode), "fchmodat");
        }
        finally
        {
            _ = FileCalls.Close(parent);
        }
    }

    private void Count(string path)
    {
        _bytes += (2 * path.Length) + FolderOverhead;
        if (_bytes > _mostBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The archive has more directories, or longer paths of them, than fit into {Quantity.FormatBytes(_mostBytes)} of memory");
        }
    }

    private static Exception Refused(ReadOnlySpan<byte> path) => FileCalls.Error switch
    {
        Errno.ENOTDIR or Errno.EEXIST or Errno.ELOOP or Errno.ENOENT => new MusterException(ErrorKind.Invalid, $"The archive puts files below \"{TarEntry.Display(path)}\", which is not a directory in it"),
        Errno.ENOSYS => new MusterException(ErrorKind.Unsupported, "Unpacking safely needs openat2(2): use Linux 5.6 or newer"),
        _ => LinuxException.Last("openat2", TarEntry.Display(path)),
    };
}
