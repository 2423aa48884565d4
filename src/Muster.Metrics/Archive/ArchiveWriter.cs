using System.Text;
using Muster.Core;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>
/// Writes an archive: BASE.meta, BASE.0 and further volumes, BASE.index (LOGARCHIVE(5)). Metadata is collected and written
/// before the record that needs it, each file with one write, so that a writer that is killed leaves whole records and one
/// torn one at most. Not for several threads.
/// </summary>
internal sealed class ArchiveWriter : IDisposable
{
    /// <summary>Read by the owner and the group alone: command lines and the like stand in archives.</summary>
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    // An entry more often makes the index grow with the data; a reader scans so many records at most.
    private const int RecordsAnEntry = 64;

    private readonly string _path;
    private readonly PduWriter _record = new();
    private readonly MemoryStream _pending = new();
    private readonly FileStream _meta;
    private readonly FileStream _index;
    private FileStream _data;
    private int _sinceEntry;
    private bool _isClosed;
    private bool _isBroken;

    /// <summary>Makes the files; an archive of the name must not exist.</summary>
    public ArchiveWriter(string path, ArchiveLabel label)
    {
        (_path, Label) = (path, label);
        using var undo = new UndoStack();
        _meta = Create(path + ".meta", undo);
        _index = Create(path + ".index", undo);
        _data = Create(path + ".0", undo);
        LastTime = label.Start;
        try
        {
            WriteLabel(_meta, ArchiveFormat.MetaVolume);
            WriteLabel(_index, ArchiveFormat.IndexVolume);
            WriteLabel(_data, 0);
            WriteEntry();
        }
        catch (IOException e)
        {
            throw Unwritable(path, e);
        }

        undo.Commit();
    }

    public ArchiveLabel Label { get; }

    public ArchiveVersion Version => Label.Version;

    public int Volume { get; private set; }

    /// <summary>Bytes of the volume that is being written.</summary>
    public long VolumeSize => _data.Length;

    /// <summary>Bytes of all files that are open: all of the archive that is not a closed volume.</summary>
    public long OpenSize => _meta.Length + _index.Length + _data.Length;

    /// <summary>Bytes of the last record with the metadata before it.</summary>
    public long LastWritten { get; private set; }

    /// <summary>The time of the last record; the next one must be later.</summary>
    public DateTimeOffset LastTime { get; private set; }

    public string Path => _path;

    /// <summary>A metric's descriptor with all its names; stands in the file before the metric's first value.</summary>
    public void AddDescriptor(MetricDescriptor metric, IReadOnlyList<string> names)
    {
        Begin(MetaTag.Descriptor);
        _record.Id(metric.Id);
        _record.Int32((int)metric.Type);
        _record.UInt32(metric.Instances.Value);
        _record.Int32((int)metric.Semantics);
        _record.UInt32(metric.Units.Value);
        _record.Int32(names.Count);
        foreach (var name in names)
        {
            var bytes = Encoding.UTF8.GetBytes(name);
            _record.Int32(bytes.Length);
            _record.Bytes(bytes);
        }

        End();
    }

    /// <summary>All instances of a domain from <paramref name="time"/> on.</summary>
    public void AddInstances(DateTimeOffset time, InstanceDomainId domain, IReadOnlyList<MetricInstance> instances) =>
        AddInstances(Version == ArchiveVersion.V3 ? MetaTag.Instances : MetaTag.InstancesVersion2, time, domain, [.. instances.Select(i => (i.Id, (string?)i.Name))]);

    /// <summary>What came and, with no name, what went since the domain's last record. Version 3 only.</summary>
    public void AddInstanceChanges(DateTimeOffset time, InstanceDomainId domain, IReadOnlyList<(int Id, string? Name)> changes) =>
        AddInstances(MetaTag.InstanceChanges, time, domain, changes);

    /// <summary>A one-line or help text of a metric or of a domain of instances.</summary>
    public void AddText(uint type, uint ident, string text)
    {
        Begin(MetaTag.Text);
        _record.UInt32(type);
        _record.UInt32(ident);
        _record.RawText(text.Replace('\0', ' '));
        _record.Byte(0);
        End();
    }

