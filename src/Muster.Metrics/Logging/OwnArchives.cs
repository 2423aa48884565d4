using System.Globalization;
using System.Text;
using Muster.Core;
using Muster.Linux;
using Muster.Metrics.Archive;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Metrics.Logging;

/// <summary>
/// Which archives of a folder are the logger's own; it touches no others, whatever their names. <c>.logger</c> in the folder
/// lists them, each before its first file is made, so that a kill at any time leaves nothing unknown; it is the lock as well:
/// who holds it knows that nobody writes what is listed. Archives of older loggers, which kept no list, and those of a list
/// that is lost are known by what stands in them (<see cref="IsMarked"/>). Of either, every file must be this user's alone.
/// </summary>
internal sealed class OwnArchives : IDisposable
{
    private const string ListName = ".logger";

    // A line each of 4000 archives is a fifth of it.
    private const int MaxList = 1024 * 1024;

    private readonly string _folder;
    private readonly FileLock _lock;
    private readonly FileStream _list;
    private readonly Dictionary<string, (int ProcessId, long Start)> _listed = new(StringComparer.Ordinal);

    private OwnArchives(string folder, FileLock held, FileStream list) => (_folder, _lock, _list) = (folder, held, list);

    /// <summary>Base names of the archives that are known to be the logger's own, without those that are gone.</summary>
    public IReadOnlyCollection<string> Names => [.. _listed.Keys.Select(n => Path.Combine(_folder, n))];

    /// <summary>Takes the folder's lock and looks which archives are the logger's own.</summary>
    public static OwnArchives Open(string folder, Action<string> report)
    {
        var path = Path.Combine(folder, ListName);
        FileLock? held = null;
        FileStream? list = null;
        try
        {
            held = FileLock.TryTake(path, exclusive: true) ?? throw new MusterException(ErrorKind.Busy, $"Another logger writes into {folder}: end it, or give another folder");
            var mode = FileStatus.Find(path)?.Permissions ?? 0;
            list = OwnFile.Open(path, FileAccess.ReadWrite);
            var own = new OwnArchives(folder, held, list);
            if ((mode & 0x12) == 0)
            {
                own.ReadList();
            }

            LinuxException.Check(FileCalls.ChangeMode((int)list.SafeFileHandle.DangerousGetHandle(), 0x180), "fchmod", path);
            own.Look(report);
            return own;
        }
        catch (Exception e) when (e is LinuxException or UnauthorizedAccessException)
        {
            list?.Dispose();
            held?.Dispose();
            throw new MusterException(ErrorKind.Forbidden, $"{path} is no file of this user alone ({e.Message.TrimEnd('.')}): remove it, or give another folder", e);
        }
        catch
        {
            list?.Dispose();
            held?.Dispose();
            throw;
        }
    }

    /// <summary>An archive that is about to be made.</summary>
    public void Add(string path, ArchiveLabel label)
    {
        _listed[Path.GetFileName(path)] = (label.ProcessId, label.Start.UtcTicks);
        _list.Position = _list.Length;
        _list.Write(Encoding.ASCII.GetBytes(Line(Path.GetFileName(path), label.ProcessId, label.Start.UtcTicks)));
        _list.Flush();
    }

