using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Wire;

/// <summary>One metric of a result: its number, type, values or error, and which instances go out.</summary>
public readonly record struct ResultSet(MetricId Id, MetricType Type, ValueSet Values, InstanceSelection Wanted);

/// <summary>
/// RESULT (<c>u32 sec, u32 usec, u32 n</c>) and HIGHRES_RESULT (<c>u32 n, i64 sec, i64 nsec</c>): n value sets
/// (<c>pmid, i32 values or error, [u32 form, values × (i32 instance, u32 value or word offset)]</c>), then the value blocks.
/// </summary>
public static class ResultWriter
{
    private const uint InPlace = 0;
    private const uint Pointer = 1;

    /// <summary>Writes a result; false, with nothing written, when it would be larger than <paramref name="limit"/> bytes.</summary>
    public static bool TryWrite(PduWriter to, bool highResolution, DateTimeOffset time, ReadOnlySpan<ResultSet> sets, int from = 0, int limit = PduLimits.MaxAnswer)
    {
        to.Begin(highResolution ? PduType.HighResolutionResult : PduType.Result, from);
        WriteHead(to, highResolution, time, sets.Length);

        // First where the blocks begin, then everything in one pass each.
        long blocks = to.UnitLength;
        foreach (var set in sets)
        {
            var count = Wanted(set);
            blocks += count <= 0 ? 8 : 12 + (8L * count);
        }

        if (blocks > limit)
        {
            to.Abandon();
            return false;
        }

        var offset = blocks;
        foreach (var set in sets)
        {
            offset = WriteSet(to, set, offset);
            if (offset > limit)
            {
                to.Abandon();
                return false;
            }
        }

        foreach (var set in sets)
        {
            WriteBlocks(to, set);
        }

        to.End();
        return true;
    }

    private static void WriteHead(PduWriter to, bool highResolution, DateTimeOffset time, int count)
    {
        WireTime.Split(time, out var seconds, out var nanoseconds);
        if (highResolution)
        {
            to.Int32(count);
            to.UInt64((ulong)seconds);
            to.UInt64((ulong)nanoseconds);
        }
        else
        {
            to.UInt32((uint)seconds);
            to.UInt32((uint)(nanoseconds / 1000));
            to.Int32(count);
        }
    }

    private static int Wanted(in ResultSet set)
    {
        if (set.Values.Error != 0)
        {
            return set.Values.Error;
        }

        if (set.Wanted.IsEverything)
        {
            return set.Values.Values.Length;
        }

        var count = 0;
        foreach (var value in set.Values.Values)
        {
            count += IsWanted(set, value) ? 1 : 0;
        }

        return count;
    }

    // The one value of a metric without instances is in every profile.
    private static bool IsWanted(in ResultSet set, in InstanceValue value) => value.Instance < 0 || set.Wanted.Wants(value.Instance);

    private static long WriteSet(PduWriter to, in ResultSet set, long offset)
    {
        var count = Wanted(set);
        to.Id(set.Id);
        to.Int32(count);
        if (count <= 0)
        {
            return offset;
        }

        var inPlace = ValueBlock.IsInPlace(set.Type);
        to.UInt32(inPlace ? InPlace : Pointer);
        foreach (var value in set.Values.Values)
        {
            if (!set.Wanted.IsEverything && !IsWanted(set, value))
            {
                continue;
            }

            to.Int32(value.Instance);
            to.UInt32(inPlace ? (uint)value.Value.Unsigned : (uint)(offset / 4));
            offset += inPlace ? 0 : ValueBlock.PaddedSize(set.Type, value.Value);
        }

        return offset;
    }

    private static void WriteBlocks(PduWriter to, in ResultSet set)
    {
        if (set.Values.Error != 0 || ValueBlock.IsInPlace(set.Type))
        {
            return;
        }

        foreach (var value in set.Values.Values)
        {
            if (set.Wanted.IsEverything || IsWanted(set, value))
            {
                ValueBlock.Write(to, set.Type, value.Value);
            }
        }
    }
}
