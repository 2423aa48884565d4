using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>What a file system says of itself, in bytes and files (statfs(2)).</summary>
public readonly record struct FileSystemSpace(long BlockSize, ulong Blocks, ulong Free, ulong Available, ulong Files, ulong FreeFiles, bool IsReadOnly);

/// <summary>Calls on the kernel's own files and on mounted file systems.</summary>
public static unsafe partial class FileCalls
{
    private const long ReadOnlyFlag = 1;

    /// <summary>pread(2), retried when interrupted; -1 with the error in <see cref="Error"/>.</summary>
    public static int ReadAt(int descriptor, Span<byte> data, long offset)
    {
        fixed (byte* start = data)
        {
            nint n;
            do
            {
                n = pread(descriptor, start, (nuint)data.Length, offset);
            }
            while (n < 0 && Error == Errno.EINTR);
            return (int)n;
        }
    }

    /// <summary>fstatfs(2) of the file system that holds the descriptor; false with the error in <see cref="Error"/>.</summary>
    public static bool TryGetSpace(int descriptor, out FileSystemSpace space)
    {
        StatFs64 raw;
        if (fstatfs(descriptor, &raw) < 0)
        {
            space = default;
            return false;
        }

        var unit = raw.FragmentSize > 0 ? raw.FragmentSize : raw.BlockSize;
        space = new FileSystemSpace(unit, raw.Blocks, raw.Free, raw.Available, raw.Files, raw.FreeFiles, (raw.Flags & ReadOnlyFlag) != 0);
        return true;
    }

    /// <summary>struct statfs of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct StatFs64
    {
        public long Type;
        public long BlockSize;
        public ulong Blocks;
        public ulong Free;
        public ulong Available;
        public ulong Files;
        public ulong FreeFiles;
        public long Identification;
        public long NameLength;
        public long FragmentSize;
        public long Flags;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int fd, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(int fd, StatFs64* buffer);
}
