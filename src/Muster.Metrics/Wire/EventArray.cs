using Muster.Metrics.Names;

namespace Muster.Metrics.Wire;

/// <summary>
/// Event records inside a value block: <c>i32 n</c>, then for each the time (<c>u32 sec, u32 usec</c>, or <c>i64 sec, i64
/// nsec</c> in the high-resolution form), <c>u32 flags, i32 parameters</c>, and each parameter as
/// <c>pmid, u8 type, u24 length with these four bytes, data</c> padded to four bytes.
/// </summary>
internal static class EventArray
{
    /// <summary>The record says how many were lost, and has no parameters.</summary>
    public const uint Missed = 0x80000000;

    /// <summary>Bytes of the array without the block's own header.</summary>
    public static int Size(IReadOnlyList<MetricEvent> events, bool highResolution)
    {
        var size = 4;
        foreach (var record in events)
        {
            size += highResolution ? 24 : 16;
            if ((record.Flags & Missed) == 0)
            {
                foreach (var parameter in record.Parameters)
                {
                    size += 4 + ValueBlock.PaddedSize(parameter.Type, parameter.Value);
                }
            }
        }

        return size;
    }

    public static void Write(PduWriter to, IReadOnlyList<MetricEvent> events, bool highResolution)
    {
        to.Int32(events.Count);
        foreach (var record in events)
        {
            WireTime.Split(record.Time, out var seconds, out var nanoseconds);
            if (highResolution)
            {
                to.UInt64((ulong)seconds);
                to.UInt64((ulong)nanoseconds);
            }
            else
            {
                to.UInt32((uint)seconds);
                to.UInt32((uint)(nanoseconds / 1000));
            }

            var missed = (record.Flags & Missed) != 0;
            to.UInt32(record.Flags);
            to.Int32(missed ? record.Missed : record.Parameters.Count);
            for (var i = 0; i < record.Parameters.Count && !missed; i++)
            {
                var parameter = record.Parameters[i];
                to.Id(parameter.Id);
                ValueBlock.Write(to, parameter.Type, parameter.Value);
            }
        }
    }

    /// <summary>Reads an array; null when it is cut off or no array.</summary>
    public static IReadOnlyList<MetricEvent>? Read(ReadOnlySpan<byte> data, bool highResolution)
    {
        var reader = new PduReader(data);
        var events = new MetricEvent[reader.Count(highResolution ? 24 : 16)];
        for (var i = 0; i < events.Length; i++)
        {
            var seconds = highResolution ? (long)reader.UInt64() : reader.UInt32();
            var nanoseconds = highResolution ? (long)reader.UInt64() : reader.UInt32() * 1000L;
            var flags = reader.UInt32();
            var missed = (flags & Missed) != 0 ? reader.Int32() : 0;
            var parameters = new MetricEventParameter[(flags & Missed) != 0 ? 0 : reader.Count(8)];
            for (var p = 0; p < parameters.Length; p++)
            {
                var id = reader.Id();
                if (!ValueBlock.TryRead(ref reader, out var type, out var value))
                {
                    return null;
                }

                parameters[p] = new MetricEventParameter(id, type, value);
            }

            if (reader.Failed || !WireTime.TryJoin(seconds, nanoseconds, out var time))
            {
                return null;
            }

            events[i] = new MetricEvent(time, flags, parameters, missed);
        }

        return reader.Failed ? null : events;
    }
}

/// <summary>Seconds and nanoseconds since 1970.</summary>
internal static class WireTime
{
    public static void Split(DateTimeOffset time, out long seconds, out long nanoseconds)
    {
        var ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out var rest);
        if (rest < 0)
        {
            seconds--;
            rest += TimeSpan.TicksPerSecond;
        }

        nanoseconds = rest * 100;
    }

    public static bool TryJoin(long seconds, long nanoseconds, out DateTimeOffset time)
    {
        time = default;
        if (seconds < DateTimeOffset.MinValue.ToUnixTimeSeconds() || seconds >= DateTimeOffset.MaxValue.ToUnixTimeSeconds() || nanoseconds is < 0 or > 999_999_999)
        {
            return false;
        }

        time = DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / 100);
        return true;
    }
}
