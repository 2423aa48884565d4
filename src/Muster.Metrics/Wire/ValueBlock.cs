using System.Buffers.Binary;
using System.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Wire;

/// <summary>
/// A value that does not fit into the four bytes of its instance: <c>u8 type, u24 length</c> (with these four bytes, without
/// padding), data, <c>~</c> up to four bytes. Strings carry their NUL; numbers are big-endian.
/// </summary>
internal static class ValueBlock
{
    /// <summary>Only 32-bit integers stand in place of an offset; floats never do.</summary>
    public static bool IsInPlace(MetricType type) => type is MetricType.Int32 or MetricType.UInt32;

    /// <summary>Bytes with header and padding.</summary>
    public static int PaddedSize(MetricType type, MetricValue value) => (4 + DataSize(type, value) + 3) & ~3;

    public static void Write(PduWriter to, MetricType type, MetricValue value)
    {
        var size = DataSize(type, value);
        to.UInt32(((uint)type << 24) | (uint)(4 + size));
        switch (type)
        {
            case MetricType.Int32 or MetricType.UInt32:
                to.UInt32((uint)value.Unsigned);
                break;
            case MetricType.Int64 or MetricType.UInt64:
                to.UInt64(value.Unsigned);
                break;
            case MetricType.Float:
                to.UInt32(BitConverter.SingleToUInt32Bits((float)value.Real));
                break;
            case MetricType.Double:
                to.UInt64(BitConverter.DoubleToUInt64Bits(value.Real));
                break;
            case MetricType.String:
                WriteText(to, value.Text, size - 1);
                break;
            case MetricType.Event or MetricType.HighResolutionEvent when size > 4:
                EventArray.Write(to, value.Events, type == MetricType.HighResolutionEvent);
                break;
            case MetricType.Event or MetricType.HighResolutionEvent:
                to.Int32(0);
                break;
            default:
                to.Bytes(value.Bytes.AsSpan(0, size));
                break;
        }

        to.Pad(size);
    }

    /// <summary>Reads a block at the reader's place; false when it is cut off or its type cannot have its length.</summary>
    public static bool TryRead(ref PduReader reader, out MetricType type, out MetricValue value)
    {
        var head = reader.UInt32();
        type = (MetricType)(head >> 24);
        value = default;
        var size = (int)(head & 0xffffff) - 4;
        if (reader.Failed || size < 0 || size > reader.Left)
        {
            reader.Fail();
            return false;
        }

        var data = reader.Bytes(size);

        // A writer may leave out the padding of the last block.
        _ = reader.Bytes(Math.Min(-size & 3, reader.Left));
        return !reader.Failed && TryDecode(type, data, out value);
    }

    public static bool TryDecode(MetricType type, ReadOnlySpan<byte> data, out MetricValue value)
    {
        value = default;
        switch (type)
        {
            case MetricType.Int32 when data.Length == 4:
                value = MetricValue.From((long)BinaryPrimitives.ReadInt32BigEndian(data));
                return true;
            case MetricType.UInt32 when data.Length == 4:
                value = MetricValue.From((ulong)BinaryPrimitives.ReadUInt32BigEndian(data));
                return true;
            case MetricType.Int64 or MetricType.UInt64 when data.Length == 8:
                value = MetricValue.From(BinaryPrimitives.ReadUInt64BigEndian(data));
                return true;
            case MetricType.Float when data.Length == 4:
                value = MetricValue.From((double)BinaryPrimitives.ReadSingleBigEndian(data));
                return true;
            case MetricType.Double when data.Length == 8:
                value = MetricValue.From(BinaryPrimitives.ReadDoubleBigEndian(data));
                return true;
            case MetricType.String:
                value = MetricValue.From(PduReader.Decode(data));
                return true;
            case MetricType.Event or MetricType.HighResolutionEvent when EventArray.Read(data, type == MetricType.HighResolutionEvent) is { } events:
                value = MetricValue.From(events);
                return true;
            case MetricType.Aggregate or (MetricType)8:
                value = MetricValue.From(data.ToArray());
                return true;
            default:
                return false;
        }
    }

    private static int DataSize(MetricType type, MetricValue value)
    {
        var size = type switch
        {
            MetricType.Int32 or MetricType.UInt32 or MetricType.Float => 4,
            MetricType.Int64 or MetricType.UInt64 or MetricType.Double => 8,
            MetricType.String => TextSize(value.Text) + 1,
            MetricType.Event or MetricType.HighResolutionEvent => EventArray.Size(value.Events, type == MetricType.HighResolutionEvent),
            _ => value.Bytes.Length,
        };

        // The length has 24 bits. Events that are too many are all left out, so that none is half told.
        return size <= PduLimits.MaxValue ? size : type is MetricType.Event or MetricType.HighResolutionEvent ? 4 : PduLimits.MaxValue;
    }

    // What the reader would take for the end of the text ends it here too.
    private static int TextSize(string text)
    {
        var end = text.IndexOf('\0', StringComparison.Ordinal);
        return Encoding.UTF8.GetByteCount(end < 0 ? text : text.AsSpan(0, end));
    }

    private static void WriteText(PduWriter to, string text, int size)
    {
        if (size < PduLimits.MaxValue - 1)
        {
            var end = text.IndexOf('\0', StringComparison.Ordinal);
            to.RawText(end < 0 ? text : text[..end]);
        }
        else
        {
            to.Bytes(Encoding.UTF8.GetBytes(text).AsSpan(0, size));
        }

        to.Byte(0);
    }
}
