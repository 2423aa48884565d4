using System.Buffers.Binary;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>A packet's type (RFC 9580 §5) and its body without the framing.</summary>
internal readonly record struct PgpPacket(int Tag, ReadOnlyMemory<byte> Body)
{
    public const int Signature = 2;
    public const int OnePassSignature = 4;
    public const int SecretKey = 5;
    public const int PublicKey = 6;
    public const int SecretSubkey = 7;
    public const int Compressed = 8;
    public const int Literal = 11;
    public const int UserId = 13;
    public const int PublicSubkey = 14;
    public const int UserAttribute = 17;

    /// <summary>Splits <paramref name="data"/> into packets (RFC 9580 §4.2), old and new framing, partial lengths joined.</summary>
    public static List<PgpPacket> Split(ReadOnlyMemory<byte> data)
    {
        var packets = new List<PgpPacket>();
        while (!data.IsEmpty)
        {
            if (packets.Count == OpenPgpLimits.MaxPackets)
            {
                throw PgpReader.Malformed($"it has more than {OpenPgpLimits.MaxPackets} packets");
            }

            packets.Add(Next(ref data));
        }

        return packets;
    }

    private static PgpPacket Next(ref ReadOnlyMemory<byte> data)
    {
        var header = data.Span[0];
        if ((header & 0x80) == 0)
        {
            throw PgpReader.Malformed("a packet does not begin with a packet header");
        }

        data = data[1..];
        return (header & 0x40) != 0 ? New(header & 0x3f, ref data) : Old(header, ref data);
    }

    private static PgpPacket Old(byte header, ref ReadOnlyMemory<byte> data)
    {
        var tag = (header >> 2) & 0x0f;
        var size = (header & 3) switch { 0 => 1, 1 => 2, 2 => 4, _ => 0 };
        if (size == 0)
        {
            // gpg frames its compressed packet so; for anything else an open end is a way to hide what follows.
            if (tag is not (Compressed or Literal))
            {
                throw PgpReader.Malformed($"a packet of type {tag} has no length");
            }

            return new PgpPacket(tag, Take(ref data, data.Length));
        }

        var field = Take(ref data, size).Span;
        long length = size switch
        {
            1 => field[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(field),
            _ => BinaryPrimitives.ReadUInt32BigEndian(field),
        };
        return new PgpPacket(tag, Take(ref data, length));
    }

    private static PgpPacket New(int tag, ref ReadOnlyMemory<byte> data)
    {
        var (length, partial) = Length(ref data);
        if (!partial)
        {
            return new PgpPacket(tag, Take(ref data, length));
        }

        if (tag is not (Compressed or Literal))
        {
            throw PgpReader.Malformed($"a packet of type {tag} comes in parts");
        }

        // The input is bounded by the caller, so the parts together are too.
        using var whole = new MemoryStream();
        while (true)
        {
            whole.Write(Take(ref data, length).Span);
            if (!partial)
            {
                return new PgpPacket(tag, whole.ToArray());
            }

            (length, partial) = Length(ref data);
        }
    }

    private static (long Length, bool Partial) Length(ref ReadOnlyMemory<byte> data)
    {
        var first = Take(ref data, 1).Span[0];
        return first switch
        {
            < 192 => (first, false),
            < 224 => (((first - 192) << 8) + Take(ref data, 1).Span[0] + 192, false),
            255 => (BinaryPrimitives.ReadUInt32BigEndian(Take(ref data, 4).Span), false),
            _ => (1L << (first & 0x1f), true),
        };
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> data, long count)
    {
        if (count > data.Length)
        {
            throw PgpReader.Malformed("a packet is longer than the data");
        }

        var taken = data[..(int)count];
        data = data[(int)count..];
        return taken;
    }
}
