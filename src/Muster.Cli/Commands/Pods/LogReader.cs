using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

/// <summary>
/// One app's log, read through all its rotated files in order, however often they are renamed meanwhile: NAME.log.N is the
/// oldest, NAME.log the newest. A file is known by its inode; its successor is the one that has the number below it.
/// </summary>
internal sealed class LogReader : IDisposable
{
    /// <summary>The most files that --log-max-files keeps, and one that is being renamed.</summary>
    private const int MaxFiles = 1001;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly List<byte> _pending = [];
    private FileStream? _file;
    private (ulong FileSystem, ulong Inode) _id;

    public LogReader(string app) => App = app;

    public string App { get; }

    /// <summary>True once files went that were not read: they were rotated away faster.</summary>
    public bool HasLost { get; private set; }

    /// <summary>Hands every whole line that is there now to <paramref name="line"/>.</summary>
    /// <param name="folder">The folder of the logs, which moves when the pod ends.</param>
    public void Read(string folder, Action<string> line)
    {
        var path = Path.Combine(folder, App + ".log");
        if (_file is null && !OpenOldest(folder, path))
        {
            return;
        }

        while (true)
        {
            // Looked at before the rest is read: what has another name by then is written to no more.
            var isNewest = Identity(path) == _id;
            ReadFile(line);
            if (isNewest || !OpenNext(folder, path))
            {
                return;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private void ReadFile(Action<string> line)
    {
        int n;
        while ((n = _file!.Read(_buffer)) > 0)
        {
            var rest = _buffer.AsSpan(0, n);
            while (rest.IndexOf((byte)'\n') is >= 0 and var end)
            {
                _pending.AddRange(rest[..end]);
                line(System.Text.Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_pending)));
                _pending.Clear();
                rest = rest[(end + 1)..];
            }

            _pending.AddRange(rest);
        }
    }

    private bool OpenOldest(string folder, string path)
    {
        var oldest = Numbers(folder).DefaultIfEmpty(0).Max();
        return TryOpen(oldest == 0 ? path : $"{path}.{oldest}");
    }

    private bool OpenNext(string folder, string path)
    {
        // Upwards, as files move: ours cannot slip past. A listing of the folder is no bound, it may miss what is renamed meanwhile.
        for (var i = 1; i <= MaxFiles; i++)
        {
            if (Identity($"{path}.{i}") != _id)
            {
                continue;
            }

            var before = (_file, _id);
            if (!TryOpen(i == 1 ? path : $"{path}.{i - 1}", keep: true))
            {
                // Between two renames: it is there a moment later.
                return false;
            }

            if (Identity($"{path}.{i}") == before._id)
            {
                before._file!.Dispose();
                return true;
            }

            // Renamed meanwhile: what was opened may not be the next.
            _file!.Dispose();
            (_file, _id) = before;
            return OpenNext(folder, path);
        }

        HasLost |= Numbers(folder).Any();
        return OpenOldest(folder, path);
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
        _pending.Clear();
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
