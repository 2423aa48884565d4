using System.Runtime.InteropServices;

namespace Muster.Containers.Accounts;

/// <summary>What statx(2) tells of a file, links not followed.</summary>
internal readonly partial record struct FileStat(uint Mode, uint Uid, uint Gid, long Size, ulong Device)
{
    /// <summary>Reads it; false when there is no such file.</summary>
    public static unsafe bool TryRead(string path, out FileStat stat)
    {
        var buffer = stackalloc byte[256];
        if (statx(-100, path, 0x100 /* AT_SYMLINK_NOFOLLOW */, 0x7ff, buffer) != 0)
        {
            stat = default;
            return false;
        }

        // struct statx: mask 0, blksize 4, attributes 8, nlink 16, uid 20, gid 24, mode 28, ino 32, size 40, … rdev_major 128, rdev_minor 132, dev_major 136, dev_minor 140.
        stat = new FileStat(*(ushort*)(buffer + 28), *(uint*)(buffer + 20), *(uint*)(buffer + 24), *(long*)(buffer + 40), ((ulong)*(uint*)(buffer + 128) << 32) | *(uint*)(buffer + 132));
        return true;
    }

    /// <summary>The major and minor number of the device that holds a file.</summary>
    public static unsafe (uint Major, uint Minor)? HoldingDevice(string path)
    {
        var buffer = stackalloc byte[256];
        return statx(-100, path, 0, 0x7ff, buffer) == 0 ? (*(uint*)(buffer + 136), *(uint*)(buffer + 140)) : null;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int statx(int directory, string path, int flags, uint mask, byte* buffer);
}
