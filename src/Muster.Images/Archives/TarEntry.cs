using System.Text;

namespace Muster.Images.Archives;

/// <summary>What a tar entry makes.</summary>
public enum TarEntryType
{
    File,
    HardLink,
    Symlink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// <summary>A run of data in a sparse file; what lies between runs is a hole.</summary>
public readonly record struct SparseSegment(long Offset, long Length);

/// <summary>One entry with every extension already applied. Names are the archive's bytes.</summary>
public sealed record TarEntry
{
    private const uint SetIds = 0xc00;

    public required TarEntryType Type { get; init; }

    public required byte[] Name { get; init; }

    /// <summary>The target of a symbolic or hard link; else empty.</summary>
    public byte[] LinkName { get; init; } = [];

    /// <summary>The permission bits, setuid, setgid and sticky included.</summary>
    public uint Mode { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    /// <summary>The file's length, holes included.</summary>
    public long Size { get; init; }

    /// <summary>Bytes that the archive holds for it.</summary>
    public long StoredSize { get; init; }

    public long ModifiedSeconds { get; init; }

    public uint ModifiedNanoseconds { get; init; }

    public uint DeviceMajor { get; init; }

    public uint DeviceMinor { get; init; }

    /// <summary>Where the stored bytes belong, ascending; null for a file without holes.</summary>
    public IReadOnlyList<SparseSegment>? Sparse { get; init; }

    /// <summary>Extended attributes, names without a NUL.</summary>
    public IReadOnlyList<KeyValuePair<byte[], byte[]>> Xattrs { get; init; } = [];

    /// <summary>Whether it is a file that makes who runs it somebody else, or gives capabilities.</summary>
    public bool HasPrivileges => Type == TarEntryType.File && ((Mode & SetIds) != 0 || Xattrs.Any(IsCapability));

    /// <summary>The same without setuid, setgid and capabilities.</summary>
    public TarEntry WithoutPrivileges() => this with { Mode = Mode & ~SetIds, Xattrs = [.. Xattrs.Where(x => !IsCapability(x))] };

    /// <summary>The name for messages.</summary>
    public string DisplayName => Display(Name);

    /// <summary>Bytes as text for a message: control characters shown as ?, at most 200 characters.</summary>
    public static string Display(ReadOnlySpan<byte> name)
    {
        var text = Encoding.UTF8.GetString(name.Length > 200 ? name[..200] : name);
        return string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) + (name.Length > 200 ? "…" : "");
    }

    private static bool IsCapability(KeyValuePair<byte[], byte[]> attribute) => attribute.Key.AsSpan().SequenceEqual("security.capability"u8);
}
