using System.Collections.Concurrent;
using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.FileSystems;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Containers;

/// <summary>
/// The space of what containers have written over their images: the upper directories of their overlays, walked at most once a
/// minute, and given up when they have too many files, since a part of the sum would be a wrong number.
/// </summary>
internal sealed class WrittenSpace(TimeProvider time)
{
    /// <summary>Files of one container that are looked at: a few tenths of a second on a cold disk.</summary>
    public const int MaxFiles = 50_000;

    /// <summary>How old a sum may be.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private const long BytesPerBlock = 512;

    private readonly ConcurrentDictionary<string, Sum> _sums = new(StringComparer.Ordinal);

    /// <summary>The bytes of a container's own files; null when its root is no overlay, or has too many files.</summary>
    /// <param name="container">The container.</param>
    /// <param name="isOverlay">Whether its root is one.</param>
    public long? Find(ContainerDescription container, out bool isOverlay)
    {
        var folders = container.WritableFolders.Count > 0 ? container.WritableFolders : UpperFolder(container.InitPid) is { } upper ? [upper] : [];
        isOverlay = folders.Count > 0;
        if (!isOverlay)
        {
            return null;
        }

        // Containers that are gone are forgotten all at once.
        if (_sums.Count > ContainerCatalog.MaxContainers)
        {
            _sums.Clear();
        }

        var sum = _sums.GetOrAdd(string.Join('\n', folders), static _ => new Sum());
        return sum.Find(folders, time);
    }

    /// <summary>Where an overlay at the root of a mount table keeps what is written (Documentation/filesystems/overlayfs.rst); null for another root.</summary>
    internal static string? UpperOf(ReadOnlySpan<byte> mounts)
    {
        string? found = null;
        var lines = new TextLines(mounts);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (fields.TryNext(out _) && fields.TryNext(out var folder) && folder.SequenceEqual("/"u8) && fields.TryNext(out var type) && fields.TryNext(out var options))
            {
                // The last mount at a place is the one that is seen.
                found = type.SequenceEqual("overlay"u8)
                    ? Encoding.UTF8.GetString(options).Split(',').Where(o => o.StartsWith("upperdir=/", StringComparison.Ordinal)).Select(o => Mount.Unescape(o["upperdir=".Length..])).FirstOrDefault()
                    : null;
            }
        }

        return found;
    }

    /// <summary>Adds up the blocks of a tree, a file of several names once; null when it has more files than <paramref name="left"/>, which counts down.</summary>
    internal static long? Measure(string folder, ref int left)
    {
        using var root = DirectoryHandle.TryOpen(folder);
        return root is null ? 0 : Measure(root, new HashSet<(ulong, ulong)>(), 0, ref left);
    }

    private static long? Measure(DirectoryHandle folder, HashSet<(ulong FileSystem, ulong Inode)> linked, int depth, ref int left)
    {
        // Counted before they are looked at: an app may make millions in one folder, and folders in folders that are all held at once.
        if (depth > DirectoryHandle.MaxDepth || folder.NamesUpTo(left) is not { } names)
        {
            left = -1;
            return null;
        }

        left -= names.Count;
        var sum = 0L;
        foreach (var name in names)
        {
            if (!FileStatus.TryRead(folder.Descriptor, name, out var status) || (status.Links > 1 && status.Type != FileStatus.Folder && !linked.Add((status.FileSystem, status.Inode))))
            {
                continue;
            }

            sum += status.Blocks * BytesPerBlock;
            if (status.Type == FileStatus.Folder)
            {
                using var below = folder.TryOpen(name);
                if (below is not null)
                {
                    if (Measure(below, linked, depth + 1, ref left) is not { } inside)
                    {
                        return null;
                    }

                    sum += inside;
                }
            }
        }

        return sum;
    }

    private static string? UpperFolder(int pid)
    {
        if (pid <= 0)
        {
            return null;
        }

        using var text = Processes.ProcessFiles.Read(pid, "mounts"u8);
        return UpperOf(text.Bytes);
    }

    private sealed class Sum
    {
        private readonly Lock _gate = new();
        private long? _bytes;
        private long _at;
        private bool _isKnown;

        public long? Find(IReadOnlyList<string> folders, TimeProvider time)
        {
            // Who comes while another counts gets what was known.
            var isFirst = !Volatile.Read(ref _isKnown);
            if (isFirst)
            {
                _gate.Enter();
            }
            else if (!_gate.TryEnter())
            {
                return _bytes;
            }

            try
            {
                if (!_isKnown || time.GetElapsedTime(_at) >= Interval)
                {
                    _bytes = Count(folders);
                    _at = time.GetTimestamp();
                    Volatile.Write(ref _isKnown, true);
                }

                return _bytes;
            }
            finally
            {
                _gate.Exit();
            }
        }

        private static long? Count(IReadOnlyList<string> folders)
        {
            var (sum, left) = (0L, MaxFiles);
            foreach (var folder in folders)
            {
                try
                {
                    if (Measure(folder, ref left) is not { } bytes)
                    {
                        return null;
                    }

                    sum += bytes;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinuxException)
                {
                    return null;
                }
            }

            return sum;
        }
    }
}
