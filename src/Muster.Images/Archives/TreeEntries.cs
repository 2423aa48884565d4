using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>Files of a tree described as tar entries.</summary>
internal static class TreeEntries
{
    /// <summary>A directory with its owner, mode, time and attributes.</summary>
    public static TarEntry Folder(int parent, ReadOnlySpan<byte> name, in FileStatus status) => new()
    {
        Type = TarEntryType.Directory,
        Name = name.TrimEnd((byte)0).ToArray(),
        Mode = status.Permissions,
        Uid = status.Uid,
        Gid = status.Gid,
        ModifiedSeconds = status.ModifiedSeconds,
        ModifiedNanoseconds = status.ModifiedNanoseconds,
        Xattrs = Xattrs(parent, name),
    };

    /// <summary>The attributes that belong to the image.</summary>
    public static IReadOnlyList<KeyValuePair<byte[], byte[]>> Xattrs(int parent, ReadOnlySpan<byte> name)
    {
        var all = ExtendedAttributes.List(parent, name);
        return all.Count == 0 ? all : [.. all.Where(x => TreeXattrs.IsKept(x.Key))];
    }
}
