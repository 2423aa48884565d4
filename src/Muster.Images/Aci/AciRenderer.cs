using System.Security.Cryptography;
using System.Text;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Images.Aci;

/// <summary>One image in the order of rendering.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Root">Its own unpacked files.</param>
/// <param name="Whitelist">Its path white list, cleaned; null for everything.</param>
/// <param name="Above">The white lists of the images that depend on it, along its branch.</param>
/// <param name="Implicit">Directories that it has only as parents.</param>
internal sealed record RenderItem(string Id, string Root, IReadOnlySet<string>? Whitelist, IReadOnlyList<IReadOnlySet<string>> Above, IReadOnlySet<string> Implicit);

/// <summary>
/// Renders an image upon its dependencies (appc spec/ace.md, Filesystem Setup): depth first, what comes later in that order
/// wins. Done from the top here, so that each path is made once: the first image that has it provides it. Files are hard
/// links to the images' own trees, which nobody writes to.
/// </summary>
internal sealed class AciRenderer : IDisposable
{
    private readonly TreeExtractor _target;
    private readonly Dictionary<string, uint> _provided = new(StringComparer.Ordinal);

    private AciRenderer(string root) => _target = new TreeExtractor(root, new ExtractionRules(Whiteouts: false, RefuseDuplicates: false), TarLimits.Default);

    /// <summary>The id of the tree: <c>deps-</c> and half a sha512 over the images in their order, as rkt names it.</summary>
    public static string TreeId(IEnumerable<RenderItem> items) =>
        "deps-" + Convert.ToHexStringLower(SHA512.HashData(Encoding.ASCII.GetBytes(string.Join(',', items.Select(i => i.Id)))))[..64];

    /// <summary>A white list as a set of paths below the root; null when it is empty.</summary>
    public static IReadOnlySet<string>? Whitelist(IReadOnlyList<string> paths) => paths.Count == 0
        ? null
        : paths.Select(p => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(string.Join('/', p.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != "."))))).ToHashSet(StringComparer.Ordinal);

    /// <summary>Renders into an empty directory; returns the sum of the files' sizes.</summary>
    public static long Render(IReadOnlyList<RenderItem> items, string root, CancellationToken ct)
    {
        using var renderer = new AciRenderer(root);
        long bytes = 0;
        foreach (var item in items)
        {
            using var folder = DirectoryHandle.Open(item.Root);
            bytes += renderer.Provide(item, folder, ct);
        }

        renderer._target.Finish();
        return bytes;
    }

    public void Dispose() => _target.Dispose();

    private long Provide(RenderItem item, DirectoryHandle folder, CancellationToken ct)
    {
        if (!item.Implicit.Contains("") && _provided.TryAdd("", FileStatus.Folder))
        {
            _target.Extract(TreeEntries.Folder(folder.Descriptor, "."u8, FileStatus.Read(folder.Descriptor)), [], [], null);
        }

        return Walk(item, folder, "", 0, ct);
    }

    private long Walk(RenderItem item, DirectoryHandle folder, string prefix, int depth, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        long bytes = 0;
        foreach (var name in folder.Names())
        {
            var path = prefix + Encoding.Latin1.GetString(name, 0, name.Length - 1);
            if (!FileStatus.TryRead(folder.Descriptor, name, out var status))
            {
                throw LinuxException.Last("statx", path);
            }

            var isFolder = status.Type == FileStatus.Folder;
            var listed = (isFolder || item.Whitelist?.Contains(path) != false) && item.Above.All(list => list.Contains(path));
            var taken = _provided.TryGetValue(path, out var type);
            if (listed && !taken && !(isFolder && item.Implicit.Contains(path)))
            {
                _provided.Add(path, status.Type);
                var target = Encoding.Latin1.GetBytes(path);
                if (isFolder)
                {
                    _target.Extract(TreeEntries.Folder(folder.Descriptor, name, status), target, [], null);
                }
                else
                {
                    _target.LinkFrom(folder.Descriptor, name, target);
                    bytes += status.Type == FileStatus.Regular ? status.Size : 0;
                }
            }

            // Below what an upper image has as something else nothing can be; an unlisted directory may hold listed files.
            if (isFolder && (!taken || type == FileStatus.Folder))
            {
                using var child = folder.TryOpen(name) ?? throw LinuxException.Last("open", path);
                bytes += Walk(item, child, path + "/", depth + 1, ct);
            }
        }

        return bytes;
    }
}
