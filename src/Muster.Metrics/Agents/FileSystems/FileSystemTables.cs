namespace Muster.Metrics.Agents.FileSystems;

/// <summary>The metrics of mounted file systems. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class FileSystemTables
{
    public const string FileSystems = """
        filesys.capacity  5.1  5 u64    discrete KiB   =        | Size of the file system
        filesys.used      5.2  5 u64    instant  KiB   =        | Space in use
        filesys.free      5.3  5 u64    instant  KiB   =        | Space that nothing uses, root's reserve included
        filesys.avail     5.10 5 u64    instant  KiB   =        | Space that ordinary users can still use
        filesys.maxfiles  5.4  5 u32    discrete none  =        | Files that the file system can hold
        filesys.usedfiles 5.5  5 u32    instant  none  =        | Files that the file system holds
        filesys.freefiles 5.6  5 u32    instant  none  =        | Files that can still be made
        filesys.mountdir  5.7  5 string discrete none  =        | Where it is mounted
        filesys.full      5.8  5 double instant  none  =        | Percent of the space in use
        filesys.blocksize 5.9  5 u32    instant  B     =        | Size of a block
        filesys.readonly  5.11 5 u32    instant  none  =        | 1 when it is mounted read-only
        hinv.nfilesys     5.0  - u32    discrete count nfilesys | Mounted file systems on block devices
        """;

    public const string Tmpfs = """
        tmpfs.capacity  34.1 18 u64    discrete KiB  = | Size of the tmpfs
        tmpfs.used      34.2 18 u64    instant  KiB  = | Space in use
        tmpfs.free      34.3 18 u64    instant  KiB  = | Space that nothing uses
        tmpfs.maxfiles  34.4 18 u32    discrete none = | Files that the tmpfs can hold
        tmpfs.usedfiles 34.5 18 u32    instant  none = | Files that the tmpfs holds
        tmpfs.freefiles 34.6 18 u32    instant  none = | Files that can still be made
        tmpfs.full      34.7 18 double instant  none = | Percent of the space in use
        """;
}
