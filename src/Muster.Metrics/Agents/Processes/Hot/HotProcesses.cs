using Muster.Linux;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Processes.Hot;

/// <summary>CPUs that were used over one interval, and by whom.</summary>
internal sealed record HotTotals(double Idle, double Hot, double Others, double Transient);

/// <summary>
/// The processes that a predicate chooses. While there is one, all processes are looked at in each interval; one that was there
/// at its beginning and its end can be chosen. Without one nothing is read.
/// </summary>
internal sealed class HotProcesses : IDisposable
{
    /// <summary>PCP's own: long enough to cost nothing, short enough to see what is hot.</summary>
    public const uint DefaultSeconds = 10;

    /// <summary>A day; what is hot over longer is seen in archives.</summary>
    public const uint MaxSeconds = 86_400;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly string? _file;
    private readonly AccountNames _accounts = new();
    private readonly StatSource _stat = new(InstanceDomainId.None, InstanceDomainId.None, []);
    private HotPredicate? _predicate;
    private ITimer? _timer;
    private Look? _last;
    private volatile Result _result = Result.None;
    private int _isLooking;

    /// <param name="time">The clock.</param>
    /// <param name="file">The file with the predicate that holds from the start; null for none.</param>
    public HotProcesses(TimeProvider time, string? file)
    {
        _time = time;
        _file = file;
        Reload();
    }

    /// <summary>The chosen processes, ascending; of those that have ended since, nothing can be read any more.</summary>
    public List<int> Processes => _result.Ids;

    /// <summary>What the predicate saw of them.</summary>
    public IReadOnlyList<HotSample> Samples => _result.Samples;

    /// <summary>How CPUs were used; null before the first whole interval.</summary>
    public HotTotals? Totals => _result.Totals;

    /// <summary>The predicate, empty for none.</summary>
    public string Predicate => _predicate?.ToString() ?? "";

    /// <summary>Grows when the predicate is changed.</summary>
    public uint Changes { get; private set; }

    /// <summary>Seconds of an interval; 0 stops the looking.</summary>
    public uint Seconds { get; private set; } = DefaultSeconds;

    /// <summary>Sets the predicate, empty for none; false when the text is none.</summary>
    public bool SetPredicate(string text)
    {
        HotPredicate? predicate = null;
        if (!string.IsNullOrWhiteSpace(text) && (predicate = HotPredicate.Parse(text, out _)) is null)
        {
            return false;
        }

        lock (_gate)
        {
            _predicate = predicate;
            Changes++;
            Restart();
        }

        return true;
    }

    /// <summary>Sets the interval; false for one that is too long.</summary>
    public bool SetSeconds(uint seconds)
    {
        if (seconds > MaxSeconds)
        {
            return false;
        }

        lock (_gate)
        {
            Seconds = seconds;
            Restart();
        }

        return true;
    }

    /// <summary>Takes the predicate from the file; false when it cannot be read as one, and then nothing changes.</summary>
    public bool Reload()
    {
        if (_file is null || !File.Exists(_file))
        {
            return false;
        }

        try
        {
            return new FileInfo(_file).Length <= HotPredicate.MaxLength && SetPredicate(WithoutComments(File.ReadAllText(_file)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    /// <summary>Looks at all processes, and chooses among those that were there at the last look.</summary>
    internal void Refresh()
    {
        // One that takes longer than the interval is not joined by a second.
        if (Interlocked.Exchange(ref _isLooking, 1) == 1)
        {
            return;
        }

        try
        {
            HotPredicate? predicate;
            Look? before;
            lock (_gate)
            {
                (predicate, before) = (_predicate, _last);
            }

            if (predicate is null)
            {
                return;
            }

            var now = Take();
            var result = before is null ? null : Choose(predicate, before, now);
            lock (_gate)
            {
                // A predicate that was changed meanwhile begins anew.
                if (ReferenceEquals(predicate, _predicate))
                {
                    _last = now;
                    _result = result ?? Result.None;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinuxException)
        {
            // The next interval tries again.
        }
        finally
        {
            Volatile.Write(ref _isLooking, 0);
        }
    }

    // A comment alone is no predicate.
    private static string WithoutComments(string text) => string.Join('\n', text.Split('\n').Where(l => !l.TrimStart().StartsWith('#')));

    // What was seen with another predicate or interval is forgotten: there are values again when a whole interval has passed.
    private void Restart()
    {
        _timer?.Dispose();
        _timer = null;
        _last = null;
        _result = Result.None;
        if (_predicate is not null && Seconds > 0)
        {
            _timer = _time.CreateTimer(_ => Refresh(), null, TimeSpan.Zero, TimeSpan.FromSeconds(Seconds));
        }
    }

    private Look Take()
    {
        var processes = new Dictionary<int, HotCounters>();
        var sheet = new Sheet(ProcessStat.Columns.Length + ProcessStatus.Columns.Length);
        foreach (var pid in ProcessFiles.All())
        {
            if (HotCounters.Read(pid, sheet) is { } counters)
            {
                processes[pid] = counters;
            }
        }

        Sheet[] stat = [.. _stat.Shapes.Select(s => new Sheet(s.Columns.Count))];
        _stat.Read(default, stat);
        var times = stat[0];
        var columns = _stat.Shapes[0].Columns.ToList();
        double Seconds(params ReadOnlySpan<string> names)
        {
            var sum = 0L;
            foreach (var name in names)
            {
                sum += times.Rows > 0 ? times.Number(0, columns.IndexOf(name)) : 0;
            }

            return sum / 1000.0;
        }

        return new Look(_time.GetTimestamp(), processes, Seconds("idle", "wait"), Seconds("user", "nice", "sys"));
    }

    private Result Choose(HotPredicate predicate, Look before, Look now)
    {
        var seconds = _time.GetElapsedTime(before.Time, now.Time).TotalSeconds;
        if (seconds <= 0)
        {
            return Result.None;
        }

        var chosen = new List<HotSample>();
        var (hot, others) = (0.0, 0.0);
        foreach (var (pid, counters) in now.Processes.OrderBy(p => p.Key))
        {
            // The same process, not another that was given its number.
            if (!before.Processes.TryGetValue(pid, out var old) || old.Started != counters.Started)
            {
                continue;
            }

            var sample = counters.Since(old, pid, seconds, _accounts);
            if (predicate.Holds(sample))
            {
                chosen.Add(sample);
                hot += sample.CpuBurn;
            }
            else
            {
                others += sample.CpuBurn;
            }
        }

        var busy = Math.Max(0, now.BusySeconds - before.BusySeconds) / seconds;
        var totals = new HotTotals(Math.Max(0, now.IdleSeconds - before.IdleSeconds) / seconds, hot, others, Math.Max(0, busy - hot - others));
        return new Result(chosen, [.. chosen.Select(s => s.ProcessId)], totals);
    }

    /// <summary>All processes at one moment, and what the CPUs did since the machine was started.</summary>
    private sealed record Look(long Time, Dictionary<int, HotCounters> Processes, double IdleSeconds, double BusySeconds);

    private sealed record Result(IReadOnlyList<HotSample> Samples, List<int> Ids, HotTotals? Totals)
    {
        public static readonly Result None = new([], [], null);
    }
}
