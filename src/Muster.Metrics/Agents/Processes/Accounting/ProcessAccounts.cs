using Muster.Linux;

namespace Muster.Metrics.Agents.Processes.Accounting;

/// <summary>
/// Processes that have ended lately, from a file of our own that the kernel writes to while it is switched on. Off from the start:
/// the machine has one such file, and whoever switches this on takes it.
/// </summary>
internal sealed class ProcessAccounts : IDisposable
{
    /// <summary>A day; what ended longer ago is in archives.</summary>
    public const uint MaxSeconds = 86_400;

    /// <summary>As a process that makes processes ends thousands a second; the oldest are forgotten first.</summary>
    private const int MaxRecords = 65_536;

    /// <summary>A file of less is cut off all the time.</summary>
    private const ulong LeastSize = 64 * 1024;

    private const ulong MostSize = 1024UL * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly string? _file;
    private readonly Dictionary<uint, AccountingRecord> _records = [];
    private readonly Queue<AccountingRecord> _order = new();
    private FileStream? _stream;
    private ITimer? _timer;
    private DateTimeOffset _nextTry;

    /// <param name="time">The clock.</param>
    /// <param name="file">Where the kernel is to write; null where accounting cannot be switched on. Where one is that nobody holds, its owner was killed: accounting is ended.</param>
    public ProcessAccounts(TimeProvider time, string? file)
    {
        (_time, _file) = (time, file);
        if (file is not null && IsLeft(file))
        {
            Stop();
        }
    }

    /// <summary>Whether the kernel writes.</summary>
    public bool IsOn { get; private set; }

    /// <summary>Seconds for which a process that ended is told.</summary>
    public uint Lifetime { get; private set; } = 60;

    /// <summary>Seconds between two readings when nobody asks, so that the file stays small.</summary>
    public uint Refresh { get; private set; } = 600;

    /// <summary>Seconds between two looks whether the kernel still writes.</summary>
    public uint CheckInterval { get; private set; } = 600;

    /// <summary>Seconds after which it is begun again, when the file has gone.</summary>
    public uint RetryInterval { get; private set; } = 60;

    /// <summary>Bytes at which the file is emptied.</summary>
    public ulong SizeThreshold { get; private set; } = 10 * 1024 * 1024;

    public bool SetLifetime(uint seconds) => Set(seconds, v => Lifetime = v);

    public bool SetRefresh(uint seconds) => Set(seconds, v => Refresh = v);

    public bool SetCheckInterval(uint seconds) => Set(seconds, v => CheckInterval = v);

    public bool SetRetryInterval(uint seconds) => Set(seconds, v => RetryInterval = v);

    public bool SetSizeThreshold(ulong bytes)
    {
        if (bytes is < LeastSize or > MostSize)
        {
            return false;
        }

        SizeThreshold = bytes;
        return true;
    }

    /// <summary>Switches accounting on or off; false when the kernel does not let us.</summary>
    public bool Switch(bool isOn)
    {
        lock (_gate)
        {
            if (isOn == IsOn)
            {
                return true;
            }

            if (isOn && !Start())
            {
                return false;
            }

            if (!isOn)
            {
                Stop();
            }

            IsOn = isOn;
            Rearm();
            return true;
        }
    }

    /// <summary>The processes that ended within the lifetime, those that ended last at the end; of one number the last.</summary>
    public IReadOnlyList<AccountingRecord> Read()
    {
        lock (_gate)
        {
            if (!IsOn)
            {
                return [];
            }

            if (_stream is null || !File.Exists(_file))
            {
                Restart();
            }

            Take();
            var oldest = (_time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0) - Lifetime;
            while (_order.TryPeek(out var first) && (first.Ended < oldest || _order.Count > MaxRecords))
            {
                _order.Dequeue();
                if (_records.TryGetValue(first.ProcessId, out var known) && ReferenceEquals(known, first))
                {
                    _records.Remove(first.ProcessId);
                }
            }

            return [.. _order.Where(r => ReferenceEquals(_records.GetValueOrDefault(r.ProcessId), r))];
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (IsOn)
            {
                IsOn = false;
                Stop();
            }

            _timer?.Dispose();
        }
    }

    private bool Set(uint seconds, Action<uint> set)
    {
        if (seconds is 0 or > MaxSeconds)
        {
            return false;
        }

        lock (_gate)
        {
            set(seconds);
            Rearm();
        }

        return true;
    }

    private void Rearm()
    {
        _timer?.Dispose();
        var interval = TimeSpan.FromSeconds(Math.Min(Refresh, CheckInterval));
        _timer = IsOn ? _time.CreateTimer(_ => ReadBetween(), null, interval, interval) : null;
    }

    // On a thread of the pool, where what is thrown would end the daemon; whoever asks next meets it again.
    private void ReadBetween()
    {
        try
        {
            Read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private bool Start()
    {
        if (_file is null)
        {
            return false;
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_file)!);

            // Who ran what is not for everybody.
            _stream = new FileStream(_file, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
            ProcessAccounting.Start(_file);
            return true;
        }
        catch (Exception e) when (e is LinuxException or IOException or UnauthorizedAccessException)
        {
            // One that another of ours holds is his.
            if (_stream is not null)
            {
                _stream.Dispose();
                _stream = null;
                TryDelete();
            }

            return false;
        }
    }

    // Its owner holds a lock on it for as long as he lives.
    private static bool IsLeft(string file)
    {
        try
        {
            using var own = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void Restart()
    {
        if (_time.GetUtcNow() >= _nextTry)
        {
            _nextTry = _time.GetUtcNow() + TimeSpan.FromSeconds(RetryInterval);
            _stream?.Dispose();
            _stream = null;
            _ = Start();
        }
    }

    // The kernel has one file, and does not tell whose: whoever began accounting since then loses it.
    private void Stop()
    {
        _stream?.Dispose();
        _stream = null;
        _records.Clear();
        _order.Clear();
        try
        {
            ProcessAccounting.Stop();
        }
        catch (LinuxException)
        {
            // Where it cannot be ended it was not begun.
        }

        TryDelete();
    }

    private void TryDelete()
    {
        try
        {
            File.Delete(_file!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing is written to it any more.
        }
    }

    // From where the last reading ended to the last whole record.
    private void Take()
    {
        if (_stream is null)
        {
            return;
        }

        var buffer = new byte[AccountingRecord.Length * 1024];
        int read;
        while ((read = _stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) >= AccountingRecord.Length)
        {
            var whole = read - (read % AccountingRecord.Length);
            _stream.Position -= read - whole;
            for (var at = 0; at < whole; at += AccountingRecord.Length)
            {
                if (AccountingRecord.Read(buffer.AsSpan(at, AccountingRecord.Length)) is { } record)
                {
                    _records[record.ProcessId] = record;
                    _order.Enqueue(record);
                }
            }
        }

        // The kernel appends: what has been read can go.
        if ((ulong)_stream.Position >= SizeThreshold)
        {
            _stream.SetLength(0);
            _stream.Position = 0;
        }
    }
}
