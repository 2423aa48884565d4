using Muster.Core;
using Muster.Metrics.Archive;

namespace Muster.Metrics.Logging;

/// <summary>
/// What happens to volumes that are closed: compressed one after another in the background, and deleted with their archive
/// when its time has come. Only archives that are the logger's own (<see cref="OwnArchives"/>) are touched; none of them
/// when there are none, as for an archive that was named.
/// </summary>
internal sealed class VolumeKeeping(LogPlan plan, TimeProvider time, Action<string> report, OwnArchives? own = null)
{
    // An archive is deleted as a whole: its span and its share bound what is kept too long, or deleted too early.
    private const int Share = 4;

    // Each archive begins with all its metadata.
    private static readonly TimeSpan LeastSpan = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly List<(string Base, long Size, DateTimeOffset Last)> _others = [];
    private Task _work = Task.CompletedTask;
    private ArchiveWriter? _current;
    private long _closed;
    private long _first;
    private long _largest;
    private bool _isTold;

    /// <summary>After a kill: torn records are cut off, half-compressed files deleted, plain volumes compressed, old archives deleted.</summary>
    public void PutRight()
    {
        foreach (var archive in own!.Names)
        {
            try
            {
                PutRight(archive);
            }
            catch (Exception e) when (e is MusterException or IOException or UnauthorizedAccessException)
            {
                report($"{archive} stays as it is: {e.Message.TrimEnd('.')}");
            }
        }

        Look();
        Expire(0);
    }

