using System.Security.Cryptography;
using Muster.Core;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>
/// The public-key operations behind signatures (RFC 9580 §5.2.3): RSA and ECDSA by the platform, Edwards curves by
/// BouncyCastle, because .NET has none.
/// </summary>
internal static class PgpMaths
{
    private static ReadOnlySpan<byte> Ed25519LegacyOid => [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

    /// <summary>Whether <paramref name="signature"/> is <paramref name="key"/>'s over the hash; false with a reason otherwise.</summary>
    public static bool Verify(PgpKey key, PgpSignature signature, HashAlgorithmName algorithm, byte[] hash, out string reason)
    {
        reason = "the signature does not match the content";
        var matches = key.Algorithm == signature.Algorithm || (key.Algorithm == PgpAlgorithm.Rsa && signature.Algorithm == PgpAlgorithm.RsaSign);
        if (!matches || key.Version != signature.Version)
        {
            reason = "the signature is of another kind than its key";
            return false;
        }

        if (!hash.AsSpan(0, 2).SequenceEqual(signature.Left))
        {
            return false;
        }

        try
        {
            return key.Algorithm switch
            {
                PgpAlgorithm.Rsa or PgpAlgorithm.RsaSign => Rsa(key, signature, algorithm, hash, ref reason),
                PgpAlgorithm.Ecdsa => Ecdsa(key, signature, hash, ref reason),
                PgpAlgorithm.EdDsaLegacy => EdDsaLegacy(key, signature, hash, ref reason),
                PgpAlgorithm.Ed25519 => key.Material.Length == 32 && signature.Material.Length == 64
                    && Ed25519.Verify(signature.Material, 0, key.Material, 0, hash, 0, hash.Length),
                PgpAlgorithm.Ed448 => key.Material.Length == 57 && signature.Material.Length == 114
                    && Ed448.Verify(signature.Material, 0, key.Material, 0, [], hash, 0, hash.Length),
                _ => Unsupported(key, out reason),
            };
        }
        catch (CryptographicException)
        {
            // A key whose numbers make no key: a point off the curve, an even modulus.
            reason = "the key's numbers are not a valid key";
            return false;
        }
        catch (MusterException e)
        {
            reason = e.Message;
            return false;
        }
    }

    private static bool Unsupported(PgpKey key, out string reason)
    {
        reason = $"keys of the kind {key.Describe()} are not accepted: use RSA, ECDSA or Ed25519";
        return false;
    }

    private static bool Rsa(PgpKey key, PgpSignature signature, HashAlgorithmName algorithm, byte[] hash, ref string reason)
    {
        var reader = new PgpReader(key.Material);
        var modulus = reader.Mpi().ToArray();
        var exponent = reader.Mpi().ToArray();
        if (modulus.Length * 8 < OpenPgpLimits.MinRsaBits)
        {
            reason = $"the key is an RSA key of fewer than {OpenPgpLimits.MinRsaBits} bits";
            return false;
        }

        var number = new PgpReader(signature.Material).Mpi();
        if (exponent.Length is 0 or > 8 || number.Length > modulus.Length)
        {
            return false;
        }

        using var rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
        return rsa.VerifyHash(hash, Padded(number, modulus.Length), algorithm, RSASignaturePadding.Pkcs1);
    }

    private static bool Ecdsa(PgpKey key, PgpSignature signature, byte[] hash, ref string reason)
    {
        var reader = new PgpReader(key.Material);
        var oid = reader.Bytes(reader.Byte());
        var point = reader.Mpi();
        var (curve, size) = Curve(oid);
        if (size == 0)
        {
            reason = "the key is on a curve that is not supported: use P-256, P-384, P-521 or brainpool";
            return false;
        }

        var numbers = new PgpReader(signature.Material);
        var r = numbers.Mpi();
        var s = numbers.Mpi();
        if (point.Length != 1 + (2 * size) || point[0] != 4 || r.Length > size || s.Length > size)
        {
            return false;
        }

        using var ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = curve,
            Q = new ECPoint { X = point.Slice(1, size).ToArray(), Y = point[(1 + size)..].ToArray() },
        });
        byte[] whole = [.. Padded(r, size), .. Padded(s, size)];
        return ecdsa.VerifyHash(hash, whole, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static (ECCurve Curve, int Size) Curve(ReadOnlySpan<byte> oid) => Convert.ToHexStringLower(oid) switch
    {
        "2a8648ce3d030107" => (ECCurve.NamedCurves.nistP256, 32),
        "2b81040022" => (ECCurve.NamedCurves.nistP384, 48),
        "2b81040023" => (ECCurve.NamedCurves.nistP521, 66),
        "2b2403030208010107" => (ECCurve.NamedCurves.brainpoolP256r1, 32),
        "2b240303020801010b" => (ECCurve.NamedCurves.brainpoolP384r1, 48),
        "2b240303020801010d" => (ECCurve.NamedCurves.brainpoolP512r1, 64),
        _ => default,
    };

    private static bool EdDsaLegacy(PgpKey key, PgpSignature signature, byte[] hash, ref string reason)
    {
        var reader = new PgpReader(key.Material);
        var oid = reader.Bytes(reader.Byte());
        if (!oid.SequenceEqual(Ed25519LegacyOid))
        {
            reason = "the key is on a curve that is not supported: use Ed25519";
            return false;
        }

        var point = reader.Mpi();
        var numbers = new PgpReader(signature.Material);
        var r = numbers.Mpi();
        var s = numbers.Mpi();
        if (point.Length != 33 || point[0] != 0x40 || r.Length > 32 || s.Length > 32)
        {
            return false;
        }

        byte[] whole = [.. Padded(r, 32), .. Padded(s, 32)];
        return Ed25519.Verify(whole, 0, point[1..].ToArray(), 0, hash, 0, hash.Length);
    }

    private static byte[] Padded(ReadOnlySpan<byte> number, int size)
    {
        var padded = new byte[size];
        number.CopyTo(padded.AsSpan(size - number.Length));
        return padded;
    }
}
