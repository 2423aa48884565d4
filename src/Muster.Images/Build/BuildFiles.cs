using System.Text;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Images.Build;

/// <summary>
/// The files of a build, gathered from the recipe's folder and written in the order of their names: the same folder gives
/// the same archive, whatever order the file system lists it in.
/// </summary>
internal sealed class BuildFiles
{
    private const uint DefaultFolderMode = 0x1ed;

    /// <summary>Files of one build, to stop before a wrong path drags in a whole disk.</summary>
    private const int MaxFiles = 1_000_000;

    private readonly SortedDictionary<string, (TarEntry Entry, string? Source)> _entries = new(StringComparer.Ordinal);
    private readonly string _folder;
    private readonly BaseRoot? _below;

    private BuildFiles(string folder, BaseRoot? below)
    {
        _folder = folder;
        _below = below;
    }

    /// <summary>The latest change of any file, in seconds; the time of an image that nobody gave one.</summary>
    public long Latest { get; private set; }

    /// <summary>
    /// Gathers what the copies name; links inside the folder are copied as links, and none of the paths may lead out of it.
    /// <paramref name="below"/> is the root of the image that is built upon, or null; it must live until the files are written.
    /// </summary>
    public static BuildFiles Gather(string folder, IReadOnlyList<BuildCopy> copies, BaseRoot? below)
    {
        var files = new BuildFiles(RealPath.Resolve(folder), below);
        foreach (var copy in copies)
        {
            files.Add(copy);
        }

        return files;
    }

    /// <summary>Writes every file, and the directories above them that no copy brought; times later than <paramref name="clamp"/> become it.</summary>
    public void Write(TarWriter tar, string prefix, long clamp, CancellationToken ct)
    {
        if (prefix.Length > 0 || _below is not null)
        {
            var root = Existing("") ?? Folder("", clamp);
            tar.Write(With(root, Encoding.UTF8.GetBytes(prefix.Length > 0 ? prefix + "/" : "./"), Math.Min(root.ModifiedSeconds, clamp)));
        }

        var buffer = new byte[256 * 1024];
        foreach (var (path, (entry, source)) in WithParents(clamp))
        {
            ct.ThrowIfCancellationRequested();
            var name = prefix.Length > 0 ? prefix + "/" + path : path;
            tar.Write(With(entry, Encoding.UTF8.GetBytes(entry.Type == TarEntryType.Directory ? name + "/" : name), Math.Min(entry.ModifiedSeconds, clamp)));
            if (source is not null)
            {
                Copy(source, entry.Size, tar, buffer);
            }
        }
    }

    private void Add(BuildCopy copy)
    {
        var source = Path.Combine(_folder, copy.From);
        var status = FileStatus.Find(source) ?? throw new MusterException(ErrorKind.NotFound, $"The recipe copies \"{copy.From}\", which does not exist in its folder");

        // A parent that is a link could lead anywhere on this host.
        var parent = RealPath.Resolve(Path.GetDirectoryName(Path.GetFullPath(source))!);
        if (parent != _folder && !parent.StartsWith(_folder.TrimEnd('/') + "/", StringComparison.Ordinal))
        {
            throw new MusterException(ErrorKind.Invalid, $"The recipe copies \"{copy.From}\", which leads out of its folder through a link");
        }

        var into = copy.To.EndsWith('/') && status.Type != FileStatus.Folder;
        Add(source, status, (copy.To.Trim('/') + (into ? "/" + Path.GetFileName(copy.From.TrimEnd('/')) : "")).Trim('/'), copy, 0);
    }

    private void Add(string source, in FileStatus status, string target, BuildCopy copy, int depth)
    {
        if (_entries.Count >= MaxFiles || depth > TarLimits.Default.MaxDepth)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The build has more than {MaxFiles} files or {TarLimits.Default.MaxDepth} levels of directories");
        }

        Latest = Math.Max(Latest, status.ModifiedSeconds);
        var type = status.Type switch
        {
            FileStatus.Regular => TarEntryType.File,
            FileStatus.Folder => TarEntryType.Directory,
            FileStatus.Symlink => TarEntryType.Symlink,
            _ => throw new MusterException(ErrorKind.Invalid, $"The build cannot take \"{source}\": it is a device, a pipe or a socket"),
        };
        var asked = string.Join('/', target.Split('/').Where(part => part is not ("" or ".")));
        target = Placed(asked, type);

