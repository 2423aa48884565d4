using System.Globalization;
using Muster.Core;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Metrics.Logging;

/// <summary>When a logger ends by itself.</summary>
/// <param name="Samples">Records that are written; null for no bound.</param>
/// <param name="Duration">How long; null for no bound.</param>
public sealed record LogBounds(long? Samples = null, TimeSpan? Duration = null);

/// <summary>What a logger wrote.</summary>
public sealed record LogSummary(string Archive, long Samples);

/// <summary>
/// Fetches chosen metrics at their intervals and writes them to archives. In a folder it names archives by the time, begins a
/// new one in time, deletes old ones, and first puts right what a killed logger left there. One logger a folder.
/// </summary>
public sealed class MetricLogger : IDisposable
{
    // Names of one plan: every metric of a large host is below a tenth of it.
    private const int MaxMetrics = 50_000;

    // How long a full disk is left alone between two tries.
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    // A clock that was set back by less has caught up before anybody misses a value.
    private static readonly TimeSpan LeastSetback = TimeSpan.FromSeconds(10);

    private readonly LogPlan _plan;
    private readonly MetricCatalog _catalog;
    private readonly TimeProvider _time;
    private readonly Action<string> _report;

    // A client like others: events are written once.
    private readonly MetricView _view = MetricView.Host with { Client = new ClientMemory() };
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FetchPlan> _fetches = new(StringComparer.Ordinal);
    private OwnArchives? _own;
    private ArchiveWriter? _writer;
    private bool _isFirst;
    private ArchiveRecorder? _recorder;
    private DateTimeOffset _syncAt;
    private TimeSpan _ahead;
    private TimeSpan _setback;
    private DateTimeOffset? _brokenSince;

    public MetricLogger(LogPlan plan, MetricCatalog catalog, TimeProvider time, Action<string> report)
    {
        (_plan, _catalog, _time, _report) = (plan, catalog, time, report);
        foreach (var warning in plan.Warnings)
        {
            report(warning);
        }

        var unknown = plan.Groups.SelectMany(g => g.Metrics).Where(m => m != "." && !_catalog.Current.All.Any(n => LogGroup.IsBelow(n.Name, m))).Distinct().ToList();
        if (unknown.Count > 0 && unknown.Count == plan.Groups.SelectMany(g => g.Metrics).Distinct().Count())
        {
            throw new MusterException(ErrorKind.NotFound, $"There is no metric {string.Join(", ", unknown.Take(10))}: \"muster metric list\" shows the names");
        }

        foreach (var name in unknown)
        {
            report($"there is no metric {name}: it is logged when there is one");
        }
    }

    /// <summary>The archive that is being written; null before and after.</summary>
    public string? Archive => Volatile.Read(ref _writer)?.Path;

    /// <summary>Writes one archive, from its beginning to the bound or to the end of waiting.</summary>
    public async Task<LogSummary> RunArchiveAsync(string path, LogBounds bounds, CancellationToken ct)
    {
        // Whoever names an archive works with it by hand: its volumes stay as every tool reads them.
        var volumes = new VolumeKeeping(_plan with { Compression = ArchiveCompression.None }, _time, _report);
        try
        {
            Begin(path, Now(), volumes);
            return new LogSummary(path, await SampleAsync(bounds, volumes, nextArchive: null, ct));
        }
        finally
        {
            await EndAsync(volumes);
        }
    }

