using System.Runtime.InteropServices;

namespace Muster.Linux.Processes;

/// <summary>What the kernel says of the limits of System V IPC in the caller's namespace: <c>IPC_INFO</c> of semctl(2), msgctl(2), shmctl(2).</summary>
public static partial class IpcLimits
{
    private const int Info = 3;
    private const int SharedMemoryUse = 14;

    /// <summary>Limits of semaphores in the order of <c>struct seminfo</c>: map, sets, all, undo structures, in a set, operations, undo entries, size of an undo structure, highest value, highest value at exit.</summary>
    public static bool TryGetSemaphores(Span<int> limits) => Fits(limits, 10) && SemControl(0, 0, Info, ref limits[0]) >= 0;

    /// <summary>Limits of messages in the order of <c>struct msginfo</c>: KiB of the pool, map, longest message, bytes of a queue, queues, size of a segment, headers, segments.</summary>
    public static bool TryGetMessages(Span<int> limits)
    {
        // The last one is an unsigned short, with two bytes of padding after it.
        if (!Fits(limits, 8) || MessageControl(0, Info, ref limits[0]) < 0)
        {
            return false;
        }

        limits[7] = MemoryMarshal.AsBytes(limits[7..8])[0] | (MemoryMarshal.AsBytes(limits[7..8])[1] << 8);
        return true;
    }

    /// <summary>Limits of shared memory in the order of <c>struct shminfo</c>: largest segment, smallest, segments, segments of a process, pages in all.</summary>
    public static bool TryGetSharedMemory(Span<ulong> limits)
    {
        // Four words of the structure are reserved.
        Span<ulong> all = stackalloc ulong[9];
        if (SharedMemoryControl(0, Info, ref all[0]) < 0)
        {
            return false;
        }

        all[..5].CopyTo(limits);
        return true;
    }

    /// <summary>Attempts to swap a segment out and those that succeeded (<c>struct shm_info</c>); kernels of this century count none.</summary>
    public static bool TryGetSwaps(out ulong attempts, out ulong successes)
    {
        Span<ulong> all = stackalloc ulong[6];
        var isKnown = SharedMemoryControl(0, SharedMemoryUse, ref all[0]) >= 0;
        (attempts, successes) = (all[4], all[5]);
        return isKnown;
    }

    private static bool Fits(Span<int> limits, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.Length, count);
        limits.Clear();
        return true;
    }

    [LibraryImport("libc", EntryPoint = "semctl", SetLastError = true)]
    private static partial int SemControl(int id, int index, int command, ref int limits);

    [LibraryImport("libc", EntryPoint = "msgctl", SetLastError = true)]
    private static partial int MessageControl(int id, int command, ref int limits);

    [LibraryImport("libc", EntryPoint = "shmctl", SetLastError = true)]
    private static partial int SharedMemoryControl(int id, int command, ref ulong limits);
}
