using System.Security.Cryptography;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>Hash algorithm numbers (RFC 9580 §9.5) and what they are worth.</summary>
internal static class PgpHash
{
    /// <summary>The hash that signatures may use, or null with the reason why not.</summary>
    public static HashAlgorithmName? Accepted(byte id, out string reason)
    {
        reason = "";
        switch (id)
        {
            case 8:
                return HashAlgorithmName.SHA256;
            case 9:
                return HashAlgorithmName.SHA384;
            case 10:
                return HashAlgorithmName.SHA512;
            case 12 when SHA3_256.IsSupported:
                return HashAlgorithmName.SHA3_256;
            case 14 when SHA3_512.IsSupported:
                return HashAlgorithmName.SHA3_512;
            case 1 or 2 or 3:
                reason = $"it uses the broken hash {(id == 1 ? "MD5" : id == 2 ? "SHA-1" : "RIPEMD-160")}";
                return null;
            default:
                reason = $"it uses hash algorithm {id}, which is not supported here";
                return null;
        }
    }

    /// <summary>As <see cref="Accepted"/> but with SHA-1 too: a revocation is heeded even when its hash is weak.</summary>
    public static HashAlgorithmName? ForRevocation(byte id) => id == 2 ? HashAlgorithmName.SHA1 : Accepted(id, out _);

    /// <summary>The length of a version 6 signature's salt (RFC 9580 §9.5, table 23).</summary>
    public static int SaltLength(byte id) => id switch { 8 or 12 => 16, 9 => 24, 10 or 14 => 32, _ => -1 };
}
