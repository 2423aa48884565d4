using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>One signature packet, versions 4 and 6 (RFC 9580 §5.2), with the subpackets that matter here.</summary>
internal sealed class PgpSignature
{
    public const byte Binary = 0x00;
    public const byte Text = 0x01;
    public const byte GenericCertification = 0x10;
    public const byte PositiveCertification = 0x13;
    public const byte SubkeyBinding = 0x18;
    public const byte PrimaryBinding = 0x19;
    public const byte DirectKey = 0x1f;
    public const byte KeyRevocation = 0x20;
    public const byte SubkeyRevocation = 0x28;
    public const byte CertificationRevocation = 0x30;

    private byte[] _hashedPart = [];

    public byte Version { get; private init; }

    public byte Type { get; private init; }

    public byte Algorithm { get; private init; }

    public byte HashId { get; private init; }

    public byte[] Salt { get; private set; } = [];

    /// <summary>The first two bytes of the hash, which sort out mistakes before any mathematics.</summary>
    public byte[] Left { get; private set; } = [];

    /// <summary>The algorithm's own fields.</summary>
    public byte[] Material { get; private set; } = [];

    public DateTimeOffset? Created { get; private set; }

    /// <summary>After its creation; null for never.</summary>
    public TimeSpan? Lifetime { get; private set; }

    /// <summary>The key's lifetime after the key's creation, in a self-signature; null for for ever.</summary>
    public TimeSpan? KeyLifetime { get; private set; }

    /// <summary>Null when the signature has no key flags.</summary>
    public byte? KeyFlags { get; private set; }

    public bool IsPrimaryUserId { get; private set; }

    public string? IssuerFingerprint { get; private set; }

    public string? IssuerKeyId { get; private set; }

    /// <summary>Why the key was revoked, for people.</summary>
    public string? RevocationReason { get; private set; }

    /// <summary>The signature of a signing subkey over the primary key, inside its binding.</summary>
    public ReadOnlyMemory<byte>? Embedded { get; private set; }

    /// <summary>A critical subpacket that is not understood: such a signature counts for nothing (RFC 9580 §5.2.3.7).</summary>
    public string? Unintelligible { get; private set; }

    /// <summary>The issuer for messages.</summary>
    public string Issuer => IssuerFingerprint ?? IssuerKeyId ?? "an unnamed key";

    /// <summary>Reads a packet's body; null for a version that cannot be read here (2, 3, 5).</summary>
    public static PgpSignature? TryRead(ReadOnlyMemory<byte> body)
    {
        var reader = new PgpReader(body.Span);
        var version = reader.Byte();
        if (version is not (4 or 6))
        {
            return null;
        }

        var signature = new PgpSignature { Version = version, Type = reader.Byte(), Algorithm = reader.Byte(), HashId = reader.Byte() };
        var hashed = reader.Bytes(version == 6 ? reader.UInt32() : reader.UInt16());
        signature._hashedPart = body[..(body.Length - reader.Rest.Length)].ToArray();
        var unhashed = reader.Bytes(version == 6 ? reader.UInt32() : reader.UInt16());
        signature.ReadSubpackets(hashed, isHashed: true);
        signature.ReadSubpackets(unhashed, isHashed: false);
        signature.Left = reader.Bytes(2).ToArray();
        if (version == 6)
        {
            signature.Salt = reader.Bytes(reader.Byte()).ToArray();
            if (PgpHash.Accepted(signature.HashId, out _) is not null && signature.Salt.Length != PgpHash.SaltLength(signature.HashId))
            {
                throw PgpReader.Malformed("a version 6 signature has a salt of the wrong length");
            }
        }

        signature.Material = reader.Rest.ToArray();
        return signature;
    }

