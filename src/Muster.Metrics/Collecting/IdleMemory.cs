using Muster.Linux;

namespace Muster.Metrics.Collecting;

/// <summary>
/// Gives memory back after large readings, and after whatever else has allocated much, such as the first look at a thousand
/// pods. What readings fill is kept for the next one by weak references only; once none was made for a while, a full
/// collection lets it go and returns its pages to the kernel. Small readings may go on meanwhile: hundreds of clients that
/// each ask a few values every second make little that is worth keeping or collecting.
/// </summary>
public static class IdleMemory
{
    /// <summary>A reading of more values fills some megabytes: a scrape of everything, even of a host without containers.</summary>
    internal const int LargeValues = 2 * 1024;

    /// <summary>
    /// Allocated bytes after which it is worth while without a large reading: left alone the collector lets as much as the
    /// processor's cache holds lie until it looks, which may be more than all that is alive.
    /// </summary>
    internal const long MuchAllocated = 16 * 1024 * 1024;

    // Long enough that a client which asks every second is not interrupted, short enough to be small again in seconds.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    // Clients that allocate all the time are the collector's own business: this is for what came at once.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    // A logger that reads everything every second is never quiet; left alone the collector takes hundreds of megabytes first.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private static long _largeOnes;
    private static long _dropped;

    /// <summary>
    /// Collects whenever a large reading was followed by a while without one, and once a minute while they go on; lets go of the
    /// code that only the start, or what was seldom asked, needed; ends with the token.
    /// </summary>
    public static async Task RunAsync(TimeProvider time, CancellationToken ct)
    {
        var (collected, before, made) = (0L, 0L, 0L);
        var last = time.GetTimestamp() - time.TimestampFrequency * (long)Pause.TotalSeconds;
        await Task.Delay(Quiet, time, ct);
        ProgramText.Release();
        while (true)
        {
            await Task.Delay(Quiet, time, ct);
            var now = Volatile.Read(ref _largeOnes);
            var elapsed = time.GetElapsedTime(last);
            var isMuch = elapsed >= Pause && Made() - made >= MuchAllocated;
            if (isMuch || (now != collected && (now == before || elapsed >= Longest)))
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                ProgramText.Release();
                (collected, last, made) = (now, time.GetTimestamp(), Made());
            }

            before = now;
        }
    }

    /// <summary>
    /// Large buffers were let go that were not made since the last collection, perhaps: answers that slow clients held for minutes
    /// after the reading that made them.
    /// </summary>
    internal static void Drop(int bytes) => Interlocked.Add(ref _dropped, bytes);

    internal static void End(int values)
    {
        if (values >= LargeValues)
        {
            Interlocked.Increment(ref _largeOnes);
        }
    }

    private static long Made() => GC.GetTotalAllocatedBytes() + Volatile.Read(ref _dropped);
}
