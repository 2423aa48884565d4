using System.Text;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Images.Build;

/// <summary>
/// The root of the image that a build stands on, seen through its overlayfs lowers (topmost first). A copy goes where its path
/// leads in there, as a program in the container would put it: Debian's <c>/bin</c> is a link to <c>usr/bin</c> and stays one.
/// </summary>
internal sealed class BaseRoot : IDisposable
{
    /// <summary>Links followed for one path; the kernel's own limit.</summary>
    private const int MaxLinks = 40;

    private readonly List<DirectoryHandle> _lowers = [];

    /// <summary>Opens the lowers; the caller keeps the collection of garbage away meanwhile.</summary>
    public BaseRoot(IReadOnlyList<string> lowers)
    {
        try
        {
            foreach (var lower in lowers)
            {
                _lowers.Add(DirectoryHandle.Open(lower));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where <paramref name="path"/> (without a slash at its ends) leads when every link in it is followed inside the root; what does not exist is taken as it is.</summary>
    public string Resolve(string path)
    {
        var rest = new Stack<string>(path.Split('/').Reverse());
        var done = new List<string>();
        var links = 0;
        while (rest.TryPop(out var part))
        {
            if (part is "" or ".")
            {
                continue;
            }

            if (part == "..")
            {
                done.RemoveRange(Math.Max(0, done.Count - 1), Math.Min(1, done.Count));
                continue;
            }

            if (LinkTarget(string.Join('/', done.Append(part))) is not { } target)
            {
                done.Add(part);
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new MusterException(ErrorKind.Invalid, $"The recipe copies to \"/{path}\", which leads through more than {MaxLinks} links in the image below, perhaps in a circle: choose another path");
            }

            if (target.StartsWith('/'))
            {
                done.Clear();
            }

            foreach (var step in target.Split('/').Reverse())
            {
                rest.Push(step);
            }
        }

        return string.Join('/', done);
    }

    /// <summary>The folder at a resolved path, the root as an empty text, with its owner, mode, time and attributes; null where there is none.</summary>
    public TarEntry? Folder(string path)
    {
        if (path.Length == 0)
        {
            return TreeEntries.Folder(_lowers[0].Descriptor, "."u8, FileStatus.Read(_lowers[0].Descriptor));
        }

        return Find(path) is { Status.Type: FileStatus.Folder } found ? TreeEntries.Folder(found.Lower.Descriptor, found.Name, found.Status) : null;
    }

    public void Dispose() => _lowers.ForEach(lower => lower.Dispose());

    private string? LinkTarget(string path)
    {
        if (Find(path) is not { Status.Type: FileStatus.Symlink } link)
        {
            return null;
        }

        var target = new byte[4096];
        var length = LinuxException.Check(FileCalls.ReadLink(link.Lower.Descriptor, link.Name, target), "readlinkat", path);
        return Encoding.UTF8.GetString(target, 0, length);
    }

    // The topmost lower that has the name decides, unless an upper one hides it: by a whiteout, by something else in the
    // place of a folder, or by an opaque folder.
    private (DirectoryHandle Lower, byte[] Name, FileStatus Status)? Find(string path)
    {
        foreach (var lower in _lowers)
        {
            var hidesBelow = false;
            for (var end = path.IndexOf('/'); ; end = path.IndexOf('/', end + 1))
            {
                var name = FileCalls.Terminated(end < 0 ? path : path[..end]);
                if (!FileStatus.TryRead(lower.Descriptor, name, out var status))
                {
                    break;
                }

                if (end < 0)
                {
                    return status.IsWhiteout ? null : (lower, name, status);
                }

                if (status.Type != FileStatus.Folder)
                {
                    return null;
                }

                hidesBelow |= TreeXattrs.IsOpaque(lower.Descriptor, name);
            }

            if (hidesBelow)
            {
                return null;
            }
        }

        return null;
    }
}
