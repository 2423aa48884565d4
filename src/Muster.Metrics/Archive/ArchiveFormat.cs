using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>The two versions of PCP's archives (LOGARCHIVE(5)); the numbers are those of the magic word.</summary>
public enum ArchiveVersion
{
    /// <summary>Microseconds in 32 bits of seconds, files below 2 GiB.</summary>
    V2 = 2,

    /// <summary>Nanoseconds in 64 bits of seconds, files of any size, changes of instance domains.</summary>
    V3 = 3,
}

/// <summary>What the files of an archive have in common.</summary>
internal static class ArchiveFormat
{
    public const uint Magic = 0x50052600;

    /// <summary>Volumes that are no data: what a label says of itself.</summary>
    public const int MetaVolume = -1;

    public const int IndexVolume = -2;

    /// <summary>The length words at both ends of a record.</summary>
    public const int Frame = 8;

    /// <summary>The largest record taken or written: as large as the largest answer on the wire.</summary>
    public const int MaxRecord = PduLimits.MaxAnswer;

    /// <summary>The largest .meta file that is read: a year of a host with thousands of short-lived containers is a tenth of it.</summary>
    public const long MaxMetaFile = 512L * 1024 * 1024;

    /// <summary>The largest index that is read: an entry for each second of a month.</summary>
    public const long MaxIndexFile = 96L * 1024 * 1024;

    /// <summary>Volumes that one archive may have: each is 100 MB by default.</summary>
    public const int MaxVolumes = 100_000;

    /// <summary>Version 2 writes offsets in 31 bits.</summary>
    public const long MaxVersion2File = int.MaxValue;

    public static int TimeSize(ArchiveVersion version) => version == ArchiveVersion.V3 ? 12 : 8;

    public static int IndexEntrySize(ArchiveVersion version) => version == ArchiveVersion.V3 ? 32 : 20;

    /// <summary>Version 3 writes the low word of the seconds first; each word is big-endian.</summary>
    public static void WriteTime(PduWriter to, ArchiveVersion version, DateTimeOffset time)
    {
        WireTime.Split(time, out var seconds, out var nanoseconds);
        to.UInt32((uint)seconds);
        if (version == ArchiveVersion.V3)
        {
            to.UInt32((uint)(seconds >> 32));
            to.UInt32((uint)nanoseconds);
        }
        else
        {
            to.UInt32((uint)(nanoseconds / 1000));
        }
    }

    /// <summary>Reads a time; fails the reader for one that no calendar has.</summary>
    public static DateTimeOffset ReadTime(ref PduReader reader, ArchiveVersion version)
    {
        long seconds = reader.UInt32();
        long nanoseconds;
        if (version == ArchiveVersion.V3)
        {
            seconds |= (long)reader.UInt32() << 32;
            nanoseconds = reader.UInt32();
        }
        else
        {
            nanoseconds = reader.UInt32() * 1000L;
        }

        if (!WireTime.TryJoin(seconds, nanoseconds, out var time))
        {
            reader.Fail();
        }

        return time;
    }
}

/// <summary>The kinds of records in a .meta file.</summary>
internal enum MetaTag
{
    Descriptor = 1,
    InstancesVersion2 = 2,
    LabelsVersion2 = 3,
    Text = 4,
    Instances = 5,
    InstanceChanges = 6,
    Labels = 7,
}
