using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>What statx(2) says of a file; the layout is the same on every architecture.</summary>
public readonly unsafe partial struct FileStatus
{
    public const uint TypeMask = 0xf000;
    public const uint Fifo = 0x1000;
    public const uint CharacterDevice = 0x2000;
    public const uint Folder = 0x4000;
    public const uint BlockDevice = 0x6000;
    public const uint Regular = 0x8000;
    public const uint Symlink = 0xa000;
    public const uint Socket = 0xc000;

    private const uint BasicStats = 0x7ff;

    private FileStatus(in Statx raw)
    {
        Mode = raw.Mode;
        Links = raw.Links;
        Uid = raw.Uid;
        Gid = raw.Gid;
        Inode = raw.Inode;
        Size = (long)raw.Size;
        Blocks = (long)raw.Blocks;
        ModifiedSeconds = raw.Modified.Seconds;
        ModifiedNanoseconds = raw.Modified.Nanoseconds;
        ChangedSeconds = raw.Changed.Seconds;
        ChangedNanoseconds = raw.Changed.Nanoseconds;
        DeviceMajor = raw.RdevMajor;
        DeviceMinor = raw.RdevMinor;
        FileSystem = ((ulong)raw.DevMajor << 32) | raw.DevMinor;
    }

    /// <summary>Type and permission bits.</summary>
    public uint Mode { get; }

    public uint Links { get; }

    public uint Uid { get; }

    public uint Gid { get; }

    public ulong Inode { get; }

    public long Size { get; }

    /// <summary>Space on the disk, in units of 512 bytes.</summary>
    public long Blocks { get; }

    public long ModifiedSeconds { get; }

    public uint ModifiedNanoseconds { get; }

    public long ChangedSeconds { get; }

    public uint ChangedNanoseconds { get; }

    public uint DeviceMajor { get; }

    public uint DeviceMinor { get; }

    /// <summary>Major and minor of the device that holds it.</summary>
    public ulong FileSystem { get; }

    public uint Type => Mode & TypeMask;

    public uint Permissions => Mode & 0xfff;

    /// <summary>The form in which overlayfs keeps a deleted name: a character device 0/0.</summary>
    public bool IsWhiteout => Type == CharacterDevice && DeviceMajor == 0 && DeviceMinor == 0;

    /// <summary>The status of a name itself, links not followed; false with the error in <see cref="FileCalls.Error"/>.</summary>
    public static bool TryRead(int directory, ReadOnlySpan<byte> name, out FileStatus status)
    {
        Statx raw;
        fixed (byte* path = name)
        {
            if (statx(directory, path, FileCalls.AtSymlinkNoFollow, BasicStats, &raw) < 0)
            {
                status = default;
                return false;
            }
        }

        status = new FileStatus(raw);
        return true;
    }

    /// <summary>The status of an open descriptor.</summary>
    public static FileStatus Read(int descriptor)
    {
        Statx raw;
        byte empty = 0;
        if (statx(descriptor, &empty, FileCalls.AtEmptyPath, BasicStats, &raw) < 0)
        {
            throw LinuxException.Last("statx");
        }

        return new FileStatus(raw);
    }

    /// <summary>The status of a path, links not followed; null where there is nothing.</summary>
    public static FileStatus? Find(string path)
    {
        if (TryRead(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), out var status))
        {
            return status;
        }

        return FileCalls.Error is Errno.ENOENT or Errno.ENOTDIR ? null : throw LinuxException.Last("statx", path);
    }

    /// <summary>Major and minor number of the device that holds a file, links followed; null where there is nothing.</summary>
    public static (uint Major, uint Minor)? HoldingDevice(string path)
    {
        Statx raw;
        fixed (byte* name = FileCalls.Terminated(path))
        {
            return statx(FileCalls.AtCurrentDirectory, name, 0, BasicStats, &raw) < 0 ? null : (raw.DevMajor, raw.DevMinor);
        }
    }

    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct Statx
    {
        public uint Mask;
        public uint BlockSize;
        public ulong Attributes;
        public uint Links;
        public uint Uid;
        public uint Gid;
        public ushort Mode;
        public ushort Spare;
        public ulong Inode;
        public ulong Size;
        public ulong Blocks;
        public ulong AttributesMask;
        public Timestamp Accessed;
        public Timestamp Born;
        public Timestamp Changed;
        public Timestamp Modified;
        public uint RdevMajor;
        public uint RdevMinor;
        public uint DevMajor;
        public uint DevMinor;
    }

    private struct Timestamp
    {
        public long Seconds;
        public uint Nanoseconds;
        public int Spare;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statx(int dirfd, byte* path, int flags, uint mask, Statx* result);
}
