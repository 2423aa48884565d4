using Muster.Metrics.Names;

namespace Muster.Metrics.Wire;

/// <summary>One value as it came: in place (its type is the descriptor's) or with its type.</summary>
public readonly record struct ReceivedValue(int Instance, MetricType? Type, MetricValue Value);

/// <summary>One metric of a received result: values, or an error code.</summary>
public sealed record ReceivedSet(MetricId Id, int Error, IReadOnlyList<ReceivedValue> Values);

/// <summary>A received RESULT or HIGHRES_RESULT; from a client it is a store.</summary>
public sealed record ReceivedResult(DateTimeOffset Time, IReadOnlyList<ReceivedSet> Sets)
{
    /// <summary>Reads a whole unit, its header included, since values are found by their distance from its start; null when it is not sound.</summary>
    public static ReceivedResult? Read(ReadOnlySpan<byte> unit, bool highResolution)
    {
        if (unit.Length < PduLimits.Header)
        {
            return null;
        }

        var reader = new PduReader(unit[PduLimits.Header..]);
        var count = highResolution ? reader.Count(8) : 0;
        var seconds = highResolution ? (long)reader.UInt64() : reader.UInt32();
        var nanoseconds = highResolution ? (long)reader.UInt64() : reader.UInt32() * 1000L;
        count = highResolution ? count : reader.Count(8);
        if (reader.Failed || !WireTime.TryJoin(seconds, nanoseconds, out var time))
        {
            return null;
        }

        // Many values that point to one large block must not cost more than the unit is long.
        var budget = unit.Length;
        var sets = new ReceivedSet[count];
        for (var i = 0; i < count; i++)
        {
            if (ReadSet(unit, ref reader, ref budget) is not { } set)
            {
                return null;
            }

            sets[i] = set;
        }

        return new ReceivedResult(time, sets);
    }

    private static ReceivedSet? ReadSet(ReadOnlySpan<byte> unit, ref PduReader reader, ref int budget)
    {
        var id = reader.Id();
        var count = reader.Int32();
        if (reader.Failed || count <= 0)
        {
            return reader.Failed ? null : new ReceivedSet(id, count, []);
        }

        var form = reader.UInt32();
        if (form > 2 || count > reader.Left / 8)
        {
            return null;
        }

        var values = new ReceivedValue[count];
        for (var i = 0; i < count; i++)
        {
            var instance = reader.Int32();
            var word = reader.UInt32();
            if (form == 0)
            {
                values[i] = new ReceivedValue(instance, null, MetricValue.From((long)(int)word));
                continue;
            }

            // A word offset; the last block may begin at most four bytes before the end.
            if (word > (uint)(unit.Length - 4) / 4)
            {
                return null;
            }

            var block = new PduReader(unit[(int)(word * 4)..]);
            var length = block.Left;
            if (!ValueBlock.TryRead(ref block, out var type, out var value) || (budget -= length - block.Left) < 0)
            {
                return null;
            }

            values[i] = new ReceivedValue(instance, type, value);
        }

        return new ReceivedSet(id, 0, values);
    }
}
