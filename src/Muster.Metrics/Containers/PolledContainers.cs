using System.Text;
using Muster.Linux;

namespace Muster.Metrics.Containers;

/// <summary>
/// The containers of an engine that is not ours, from the files that it keeps: looked at anew at most once in a second, and
/// only when somebody asks. An engine that is not there costs one look at its folder.
/// </summary>
internal abstract class PolledContainers(TimeProvider time) : IContainerSource
{
    /// <summary>How old a foreign engine's state may be.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Containers of one engine beyond this are not measured.</summary>
    protected const int MaxContainers = 5000;

    /// <summary>A state file that is larger is not looked at: docker's have a few kilobytes, podman's list a few hundred.</summary>
    private const long MaxFile = 16 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<(int Pid, ulong Ticks), DateTimeOffset> _starts = [];
    private IReadOnlyList<ContainerDescription> _current = [];
    private string _key = "";
    private DateTimeOffset _next = DateTimeOffset.MinValue;

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<ContainerDescription> Current
    {
        get
        {
            lock (_gate)
            {
                if (time.GetUtcNow() < _next)
                {
                    return _current;
                }

                _next = time.GetUtcNow() + Interval;
                List<ContainerDescription> found;
                try
                {
                    found = [.. List().Take(MaxContainers)];
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinuxException)
                {
                    // The engine is at work on its files: what was known holds until the next look.
                    return _current;
                }

                var key = string.Join('\n', found.Select(Key));
                if (key != _key)
                {
                    _key = key;
                    _current = found;
                }

                return _current;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>Lists the containers now.</summary>
    protected abstract IEnumerable<ContainerDescription> List();

    /// <summary>A file's bytes; null when there is none, or none that could be one of the engine's.</summary>
    protected static byte[]? ReadFile(string path)
    {
        var file = new FileInfo(path);
        try
        {
            return file.Exists && file.Length <= MaxFile && !file.Attributes.HasFlag(FileAttributes.ReparsePoint) ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The process that a pid file names, when it lives and its control groups name the container; else 0.</summary>
    protected static int LivingProcess(byte[]? pidFile, string id)
    {
        if (pidFile is null || !int.TryParse(Encoding.ASCII.GetString(pidFile).AsSpan().Trim(), out var pid) || pid <= 1)
        {
            return 0;
        }

        try
        {
            // A pid may be another process's by now.
            return File.ReadAllText($"/proc/{pid}/cgroup").Contains(id, StringComparison.Ordinal) ? pid : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>When a process was started; once told it stays so, though the clock is set.</summary>
    protected DateTimeOffset? StartOf(int pid)
    {
        if (pid <= 0 || ProcessControl.StartTime(pid) is not (> 0 and var ticks))
        {
            return null;
        }

        if (!_starts.TryGetValue((pid, ticks), out var start))
        {
            if (_starts.Count >= MaxContainers)
            {
                _starts.Clear();
            }

            _starts[(pid, ticks)] = start = ProcessControl.BootTime().AddSeconds((double)ticks / ProcessControl.TicksPerSecond);
        }

        return start;
    }

    /// <summary>Whether a process has another network namespace than this program.</summary>
    protected static bool HasOwnNetwork(int pid) =>
        pid > 0 && new FileInfo($"/proc/{pid}/ns/net").LinkTarget is { } theirs && theirs != new FileInfo("/proc/self/ns/net").LinkTarget;

    private static string Key(ContainerDescription c) => $"{c.Name} {c.Id} {c.State} {c.InitPid} {c.Restarts} {c.StartedAt:O} {string.Join(' ', c.Labels)}";
}
