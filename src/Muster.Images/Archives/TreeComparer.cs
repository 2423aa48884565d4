using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>Compares a kept tree with one unpacked anew and names what differs: type, mode, owner, size, time, link, attributes, content.</summary>
internal sealed class TreeComparer
{
    /// <summary>Differences that are told; a tree with more is replaced, not read about.</summary>
    public const int MaxDifferences = 1000;

    private readonly List<string> _differences = [];
    private readonly byte[] _left = new byte[128 * 1024];
    private readonly byte[] _right = new byte[128 * 1024];

    private TreeComparer()
    {
    }

    /// <summary>The differences as <c>path: what</c>, at most <see cref="MaxDifferences"/>.</summary>
    public static IReadOnlyList<string> Compare(string kept, string expected, CancellationToken ct)
    {
        var comparer = new TreeComparer();
        using var left = DirectoryHandle.Open(kept);
        using var right = DirectoryHandle.Open(expected);
        comparer.Attributes("/", FileStatus.Read(left.Descriptor), FileStatus.Read(right.Descriptor), TreeXattrsOf(left.Descriptor, "."u8), TreeXattrsOf(right.Descriptor, "."u8));
        comparer.Walk(left, right, "/", ct);
        return comparer._differences;
    }

    private void Walk(DirectoryHandle left, DirectoryHandle right, string prefix, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var names = new SortedSet<byte[]>(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        names.UnionWith(left.Names());
        names.UnionWith(right.Names());
        foreach (var name in names)
        {
            if (_differences.Count >= MaxDifferences)
            {
                return;
            }

            var path = prefix + TarEntry.Display(name.AsSpan(0, name.Length - 1));
            var hasLeft = FileStatus.TryRead(left.Descriptor, name, out var a);
            var hasRight = FileStatus.TryRead(right.Descriptor, name, out var b);
            if (!hasLeft || !hasRight)
            {
                Tell(path, hasLeft ? "is not in the image" : "is missing");
                continue;
            }

            Attributes(path, a, b, TreeXattrsOf(left.Descriptor, name), TreeXattrsOf(right.Descriptor, name));
            if (a.Type != b.Type)
            {
                continue;
            }

            if (a.Type == FileStatus.Folder)
            {
                using var x = left.TryOpen(name) ?? throw LinuxException.Last("open", path);
                using var y = right.TryOpen(name) ?? throw LinuxException.Last("open", path);
                Walk(x, y, path + "/", ct);
            }
            else if (a.Type == FileStatus.Symlink)
            {
                var n = FileCalls.ReadLink(left.Descriptor, name, _left);
                var m = FileCalls.ReadLink(right.Descriptor, name, _right);
                Tell(path, n != m || n < 0 || !_left.AsSpan(0, n).SequenceEqual(_right.AsSpan(0, n)) ? "points elsewhere" : null);
            }
            else if (a.Type == FileStatus.Regular && a.Size == b.Size && (a.Inode != b.Inode || a.FileSystem != b.FileSystem))
            {
                Tell(path, SameContent(left.Descriptor, right.Descriptor, name, path, a.Size, ct) ? null : "has other content");
            }
        }
    }

    private void Attributes(string path, in FileStatus a, in FileStatus b, IReadOnlyList<KeyValuePair<byte[], byte[]>> x, IReadOnlyList<KeyValuePair<byte[], byte[]>> y)
    {
        if (a.Type != b.Type)
        {
            Tell(path, "is of another type");
            return;
        }

        Tell(path, a.Permissions != b.Permissions ? $"has mode {Convert.ToString(a.Permissions, 8)} instead of {Convert.ToString(b.Permissions, 8)}" : null);
        Tell(path, a.Uid != b.Uid || a.Gid != b.Gid ? $"belongs to {a.Uid}:{a.Gid} instead of {b.Uid}:{b.Gid}" : null);
        Tell(path, a.Type == FileStatus.Regular && a.Size != b.Size ? $"has {a.Size} bytes instead of {b.Size}" : null);
        Tell(path, a.DeviceMajor != b.DeviceMajor || a.DeviceMinor != b.DeviceMinor ? "is another device" : null);
        Tell(path, a.ModifiedSeconds != b.ModifiedSeconds || a.ModifiedNanoseconds != b.ModifiedNanoseconds ? "has another modification time" : null);
        var same = x.Count == y.Count;
        for (var i = 0; same && i < x.Count; i++)
        {
            same = x[i].Key.AsSpan().SequenceEqual(y[i].Key) && x[i].Value.AsSpan().SequenceEqual(y[i].Value);
        }

        Tell(path, same ? null : "has other extended attributes");
    }

    private bool SameContent(int leftFolder, int rightFolder, ReadOnlySpan<byte> name, string path, long size, CancellationToken ct)
    {
        var left = LinuxException.Check(FileCalls.Open(leftFolder, name, FileCalls.ReadOnly | FileCalls.NoFollow), "openat", path);
        var right = FileCalls.Open(rightFolder, name, FileCalls.ReadOnly | FileCalls.NoFollow);
        try
        {
            LinuxException.Check(right, "openat", path);
            for (long at = 0; ;)
            {
                ct.ThrowIfCancellationRequested();
                var n = LinuxException.Check(FileCalls.Read(left, _left), "read", path);
                var m = LinuxException.Check(FileCalls.Read(right, _right), "read", path);
                if (n != m || !_left.AsSpan(0, n).SequenceEqual(_right.AsSpan(0, n)))
                {
                    return false;
                }

                if (n == 0)
                {
                    return true;
                }

                at += n;
                if (!_left.AsSpan(0, n).ContainsAnyExcept((byte)0))
                {
                    at = FileHoles.SkipBoth(left, right, at, size);
                }
            }
        }
        finally
        {
            _ = FileCalls.Close(left);
            _ = right < 0 ? 0 : FileCalls.Close(right);
        }
    }

    private static List<KeyValuePair<byte[], byte[]>> TreeXattrsOf(int folder, ReadOnlySpan<byte> name) =>
        [.. ExtendedAttributes.List(folder, name).Where(x => TreeXattrs.IsKept(x.Key) || x.Key.AsSpan().SequenceEqual("trusted.overlay.opaque"u8))];

    private void Tell(string path, string? what)
    {
        if (what is not null && _differences.Count < MaxDifferences)
        {
            _differences.Add($"{path} {what}");
        }
    }
}
