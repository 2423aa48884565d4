using System.Security.Cryptography;
using System.Text;
using Muster.Core;

namespace Muster.Images.Trust.Signing;

/// <summary>
/// A private key that signs as cosign's do: <c>cosign.key</c> in cosign's encrypted form, or a PEM file of openssl, encrypted
/// or not (RFC 7468 §10 and §11, RFC 5915). ECDSA on the NIST curves, RSA of at least 2,048 bits.
/// </summary>
public sealed class CosignPrivateKey : IDisposable
{
    /// <summary>A PEM file of an RSA-16384 key has 13 kB.</summary>
    public const int MaxBytes = 64 << 10;

    private const int MinRsaBits = 2048;

    private readonly AsymmetricAlgorithm _key;

    private CosignPrivateKey(AsymmetricAlgorithm key) => _key = key;

    /// <summary>Reads a key's file.</summary>
    /// <param name="file">PEM.</param>
    /// <param name="passphrase">Asked for the passphrase when the file is encrypted.</param>
    /// <exception cref="MusterException">Invalid for what is no such key, or a wrong passphrase.</exception>
    public static CosignPrivateKey Parse(ReadOnlySpan<byte> file, Func<string> passphrase)
    {
        if (file.Length > MaxBytes)
        {
            throw new MusterException(ErrorKind.Invalid, $"It has {file.Length} bytes, more than the {MaxBytes} of any private key");
        }

        // openssl writes the parameters of a curve before the key itself.
        ReadOnlySpan<char> text = Encoding.ASCII.GetString(file);
        while (PemEncoding.TryFind(text, out var fields))
        {
            var label = text[fields.Label].ToString();
            var der = Convert.FromBase64String(text[fields.Base64Data].ToString());
            switch (label)
            {
                case "ENCRYPTED COSIGN PRIVATE KEY" or "ENCRYPTED SIGSTORE PRIVATE KEY":
                    return Import(CosignKeyFile.Decrypt(der, passphrase()), label, null);
                case "ENCRYPTED PRIVATE KEY":
                    return Import(der, label, passphrase());
                case "PRIVATE KEY" or "EC PRIVATE KEY" or "RSA PRIVATE KEY":
                    return Import(der, label, null);
                case "PUBLIC KEY":
                    throw new MusterException(ErrorKind.Invalid, "It is a public key: name the private one, cosign.key");
                default:
                    text = text[fields.Location.End..];
                    break;
            }
        }

        throw new MusterException(ErrorKind.Invalid, "It is not a PEM file with a private key, which cosign generate-key-pair or openssl genpkey writes");
    }

    /// <summary>Signs with SHA-256, which cosign takes for every curve: DER for ECDSA, PKCS #1 v1.5 for RSA.</summary>
    public byte[] Sign(ReadOnlySpan<byte> message) => _key switch
    {
        ECDsa ecdsa => ecdsa.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
        RSA rsa => rsa.SignData(message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        _ => throw new InvalidOperationException("A key of another kind was imported"),
    };

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    private static CosignPrivateKey Import(byte[] der, string label, string? passphrase)
    {
        var ecdsa = ECDsa.Create();
        if (label != "RSA PRIVATE KEY" && Try(() => Import(ecdsa, der, label == "EC PRIVATE KEY", passphrase)))
        {
            return new CosignPrivateKey(ecdsa);
        }

        ecdsa.Dispose();
        var rsa = RSA.Create();
        if (label != "EC PRIVATE KEY" && Try(() => Import(rsa, der, label == "RSA PRIVATE KEY", passphrase)))
        {
            if (rsa.KeySize >= MinRsaBits)
            {
                return new CosignPrivateKey(rsa);
            }

            var bits = rsa.KeySize;
            rsa.Dispose();
            throw new MusterException(ErrorKind.Invalid, $"It is an RSA key of {bits} bits: at least {MinRsaBits} are needed");
        }

        rsa.Dispose();
        throw new MusterException(ErrorKind.Invalid, passphrase is null ? "It is not an ECDSA or RSA private key" : "It is not an ECDSA or RSA private key, or the passphrase is wrong");
    }

    private static void Import(AsymmetricAlgorithm key, byte[] der, bool traditional, string? passphrase)
    {
        switch (key)
        {
            case ECDsa ecdsa when traditional:
                ecdsa.ImportECPrivateKey(der, out _);
                break;
            case RSA rsa when traditional:
                rsa.ImportRSAPrivateKey(der, out _);
                break;
            case var _ when passphrase is not null:
                key.ImportEncryptedPkcs8PrivateKey(passphrase, der, out _);
                break;
            default:
                key.ImportPkcs8PrivateKey(der, out _);
                break;
        }
    }

    private static bool Try(Action import)
    {
        try
        {
            import();
            return true;
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            // The latter for a curve that OpenSSL does not know.
            return false;
        }
    }
}
