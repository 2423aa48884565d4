using System.Runtime.ExceptionServices;

namespace Muster.Metrics.Collecting;

/// <summary>
/// Work in parts that the caller does itself, with as many threads of the pool as happen to be free: a busy pool makes it
/// slower, never stuck, and nobody waits for a part that has not begun.
/// </summary>
internal sealed class SharedWork : IThreadPoolWorkItem
{
    // More readers of the kernel's files only wait for each other's locks there.
    private const int MaxThreads = 4;

    private readonly Action<int> _part;
    private readonly int _count;
    private readonly object _done = new();
    private int _next = -1;
    private int _left;
    private ExceptionDispatchInfo? _failure;

    private SharedWork(int count, Action<int> part)
    {
        _part = part;
        _count = count;
        _left = count;
    }

    /// <summary>Does the parts 0 to <paramref name="count"/> - 1 in any order, and returns when all are done; the first failure is thrown then.</summary>
    public static void Run(int count, Action<int> part)
    {
        if (count <= 1 || Environment.ProcessorCount == 1)
        {
            for (var i = 0; i < count; i++)
            {
                part(i);
            }

            return;
        }

        var work = new SharedWork(count, part);
        for (var i = 1; i < Math.Min(Math.Min(count, MaxThreads), Environment.ProcessorCount); i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
        }

        work.Execute();
        lock (work._done)
        {
            while (Volatile.Read(ref work._left) > 0)
            {
                Monitor.Wait(work._done);
            }
        }

        work._failure?.Throw();
    }

    /// <inheritdoc/>
    public void Execute()
    {
        for (var i = Interlocked.Increment(ref _next); i < _count; i = Interlocked.Increment(ref _next))
        {
            try
            {
                _part(i);
            }
#pragma warning disable CA1031 // Whatever it is, the caller throws it once the other parts are done.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            }

            if (Interlocked.Decrement(ref _left) == 0)
            {
                lock (_done)
                {
                    Monitor.PulseAll(_done);
                }
            }
        }
    }
}
