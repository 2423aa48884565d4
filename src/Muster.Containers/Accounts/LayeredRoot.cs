using System.Runtime.InteropServices;
using System.Text;
using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Accounts;

/// <summary>
/// Reads an image's root as the overlay will show it, without mounting it: layers are looked through topmost first, with
/// whiteouts, opaque folders and symbolic links (kept inside the root) as overlayfs treats them.
/// </summary>
public sealed partial class LayeredRoot
{
    private const int MaxLinks = 40;

    private readonly IReadOnlyList<string> _layers;

    /// <param name="layers">The layers' root folders, topmost first.</param>
    public LayeredRoot(IReadOnlyList<string> layers) => _layers = layers;

    /// <summary>Whether the path exists, links followed.</summary>
    public bool Exists(string path) => Resolve(path) is not null;

    /// <summary>The owner of what the path names, links followed; null when there is nothing.</summary>
    public (uint Uid, uint Gid)? OwnerOf(string path) => Resolve(path) is { } found ? (found.Stat.Uid, found.Stat.Gid) : null;

    /// <summary>Whether the path is a folder, links followed.</summary>
    public bool IsFolder(string path) => Resolve(path) is { } found && found.Stat.Type == FileStatus.Folder;

    /// <summary>A file's text of at most <paramref name="limit"/> bytes; null when it is missing or no regular file.</summary>
    public string? ReadText(string path, int limit)
    {
        if (Resolve(path) is not { } found || found.Stat.Type != FileStatus.Regular)
        {
            return null;
        }

        if (found.Stat.Size > limit)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} in the image has {found.Stat.Size} bytes, more than the {limit} that are read");
        }

        // An app that runs may have put anything in its place since.
        using var layer = DirectoryHandle.Open(LayerOf(found.Path) + "/.");
        using var file = RegularFile.TryOpen(layer.Descriptor, FileCalls.Terminated(found.Path[(LayerOf(found.Path).Length + 1)..]), out _);
        if (file is null)
        {
            return null;
        }

        var content = new byte[found.Stat.Size];
        return Encoding.UTF8.GetString(content, 0, file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false));
    }

    private string LayerOf(string path) => _layers.First(l => path.StartsWith(l + "/", StringComparison.Ordinal));

    private (string Path, FileStatus Stat)? Resolve(string path)
    {
        var remaining = new LinkedList<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries));
        var walked = new List<string>();
        var links = 0;
        (string Path, FileStatus Stat)? current = Lookup([]);
        while (remaining.First is { } node)
        {
            remaining.RemoveFirst();
            if (node.Value == ".")
            {
                continue;
            }

            if (node.Value == "..")
            {
                if (walked.Count > 0)
                {
                    walked.RemoveAt(walked.Count - 1);
                }

                current = Lookup(walked);
                continue;
            }

            walked.Add(node.Value);
            current = Lookup(walked);
            if (current is not { } found)
            {
                return null;
            }

            if (found.Stat.Type == FileStatus.Symlink)
            {
                if (++links > MaxLinks)
                {
                    return null;
                }

                walked.RemoveAt(walked.Count - 1);
                var target = new FileInfo(found.Path).LinkTarget ?? "";
                if (target.StartsWith('/'))
                {
                    walked.Clear();
                }

                foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                {
                    remaining.AddFirst(part);
                }

                current = Lookup(walked);
            }
        }

        return current;
    }

    // One path of plain names, all of whose parents are known to be no links.
    private (string Path, FileStatus Stat)? Lookup(List<string> parts)
    {
        foreach (var layer in _layers)
        {
            var path = layer;
            var hidesBelow = false;
            var there = true;
            for (var i = 0; i <= parts.Count; i++)
            {
                if (!FileStatus.TryRead(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), out var stat))
                {
                    there = false;
                    break;
                }

                if (stat.IsWhiteout)
                {
                    return null;
                }

                if (i == parts.Count)
                {
                    return (path, stat);
                }

                if (stat.Type != FileStatus.Folder)
                {
                    return null;
                }

                hidesBelow |= IsOpaque(path);
                path = path + "/" + parts[i];
            }

            if (!there && hidesBelow)
            {
                return null;
            }
        }

        return null;
    }

    private static unsafe bool IsOpaque(string folder)
    {
        byte value;
        return lgetxattr(folder, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint lgetxattr(string path, string name, byte* value, nuint size);
}
