using System.Buffers.Binary;
using Muster.Core;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>Reads the scalar types of RFC 9580 §3 from a span; every read past the end is refused.</summary>
internal ref struct PgpReader
{
    private ReadOnlySpan<byte> _rest;

    public PgpReader(ReadOnlySpan<byte> data) => _rest = data;

    /// <summary>What has not been read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte() => Bytes(1)[0];

    public int UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Bytes(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Bytes(4));

    /// <summary>A count of bytes that was itself read from the input.</summary>
    public ReadOnlySpan<byte> Bytes(long count)
    {
        if (count < 0 || count > _rest.Length)
        {
            throw Malformed("it ends in the middle of a field");
        }

        var bytes = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return bytes;
    }

    /// <summary>A multiprecision integer without its leading zeros (RFC 9580 §3.2).</summary>
    public ReadOnlySpan<byte> Mpi()
    {
        var bits = UInt16();
        if (bits > OpenPgpLimits.MaxMpiBits)
        {
            throw Malformed($"it holds a number of {bits} bits, more than {OpenPgpLimits.MaxMpiBits}");
        }

        return Bytes((bits + 7) / 8).TrimStart((byte)0);
    }

    /// <summary>The refusal of bytes that are not OpenPGP; callers put the name of the file before it.</summary>
    public static MusterException Malformed(string why) => new(ErrorKind.Invalid, $"The OpenPGP data is malformed: {why}");
}

/// <summary>The limits of what is read as OpenPGP, each with its reason.</summary>
internal static class OpenPgpLimits
{
    /// <summary>RSA of 16,384 bits is the largest that gpg makes; anything longer only costs time.</summary>
    public const int MaxMpiBits = 16384;

    /// <summary>RSA below 2,048 bits has been within reach of factoring for years.</summary>
    public const int MinRsaBits = 2048;

    /// <summary>A key with a photo and a thousand certifications has this size; a plain one 1 to 4 kB.</summary>
    public const int MaxKeyBytes = 1 << 20;

    /// <summary>An armoured RSA-4096 signature has 900 bytes; sixteen of them fit many times.</summary>
    public const int MaxSignatureBytes = 64 << 10;

    /// <summary>A signed message (simple signing) holds a small JSON document.</summary>
    public const int MaxMessageBytes = 1 << 20;

    /// <summary>Packets of one file; keys with more are keyserver floods.</summary>
    public const int MaxPackets = 4096;

    /// <summary>Signatures of one file or message; each may need a hash of the whole image.</summary>
    public const int MaxSignatures = 16;

    /// <summary>Public-key operations for one key file: bounds the time that a hostile file can cost.</summary>
    public const int MaxVerifications = 512;

    /// <summary>How far a signer's clock may be ahead of ours.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);
}
