using System.Buffers.Text;
using System.Text;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>ASCII armour (RFC 9580 §6). The checksum is not checked, as the RFC asks: the signature is what protects.</summary>
internal static class PgpArmor
{
    private const int LineLength = 64;

    /// <summary>
    /// The bytes inside the first armoured block, with the block's type (<c>PUBLIC KEY BLOCK</c>, <c>SIGNATURE</c>);
    /// data that is not armoured comes back as it is with a null type.
    /// </summary>
    public static (byte[] Data, string? Type) Read(ReadOnlySpan<byte> data, int limit)
    {
        if (data.Length > limit)
        {
            throw PgpReader.Malformed($"it has {data.Length} bytes, more than {limit}");
        }

        // Every binary packet begins with a byte of 128 or more, armour with text.
        if (data.IsEmpty || data[0] >= 0x80)
        {
            return (data.ToArray(), null);
        }

        var begin = data.IndexOf("-----BEGIN PGP "u8);
        if (begin < 0 || (begin > 0 && data[begin - 1] != '\n'))
        {
            throw PgpReader.Malformed("it is neither binary packets nor an armoured block (-----BEGIN PGP …)");
        }

        var rest = data[(begin + "-----BEGIN PGP ".Length)..];
        var type = Encoding.ASCII.GetString(Dashes(Line(ref rest)));
        // Headers (Version, Comment, …) end with an empty line.
        while (!rest.IsEmpty && !Line(ref rest).IsEmpty)
        {
        }

        return (Body(rest), type);
    }

    /// <summary>Writes an armoured block with its checksum, which older gpg versions want.</summary>
    public static string Write(ReadOnlySpan<byte> data, string type)
    {
        var text = new StringBuilder();
        text.Append("-----BEGIN PGP ").Append(type).Append("-----\n\n");
        var base64 = Convert.ToBase64String(data);
        for (var i = 0; i < base64.Length; i += LineLength)
        {
            text.Append(base64, i, Math.Min(LineLength, base64.Length - i)).Append('\n');
        }

        var crc = Crc24(data);
        text.Append('=').Append(Convert.ToBase64String([(byte)(crc >> 16), (byte)(crc >> 8), (byte)crc])).Append('\n');
        return text.Append("-----END PGP ").Append(type).Append("-----\n").ToString();
    }

    private static byte[] Body(ReadOnlySpan<byte> rest)
    {
        var base64 = new byte[rest.Length];
        var length = 0;
        while (true)
        {
            if (rest.IsEmpty)
            {
                throw PgpReader.Malformed("the armoured block has no end line");
            }

            var line = Line(ref rest);
            if (line.StartsWith("-----END PGP "u8))
            {
                break;
            }

            // "=XXXX" on a line of its own is the checksum; nothing but the end line follows it.
            if (line.Length == 5 && line[0] == '=')
            {
                continue;
            }

            line.CopyTo(base64.AsSpan(length));
            length += line.Length;
        }

        var decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(length)];
        var status = Base64.DecodeFromUtf8(base64.AsSpan(0, length), decoded, out var consumed, out var written);
        return status == System.Buffers.OperationStatus.Done && consumed == length
            ? decoded[..written]
            : throw PgpReader.Malformed("the armoured block is not base64");
    }

    private static ReadOnlySpan<byte> Dashes(ReadOnlySpan<byte> line) => line.EndsWith("-----"u8)
        ? line[..^5]
        : throw PgpReader.Malformed("the armour's first line does not end with dashes");

    private static ReadOnlySpan<byte> Line(ref ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOf((byte)'\n');
        var line = end < 0 ? rest : rest[..end];
        rest = end < 0 ? [] : rest[(end + 1)..];
        return line.TrimEnd(" \t\r"u8);
    }

    private static int Crc24(ReadOnlySpan<byte> data)
    {
        var crc = 0xb704ce;
        foreach (var b in data)
        {
            crc ^= b << 16;
            for (var i = 0; i < 8; i++)
            {
                crc <<= 1;
                if ((crc & 0x1000000) != 0)
                {
                    crc ^= 0x1864cfb;
                }
            }
        }

        return crc & 0xffffff;
    }
}
