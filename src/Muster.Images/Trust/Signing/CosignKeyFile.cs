using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Macs;
using Org.BouncyCastle.Crypto.Parameters;

namespace Muster.Images.Trust.Signing;

/// <summary>
/// The encrypted form of cosign's private keys: JSON with scrypt's parameters and a NaCl secretbox (XSalsa20 and Poly1305) over a
/// PKCS #8 key (secure-systems-lab/go-securesystemslib, encrypted).
/// </summary>
internal static class CosignKeyFile
{
    /// <summary>cosign takes 64 MiB of memory; what wants more than this is an attack.</summary>
    private const long MaxMemory = 256L << 20;

    private const int MaxParallel = 8;
    private const int KeyBytes = 32;
    private const int NonceBytes = 24;
    private const int TagBytes = 16;

    /// <summary>The PKCS #8 key inside.</summary>
    /// <exception cref="MusterException">Invalid for another format or a wrong passphrase.</exception>
    public static byte[] Decrypt(ReadOnlyMemory<byte> json, string passphrase)
    {
        try
        {
            var file = StrictJson.Parse(json, maxDepth: 8);
            var (kdf, cipher) = (file.GetProperty("kdf"), file.GetProperty("cipher"));
            if (kdf.GetProperty("name").GetString() != "scrypt" || cipher.GetProperty("name").GetString() != "nacl/secretbox")
            {
                throw new MusterException(ErrorKind.Invalid, "It is encrypted in a way that is not known here: only scrypt with nacl/secretbox is");
            }

            var cost = kdf.GetProperty("params");
            var (n, r, p) = (cost.GetProperty("N").GetInt32(), cost.GetProperty("r").GetInt32(), cost.GetProperty("p").GetInt32());
            if (n < 2 || (n & (n - 1)) != 0 || r < 1 || p is < 1 or > MaxParallel || 128L * n * r > MaxMemory)
            {
                throw new MusterException(ErrorKind.Invalid, $"Its scrypt parameters (N {n}, r {r}, p {p}) are impossible or beyond {MaxMemory >> 20} MiB");
            }

            var key = SCrypt.Generate(Encoding.UTF8.GetBytes(passphrase), kdf.GetProperty("salt").GetBytesFromBase64(), n, r, p, KeyBytes);
            return Open(key, cipher.GetProperty("nonce").GetBytesFromBase64(), file.GetProperty("ciphertext").GetBytesFromBase64())
                ?? throw new MusterException(ErrorKind.Invalid, "The passphrase is wrong");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new MusterException(ErrorKind.Invalid, "It is not an encrypted key as cosign generate-key-pair writes it", e);
        }
    }

    // crypto_secretbox_open: the first 32 bytes of the key stream are Poly1305's key, the rest is the cipher's.
    private static byte[]? Open(byte[] key, byte[] nonce, byte[] box)
    {
        if (nonce.Length != NonceBytes || box.Length < TagBytes)
        {
            throw new FormatException("nonce or ciphertext of a wrong length");
        }

        var stream = new XSalsa20Engine();
        stream.Init(false, new ParametersWithIV(new KeyParameter(key), nonce));
        var authentication = new byte[32];
        stream.ProcessBytes(authentication, 0, authentication.Length, authentication, 0);
        var poly = new Poly1305();
        poly.Init(new KeyParameter(authentication));
        poly.BlockUpdate(box, TagBytes, box.Length - TagBytes);
        var tag = new byte[TagBytes];
        poly.DoFinal(tag, 0);
        if (!CryptographicOperations.FixedTimeEquals(tag, box.AsSpan(0, TagBytes)))
        {
            return null;
        }

        var plain = new byte[box.Length - TagBytes];
        stream.ProcessBytes(box, TagBytes, plain.Length, plain, 0);
        return plain;
    }
}
