namespace Muster.Cli.Commands.Pods;

/// <summary>
/// The logs of several apps as one, by time: of each app one record is held, and the oldest of them is next. Records of one app keep
/// their order, whatever the clock did.
/// </summary>
internal sealed class LogMerge
{
    private readonly IReadOnlyList<LogReader> _readers;
    private readonly LogEntry?[] _heads;
    private readonly Queue<LogEntry>?[] _last;

    public LogMerge(IReadOnlyList<LogReader> readers)
    {
        _readers = readers;
        _heads = new LogEntry?[readers.Count];
        _last = new Queue<LogEntry>?[readers.Count];
    }

    /// <summary>Reads what is there and keeps of each app only the last records, to be shown first.</summary>
    /// <param name="folder">The folder of the logs.</param>
    /// <param name="since">Older ones do not count.</param>
    /// <param name="count">How many of each app.</param>
    public void KeepLast(string folder, DateTimeOffset since, int count)
    {
        for (var i = 0; i < _readers.Count; i++)
        {
            var last = _last[i] = new Queue<LogEntry>();
            while (_readers[i].Next(folder) is { } entry)
            {
                if (entry.Time < since)
                {
                    continue;
                }

                last.Enqueue(entry);
                if (last.Count > count)
                {
                    last.Dequeue();
                }
            }
        }
    }

    /// <summary>Shows what is there, oldest first.</summary>
    /// <param name="folder">The folder of the logs.</param>
    /// <param name="until">
    /// The moment at which this round began. What is younger waits for the next round, in which every app's older records are there to be
    /// read; it waits once, as a clock may be set back.
    /// </param>
    /// <param name="show">Takes each record.</param>
    public void Show(string folder, DateTimeOffset until, Action<LogEntry> show)
    {
        var old = _heads.ToArray();
        var atEnd = new bool[_readers.Count];
        while (true)
        {
            var next = -1;
            for (var i = 0; i < _readers.Count; i++)
            {
                // Who was at its end in this round is not asked again: what came since then is younger.
                atEnd[i] = atEnd[i] || (_heads[i] ??= Next(i, folder)) is null;
                if (_heads[i] is { } head && (next < 0 || head.Time < _heads[next]!.Time))
                {
                    next = i;
                }
            }

            if (next < 0 || (_heads[next]!.Time > until && !ReferenceEquals(_heads[next], old[next])))
            {
                return;
            }

            var entry = _heads[next]!;
            _heads[next] = null;
            show(entry);
        }
    }

    private LogEntry? Next(int reader, string folder) => _last[reader] is { } last && last.TryDequeue(out var kept) ? kept : _readers[reader].Next(folder);
}