    /// <summary>Finishes <paramref name="hash"/> over the signature's own part (RFC 9580 §5.2.4).</summary>
    public byte[] FinishHash(IncrementalHash hash)
    {
        hash.AppendData(_hashedPart);
        Span<byte> trailer = stackalloc byte[6];
        trailer[0] = Version;
        trailer[1] = 0xff;
        BinaryPrimitives.WriteUInt32BigEndian(trailer[2..], (uint)_hashedPart.Length);
        hash.AppendData(trailer);
        return hash.GetHashAndReset();
    }

    /// <summary>Whether the signature names <paramref name="key"/> as its maker.</summary>
    public bool IsBy(PgpKey key) => IssuerFingerprint is not null
        ? IssuerFingerprint == key.Fingerprint
        : IssuerKeyId is not null && IssuerKeyId == key.KeyId;

    private void ReadSubpackets(ReadOnlySpan<byte> area, bool isHashed)
    {
        var reader = new PgpReader(area);
        while (!reader.AtEnd)
        {
            long length = reader.Byte();
            length = length switch
            {
                < 192 => length,
                < 255 => ((length - 192) << 8) + reader.Byte() + 192,
                _ => reader.UInt32(),
            };
            if (length == 0)
            {
                throw PgpReader.Malformed("a signature has an empty subpacket");
            }

            var body = reader.Bytes(length);
            ReadSubpacket(body[0] & 0x7f, (body[0] & 0x80) != 0, body[1..], isHashed);
        }
    }

    private void ReadSubpacket(int type, bool critical, ReadOnlySpan<byte> body, bool isHashed)
    {
        var reader = new PgpReader(body);
        switch (type)
        {
            // What only names the maker, or proves itself, may stand outside of what is signed.
            case 16 when body.Length == 8:
                IssuerKeyId ??= Convert.ToHexStringLower(body);
                return;
            case 33 when body.Length is 21 or 33:
                IssuerFingerprint ??= Convert.ToHexStringLower(body[1..]);
                return;
            case 32:
                Embedded ??= body.ToArray();
                return;
        }

        if (!isHashed)
        {
            return;
        }

        switch (type)
        {
            case 2:
                Created = DateTimeOffset.FromUnixTimeSeconds(reader.UInt32());
                break;
            case 3:
                Lifetime = Seconds(reader.UInt32());
                break;
            case 9:
                KeyLifetime = Seconds(reader.UInt32());
                break;
            case 25:
                IsPrimaryUserId = reader.Byte() != 0;
                break;
            case 27:
                KeyFlags = body.IsEmpty ? (byte)0 : body[0];
                break;
            case 29:
                RevocationReason = Reason(reader.Byte(), reader.Rest);
                break;
            case 4 or 5 or 7 or 11 or 12 or 21 or 22 or 23 or 24 or 26 or 28 or 30 or 31 or 34 or 35 or 37 or 39:
                break;
            default:
                if (critical)
                {
                    Unintelligible ??= $"it has the critical subpacket {type}, which is not understood here";
                }

                break;
        }
    }

    private static TimeSpan? Seconds(uint seconds) => seconds == 0 ? null : TimeSpan.FromSeconds(seconds);

    private static string Reason(byte code, ReadOnlySpan<byte> text)
    {
        var word = code switch
        {
            1 => "superseded",
            2 => "compromised",
            3 => "retired",
            32 => "user id no longer valid",
            _ => "no reason given",
        };
        return text.IsEmpty ? word : word + ": " + PgpText.Clean(text);
    }
}

/// <summary>Text out of keys, made safe to show.</summary>
internal static class PgpText
{
    private const int MaxShown = 200;

    public static string Clean(ReadOnlySpan<byte> utf8)
    {
        var text = System.Text.Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, 4 * MaxShown)]);
        var clean = new System.Text.StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (clean.Length == MaxShown)
            {
                break;
            }

            // Control and direction-changing characters could make a terminal show something else.
            clean.Append(char.IsControl(c) || c is >= '\u200b' and <= '\u200f' or >= '\u202a' and <= '\u202e' or >= '\u2066' and <= '\u2069' ? '?' : c);
        }

        return clean.ToString();
    }
}