        // As with cp -T: where a folder is copied to keeps its own mode and owner, and so does one that a link leads to.
        var isKept = type == TarEntryType.Directory && (depth == 0 || target != asked) && Existing(target) is not null;
        if (target.Length > 0 && !isKept)
        {
            var mode = type == TarEntryType.Symlink ? 0x1ff : type == TarEntryType.File ? copy.Mode ?? status.Permissions : status.Permissions;
            _entries[target] = (new TarEntry
            {
                Type = type,
                Name = [],
                LinkName = type == TarEntryType.Symlink ? Encoding.UTF8.GetBytes(new FileInfo(source).LinkTarget!) : [],
                Mode = mode,
                Uid = copy.Uid,
                Gid = copy.Gid,
                Size = type == TarEntryType.File ? status.Size : 0,
                ModifiedSeconds = status.ModifiedSeconds,
                Xattrs = Capability(source, type),
            }, type == TarEntryType.File ? source : null);
        }

        if (type == TarEntryType.Directory)
        {
            foreach (var child in Directory.EnumerateFileSystemEntries(source).Order(StringComparer.Ordinal))
            {
                Add(child, FileStatus.Find(child) ?? throw Unfound(child), target + "/" + Path.GetFileName(child), copy, depth + 1);
            }
        }
    }

    // A name that is no UTF-8 is listed with a mark in the place of its wrong bytes.
    private static MusterException Unfound(string path) => path.Contains('\ufffd', StringComparison.Ordinal)
        ? new MusterException(ErrorKind.Invalid, $"The build cannot take \"{path}\", whose name is not UTF-8 text: rename it")
        : new MusterException(ErrorKind.Conflict, $"\"{path}\" vanished during the build");

    /// <summary>Where a path leads in the image below: links on the way are followed, in the place of a folder the last one too.</summary>
    private string Placed(string path, TarEntryType type)
    {
        if (_below is null || type == TarEntryType.Directory)
        {
            return _below?.Resolve(path) ?? path;
        }

        var slash = path.LastIndexOf('/');
        var placed = slash < 0 ? path : $"{_below.Resolve(path[..slash])}/{path[(slash + 1)..]}".TrimStart('/');

        // A file in the place of /bin, or of the link that /bin is, would take all programs away; a link may become another link.
        return Existing(type == TarEntryType.Symlink ? placed : _below.Resolve(path)) is null
            ? placed
            : throw new MusterException(ErrorKind.Invalid, $"The recipe puts a {(type == TarEntryType.Symlink ? "link" : "file")} at \"/{path}\", which is a folder in the image below: end \"to\" with a slash to put it inside");
    }

    private TarEntry? Existing(string path) => _below?.Folder(path);

    // File capabilities belong to the program; other attributes belong to the host that it lies on.
    private static KeyValuePair<byte[], byte[]>[] Capability(string source, TarEntryType type)
    {
        if (type != TarEntryType.File)
        {
            return [];
        }

        using var parent = DirectoryHandle.Open(Path.GetDirectoryName(source)!);
        return [.. ExtendedAttributes.List(parent.Descriptor, FileCalls.Terminated(Path.GetFileName(source))).Where(x => x.Key.AsSpan().SequenceEqual("security.capability"u8))];
    }

    private SortedDictionary<string, (TarEntry Entry, string? Source)> WithParents(long clamp)
    {
        var all = new SortedDictionary<string, (TarEntry, string?)>(_entries, StringComparer.Ordinal);
        foreach (var path in _entries.Keys)
        {
            for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
            {
                all.TryAdd(path[..slash], (Existing(path[..slash]) ?? Folder("", clamp), null));
            }
        }

        return all;
    }

    private static TarEntry Folder(string name, long clamp) => new() { Type = TarEntryType.Directory, Name = Encoding.UTF8.GetBytes(name), Mode = DefaultFolderMode, ModifiedSeconds = clamp };

    private static TarEntry With(TarEntry entry, byte[] name, long seconds) => new()
    {
        Type = entry.Type,
        Name = name,
        LinkName = entry.LinkName,
        Mode = entry.Mode,
        Uid = entry.Uid,
        Gid = entry.Gid,
        Size = entry.Size,
        ModifiedSeconds = seconds,
        Xattrs = entry.Xattrs,
    };

    private static void Copy(string source, long size, TarWriter tar, byte[] buffer)
    {
        using var file = Oci.LayoutFiles.TryOpen(source) ?? throw new MusterException(ErrorKind.Conflict, $"\"{source}\" vanished during the build");
        while (size > 0)
        {
            var n = file.Read(buffer, 0, (int)Math.Min(size, buffer.Length));
            if (n == 0)
            {
                throw new MusterException(ErrorKind.Conflict, $"\"{source}\" became shorter during the build: keep it still and try again");
            }

            tar.WriteData(buffer.AsSpan(0, n));
            size -= n;
        }
    }
}
