using Muster.Core;
using Muster.Metrics.Archive;

namespace Muster.Metrics.Logging;

/// <summary>What happens to volumes that are closed: compressed one after another in the background, and deleted with their archive when its time has come.</summary>
internal sealed class VolumeKeeping(LogPlan plan, TimeProvider time, Action<string> report)
{
    private Task _work = Task.CompletedTask;

    /// <summary>After a kill: torn records are cut off, half-compressed files deleted, plain volumes compressed, old archives deleted.</summary>
    public void PutRight(string folder)
    {
        foreach (var unfinished in VolumeCompression.Endings.SelectMany(e => Directory.EnumerateFiles(folder, $"*{e}.new")))
        {
            File.Delete(unfinished);
        }

        foreach (var archive in ArchiveFiles.In(folder))
        {
            if (!ArchiveRepair.Repair(archive))
            {
                continue;
            }

            foreach (var (_, volume) in ArchiveFiles.Find(archive).Volumes.Where(v => !VolumeCompression.IsCompressed(v.Path)))
            {
                Closed(volume);
            }
        }

        Expire(folder, current: null);
    }

    /// <summary>Compresses a closed volume, when the plan says so, and sees to it that its bytes are on disk.</summary>
    public void Closed(string volume) =>
        _work = _work.ContinueWith(_ => Keep(volume), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    /// <summary>Waits until all is compressed.</summary>
    public Task FinishAsync() => _work;

    /// <summary>Deletes archives that are too old, and the oldest while all together are too large; never the current one.</summary>
    public void Expire(string folder, string? current)
    {
        var archives = ArchiveFiles.In(folder).Where(a => a != current).Select(Measure).OfType<(ArchiveFiles Files, long Size, DateTimeOffset Last)>().OrderBy(a => a.Last).ToList();
        var total = archives.Sum(a => a.Size);
        foreach (var (files, size, last) in archives)
        {
            if ((plan.KeepAge is { } age && time.GetUtcNow() - last > age) || (plan.KeepSize is { } most && total > most))
            {
                // The volumes go first: an archive that is half deleted still has what names it, and goes with the next try.
                foreach (var file in files.All())
                {
                    File.Delete(file);
                }

                total -= size;
                report($"deleted the archive {files.Base} of {last:yyyy-MM-dd}, {Quantity.FormatBytes(size)}");
            }
        }
    }

    private static (ArchiveFiles Files, long Size, DateTimeOffset Last)? Measure(string archive)
    {
        try
        {
            var files = ArchiveFiles.Find(archive);
            var all = files.All().Select(f => new FileInfo(f)).ToList();
            return (files, all.Sum(f => f.Length), new DateTimeOffset(all.Max(f => f.LastWriteTimeUtc), TimeSpan.Zero));
        }
        catch (Exception e) when (e is MusterException or IOException)
        {
            // What is no whole archive is not ours to delete.
            return null;
        }
    }

    private void Keep(string volume)
    {
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
        try
        {
            var written = File.GetLastWriteTimeUtc(volume);
            using (var from = File.OpenRead(volume))
            using (var to = new FileStream(made, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = File.GetUnixFileMode(volume) }))
            {
                VolumeCompression.Compress(from, to, plan.Compression);
                to.Flush(flushToDisk: true);
            }

            // The age of an archive is that of its values.
            File.SetLastWriteTimeUtc(made, written);
            File.Move(made, compressed, overwrite: true);
            File.Delete(volume);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MusterException)
        {
            report($"{volume} stays uncompressed: {e.Message.TrimEnd('.')}");
            File.Delete(made);
        }
    }
}
