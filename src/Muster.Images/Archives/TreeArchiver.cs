using System.Text;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>How a tree is archived.</summary>
/// <param name="Prefix">Put before every name: <c>rootfs</c> for an ACI, empty for a layer.</param>
/// <param name="Clamp">Times after this one become this one (reproducible builds); null keeps them.</param>
/// <param name="RootOwned">Every owner becomes 0:0.</param>
/// <param name="Sparse">
/// Files with holes are written as GNU tar does with --sparse. Not for archives that others read: image-spec layer.md advises
/// against it, and holes differ from host to host.
/// </param>
public sealed record ArchiveRules(string Prefix = "", long? Clamp = null, bool RootOwned = false, bool Sparse = false);

/// <summary>
/// Archives a root made of overlayfs lowers as one tree: the topmost one that has a name decides, whiteouts and opaque
/// directories hide what is below (kernel Documentation/filesystems/overlayfs.rst). Names come in byte order.
/// </summary>
public sealed class TreeArchiver
{
    private readonly TarWriter _writer;
    private readonly ArchiveRules _rules;
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly Dictionary<(ulong FileSystem, ulong Inode), byte[]> _linked = [];

    private TreeArchiver(TarWriter writer, ArchiveRules rules)
    {
        _writer = writer;
        _rules = rules;
    }

    /// <summary>Writes everything below the lowers (topmost first), the root directory included.</summary>
    public static void Write(IReadOnlyList<string> lowers, TarWriter writer, ArchiveRules rules, CancellationToken ct)
    {
        var folders = lowers.Select(DirectoryHandle.Open).ToList();
        try
        {
            var archiver = new TreeArchiver(writer, rules);
            var root = TreeEntries.Folder(folders[0].Descriptor, "."u8, FileStatus.Read(folders[0].Descriptor));
            writer.Write(archiver.Adapt(root, Encoding.UTF8.GetBytes(rules.Prefix.Length == 0 ? "./" : rules.Prefix + "/"), []));
            archiver.Walk(folders, rules.Prefix.Length == 0 ? [] : Encoding.UTF8.GetBytes(rules.Prefix + "/"), 0, ct);
        }
        finally
        {
            folders.ForEach(f => f.Dispose());
        }
    }

