using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>One entry of the index: all records up to <paramref name="Time"/> end before these offsets.</summary>
internal readonly record struct IndexEntry(DateTimeOffset Time, int Volume, long MetaOffset, long DataOffset);

/// <summary>BASE.index: where in which volume a time is. An aid only: what it says is checked, and without it everything is read.</summary>
internal static class ArchiveIndex
{
    public static void WriteEntry(PduWriter to, ArchiveVersion version, IndexEntry entry)
    {
        ArchiveFormat.WriteTime(to, version, entry.Time);
        to.Int32(entry.Volume);
        if (version == ArchiveVersion.V3)
        {
            to.UInt64((ulong)entry.MetaOffset);
            to.UInt64((ulong)entry.DataOffset);
        }
        else
        {
            to.UInt32((uint)entry.MetaOffset);
            to.UInt32((uint)entry.DataOffset);
        }
    }

    /// <summary>The entries as long as they make sense: times and volumes that grow, offsets beyond the label.</summary>
    public static IReadOnlyList<IndexEntry> Read(ReadOnlySpan<byte> file)
    {
        if (ArchiveLabel.Read(file) is not { Volume: ArchiveFormat.IndexVolume } label)
        {
            return [];
        }

        var version = label.Label.Version;
        var size = ArchiveFormat.IndexEntrySize(version);
        var entries = new List<IndexEntry>();
        var reader = new PduReader(file[ArchiveLabel.Size(version)..]);
        var last = new IndexEntry(DateTimeOffset.MinValue, 0, 0, 0);
        while (reader.Left >= size)
        {
            var time = ArchiveFormat.ReadTime(ref reader, version);
            var volume = reader.Int32();
            var meta = version == ArchiveVersion.V3 ? (long)reader.UInt64() : reader.UInt32();
            var data = version == ArchiveVersion.V3 ? (long)reader.UInt64() : reader.UInt32();
            if (reader.Failed || time < last.Time || volume < last.Volume || data < ArchiveLabel.Size(version))
            {
                break;
            }

            entries.Add(last = new IndexEntry(time, volume, meta, data));
        }

        return entries;
    }
}
