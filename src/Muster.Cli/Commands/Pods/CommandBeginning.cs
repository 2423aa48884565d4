using System.Globalization;
using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

/// <summary>
/// Finds out whether the command that an OCI runtime runs beside an app did begin. A command that was killed and one that was
/// killed while the runtime still prepared it have the same status, and no runtime's log tells them apart.
/// </summary>
internal sealed class CommandBeginning
{
    private const int LookMilliseconds = 2;

    private readonly string _runtime;
    private readonly int _pidFile = -1;
    private Thread? _watch;
    private volatile bool _seen;
    private volatile bool _over;

    /// <param name="runtime">The runtime's program.</param>
    public CommandBeginning(string runtime)
    {
        _runtime = Path.GetFileName(runtime);
        if (_runtime == "crun")
        {
            // crun writes it in place, and no sooner than the process has only to execute the command. Others rename another file to it.
            _pidFile = Descriptors.InMemory("pid", []);
        }
    }

    /// <summary>What the runtime is told for it, before the container's id.</summary>
    public IReadOnlyList<string> Words => _pidFile >= 0 ? ["--pid-file", Descriptors.PathOf(_pidFile)] : [];

    /// <summary>Looks at what the runtime with that process id has started, until that is the command.</summary>
    public void Watch(int pid)
    {
        if (_pidFile >= 0)
        {
            return;
        }

        _watch = new Thread(() =>
        {
            while (!_seen && !_over)
            {
                _seen = Children(pid).Any(IsCommand);
                _ = Descriptors.Poll([], LookMilliseconds);
            }
        })
        { IsBackground = true };
        _watch.Start();
    }

    /// <summary>Whether the command did begin, asked when the runtime has ended; null when that cannot be told.</summary>
    public bool? Ended()
    {
        if (_pidFile >= 0)
        {
            return File.ReadAllBytes(Descriptors.PathOf(_pidFile)).Length > 0;
        }

        _over = true;
        _watch?.Join();
        return _seen ? true : null;
    }

    // Until it executes the command the process is one of the runtime's program, or of a copy in memory that bears its name.
    private bool IsCommand(string pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/exe").LinkTarget is { } program && !program.Contains(_runtime, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // Each thread of a process has children of its own (proc(5), /proc/pid/task/tid/children).
    private static IEnumerable<string> Children(int pid)
    {
        var found = new List<string>();
        try
        {
            foreach (var task in Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task")))
            {
                found.AddRange(File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }
        catch (IOException)
        {
            // It ended, or the kernel has no such file.
        }

        return found;
    }
}
