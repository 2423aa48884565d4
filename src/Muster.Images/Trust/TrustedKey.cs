using Muster.Core;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images.Trust;

/// <summary>A public key of either kind: OpenPGP or cosign's PEM.</summary>
public sealed record PublicKeyFile
{
    private PublicKeyFile(string id, string text)
    {
        Id = id;
        Text = text;
    }

    /// <summary>The file's name in the store: OpenPGP fingerprint, or sha256 of the SubjectPublicKeyInfo.</summary>
    public string Id { get; }

    /// <summary>The file's content: armour or PEM.</summary>
    public string Text { get; }

    public OpenPgpCertificate? OpenPgp { get; private init; }

    public CosignPublicKey? Cosign { get; private init; }

    /// <summary><c>openpgp</c> or <c>cosign</c>.</summary>
    public string Kind => OpenPgp is null ? "cosign" : "openpgp";

    /// <summary>Reads a key; <paramref name="what"/> (a path or URL) begins the sentence of a refusal.</summary>
    public static PublicKeyFile Parse(ReadOnlySpan<byte> data, string what)
    {
        try
        {
            if (CosignPublicKey.IsPem(data))
            {
                var cosign = CosignPublicKey.Parse(data);
                return new PublicKeyFile(cosign.Id, System.Text.Encoding.ASCII.GetString(data)) { Cosign = cosign };
            }

            RefuseOtherPem(data);
            var certificate = OpenPgpCertificate.Parse(data);
            return new PublicKeyFile(certificate.Fingerprint, OpenPgpCertificate.Armor(data)) { OpenPgp = certificate };
        }
        catch (MusterException e)
        {
            throw new MusterException(e.Kind, $"{what} is not a usable public key: {e.Message}", e);
        }
    }

    // What else has this form is named, since it lies beside the keys.
    private static void RefuseOtherPem(ReadOnlySpan<byte> data)
    {
        if (!data.StartsWith("-----BEGIN "u8) || data.StartsWith("-----BEGIN PGP"u8))
        {
            return;
        }

        var line = data[..Math.Min(data.Length, 100)];
        throw new MusterException(ErrorKind.Invalid, line.IndexOf("PRIVATE KEY"u8) >= 0
            ? "It is a private key: give the public one (cosign public-key, openssl pkey -pubout) and keep this one to yourself"
            : line.IndexOf("CERTIFICATE"u8) >= 0 ? "It is a certificate: give the key in it (openssl x509 -pubkey -noout)"
            : "It is neither an OpenPGP key nor a PUBLIC KEY in PEM form");
    }
}

/// <summary>A key of the store, or a mask of one.</summary>
/// <param name="Id">The file's name.</param>
/// <param name="Path">The file.</param>
/// <param name="Prefix">The images it may sign, by whole path components; null for every image.</param>
/// <param name="Vendor">True in <c>/usr/lib/muster</c>.</param>
/// <param name="Key">The key; null for an empty file, which masks.</param>
public sealed record TrustedKey(string Id, string Path, string? Prefix, bool Vendor, PublicKeyFile? Key)
{
    public bool IsMask => Key is null;
}

/// <summary>How a key stands today towards an image.</summary>
public enum KeyStanding
{
    /// <summary>No folder on the image's path has it.</summary>
    Absent,

    /// <summary>An empty file of its name took the trust back.</summary>
    Masked,

    Trusted,
}
