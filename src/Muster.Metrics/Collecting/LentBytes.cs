using System.Buffers;

namespace Muster.Metrics.Collecting;

/// <summary>
/// Byte arrays that are lent and given back. The framework's pool serves the small ones. It gives up what it was given only one
/// array at each of many collections: after a hundred clients with large answers it would hold a hundred of those for the
/// daemon's life. So of larger ones the last is kept here, until a full collection finds it unused.
/// </summary>
internal static class LentBytes
{
    /// <summary>The largest that the framework's pool is given.</summary>
    public const int MaxPooled = 256 * 1024;

    private static readonly WeakReference<byte[]> Large = new(null!);

    /// <summary>At least <paramref name="length"/> bytes, whatever they hold.</summary>
    public static byte[] Rent(int length)
    {
        if (length <= MaxPooled)
        {
            return ArrayPool<byte>.Shared.Rent(length);
        }

        lock (Large)
        {
            if (Large.TryGetTarget(out var kept) && kept.Length >= length)
            {
                Large.SetTarget(null!);
                return kept;
            }
        }

        return GC.AllocateUninitializedArray<byte>(length);
    }

    /// <summary>Gives an array back; nobody may look at it any more.</summary>
    public static void Return(byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return;
        }

        if (bytes.Length <= MaxPooled)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            return;
        }

        var dropped = bytes.Length;
        lock (Large)
        {
            if (!Large.TryGetTarget(out var kept) || kept.Length < bytes.Length)
            {
                Large.SetTarget(bytes);
                dropped = kept?.Length ?? 0;
            }
        }

        IdleMemory.Drop(dropped);
    }
}
