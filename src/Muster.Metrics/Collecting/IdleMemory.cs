namespace Muster.Metrics.Collecting;

/// <summary>
/// Gives memory back after large readings. What they fill is kept for the next one by weak references only; once nobody
/// reads, a full collection lets it go and returns its pages to the kernel.
/// </summary>
public static class IdleMemory
{
    /// <summary>A reading of more values fills some megabytes, which is worth a collection.</summary>
    internal const int LargeValues = 16 * 1024;

    // Long enough that a client which asks every second is not interrupted, short enough to be small again in seconds.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private static int _readings;
    private static int _isLarge;
    private static long _ends;

    /// <summary>Collects whenever a large reading was followed by a quiet while; ends with the token.</summary>
    public static async Task RunAsync(TimeProvider time, CancellationToken ct)
    {
        var before = Volatile.Read(ref _ends);
        while (true)
        {
            await Task.Delay(Quiet, time, ct);
            var ends = Volatile.Read(ref _ends);
            if (ends == before && Volatile.Read(ref _readings) == 0 && Interlocked.Exchange(ref _isLarge, 0) != 0)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            }

            before = ends;
        }
    }

    internal static void Begin() => Interlocked.Increment(ref _readings);

    internal static void End(int values)
    {
        if (values >= LargeValues)
        {
            Volatile.Write(ref _isLarge, 1);
        }

        Interlocked.Increment(ref _ends);
        Interlocked.Decrement(ref _readings);
    }
}
