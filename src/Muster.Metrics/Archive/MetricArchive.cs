using Muster.Core;
using Muster.Metrics.Names;

namespace Muster.Metrics.Archive;

/// <summary>
/// An archive that is read: version 2 or 3, volumes plain or compressed (<see cref="VolumeCompression"/>), finished or still being written. Holds no
/// file open between calls.
/// </summary>
internal sealed class MetricArchive
{
    private readonly ArchiveFiles _files;
    private readonly IReadOnlyList<IndexEntry> _index;

    private MetricArchive(ArchiveFiles files, ArchiveMetadata metadata, IReadOnlyList<IndexEntry> index) => (_files, Metadata, _index) = (files, metadata, index);

    public string Name => _files.Base;

    public ArchiveMetadata Metadata { get; }

    public ArchiveLabel Label => Metadata.Label;

    /// <summary>Set by reading: a file ends inside of a record.</summary>
    public bool IsTorn { get; private set; }

    /// <summary>Whether a base name of a folder is that of an archive: a label of metadata and a volume.</summary>
    public static bool IsArchive(string path)
    {
        try
        {
            var files = ArchiveFiles.Find(path);
            using var records = new RecordStream(ArchiveFiles.Open(files.Meta), files.Meta);
            return records.Next() == RecordState.Record && ArchiveLabel.Read(records.Record) is { Volume: ArchiveFormat.MetaVolume };
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Corrupt or ErrorKind.NotFound)
        {
            return false;
        }
    }

    /// <summary>Opens by the base name or any file of the archive.</summary>
    public static MetricArchive Open(string path)
    {
        var files = ArchiveFiles.Find(path);
        var metadata = ArchiveMetadata.Read(ArchiveFiles.Open(files.Meta), files.Meta);
        return new MetricArchive(files, metadata, ReadIndex(files.Index)) { IsTorn = metadata.IsTorn };
    }

    /// <summary>The records from a time on (with the last one before it where the index knows it) to another, in order.</summary>
    /// <param name="from">The first time that is wanted.</param>
    /// <param name="to">The last time that is wanted.</param>
    /// <param name="wanted">The metrics that are wanted; null for all.</param>
    public IEnumerable<ArchiveSample> Read(DateTimeOffset from, DateTimeOffset to, IReadOnlySet<MetricId>? wanted)
    {
        var start = _index.LastOrDefault(e => e.Time < from && e.Time > Label.Start);
        var last = DateTimeOffset.MinValue;
        foreach (var (number, path) in _files.Volumes)
        {
            if (start.DataOffset > 0 && number < start.Volume)
            {
                continue;
            }

            using var records = OpenVolume(path, number, start);
            RecordState state;
            while ((state = records.Next()) == RecordState.Record)
            {
                if (ArchiveSample.Read(records.Record, Label.Version, wanted) is not { } sample || sample.Time < last)
                {
                    throw records.Damaged("a record that cannot be understood, or goes back in time, before the one");
                }

                last = sample.Time;
                if (last > to)
                {
                    yield break;
                }

                yield return sample;
            }

            IsTorn |= state == RecordState.Torn;
        }
    }

    /// <summary>
    /// Whether all records lie before a time. Of a compressed last volume the index is believed: the volume was closed, and to
    /// look would decompress it.
    /// </summary>
    public bool EndsBefore(DateTimeOffset time) => _index.Count > 0 && _index[^1].Time < time && (VolumeCompression.IsCompressed(_files.Volumes[^1].Path) || FindEnd() < time);

    /// <summary>The time of the last record; of the label when there is none.</summary>
    public DateTimeOffset FindEnd()
    {
        var end = Label.Start;
        foreach (var sample in Read(_index.Count > 0 ? _index[^1].Time : DateTimeOffset.MinValue, DateTimeOffset.MaxValue, new HashSet<MetricId>()))
        {
            end = sample.Time;
        }

        return _index.Count > 0 && _index[^1].Time > end ? _index[^1].Time : end;
    }

    private RecordStream OpenVolume(string path, int number, IndexEntry start)
    {
        var records = new RecordStream(ArchiveFiles.Open(path), path);
        try
        {
            var state = records.Next();
            if (state == RecordState.Record && ArchiveLabel.Read(records.Record) is { } label && label.Volume == number && label.Label.Version == Label.Version)
            {
                if (start.DataOffset > records.Position && start.Volume == number && !VolumeCompression.IsCompressed(path) && start.DataOffset <= new FileInfo(path).Length)
                {
                    records.Seek(start.DataOffset);
                }

                return records;
            }

            // A volume that was begun and never written to holds nothing that could be missed.
            if (state != RecordState.Record && number > 0)
            {
                IsTorn = true;
                return records;
            }

            throw new MusterException(ErrorKind.Corrupt, $"{path} is not volume {number} of the archive {_files.Base}, or it is cut off in its label");
        }
        catch
        {
            records.Dispose();
            throw;
        }
    }

    private static IReadOnlyList<IndexEntry> ReadIndex(string path)
    {
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= ArchiveFormat.MaxIndexFile ? ArchiveIndex.Read(File.ReadAllBytes(path)) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An aid only.
            return [];
        }
    }
}
