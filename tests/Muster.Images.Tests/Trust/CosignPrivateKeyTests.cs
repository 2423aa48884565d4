using System.Security.Cryptography;
using System.Text;
using Muster.Core;
using Muster.Images.Trust;
using Muster.Images.Trust.Signing;

namespace Muster.Images.Tests.Trust;

public sealed class CosignPrivateKeyTests
{
    /// <summary>Made by cosign 2.5.0 for this test, with the passphrase "geheim".</summary>
    private const string Encrypted = """
        -----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
        eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
        OCwicCI6MX0sInNhbHQiOiJndmo3Z3hTT0Qwc3hwVmZ5ZklZRnVscFJ4bkZVdlZS
        ZG1BOVMxZ1FtaWdZPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
        Iiwibm9uY2UiOiIvOTVEVUdNRGRIQm9IL3Q2Q1BORDVzZ3E1dXdsZXdVQyJ9LCJj
        aXBoZXJ0ZXh0IjoiNEpiYzNMNTZJcXdxY1JNNVlCaGkxRGF3VTNpVFRKanhCMncw
        cEFCbnZvd096NDAzV2czc0FXUXloM2l6QmJxN3pmbitnc01RK3NrTU5PTDFzWlhu
        TkZoTkJnMEJpVnlnMjh3dTFSbmVCVFZjbEpzc2FqNXNPcUI3d0V4VGtYMjVBVnR2
        QTRhRHo5aEtuYTFOYldtb2hEYndlRXNpaHJrLzJIRGRHeThOVWdZTU45ckNYSm9n
        MmxlMVo3THZJclFvTlR5c0tkOEJHSU5PNkE9PSJ9
        -----END ENCRYPTED SIGSTORE PRIVATE KEY-----
        """;

    private const string Public = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3nsd/gilLcPkm8t/nWcnnSQnDY8D
        47QI2+Mx1+HMhjjLKl0PhhopXqzPXiMjHGS4vFsmaNZuU0fHIxbMXF2idg==
        -----END PUBLIC KEY-----
        """;

    private static readonly byte[] Message = "a message"u8.ToArray();

    [Fact]
    public void Signs_with_a_key_of_cosign()
    {
        using var key = Parse(Encrypted, "geheim");
        CosignPublicKey.Parse(Encoding.ASCII.GetBytes(Public)).Verify(Message, key.Sign(Message)).Should().BeTrue();
        FluentActions.Invoking(() => Parse(Encrypted, "Geheim")).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid && e.Message.Contains("passphrase is wrong"));
    }

    [Fact]
    public void Signs_with_keys_of_other_curves_and_kinds()
    {
        foreach (var curve in (ECCurve[])[ECCurve.NamedCurves.nistP256, ECCurve.NamedCurves.nistP384, ECCurve.NamedCurves.nistP521])
        {
            using var ecdsa = ECDsa.Create(curve);
            Check(ecdsa.ExportPkcs8PrivateKeyPem(), ecdsa.ExportSubjectPublicKeyInfoPem());
            Check(ecdsa.ExportECPrivateKeyPem(), ecdsa.ExportSubjectPublicKeyInfoPem());
        }

        using var rsa = RSA.Create(2048);
        Check(rsa.ExportPkcs8PrivateKeyPem(), rsa.ExportSubjectPublicKeyInfoPem());
        Check(rsa.ExportRSAPrivateKeyPem(), rsa.ExportSubjectPublicKeyInfoPem());
        Check(rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)), rsa.ExportSubjectPublicKeyInfoPem());

        static void Check(string file, string pub)
        {
            using var key = Parse(file, "secret");
            CosignPublicKey.Parse(Encoding.ASCII.GetBytes(pub)).Verify(Message, key.Sign(Message)).Should().BeTrue();
        }
    }

    [Fact]
    public void Refuses_what_cannot_sign_in_one_sentence()
    {
        using var small = RSA.Create(1024);
        using var dsa = DSA.Create(2048);
        foreach (var (file, why) in new[]
        {
            ("", "not a PEM file"), ("garbage", "not a PEM file"), (Public, "public key"), (small.ExportPkcs8PrivateKeyPem(), "1024 bits"), (dsa.ExportPkcs8PrivateKeyPem(), "not an ECDSA or RSA"),
            (new string('x', CosignPrivateKey.MaxBytes + 1), "more than"), (Box("""{"kdf":{}}"""), "not an encrypted key"), (Box("""[1]"""), "not an encrypted key"),
            (Box(Json(n: 1 << 30)), "beyond"), (Box(Json(n: 3)), "impossible"), (Box(Json(p: 1000)), "impossible"), (Box(Json(name: "argon2")), "not known here"), (Box(Json(nonce: "AAAA")), "not an encrypted key"),
        })
        {
            FluentActions.Invoking(() => Parse(file, "x")).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid && e.Message.Contains(why) && !e.Message.Contains('\n'), why);
        }
    }

    private static string Json(int n = 2, int p = 1, string name = "scrypt", string nonce = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") =>
        $$$"""{"kdf":{"name":"{{{name}}}","params":{"N":{{{n}}},"r":8,"p":{{{p}}}},"salt":"AAAA"},"cipher":{"name":"nacl/secretbox","nonce":"{{{nonce}}}"},"ciphertext":"AAAAAAAAAAAAAAAAAAAAAAAA"}""";

    private static string Box(string json) => PemEncoding.WriteString("ENCRYPTED SIGSTORE PRIVATE KEY", Encoding.UTF8.GetBytes(json));

    private static CosignPrivateKey Parse(string file, string passphrase) => CosignPrivateKey.Parse(Encoding.ASCII.GetBytes(file), () => passphrase);
}