    /// <summary>An archive that is gone.</summary>
    public void Forget(string path)
    {
        if (_listed.Remove(Path.GetFileName(path)))
        {
            WriteList();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _list.Dispose();
        _lock.Dispose();
    }

    private void Look(Action<string> report)
    {
        var foreign = new List<string>();
        var there = new Dictionary<string, (int, long)>(StringComparer.Ordinal);
        foreach (var path in ArchiveFiles.In(_folder))
        {
            var name = Path.GetFileName(path);
            if (Files(path) is { } files && (IsListed(name, files) ?? IsMarked(path, files)) is { } label)
            {
                there[name] = label;
            }
            else
            {
                foreign.Add(name);
            }
        }

        _listed.Clear();
        foreach (var (name, label) in there)
        {
            _listed.Add(name, label);
        }

        WriteList();
        if (foreign.Count > 0)
        {
            report($"left alone in {_folder}, as this logger did not write it: {string.Join(", ", foreign.Take(5))}{(foreign.Count > 5 ? $" and {foreign.Count - 5} more" : "")}");
        }
    }

    // All files that belong to an archive; null when some is not this user's alone.
    private static List<string>? Files(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        var name = Path.GetFileName(path);
        var files = Directory.EnumerateFileSystemEntries(folder).Where(f => Path.GetFileName(f) is var n && n.StartsWith(name + ".", StringComparison.Ordinal) && IsPart(n[(name.Length + 1)..])).ToList();
        return files.TrueForAll(OwnFile.Is) ? files : null;
    }

    private static bool IsPart(string ending) => ending is "meta" or "index" || (ending.Length > 0 && char.IsAsciiDigit(ending[0]));

    private (int, long)? IsListed(string name, List<string> files)
    {
        if (!_listed.TryGetValue(name, out var expected) || files.Find(f => f.EndsWith(".meta", StringComparison.Ordinal)) is not { } meta)
        {
            return null;
        }

        // A logger that was killed before it wrote the label leaves less than one.
        return ReadLabel(meta) is { } label
            ? (label.ProcessId, label.Start.UtcTicks) == expected ? expected : null
            : new FileInfo(meta).Length < ArchiveLabel.Size(ArchiveVersion.V2) ? expected : null;
    }

    /// <summary>
    /// Whether an archive that is not listed has all that only this logger gives one: a name by the second, the label of this
    /// host and of a process that is gone, and a first record by which the logger is its own pmcd and has no control port.
    /// </summary>
    private static (int, long)? IsMarked(string path, List<string> files)
    {
        try
        {
            var found = ArchiveFiles.Find(path);
            if (!IsName(Path.GetFileName(path)) || found.Volumes[0].Number != 0 || !files.Contains(found.Meta) || ReadLabel(found.Meta) is not { } label || label.HostName != HostFacts.HostName || IsAlive(label))
            {
                return null;
            }

            using var records = new RecordStream(ArchiveFiles.Open(found.Volumes[0].Path), found.Volumes[0].Path);
            if (records.Next() != RecordState.Record || ArchiveLabel.Read(records.Record) is not { Volume: 0 } first || first.Label != label || records.Next() != RecordState.Record || ArchiveSample.Read(records.Record, label.Version) is not { } sample)
            {
                return null;
            }

            return Number(sample, MetricId.Of(2, 0, 23)) == label.ProcessId && Number(sample, MetricId.Of(2, 3, 0)) == 0 ? (label.ProcessId, label.Start.UtcTicks) : null;
        }
        catch (Exception e) when (e is MusterException or IOException or UnauthorizedAccessException)
        {
            // Whatever cannot be read is not known to be ours.
            return null;
        }
    }

    private static long? Number(ArchiveSample sample, MetricId id) => sample.Sets.FirstOrDefault(s => s.Id == id) is { Values: [var value, ..] } ? (long)value.Value.Unsigned : null;

    // yyyyMMdd.HH.mm.ss, with -NN for another one in the same second; pmlogger's names end with the minutes.
    private static bool IsName(string name) => name.Length >= 17 && DateTime.TryParseExact(name.AsSpan(0, 17), "yyyyMMdd.HH.mm.ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
        && (name.Length == 17 || (name.Length > 18 && name[17] == '-' && name.AsSpan(18).IndexOfAnyExceptInRange('0', '9') < 0));

    // A process that began after the archive did has taken the number over.
    private static bool IsAlive(ArchiveLabel label)
    {
        if (label.ProcessId == Environment.ProcessId || ProcessControl.StartTime(label.ProcessId) is not (> 0 and var ticks))
        {
            return false;
        }

        return ProcessControl.BootTime().AddSeconds((double)ticks / ProcessControl.TicksPerSecond) <= label.Start.AddSeconds(2);
    }

    private static ArchiveLabel? ReadLabel(string meta)
    {
        try
        {
            using var file = OwnFile.Open(meta, FileAccess.Read);
            var bytes = new byte[ArchiveLabel.Size(ArchiveVersion.V3)];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return ArchiveLabel.Read(bytes.AsSpan(0, length)) is { Volume: ArchiveFormat.MetaVolume } label ? label.Label : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void ReadList()
    {
        var bytes = new byte[MaxList];
        _list.Position = 0;
        foreach (var line in Encoding.UTF8.GetString(bytes, 0, _list.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).Split('\n'))
        {
            // A torn line is that of an archive that was not begun.
            if (line.Split(' ') is [var name, var process, var start] && name.Length > 0 && !name.Contains('/', StringComparison.Ordinal) && int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && long.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks))
            {
                _listed[name] = (id, ticks);
            }
        }
    }

    private void WriteList()
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(_listed.Select(l => Line(l.Key, l.Value.ProcessId, l.Value.Start))));
        _list.Position = 0;
        _list.Write(text);
        _list.SetLength(text.Length);
        _list.Flush();
    }

    private static string Line(string name, int process, long start) => string.Create(CultureInfo.InvariantCulture, $"{name} {process} {start}\n");
}