    /// <summary>Labels of one level from <paramref name="time"/> on.</summary>
    public void AddLabels(DateTimeOffset time, uint type, uint ident, IReadOnlyList<LabelSet> sets)
    {
        // The sets stand on the wire as an index table and texts behind it, in the archive each with its text.
        using var wire = new PduWriter();
        LabelWriter.Write(wire, ident, type, sets);
        var unit = wire.Written.Span;
        var reader = new PduReader(unit[PduLimits.Header..]);
        _ = reader.Bytes(12);
        Begin(Version == ArchiveVersion.V3 ? MetaTag.Labels : MetaTag.LabelsVersion2);
        ArchiveFormat.WriteTime(_record, Version, time);
        _record.UInt32(type);
        _record.UInt32(ident);
        var count = reader.Int32();
        _record.Int32(count);
        for (var i = 0; i < count; i++)
        {
            var (instance, labels, offset, length) = (reader.Int32(), reader.Int32(), reader.Int32(), reader.Int32());
            _record.Int32(instance);
            _record.Int32(length);
            _record.Bytes(unit.Slice(offset, length));
            _record.Int32(labels);
            _record.Bytes(reader.Bytes(labels * 8));
        }

        End();
    }

    /// <summary>Writes the pending metadata and one record of values. No sets make a mark: a gap that nothing is interpolated over.</summary>
    public void Write(DateTimeOffset time, ReadOnlySpan<ResultSet> sets)
    {
        if (time <= LastTime)
        {
            throw new ArgumentOutOfRangeException(nameof(time), "Records of an archive follow one another in time");
        }

        BuildRecord(time, sets);
        if (Version == ArchiveVersion.V2 && (_data.Length + _record.UnitLength > ArchiveFormat.MaxVersion2File || _meta.Length + _pending.Length > ArchiveFormat.MaxVersion2File))
        {
            throw new MusterException(ErrorKind.Exhausted, $"{_path} has reached the 2 GiB that archives of version 2 end at: begin a new archive, or write version 3");
        }

        Append();
        LastTime = time;
        if (++_sinceEntry >= RecordsAnEntry)
        {
            TryWriteEntry();
        }
    }

    // On a full disk the archive ends with its last whole record; the metadata waits for the next one that can be written.
    private void Append()
    {
        var (meta, data) = (_meta.Length, _data.Length);
        try
        {
            _meta.Write(_pending.GetBuffer().AsSpan(0, (int)_pending.Length));
            _data.Write(_record.Written.Span);
            LastWritten = _pending.Length + _record.UnitLength;
            _pending.SetLength(0);
            _isBroken = false;
        }
        catch (IOException e)
        {
            _isBroken = true;
            _meta.SetLength(meta);
            _data.SetLength(data);
            throw Unwritable(_data.Name, e);
        }
    }

    /// <summary>Ends the volume and begins the next; returns the path of the one that is closed; its bytes are still to be waited for, elsewhere than between two samples. When there is no room for a new one, all stays as it was.</summary>
    public string NextVolume()
    {
        using var undo = new UndoStack();
        var (closed, next) = (_data, Create($"{_path}.{Volume + 1}", undo));
        try
        {
            WriteLabel(next, Volume + 1);
            WriteEntry();
        }
        catch (IOException e)
        {
            _isBroken = true;
            throw Unwritable(next.Name, e);
        }

        undo.Commit();
        _data = next;
        Volume++;
        TryWriteEntry();
        closed.Dispose();
        return closed.Name;
    }

    /// <summary>Waits until what was written is on disk.</summary>
    public void Sync()
    {
        _meta.Flush(flushToDisk: true);
        _data.Flush(flushToDisk: true);
    }