    private void Walk(List<DirectoryHandle> folders, byte[] prefix, int depth, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (depth > TarLimits.Default.MaxDepth)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The tree is more than {TarLimits.Default.MaxDepth} directories deep at \"{TarEntry.Display(prefix)}\"");
        }

        var names = new SortedSet<byte[]>(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        foreach (var folder in folders)
        {
            names.UnionWith(folder.Names());
        }

        foreach (var name in names)
        {
            Take(folders, name, prefix, depth, ct);
        }
    }

    private void Take(List<DirectoryHandle> folders, byte[] name, byte[] prefix, int depth, CancellationToken ct)
    {
        DirectoryHandle? owner = null;
        FileStatus found = default;
        var merged = new List<DirectoryHandle>();
        try
        {
            foreach (var folder in folders)
            {
                if (!FileStatus.TryRead(folder.Descriptor, name, out var status))
                {
                    continue;
                }

                if (owner is null)
                {
                    (owner, found) = (folder, status);
                }

                // The first that is no directory ends what is merged; when it is the topmost one, it is all there is.
                if (status.Type != FileStatus.Folder)
                {
                    break;
                }

                merged.Add(folder.TryOpen(name) ?? throw LinuxException.Last("open", TarEntry.Display(name)));
                if (TreeXattrs.IsOpaque(folder.Descriptor, name))
                {
                    break;
                }
            }

            if (owner is null || found.IsWhiteout || found.Type == FileStatus.Socket)
            {
                return;
            }

            byte[] path = [.. prefix, .. name.AsSpan(0, name.Length - 1)];
            if (found.Type == FileStatus.Folder)
            {
                byte[] folderPath = [.. path, (byte)'/'];
                _writer.Write(Adapt(TreeEntries.Folder(owner.Descriptor, name, found), folderPath, []));
                Walk(merged, folderPath, depth + 1, ct);
            }
            else
            {
                WriteFile(owner.Descriptor, name, found, path, ct);
            }
        }
        finally
        {
            merged.ForEach(f => f.Dispose());
        }
    }

    private void WriteFile(int folder, byte[] name, in FileStatus status, byte[] path, CancellationToken ct)
    {
        if (status.Links > 1)
        {
            var key = (status.FileSystem, status.Inode);
            if (_linked.TryGetValue(key, out var first))
            {
                _writer.Write(Adapt(Entry(TarEntryType.HardLink, status, [], 0), path, first));
                return;
            }

            _linked.Add(key, path);
        }

        var xattrs = TreeEntries.Xattrs(folder, name);
        switch (status.Type)
        {
            case FileStatus.Regular:
                WriteContent(folder, name, Adapt(Entry(TarEntryType.File, status, xattrs, status.Size), path, []), ct);
                break;
            case FileStatus.Symlink:
                var target = new byte[4096];
                var length = FileCalls.ReadLink(folder, name, target);
                LinuxException.Check(length, "readlinkat", TarEntry.Display(path));
                _writer.Write(Adapt(Entry(TarEntryType.Symlink, status, xattrs, 0), path, target[..length]));
                break;
            default:
                _writer.Write(Adapt(Entry(status.Type switch { FileStatus.CharacterDevice => TarEntryType.CharacterDevice, FileStatus.BlockDevice => TarEntryType.BlockDevice, _ => TarEntryType.Fifo }, status, xattrs, 0), path, []));
                break;
        }
    }

    private void WriteContent(int folder, byte[] name, TarEntry entry, CancellationToken ct)
    {
        var fd = LinuxException.Check(FileCalls.Open(folder, name, FileCalls.ReadOnly | FileCalls.NoFollow | FileCalls.NonBlocking), "openat", entry.DisplayName);
        try
        {
            var pieces = FileHoles.DataOf(fd, entry.Size);
            var stored = pieces.Sum(p => p.Length);
            var isSparse = _rules.Sparse && stored < entry.Size;
            _writer.Write(isSparse ? entry with { Sparse = pieces, StoredSize = stored } : entry);
            long at = 0;
            foreach (var (offset, length) in pieces)
            {
                _writer.WriteZeros(isSparse ? 0 : offset - at, ct);
                LinuxException.Check((int)Math.Min(0, FileCalls.Seek(fd, offset)), "lseek", entry.DisplayName);
                Copy(fd, length, entry, ct);
                at = offset + length;
            }

            _writer.WriteZeros(isSparse ? 0 : entry.Size - at, ct);
        }
        finally
        {
            _ = FileCalls.Close(fd);
        }
    }

    private void Copy(int fd, long length, TarEntry entry, CancellationToken ct)
    {
        while (length > 0)
        {
            ct.ThrowIfCancellationRequested();
            var n = LinuxException.Check(FileCalls.Read(fd, _buffer.AsSpan(0, (int)Math.Min(length, _buffer.Length))), "read", entry.DisplayName);
            if (n == 0)
            {
                break;
            }

            _writer.WriteData(_buffer.AsSpan(0, n));
            length -= n;
        }
    }

    private static TarEntry Entry(TarEntryType type, in FileStatus status, IReadOnlyList<KeyValuePair<byte[], byte[]>> xattrs, long size) => new()
    {
        Type = type,
        Name = [],
        Mode = type == TarEntryType.Symlink ? 0x1ff : status.Permissions,
        Uid = status.Uid,
        Gid = status.Gid,
        Size = size,
        StoredSize = size,
        ModifiedSeconds = status.ModifiedSeconds,
        ModifiedNanoseconds = status.ModifiedNanoseconds,
        DeviceMajor = status.DeviceMajor,
        DeviceMinor = status.DeviceMinor,
        Xattrs = xattrs,
    };

    private TarEntry Adapt(TarEntry entry, byte[] name, byte[] link)
    {
        var clamped = _rules.Clamp is { } latest && (entry.ModifiedSeconds > latest || (entry.ModifiedSeconds == latest && entry.ModifiedNanoseconds > 0));
        return new TarEntry
        {
            Type = entry.Type,
            Name = name,
            LinkName = link,
            Mode = entry.Mode,
            Uid = _rules.RootOwned ? 0 : entry.Uid,
            Gid = _rules.RootOwned ? 0 : entry.Gid,
            Size = entry.Size,
            StoredSize = entry.Size,
            ModifiedSeconds = clamped ? _rules.Clamp!.Value : entry.ModifiedSeconds,

            // A build that clamps wants the same archive from a tree that was copied with whole seconds.
            ModifiedNanoseconds = clamped || _rules.Clamp is not null ? 0 : entry.ModifiedNanoseconds,
            DeviceMajor = entry.DeviceMajor,
            DeviceMinor = entry.DeviceMinor,
            Xattrs = entry.Xattrs,
        };
    }
}
