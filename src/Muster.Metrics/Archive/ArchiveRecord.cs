using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>One record of values. A mark has none: nothing is known of the time up to the next record.</summary>
internal sealed record ArchiveSample(DateTimeOffset Time, IReadOnlyList<ReceivedSet> Sets)
{
    public bool IsMark => Sets.Count == 0;

    /// <summary>
    /// Of a mark among several archives: whether nobody knows how a metric went on, of which this archive gave the last value.
    /// What another archive goes on with is not interrupted.
    /// </summary>
    public Func<MetricArchive, MetricId, bool> Interrupts { get; init; } = (_, _) => true;

    /// <summary>Reads a record of a volume with its length words; null when it is not sound.</summary>
    /// <param name="record">The record.</param>
    /// <param name="version">Of the archive.</param>
    /// <param name="wanted">Metrics whose values are decoded; null for all.</param>
    public static ArchiveSample? Read(ReadOnlySpan<byte> record, ArchiveVersion version, IReadOnlySet<MetricId>? wanted = null)
    {
        var reader = new PduReader(record[4..^4]);
        var time = ArchiveFormat.ReadTime(ref reader, version);
        var count = reader.Count(8);
        if (reader.Failed)
        {
            return null;
        }

        // Many values that point to one large block must not cost more than the record is long.
        var budget = record.Length;
        var sets = new List<ReceivedSet>(wanted is null ? count : Math.Min(count, wanted.Count));
        for (var i = 0; i < count; i++)
        {
            if (!TryReadSet(record, ref reader, wanted, ref budget, sets))
            {
                return null;
            }
        }

        // A record of other metrics is no mark.
        return count > 0 && sets.Count == 0 ? new ArchiveSample(time, [Nothing]) : new ArchiveSample(time, sets);
    }

    private static readonly ReceivedSet Nothing = new(MetricId.None, 0, []);

    private static bool TryReadSet(ReadOnlySpan<byte> record, ref PduReader reader, IReadOnlySet<MetricId>? wanted, ref int budget, List<ReceivedSet> sets)
    {
        var id = reader.Id();
        var count = reader.Int32();
        var isWanted = wanted?.Contains(id) is not false;
        if (reader.Failed || count <= 0)
        {
            if (isWanted)
            {
                sets.Add(new ReceivedSet(id, count, []));
            }

            return !reader.Failed;
        }

        var form = reader.UInt32();
        if (form > 2 || count > reader.Left / 8)
        {
            return false;
        }

        if (!isWanted)
        {
            _ = reader.Bytes(count * 8);
            return true;
        }

        var values = new ReceivedValue[count];
        for (var i = 0; i < count; i++)
        {
            var (instance, word) = (reader.Int32(), reader.UInt32());
            if (form == 0)
            {
                values[i] = new ReceivedValue(instance, null, MetricValue.From((long)(int)word));
            }
            else if (TryReadBlock(record, word, ref budget, out var type, out var value))
            {
                values[i] = new ReceivedValue(instance, type, value);
            }
            else
            {
                return false;
            }
        }

        sets.Add(new ReceivedSet(id, 0, values));
        return true;
    }

    // Words are counted as if two more stood before the record.
    private static bool TryReadBlock(ReadOnlySpan<byte> record, uint word, ref int budget, out MetricType type, out MetricValue value)
    {
        (type, value) = (MetricType.NotSupported, default);
        var at = (4L * word) - ArchiveFormat.Frame;
        if (at < 4 || at > record.Length - 8)
        {
            return false;
        }

        var block = new PduReader(record[(int)at..^4]);
        var length = block.Left;
        return ValueBlock.TryRead(ref block, out type, out value) && (budget -= length - block.Left) >= 0;
    }
}