    /// <summary>Ends the archive, its bytes on disk.</summary>
    public void Dispose()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        try
        {
            // Metadata that waits belongs to a record that could not be written.
            WriteEntry();
            Sync();
            _index.Flush(flushToDisk: true);
        }
        catch (IOException) when (_isBroken)
        {
            // It was told when it broke; an index that lacks its last entry is put right at the next start.
        }
        finally
        {
            _meta.Dispose();
            _index.Dispose();
            _data.Dispose();
            _record.Dispose();
            _pending.Dispose();
        }
    }

    private static FileStream Create(string path, UndoStack? undo)
    {
        try
        {
            var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete, BufferSize = 0, UnixCreateMode = Mode });
            undo?.Push(() =>
            {
                file.Dispose();
                File.Delete(path);
            });
            return file;
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new MusterException(ErrorKind.Conflict, $"{path} exists already: give another name, or a folder in which archives are named by their time", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} cannot be written: {e.Message.TrimEnd('.')}", e);
        }
    }

    private void BuildRecord(DateTimeOffset time, ReadOnlySpan<ResultSet> sets)
    {
        _record.Reset();
        _record.UInt32(0);
        ArchiveFormat.WriteTime(_record, Version, time);
        _record.Int32(sets.Length);

        // Offsets count four-byte words as if two more stood before the record.
        long offset = _record.UnitLength + ArchiveFormat.Frame;
        foreach (var set in sets)
        {
            offset += set.Values.Error != 0 || set.Values.Values.Length == 0 ? 8 : 12 + (8L * set.Values.Values.Length);
        }

        foreach (var set in sets)
        {
            WriteSet(set, ref offset);
            if (offset > ArchiveFormat.MaxRecord)
            {
                throw new MusterException(ErrorKind.Exhausted, $"One record of {_path} would be larger than {Quantity.FormatBytes(ArchiveFormat.MaxRecord)}: log fewer metrics or instances at once");
            }
        }

        foreach (var set in sets)
        {
            foreach (var value in set.Values.Error != 0 || ValueBlock.IsInPlace(set.Type) ? [] : set.Values.Values)
            {
                ValueBlock.Write(_record, set.Type, value.Value);
            }
        }

        _record.UInt32((uint)(_record.UnitLength + 4));
        _record.Patch(0, _record.UnitLength);
    }

    private void WriteSet(in ResultSet set, ref long offset)
    {
        var values = set.Values.Values;
        _record.Id(set.Id);
        _record.Int32(set.Values.Error != 0 ? set.Values.Error : values.Length);
        if (set.Values.Error != 0 || values.Length == 0)
        {
            return;
        }

        var inPlace = ValueBlock.IsInPlace(set.Type);
        _record.UInt32(inPlace ? 0u : 1u);
        foreach (var value in values)
        {
            _record.Int32(value.Instance);
            _record.UInt32(inPlace ? (uint)value.Value.Unsigned : (uint)(offset / 4));
            offset += inPlace ? 0 : ValueBlock.PaddedSize(set.Type, value.Value);
        }
    }

    private void AddInstances(MetaTag tag, DateTimeOffset time, InstanceDomainId domain, IReadOnlyList<(int Id, string? Name)> instances)
    {
        var sorted = instances.OrderBy(i => i.Id).ToList();
        Begin(tag);
        ArchiveFormat.WriteTime(_record, Version, time);
        _record.UInt32(domain.Value);
        _record.Int32(sorted.Count);
        foreach (var (id, _) in sorted)
        {
            _record.Int32(id);
        }

        var names = sorted.ConvertAll(i => i.Name is null ? null : Encoding.UTF8.GetBytes(i.Name.Replace('\0', ' ')));
        var offset = 0;
        foreach (var name in names)
        {
            _record.Int32(name is null ? -1 : offset);
            offset += name is null ? 0 : name.Length + 1;
        }

        foreach (var name in names.OfType<byte[]>())
        {
            _record.Bytes(name);
            _record.Byte(0);
        }

        End();
    }

    private void Begin(MetaTag tag)
    {
        _record.Reset();
        _record.UInt32(0);
        _record.UInt32((uint)tag);
    }

    private void End()
    {
        _record.UInt32((uint)(_record.UnitLength + 4));
        _record.Patch(0, _record.UnitLength);
        _pending.Write(_record.Written.Span);
    }

    private void WriteLabel(FileStream file, int volume)
    {
        Label.Write(_record, volume);
        file.Write(_record.Written.Span);
    }

    // All records up to the last one's time end before these offsets.
    private void WriteEntry()
    {
        _sinceEntry = 0;
        _record.Reset();
        ArchiveIndex.WriteEntry(_record, Version, new IndexEntry(LastTime, Volume, _meta.Length, _data.Length));
        var length = _index.Length;
        try
        {
            _index.Write(_record.Written.Span);
        }
        catch (IOException)
        {
            _index.SetLength(length);
            throw;
        }
    }

    // Readers find their way with an entry less; the next record tries again.
    private void TryWriteEntry()
    {
        try
        {
            WriteEntry();
        }
        catch (IOException)
        {
            _sinceEntry = RecordsAnEntry;
        }
    }

    private static MusterException Unwritable(string path, IOException e) =>
        new(ErrorKind.Exhausted, $"{path} cannot be written any further: {e.Message.TrimEnd('.')}", e);
}
