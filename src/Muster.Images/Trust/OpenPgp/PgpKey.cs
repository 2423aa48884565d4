using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>One public key or subkey packet, versions 4 and 6 (RFC 9580 §5.5.2).</summary>
internal sealed class PgpKey
{
    private PgpKey(byte version, DateTimeOffset created, byte algorithm, byte[] material, byte[] body)
    {
        Version = version;
        Created = created;
        Algorithm = algorithm;
        Material = material;
        Body = body;
        var framed = Framed();
#pragma warning disable CA5350 // A version 4 fingerprint is SHA-1 by definition (RFC 9580 §5.5.4.2); it only names the key.
        Fingerprint = Convert.ToHexStringLower(version == 6 ? SHA256.HashData(framed) : SHA1.HashData(framed));
#pragma warning restore CA5350
        KeyId = version == 6 ? Fingerprint[..16] : Fingerprint[^16..];
    }

    public byte Version { get; }

    public DateTimeOffset Created { get; }

    public byte Algorithm { get; }

    /// <summary>The algorithm's own fields.</summary>
    public byte[] Material { get; }

    private byte[] Body { get; }

    /// <summary>40 (version 4) or 64 (version 6) lower-case hex digits.</summary>
    public string Fingerprint { get; }

    /// <summary>16 hex digits: the end of a version 4 fingerprint, the beginning of a version 6 one.</summary>
    public string KeyId { get; }

    /// <summary>Reads a packet's body; null for a version that cannot be read here (2, 3, 5).</summary>
    public static PgpKey? TryRead(ReadOnlyMemory<byte> body)
    {
        var reader = new PgpReader(body.Span);
        var version = reader.Byte();
        if (version is not (4 or 6))
        {
            return null;
        }

        var created = DateTimeOffset.FromUnixTimeSeconds(reader.UInt32());
        var algorithm = reader.Byte();
        if (version == 6)
        {
            var length = reader.UInt32();
            if (length != reader.Rest.Length)
            {
                throw PgpReader.Malformed("a version 6 key says a wrong length");
            }
        }

        return new PgpKey(version, created, algorithm, reader.Rest.ToArray(), body.ToArray());
    }

    /// <summary>The key as every hash over it sees it (RFC 9580 §5.2.4).</summary>
    public byte[] Framed()
    {
        var prefix = Version == 6 ? 5 : 3;
        var framed = new byte[prefix + Body.Length];
        if (Version == 6)
        {
            framed[0] = 0x9b;
            BinaryPrimitives.WriteUInt32BigEndian(framed.AsSpan(1), (uint)Body.Length);
        }
        else
        {
            framed[0] = 0x99;
            BinaryPrimitives.WriteUInt16BigEndian(framed.AsSpan(1), (ushort)Body.Length);
        }

        Body.CopyTo(framed, prefix);
        return framed;
    }

    /// <summary>The length of an RSA key's modulus; 0 for other keys.</summary>
    public int RsaBits => Algorithm is PgpAlgorithm.Rsa or PgpAlgorithm.RsaEncrypt or PgpAlgorithm.RsaSign && Material.Length >= 2 ? (Material[0] << 8) | Material[1] : 0;

    /// <summary>The algorithm for people: <c>RSA 3072</c>, <c>Ed25519</c>, <c>ECDSA</c>.</summary>
    public string Describe() => Algorithm switch
    {
        PgpAlgorithm.Rsa or PgpAlgorithm.RsaEncrypt or PgpAlgorithm.RsaSign => Material.Length < 2 ? "RSA" : $"RSA {(Material[0] << 8) | Material[1]}",
        PgpAlgorithm.Ecdsa => "ECDSA",
        PgpAlgorithm.EdDsaLegacy or PgpAlgorithm.Ed25519 => "Ed25519",
        PgpAlgorithm.Ed448 => "Ed448",
        PgpAlgorithm.Dsa => "DSA",
        _ => $"algorithm {Algorithm}",
    };
}

/// <summary>Public-key algorithm numbers (RFC 9580 §9.1).</summary>
internal static class PgpAlgorithm
{
    public const byte Rsa = 1;
    public const byte RsaEncrypt = 2;
    public const byte RsaSign = 3;
    public const byte Dsa = 17;
    public const byte Ecdsa = 19;
    public const byte EdDsaLegacy = 22;
    public const byte Ed25519 = 27;
    public const byte Ed448 = 28;

    /// <summary>Whether keys of the algorithm can sign and are accepted here.</summary>
    public static bool Signs(byte algorithm) => algorithm is Rsa or RsaSign or Ecdsa or EdDsaLegacy or Ed25519 or Ed448;
}
