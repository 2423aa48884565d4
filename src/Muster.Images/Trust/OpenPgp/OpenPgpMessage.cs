using System.IO.Compression;
using Muster.Core;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>
/// An inline-signed message (RFC 9580 §10.3) as simple signing uses it: [compressed] one-pass signatures, the literal
/// content, signatures. The content is only what a caller gets to see after <see cref="Verify"/> accepted it.
/// </summary>
internal sealed class OpenPgpMessage
{
    private readonly List<PgpPacket> _packets;

    private OpenPgpMessage(List<PgpPacket> packets, ReadOnlyMemory<byte> content)
    {
        _packets = packets;
        Content = content;
    }

    /// <summary>The literal bytes; not to be believed before <see cref="Verify"/>.</summary>
    public ReadOnlyMemory<byte> Content { get; }

    /// <summary>Reads a message of at most 1 MiB, compressed or not, with exactly one literal packet.</summary>
    public static OpenPgpMessage Parse(ReadOnlySpan<byte> message)
    {
        var (data, _) = PgpArmor.Read(message, OpenPgpLimits.MaxMessageBytes);
        var packets = PgpPacket.Split(data);
        if (packets is [{ Tag: PgpPacket.Compressed } compressed])
        {
            packets = PgpPacket.Split(Inflate(compressed.Body));
        }

        ReadOnlyMemory<byte>? literal = null;
        foreach (var packet in packets)
        {
            switch (packet.Tag)
            {
                case PgpPacket.Literal when literal is null:
                    literal = Literal(packet.Body);
                    break;
                case PgpPacket.OnePassSignature or PgpPacket.Signature:
                    break;
                default:
                    // Anything else between signature and content is how one message is made to look like another.
                    throw PgpReader.Malformed($"a signed message has an unexpected packet of type {packet.Tag}");
            }
        }

        return new OpenPgpMessage(packets, literal ?? throw PgpReader.Malformed("a signed message has no content"));
    }

    /// <summary>Judges the message's signatures against <paramref name="keys"/>.</summary>
    public OpenPgpVerdict Verify(IReadOnlyList<OpenPgpCertificate> keys, DateTimeOffset now)
    {
        using var check = OpenPgpSignatureCheck.Over(_packets);
        check.Append(Content.Span);
        return check.Finish(keys, now);
    }

    private static ReadOnlyMemory<byte> Literal(ReadOnlyMemory<byte> body)
    {
        var reader = new PgpReader(body.Span);
        reader.Byte();
        reader.Bytes(reader.Byte());
        reader.UInt32();
        return body[^reader.Rest.Length..];
    }

    private static byte[] Inflate(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
        {
            throw PgpReader.Malformed("a compressed packet is empty");
        }

        using var input = new MemoryStream(body[1..].ToArray());
        using Stream inflated = body.Span[0] switch
        {
            0 => input,
            1 => new DeflateStream(input, CompressionMode.Decompress),
            2 => new ZLibStream(input, CompressionMode.Decompress),
            _ => throw PgpReader.Malformed("the message is compressed with bzip2, which is not read here: sign with --compress-algo zip"),
        };
        try
        {
            var output = new byte[OpenPgpLimits.MaxMessageBytes + 1];
            var length = inflated.ReadAtLeast(output, output.Length, throwOnEndOfStream: false);
            return length <= OpenPgpLimits.MaxMessageBytes
                ? output[..length]
                : throw PgpReader.Malformed($"the message unpacks to more than {OpenPgpLimits.MaxMessageBytes} bytes");
        }
        catch (InvalidDataException)
        {
            throw PgpReader.Malformed("the compressed packet is damaged");
        }
    }
}
