using Muster.Core;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>
/// Puts right what a killed logger left: a torn record at the end of a file is cut off, and the index gets its last entry.
/// Only for archives that the logger knows to be its own. Nothing else is changed; damage in the middle of a file is left as it is.
/// </summary>
internal static class ArchiveRepair
{
    /// <summary>Repairs an archive that nobody writes; true when it holds any values, else its files are gone.</summary>
    public static bool Repair(string path)
    {
        ArchiveFiles files;
        try
        {
            files = ArchiveFiles.Find(path);
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Corrupt)
        {
            // Killed between the first file and the first volume.
            File.Delete(path + ".index");
            File.Delete(path + ".meta");
            return false;
        }

        var plain = files.Volumes.Where(v => Path.GetExtension(v.Path) is var e && e.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0).ToList();
        if (plain.Count == 0 || VolumeCompression.IsCompressed(files.Meta))
        {
            return true;
        }

        if (Cut(files.Meta) is not { Label: { } label } meta)
        {
            Delete(files);
            return false;
        }

        return CutVolumes(files, plain, label, meta.Length);
    }

    // A volume that was begun and holds no record is taken back; PCP's tools refuse it.
    private static bool CutVolumes(ArchiveFiles files, List<(int Number, string Path)> plain, ArchiveLabel label, long meta)
    {
        for (var i = plain.Count - 1; i >= 0; i--)
        {
            var (number, volume) = plain[i];
            var data = Cut(volume);
            if (data.Label is not null && data.Length > ArchiveLabel.Size(label.Version))
            {
                CloseIndex(files.Index, label, new IndexEntry(data.LastTime, number, meta, data.Length));
                return true;
            }

            File.Delete(volume);
            if (number == 0)
            {
                Delete(files);
                return false;
            }
        }

        // What is left is compressed, and was closed with its entry in the index.
        CloseIndex(files.Index, label, new IndexEntry(DateTimeOffset.MaxValue, files.Volumes.Where(v => File.Exists(v.Path)).Max(v => v.Number), meta, long.MaxValue));
        return true;
    }

    private static void Delete(ArchiveFiles files)
    {
        foreach (var file in files.All())
        {
            File.Delete(file);
        }
    }

    private sealed record Remains(ArchiveLabel? Label, long Length, DateTimeOffset LastTime);

    // Cuts a torn end off; without a label when even that is torn.
    private static Remains Cut(string path)
    {
        ArchiveLabel? label = null;
        var time = DateTimeOffset.MinValue;
        long end;
        using (var records = new RecordStream(ArchiveFiles.Open(path), path))
        {
            try
            {
                while (records.Next() == RecordState.Record)
                {
                    label ??= ArchiveLabel.Read(records.Record)?.Label ?? throw new MusterException(ErrorKind.Corrupt, $"{path} does not begin with the label of an archive");
                    var reader = new PduReader(records.Record[4..]);
                    time = records.Position == ArchiveLabel.Size(label.Version) ? label.Start : ArchiveFormat.ReadTime(ref reader, label.Version);
                }
            }
            catch (MusterException) when (label is not null)
            {
                // Not the end that was torn: whoever reads it is told where it is damaged.
                return new Remains(label, new FileInfo(path).Length, time);
            }

            end = records.Position;
        }

        if (end < new FileInfo(path).Length && label is not null)
        {
            using var file = OwnFile.Open(path, FileAccess.ReadWrite);
            file.SetLength(end);
            file.Flush(flushToDisk: true);
        }

        return new Remains(label, end, time);
    }

    private static void CloseIndex(string path, ArchiveLabel label, IndexEntry entry)
    {
        using var writer = new PduWriter();
        using var file = File.Exists(path) ? OwnFile.Open(path, FileAccess.ReadWrite) : new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
        var (head, size) = (ArchiveLabel.Size(label.Version), ArchiveFormat.IndexEntrySize(label.Version));
        if (file.Length < head)
        {
            file.SetLength(0);
            label.Write(writer, ArchiveFormat.IndexVolume);
            file.Write(writer.Written.Span);
        }

        var bytes = new byte[Math.Min(file.Length, ArchiveFormat.MaxIndexFile)];
        file.Position = 0;
        file.ReadExactly(bytes);
        var sound = ArchiveIndex.Read(bytes).TakeWhile(e => e.Volume <= entry.Volume && e.Time <= entry.Time && (e.Volume < entry.Volume || e.DataOffset <= entry.DataOffset)).ToList();
        file.SetLength(head + ((long)sound.Count * size));
        if (entry.DataOffset == long.MaxValue || (sound.Count > 0 && sound[^1] == entry))
        {
            file.Flush(flushToDisk: true);
            return;
        }

        file.Position = file.Length;
        writer.Reset();
        ArchiveIndex.WriteEntry(writer, label.Version, entry);
        file.Write(writer.Written.Span);
        file.Flush(flushToDisk: true);
    }
}