    /// <summary>Writes archives into a folder.</summary>
    public async Task<LogSummary> RunFolderAsync(string folder, LogBounds bounds, CancellationToken ct)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
        using var own = OwnArchives.Open(folder, _report);
        var volumes = new VolumeKeeping(_plan, _time, _report, own);
        _own = own;
        try
        {
            volumes.PutRight();
            Begin(NextName(folder), Now(), volumes);
            var samples = await SampleAsync(bounds, volumes, () => NextName(folder), ct);
            return new LogSummary(_writer!.Path, samples);
        }
        finally
        {
            await EndAsync(volumes);
        }
    }

    /// <summary>Closes the archive that is being written.</summary>
    public void Dispose() => _writer?.Dispose();

    private string NextName(string folder)
    {
        var name = Path.Combine(folder, _time.GetUtcNow().ToString("yyyyMMdd.HH.mm.ss", CultureInfo.InvariantCulture));
        for (var i = 0; ; i++)
        {
            var path = i == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{i:D2}");
            if (!File.Exists(path + ".meta") && !File.Exists(path + ".index"))
            {
                return path;
            }
        }
    }

    // An archive of its own name that saw the clock set back goes on in the time it had.
    private DateTimeOffset Clock() => _time.GetUtcNow() + _ahead;

    // Version 2 has microseconds; a time that is told twice is moved on by one.
    private DateTimeOffset Now()
    {
        var now = Whole(Clock());
        return _writer is not null && now <= _writer.LastTime ? _writer.LastTime.AddTicks(TimeSpan.TicksPerMicrosecond) : now;
    }

    private static DateTimeOffset Whole(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));

    // The archive before is closed when there is a new one: a full disk leaves it as it is.
    private void Begin(string path, DateTimeOffset start, VolumeKeeping volumes)
    {
        var label = new ArchiveLabel(_plan.Version, Environment.ProcessId, start, HostFacts.HostName, HostFacts.TimeZone, HostFacts.ZoneName);
        _own?.Add(path, label);
        var writer = new ArchiveWriter(path, label);
        try
        {
            ArchivePreamble.Write(writer, start.AddTicks(TimeSpan.TicksPerMicrosecond));
        }
        catch (MusterException)
        {
            writer.Dispose();
            foreach (var file in new[] { ".0", ".index", ".meta" })
            {
                File.Delete(path + file);
            }

            throw;
        }

        _writer?.Dispose();
        _writer = writer;
        _isFirst = true;
        volumes.Begun(writer);
        _recorder = new ArchiveRecorder(_writer, _view);
        _syncAt = _plan.SyncInterval is { } interval ? start + interval : DateTimeOffset.MaxValue;
    }

    private async Task EndAsync(VolumeKeeping volumes)
    {
        _writer?.Dispose();
        await volumes.FinishAsync();
    }

    private async Task<long> SampleAsync(LogBounds bounds, VolumeKeeping volumes, Func<string>? nextArchive, CancellationToken ct)
    {
        // In whole microseconds, as the times of records are: else what is due would not be yet when its record is written.
        var start = Whole(Clock());
        var due = _plan.Groups.Select(_ => start).ToArray();
        var samples = 0L;
        var end = bounds.Duration is { } duration ? start + duration : DateTimeOffset.MaxValue;
        while (samples < (bounds.Samples ?? long.MaxValue))
        {
            var next = due.Min();
            if (next > end || next == DateTimeOffset.MaxValue || !await WaitAsync(next, ct))
            {
                break;
            }

            var ready = new List<int>();
            try
            {
                if (_setback > TimeSpan.Zero)
                {
                    SetBack(volumes, nextArchive, due);
                }

                var now = Now();
                if (!Array.Exists(due, d => d <= now))
                {
                    // The clock was set back between the wait and here: nothing is recorded, and nothing counts as a record.
                    continue;
                }

                Rotate(volumes, nextArchive, due, now);
                ready.AddRange(Enumerable.Range(0, due.Length).Where(i => due[i] <= now));
                Sample([.. ready.Select(i => _plan.Groups[i])]);
                volumes.Written(_isFirst);
                _isFirst = false;
                ready.ForEach(i => due[i] = NextTime(due[i], _plan.Groups[i].Interval, now));
                samples++;
                if (_brokenSince is { } since)
                {
                    _report($"{_writer!.Path} is recorded again: what was to be recorded since {since:u} is missing");
                    _brokenSince = null;
                }
            }
            catch (MusterException e) when (e.InnerException is IOException)
            {
                if (_brokenSince is null)
                {
                    _report($"{e.Message}; nothing is recorded until it can be");
                }

                _brokenSince ??= Clock();
                var retry = Whole(Clock()) + RetryInterval;
                for (var i = 0; i < due.Length; i++)
                {
                    due[i] = due[i] < retry || _setback > TimeSpan.Zero ? retry : due[i];
                }
            }
        }

        return samples;
    }

    private void Rotate(VolumeKeeping volumes, Func<string>? nextArchive, DateTimeOffset[] due, DateTimeOffset now)
    {
        if (nextArchive is not null && volumes.IsDue(now))
        {
            NextArchive(volumes, nextArchive(), due, now);
        }
        else if (_writer!.VolumeSize >= _plan.VolumeSize)
        {
            volumes.Closed(_writer.NextVolume());
        }
    }

    // Records of an archive follow one another in time: a folder gets a new archive, one of its own name keeps to the old time.
    private void SetBack(VolumeKeeping volumes, Func<string>? nextArchive, DateTimeOffset[] due)
    {
        if (nextArchive is null)
        {
            _ahead += _setback;
            _report($"the clock was set back by {_setback.TotalSeconds:0} s: {_writer!.Path} goes on as if it were not");
        }
        else
        {
            var now = Clock();
            NextArchive(volumes, nextArchive(), due, Whole(now));
            _report($"the clock was set back by {_setback.TotalSeconds:0} s: a new archive begins, {_writer!.Path}");
        }

        _setback = TimeSpan.Zero;
    }

    private void NextArchive(VolumeKeeping volumes, string path, DateTimeOffset[] due, DateTimeOffset now)
    {
        var closed = $"{_writer!.Path}.{_writer.Volume}";
        Begin(path, now, volumes);
        volumes.Closed(closed);

        // What is logged once is in each archive, and every counter has a value from its beginning on.
        Array.Fill(due, now);
    }

    // Later by whole intervals: what was missed while the host slept is not made up for.
    private static DateTimeOffset NextTime(DateTimeOffset due, TimeSpan? interval, DateTimeOffset now) =>
        interval is { } step ? due + (step * Math.Max(1, Math.Ceiling((now - due) / step + 1e-9))) : DateTimeOffset.MaxValue;

    private async Task<bool> WaitAsync(DateTimeOffset until, CancellationToken ct)
    {
        try
        {
            while (until - Clock() is { Ticks: > 0 } wait)
            {
                var step = wait < TimeSpan.FromHours(1) ? wait : TimeSpan.FromHours(1);
                await Task.Delay(step, _time, ct);
                if (until - Clock() - (wait - step) is var more && more > LeastSetback)
                {
                    _setback = more;
                    break;
                }
            }

            return !ct.IsCancellationRequested;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Sample(List<LogGroup> groups)
    {
        var names = _catalog.Current;
        var plan = Plan(groups, names);
        using var buffer = ValueSetBuffer.Rent();
        plan.Collect(_view, buffer, (agent, e) => Tell($"the agent {agent.Name} failed: {e.Message}"));
        var ended = Ended(names, plan);
        _recorder!.Record(plan, buffer, metric => Choice(metric, groups, ended), Now());
        if (_writer!.LastTime >= _syncAt)
        {
            _writer.Sync();
            _syncAt = _writer.LastTime + _plan.SyncInterval!.Value;
        }
    }

    private FetchPlan Plan(List<LogGroup> groups, MetricNames names)
    {
        var key = string.Join(' ', groups.Select(g => _plan.Groups.ToList().IndexOf(g).ToString(CultureInfo.InvariantCulture)));
        if (_fetches.TryGetValue(key, out var plan) && plan.Names == names)
        {
            return plan;
        }

        var ids = groups.SelectMany(g => names.All.Where(n => g.Covers(n.Name))).Select(n => n.Metric.Descriptor.Id).Distinct().ToArray();
        if (ids.Length > MaxMetrics)
        {
            throw new MusterException(ErrorKind.Exhausted, $"{ids.Length} metrics are logged at once, more than {MaxMetrics}");
        }

        return _fetches[key] = FetchPlan.Of(names, ids);
    }

    // Containers that are not alive; their counters stand still and are no news.
    private static HashSet<string> Ended(MetricNames names, FetchPlan plan)
    {
        var ended = new HashSet<string>(StringComparer.Ordinal);
        var hasContainers = false;
        foreach (var id in plan.Ids)
        {
            hasContainers |= names.Find(id) is { } metric && IsOfContainers(metric.Descriptor);
        }

        if (hasContainers && names.Find("container.state") is { } state)
        {
            using var buffer = ValueSetBuffer.Rent();
            var states = FetchPlan.Of(names, [state.Descriptor.Id]);
            states.Collect(MetricView.Host, buffer, null);
            var instances = state.Agent.GetInstances(state.Descriptor.Instances, MetricView.Host).ToDictionary(i => i.Id, i => i.Name);
            foreach (var value in states.Values(0, buffer).Values)
            {
                // 0 was never started, 4 has ended.
                if (value.Value.Unsigned is 0 or 4 && instances.TryGetValue(value.Instance, out var name))
                {
                    ended.Add(name);
                }
            }
        }

        return ended;
    }

    // Of containers themselves, or derived from such a metric.
    private static bool IsOfContainers(MetricDescriptor metric) => metric.Id.Domain == ContainerAgent.Number || (DerivedIds.IsDerived(metric.Id) && metric.Instances.Domain == ContainerAgent.Number);

    private InstanceChoice? Choice(MetricDescriptor metric, List<LogGroup> groups, HashSet<string> ended)
    {
        var own = groups.Where(g => g.Covers(metric.Name)).ToList();
        var isContainer = IsOfContainers(metric);
        if (!isContainer && own.Any(g => g.IsWhole(metric.Name)))
        {
            return null;
        }

        return instance =>
        {
            // An interface is named by its container and its own name.
            var container = instance.Name.Split("::")[0];
            return (!isContainer || (!ended.Contains(container) && _plan.WantsContainer(container))) && (own.Count == 0 || own.Any(g => g.WantsInstance(metric.Name, instance)));
        };
    }

    private void Tell(string line)
    {
        // Once each, and not without end.
        if (_told.Count < 100 && _told.Add(line))
        {
            _report(line);
        }
    }
}
