using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

/// <summary>
/// One app's log, read through all its rotated files in order, however often they are renamed meanwhile: NAME.log.N is the
/// oldest, NAME.log the newest. A file is known by its inode; its successor is the one that has the number below it. What is held in
/// memory is one piece of a file, whatever the files' sizes.
/// </summary>
internal sealed class LogReader : IDisposable
{
    /// <summary>The most files that --log-max-files keeps, and one that is being renamed.</summary>
    private const int MaxFiles = 1001;

    /// <summary>The longest record: 16 KiB of a line, each byte of it written as six, and what stands around it. Longer ones are none of the shim's.</summary>
    private const int MaxRecord = 128 * 1024;

    /// <summary>How often a successor is looked for that is between two renames before it counts as not there yet.</summary>
    private const int SuccessorTries = 100;

    private const int BetweenRenamesMilliseconds = 2;

    private readonly byte[] _buffer = new byte[MaxRecord];
    private int _start;
    private int _end;
    private bool _skips;
    private FileStream? _file;
    private (ulong FileSystem, ulong Inode) _id;

    public LogReader(string app) => App = app;

    public string App { get; }

    /// <summary>True once files went that were not read: they were rotated away faster.</summary>
    public bool HasLost { get; private set; }

    /// <summary>The next whole record; null when there is none just now.</summary>
    /// <param name="folder">The folder of the logs, which moves when the pod ends.</param>
    public LogEntry? Next(string folder)
    {
        var path = Path.Combine(folder, App + ".log");
        if (_file is null && !OpenOldest(folder, path))
        {
            return null;
        }

        while (true)
        {
            while (TakeLine() is { } line)
            {
                if (LogEntry.TryRead(App, line) is { } entry)
                {
                    return entry;
                }
            }

            // Looked at before the rest is read: what has another name by then is written to no more.
            var isNewest = Identity(path) == _id;
            if (!Fill() && (isNewest || !OpenNext(folder, path)))
            {
                return null;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private ReadOnlyMemory<byte>? TakeLine()
    {
        while (_buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n') is >= 0 and var length)
        {
            var line = _buffer.AsMemory(_start, length);
            _start += length + 1;
            if (!_skips)
            {
                return line;
            }

            _skips = false;
        }

        return null;
    }

    // True when more came.
    private bool Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        if (_end == _buffer.Length)
        {
            _skips = true;
            _end = 0;
        }

        var n = _file!.Read(_buffer.AsSpan(_end));
        _end += n;
        return n > 0;
    }

    private bool OpenOldest(string folder, string path)
    {
        // A listing may miss what is renamed meanwhile, and what it names may be the next file by the time it is opened.
        var number = Numbers(folder).DefaultIfEmpty(0).Max();
        for (var attempt = 0; attempt < MaxFiles + SuccessorTries; attempt++)
        {
            if (!TryOpen(number == 0 ? path : $"{path}.{number}"))
            {
                // Without a number there is none at all; else it has the next one a moment later.
                if (number == 0 || attempt >= MaxFiles)
                {
                    return false;
                }

                _ = Descriptors.Poll([], BetweenRenamesMilliseconds);
            }
            else if (Older(path, NumberOfOurs(path) ?? number) is not { } older)
            {
                return true;
            }
            else
            {
                number = older;
            }
        }

        return _file is not null;
    }

    // The oldest is renamed first, so that there is one gap in the numbers at most.
    private static int? Older(string path, int number) =>
        FileStatus.Find($"{path}.{number + 2}") is not null ? number + 2 : FileStatus.Find($"{path}.{number + 1}") is not null ? number + 1 : null;

    private bool OpenNext(string folder, string path)
    {
        for (var attempt = 0; attempt < SuccessorTries; attempt++)
        {
            if (NumberOfOurs(path) is not { } number)
            {
                HasLost |= Numbers(folder).Any();
                return OpenOldest(folder, path);
            }

            var before = (_file, _id);
            if (!TryOpen(number == 1 ? path : $"{path}.{number - 1}", keep: true))
            {
                // Between two renames: it is there a moment later.
                _ = Descriptors.Poll([], BetweenRenamesMilliseconds);
                continue;
            }

            if (Identity($"{path}.{number}") == before._id)
            {
                before._file!.Dispose();
                return true;
            }

            // Renamed meanwhile: what was opened may not be the next.
            _file!.Dispose();
            (_file, _id) = before;
        }

        return false;
    }

    // Upwards, as files move: ours cannot slip past. A listing of the folder is no bound, it may miss what is renamed meanwhile.
    private int? NumberOfOurs(string path)
    {
        for (var i = 1; i <= MaxFiles; i++)
        {
            if (Identity($"{path}.{i}") == _id)
            {
                return i;
            }
        }

        return null;
    }

    private bool TryOpen(string path, bool keep = false)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }

        if (!keep)
        {
            _file?.Dispose();
        }

        _file = file;
        var status = FileStatus.Read((int)file.SafeFileHandle.DangerousGetHandle());
        _id = (status.FileSystem, status.Inode);
        _start = _end = 0;
        _skips = false;
        return true;
    }

    private static (ulong FileSystem, ulong Inode)? Identity(string path) => FileStatus.Find(path) is { } status ? (status.FileSystem, status.Inode) : null;

    private IEnumerable<int> Numbers(string folder)
    {
        var start = App + ".log.";
        return Directory.Exists(folder)
            ? Directory.GetFiles(folder).Select(Path.GetFileName).Where(f => f!.StartsWith(start, StringComparison.Ordinal)).Select(f => int.TryParse(f.AsSpan(start.Length), out var number) ? number : 0)
            : [];
    }
}
