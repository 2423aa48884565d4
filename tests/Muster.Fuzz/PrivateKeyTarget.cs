using Muster.Core;
using Muster.Images.Trust;
using Muster.Images.Trust.Signing;

namespace Muster.Fuzz;

/// <summary>Files that are named as a key to sign with or to trust, and what cosign's encrypted ones hold.</summary>
public static class PrivateKeyTarget
{
    /// <summary>With the least cost of scrypt, so that what still looks like a key is quick to try.</summary>
    public static IReadOnlyList<byte[]> Seeds =>
    [
        """{"kdf":{"name":"scrypt","params":{"N":2,"r":1,"p":1},"salt":"AAAA"},"cipher":{"name":"nacl/secretbox","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"ciphertext":"AAAAAAAAAAAAAAAAAAAAAAAA"}"""u8.ToArray(),
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n-----BEGIN PRIVATE KEY-----\nMEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ==\n-----END PRIVATE KEY-----\n"u8.ToArray(),
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3nsd/gilLcPkm8t/nWcnnSQnDY8D\n47QI2+Mx1+HMhjjLKl0PhhopXqzPXiMjHGS4vFsmaNZuU0fHIxbMXF2idg==\n-----END PUBLIC KEY-----\n"u8.ToArray(),
    ];

    public static void Run(ReadOnlySpan<byte> data)
    {
        var bytes = data.ToArray();
        Refusing(() => CosignPrivateKey.Parse(bytes, () => "secret").Dispose());
        Refusing(() => CosignPublicKey.Parse(bytes));
        Refusing(() => CosignKeyFile.Decrypt(bytes, "secret"));
    }

    private static void Refusing(Action action)
    {
        try
        {
            action();
        }
        catch (MusterException)
        {
        }
    }
}
