namespace Muster.Images.Archives;

/// <summary>What an archive may ask for. Far above every real image, far below what would hurt the host.</summary>
public sealed record TarLimits
{
    public static readonly TarLimits Default = new();

    /// <summary>Entries of one archive: the largest images seen have some 600,000 files.</summary>
    public int MaxEntries { get; init; } = 4_000_000;

    /// <summary>Length of a path or link target: the kernel takes at most 4095 bytes (PATH_MAX).</summary>
    public int MaxPathBytes { get; init; } = 4095;

    /// <summary>Length of one name: the file systems take at most 255 bytes (NAME_MAX).</summary>
    public int MaxNameBytes { get; init; } = 255;

    /// <summary>Directories above each other: what walks a tree later keeps a descriptor for each, of the 1024 that a process has by default.</summary>
    public int MaxDepth { get; init; } = 256;

    /// <summary>Memory for the directories of a tree, which are all remembered to its end: an image of 60,000 directories needs a twentieth.</summary>
    public long MaxFolderBytes { get; init; } = 256L << 20;

    /// <summary>Sum of the files' sizes, holes included.</summary>
    public long MaxTotalBytes { get; init; } = 256L << 30;

    /// <summary>One extended header: xattr values of 64 KiB in base64 and long paths fit several times.</summary>
    public int MaxPaxBytes { get; init; } = 1 << 20;

    /// <summary>Extended attributes of one file, and the kernel's limit on a value (XATTR_SIZE_MAX).</summary>
    public int MaxXattrs { get; init; } = 128;

    public int MaxXattrBytes { get; init; } = 65536;

    /// <summary>Data segments of one sparse file: 16 bytes of memory each.</summary>
    public int MaxSparseSegments { get; init; } = 262_144;

    /// <summary>How many bytes may come out for one that goes in (gzip's own limit is 1032), judged once <see cref="RatioGraceBytes"/> have come out.</summary>
    public int MaxRatio { get; init; } = 400;

    /// <summary>Below this a high ratio cannot hurt: a small archive of zeros is legitimate.</summary>
    public long RatioGraceBytes { get; init; } = 1L << 30;

    /// <summary>True where nothing else proves that the archive is whole: its end must be marked by a block of zeros (POSIX ustar).</summary>
    public bool RequireEndMarker { get; init; }
}