    /// <summary>Compresses a closed volume, when the plan says so, and sees to it that its bytes are on disk.</summary>
    public void Closed(string volume)
    {
        _closed += _current is not null && volume.StartsWith(_current.Path + ".", StringComparison.Ordinal) ? new FileInfo(volume).Length : 0;
        _work = _work.ContinueWith(_ => Keep(volume), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>Waits until all is compressed.</summary>
    public Task FinishAsync() => _work;

    /// <summary>An archive begins; what was current is one of the others.</summary>
    public void Begun(ArchiveWriter writer)
    {
        _current = writer;
        _closed = 0;
        if (own is not null)
        {
            Look();
            Expire(_first);
        }
    }

    /// <summary>A record was written: what the next one may need.</summary>
    public void Written(bool isFirst)
    {
        // The first record of an archive comes with all its metadata.
        if (isFirst)
        {
            _first = Math.Max(_first / 2, Size());
        }
        else
        {
            _largest = Math.Max(_largest - (_largest / 100), _current!.LastWritten);
        }
    }

    /// <summary>Deletes what is too much or too old before the next record; true when the current archive must end for it.</summary>
    public bool IsDue(DateTimeOffset now)
    {
        var age = now - _current!.Label.Start;
        if (age >= plan.ArchiveSpan || (plan.KeepAge is { } keep && age >= (keep / Share < LeastSpan ? LeastSpan : keep / Share)))
        {
            return true;
        }

        if (own is not null && (IsTooMuch(_largest) || _others.Exists(o => IsOld(o.Last))))
        {
            Look();
            Expire(_largest);
        }

        if (plan.KeepSize is not { } most || !IsFull(most))
        {
            return false;
        }

        // Its volumes may have been compressed meanwhile.
        Look();
        if (!IsFull(most))
        {
            return false;
        }

        if (_first + _largest > most && !_isTold)
        {
            _isTold = true;
            report($"keep.size is {Quantity.FormatBytes(most)}, and an archive of what is logged begins with {Quantity.FormatBytes(_first)}: no more than one is kept; give it more, or log less");
        }

        return true;
    }

    private bool IsFull(long most) => own is not null && Size() >= Math.Max(_first + _largest, Math.Min(Math.Max(most / Share, 2 * _first), most - _largest));

    private bool IsTooMuch(long reserve) => plan.KeepSize is { } most && _others.Sum(o => o.Size) + Size() + reserve > most;

    private bool IsOld(DateTimeOffset last) => plan.KeepAge is { } age && time.GetUtcNow() - last > age;

    // Bytes of the current archive; volumes that were closed may have become smaller since they were looked at.
    private long Size() => _current is null ? 0 : _closed + _current.OpenSize;

    private void PutRight(string archive)
    {
        foreach (var unfinished in Unfinished(archive))
        {
            File.Delete(unfinished);
        }

        if (!ArchiveRepair.Repair(archive))
        {
            own!.Forget(archive);
            return;
        }

        foreach (var (_, volume) in ArchiveFiles.Find(archive).Volumes.Where(v => !VolumeCompression.IsCompressed(v.Path)))
        {
            Closed(volume);
        }
    }

    // Half-compressed volumes of an archive: BASE.N.xz.new.
    private static IEnumerable<string> Unfinished(string archive) => Directory.EnumerateFiles(Path.GetDirectoryName(archive)!).Where(f =>
        f.StartsWith(archive + ".", StringComparison.Ordinal) && char.IsAsciiDigit(f[archive.Length + 1]) && VolumeCompression.Endings.Any(e => f.EndsWith(e + ".new", StringComparison.Ordinal)) && OwnFile.Is(f)).ToList();

    private void Look()
    {
        _others.Clear();
        foreach (var archive in own!.Names)
        {
            if (Measure(archive) is not { } found)
            {
                continue;
            }

            if (archive == _current?.Path)
            {
                _closed = Math.Max(0, found.Size - _current.OpenSize);
            }
            else
            {
                _others.Add((archive, found.Size, found.Last));
            }
        }

        _others.Sort((a, b) => a.Last.CompareTo(b.Last));
    }

    private void Expire(long reserve)
    {
        while (_others.Count > 0 && (IsTooMuch(reserve) || IsOld(_others[0].Last)))
        {
            var (archive, size, last) = _others[0];
            _others.RemoveAt(0);
            try
            {
                lock (_gate)
                {
                    // The volumes go first: an archive that is half deleted still has what names it, and goes with the next try.
                    foreach (var file in Unfinished(archive).Concat(ArchiveFiles.Find(archive).All()).Where(OwnFile.Is))
                    {
                        File.Delete(file);
                    }
                }

                own!.Forget(archive);
                report($"deleted the archive {archive} of {last:yyyy-MM-dd}, {Quantity.FormatBytes(size)}");
            }
            catch (Exception e) when (e is MusterException or IOException or UnauthorizedAccessException)
            {
                report($"{archive} cannot be deleted: {e.Message.TrimEnd('.')}");
            }
        }
    }

    private static (long Size, DateTimeOffset Last)? Measure(string archive)
    {
        try
        {
            var all = ArchiveFiles.Find(archive).All().Concat(Unfinished(archive)).Select(f => new FileInfo(f)).Where(f => f.Exists).ToList();
            return (all.Sum(f => f.Length), new DateTimeOffset(all.Max(f => f.LastWriteTimeUtc), TimeSpan.Zero));
        }
        catch (Exception e) when (e is MusterException or IOException or InvalidOperationException)
        {
            // A volume was renamed meanwhile; the next look finds it.
            return null;
        }
    }

    private void Keep(string volume)
    {
        if (!File.Exists(volume))
        {
            // Deleted before its turn came.
            return;
        }

        if (plan.Compression != ArchiveCompression.None)
        {
            Compress(volume);
            return;
        }

        try
        {
            using var file = new FileStream(volume, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report($"{volume} is not known to be on disk: {e.Message.TrimEnd('.')}");
        }
    }

    private void Compress(string volume)
    {
        var compressed = volume + VolumeCompression.Ending(plan.Compression);
        var made = compressed + ".new";
        var isMade = false;
        try
        {
            var written = File.GetLastWriteTimeUtc(volume);
            using (var from = OwnFile.Open(volume, FileAccess.Read))
            using (var to = new FileStream(made, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = File.GetUnixFileMode(from.SafeFileHandle) }))
            {
                isMade = true;
                VolumeCompression.Compress(from, to, plan.Compression);
                to.Flush(flushToDisk: true);

                // The age of an archive is that of its values.
                File.SetLastWriteTimeUtc(to.SafeFileHandle, written);
            }

            lock (_gate)
            {
                // Its archive may have been deleted meanwhile.
                if (!File.Exists(volume))
                {
                    File.Delete(made);
                    return;
                }

                File.Move(made, compressed, overwrite: true);
                File.Delete(volume);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MusterException)
        {
            report($"{volume} stays uncompressed: {e.Message.TrimEnd('.')}");
            if (isMade)
            {
                File.Delete(made);
            }
        }
    }
}
