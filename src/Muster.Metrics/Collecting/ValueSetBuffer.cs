using System.Collections.Concurrent;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Collecting;

/// <summary>Value sets that are lent to one fetch at a time, so that a fetch of the usual size allocates nothing.</summary>
public sealed class ValueSetBuffer : IDisposable
{
    /// <summary>As many are kept as fetches run at once on a machine of a few cores; the rest is left to the collector.</summary>
    private const int Kept = 4;

    /// <summary>A buffer that held more values is kept only until the next full collection: 16 Ki of them are about 400 KB.</summary>
    private const int MaxKeptValues = 16 * 1024;

    private static readonly ConcurrentQueue<ValueSetBuffer> Idle = new();

    // The last larger one, for as long as no full collection finds it unused.
    private static readonly WeakReference<ValueSetBuffer> Large = new(null!);

    private ValueSet[] _sets = [];
    private ResultSet[] _results = [];
    private int _taken;
    private bool _wasLarge;

    private ValueSetBuffer()
    {
    }

    internal ValueSet this[int slot] => _sets[slot];

    /// <summary>The sets that <see cref="Take"/> lent.</summary>
    internal ReadOnlySpan<ValueSet> Taken => _sets.AsSpan(0, _taken);

    /// <summary>Lends a buffer; disposing gives it back.</summary>
    public static ValueSetBuffer Rent() => Idle.TryDequeue(out var buffer) ? buffer : TakeLarge() ?? new ValueSetBuffer();

    /// <summary>So many empty sets.</summary>
    public ReadOnlySpan<ValueSet> Take(int count)
    {
        if (_sets.Length < count)
        {
            var old = _sets.Length;
            Array.Resize(ref _sets, count);
            for (var i = old; i < count; i++)
            {
                _sets[i] = new ValueSet();
            }
        }

        foreach (var set in _sets.AsSpan(0, Math.Max(count, _taken)))
        {
            set.Clear();
        }

        _taken = count;
        return _sets.AsSpan(0, count);
    }

    internal Span<ResultSet> TakeResults(int count)
    {
        if (_results.Length < count)
        {
            _results = new ResultSet[count];
        }

        return _results.AsSpan(0, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var values = 0;
        foreach (var set in _sets)
        {
            values += set.Values.Length;
            set.Clear();
        }

        Array.Clear(_results);
        _taken = 0;
        if (values <= MaxKeptValues && Idle.Count < Kept && !_wasLarge)
        {
            Idle.Enqueue(this);
        }
        else
        {
            _wasLarge = true;
            lock (Large)
            {
                Large.SetTarget(this);
            }
        }

        IdleMemory.End(values);
    }

    private static ValueSetBuffer? TakeLarge()
    {
        lock (Large)
        {
            if (!Large.TryGetTarget(out var buffer))
            {
                return null;
            }

            Large.SetTarget(null!);
            return buffer;
        }
    }
}
