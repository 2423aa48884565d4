using System.Security.Cryptography;
using System.Text;
using Muster.Core;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Muster.Images.Trust;

/// <summary>
/// A public key as cosign writes it (<c>cosign.pub</c>): PEM <c>PUBLIC KEY</c> with a SubjectPublicKeyInfo (RFC 7468 §13,
/// RFC 5280 §4.1). ECDSA on the NIST curves, RSA of at least 2,048 bits, Ed25519.
/// </summary>
public sealed class CosignPublicKey
{
    /// <summary>A PEM file of an RSA-16384 key has 3 kB.</summary>
    public const int MaxBytes = 16 << 10;

    private const int MinRsaBits = 2048;

    private readonly byte[] _spki;
    // P-256, P-384, P-521 (RFC 5480 §2.1.1.1).
    private static readonly string[] Curves = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

    private readonly Kind _kind;

    private CosignPublicKey(byte[] spki, Kind kind, string algorithm)
    {
        _spki = spki;
        _kind = kind;
        Algorithm = algorithm;
        Id = Convert.ToHexStringLower(SHA256.HashData(spki));
    }

    private enum Kind
    {
        Ecdsa,
        Rsa,
        Ed25519,
    }

    /// <summary>sha256 of the SubjectPublicKeyInfo, 64 lower-case hex digits: the key's name here.</summary>
    public string Id { get; }

    /// <summary>The algorithm for people.</summary>
    public string Algorithm { get; }

    // RFC 8410 §4: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }.
    private static ReadOnlySpan<byte> Ed25519Prefix => [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

    /// <summary>Whether a file looks like such a key rather than an OpenPGP one.</summary>
    public static bool IsPem(ReadOnlySpan<byte> file) => file.IndexOf("-----BEGIN PUBLIC KEY-----"u8) >= 0;

    /// <summary>Reads a PEM file.</summary>
    public static CosignPublicKey Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaxBytes)
        {
            throw new MusterException(ErrorKind.Invalid, $"It has {file.Length} bytes, more than the {MaxBytes} of any public key");
        }

        var text = Encoding.ASCII.GetString(file);
        if (!PemEncoding.TryFind(text, out var fields) || !text[fields.Label].Equals("PUBLIC KEY", StringComparison.Ordinal))
        {
            throw new MusterException(ErrorKind.Invalid, "It is not a PEM file with a PUBLIC KEY, which cosign public-key or openssl pkey -pubout writes");
        }

        return Read(Convert.FromBase64String(text[fields.Base64Data]));
    }

    /// <summary>Reads a DER SubjectPublicKeyInfo.</summary>
    private static CosignPublicKey Read(byte[] spki)
    {
        if (spki.Length == 44 && spki.AsSpan().StartsWith(Ed25519Prefix))
        {
            return new CosignPublicKey(spki, Kind.Ed25519, "Ed25519");
        }

        try
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(spki, out var read);
            // Other curves have keys of the same sizes.
            return read != spki.Length ? throw NotAKey()
                : Curves.Contains(ecdsa.ExportParameters(false).Curve.Oid?.Value, StringComparer.Ordinal) ? new CosignPublicKey(spki, Kind.Ecdsa, $"ECDSA P-{ecdsa.KeySize}")
                : throw new MusterException(ErrorKind.Invalid, "It is an ECDSA key of a curve that is not accepted: use P-256, P-384 or P-521");
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            // Not an elliptic-curve key, or of a curve that OpenSSL does not know: tried as RSA next.
        }

        try
        {
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(spki, out var read);
            return read != spki.Length ? throw NotAKey()
                : rsa.KeySize < MinRsaBits ? throw new MusterException(ErrorKind.Invalid, $"It is an RSA key of {rsa.KeySize} bits: at least {MinRsaBits} are needed")
                : new CosignPublicKey(spki, Kind.Rsa, $"RSA {rsa.KeySize}");
        }
        catch (CryptographicException)
        {
            throw NotAKey();
        }
    }

    /// <summary>Whether <paramref name="signature"/> (DER for ECDSA, PKCS #1 v1.5 for RSA) is this key's over <paramref name="message"/>.</summary>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        try
        {
            switch (_kind)
            {
                case Kind.Ed25519:
                    return signature.Length == 64 && Ed25519.Verify(signature.ToArray(), 0, _spki, Ed25519Prefix.Length, message.ToArray(), 0, message.Length);
                case Kind.Rsa:
                    using (var rsa = RSA.Create())
                    {
                        rsa.ImportSubjectPublicKeyInfo(_spki, out _);
                        return rsa.VerifyData(message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
                    }

                default:
                    using (var ecdsa = ECDsa.Create())
                    {
                        ecdsa.ImportSubjectPublicKeyInfo(_spki, out _);
                        // cosign hashes with SHA-256 for every curve; newer signers use the curve's own size.
                        return ecdsa.VerifyData(message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
                            || (ecdsa.KeySize == 384 && ecdsa.VerifyData(message, signature, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence))
                            || (ecdsa.KeySize == 521 && ecdsa.VerifyData(message, signature, HashAlgorithmName.SHA512, DSASignatureFormat.Rfc3279DerSequence));
                    }
            }
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static MusterException NotAKey() => new(ErrorKind.Invalid, "It is not an ECDSA, RSA or Ed25519 public key");
}
