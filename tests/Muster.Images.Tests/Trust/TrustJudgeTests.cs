using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using Muster.Core;
using Muster.Fuzz;
using Muster.Images.Oci;
using Muster.Images.Trust;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images.Tests.Trust;

[Collection("gpg")]
public sealed class TrustJudgeTests : IDisposable
{
    private const string Reference = "docker://registry.test:5000/team/app:1.0";
    private static readonly Digest Manifest = Digest.Sha256("manifest"u8);

    private readonly GpgHome _gpg;
    private readonly TemporaryFolder _folder = new();
    private readonly MusterRoot _root;
    private readonly TrustStore _store;
    private readonly string _foreign;
    private readonly TrustJudge _judge;

    public TrustJudgeTests(GpgHome gpg)
    {
        _gpg = gpg;
        _root = new MusterRoot(_folder.Path);
        _store = new TrustStore(_root);
        _foreign = Path.Combine(_folder.Path, "policy.json");
        _judge = Judge(TimeProvider.System);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_detached_signature_is_judged_by_the_keys_of_the_images_name()
    {
        Trust(_gpg.Rsa, "example.com/app");
        var record = _judge.JudgeDetached("example.com/app", Manifest, Check(_gpg.Rsa), "app.aci.asc");
        record.Verdict.Should().Be(TrustVerdict.Signed);
        record.Key.Should().Be(_gpg.Rsa);
        record.Signer.Should().Be("Rsa <rsa@test>");
        record.Identity.Should().Be("example.com/app");
        var other = () => _judge.JudgeDetached("example.com/other", Manifest, Check(_gpg.Rsa), "other.aci.asc");
        other.Should().Throw<MusterException>().WithMessage("*not trusted for this image*muster trust --prefix example.com/other*").Which.Kind.Should().Be(ErrorKind.Forbidden);
        var none = () => _judge.JudgeDetached("example.com/app", Manifest, null, "app.aci.asc");
        none.Should().Throw<MusterException>().WithMessage("*is not signed*--insecure-options=image*");
    }

    [Fact]
    public void Simple_signing_as_skopeo_makes_it_is_accepted_for_its_own_image_only()
    {
        Trust(_gpg.Rsa, "registry.test:5000");
        var manifest = Encoding.UTF8.GetBytes("""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}""");
        var path = _folder.File("manifest.json", manifest);
        var signature = Path.Combine(_folder.Path, "signature");
        ToolRun.Run("skopeo", ["standalone-sign", path, "registry.test:5000/team/app:1.0", _gpg.Rsa.ToUpperInvariant(), "-o", signature], environment: new Dictionary<string, string> { ["GNUPGHOME"] = _gpg.Path });
        var found = new OciSignature("simple-signing", File.ReadAllBytes(signature), default, "signature-1");
        var digest = Digest.Sha256(manifest);
        var record = _judge.JudgeOci(Reference, digest, [found]);
        record.Key.Should().Be(_gpg.Rsa);
        record.Scheme.Should().Be("simple-signing");
        record.Identity.Should().Be("registry.test:5000/team/app");

        _judge.JudgeOci("docker://registry.test:5000/team/app@" + digest, digest, [found]).Verdict.Should().Be(TrustVerdict.Signed);
        _judge.JudgeOci("oci:/some/dir:1.0", digest, [found]).Identity.Should().Be("registry.test:5000/team/app");
        Refusal("docker://registry.test:5000/team/app:2.0", digest, found).Should().Contain("signature for the name \"registry.test:5000/team/app:1.0\"");
        Refusal("docker://registry.test:5000/team/other:1.0", digest, found).Should().Contain("for the name");
        Refusal(Reference, Manifest, found).Should().Contain("another image");
        Refusal("docker://elsewhere.test/team/app:1.0", digest, found).Should().Contain("not trusted");
    }

    [Fact]
    public void A_copy_kept_elsewhere_is_accepted_when_the_policy_says_what_it_is_signed_as()
    {
        Trust(_gpg.Ed25519, "mirror.test");
        var signature = Simple(_gpg.Ed25519, Manifest, "registry.test:5000/team/app:1.0");
        Refusal("docker://mirror.test/copies/app:1.0", Manifest, signature).Should().Contain("for the name");
        Policy("""{"version":1,"rules":[{"prefix":"mirror.test/copies","action":"require","signedAs":"registry.test:5000/team"}]}""");
        _judge.JudgeOci("docker://mirror.test/copies/app:1.0", Manifest, [signature]).Key.Should().Be(_gpg.Ed25519);
        Refusal("docker://mirror.test/copies/app:2.0", Manifest, signature).Should().Contain("for the name");
    }

    [Theory]
    [InlineData("P-256")]
    [InlineData("P-384")]
    [InlineData("RSA")]
    [InlineData("ED25519")]
    public void Cosign_signatures_are_accepted_and_altered_ones_refused(string kind)
    {
        var (pem, sign) = OpenSslKey(kind);
        var key = PublicKeyFile.Parse(pem, "cosign.pub");
        _store.Add(key, "registry.test:5000/team");
        var payload = Encoding.UTF8.GetBytes(SimpleJson("cosign container image signature", Manifest, "registry.test:5000/team/app"));
        var signature = new OciSignature("cosign", payload, sign(payload), "sig");
        var record = _judge.JudgeOci(Reference, Manifest, [signature]);
        record.Key.Should().Be(key.Id);
        record.SigningKey.Should().BeNull();
        Refusal(Reference, Digest.Sha256("other"u8), signature).Should().Contain("another image");
        Refusal("docker://registry.test:5000/team/x:1.0", Manifest, signature).Should().Contain("for the name");
        payload[^2] ^= 1;
        Refusal(Reference, Manifest, signature).Should().NotBeEmpty();
    }

    [Fact]
    public void A_sigstore_bundle_is_accepted_when_it_signs_the_image_and_not_when_it_only_attests_something()
    {
        var (pem, sign) = OpenSslKey("P-256");
        _store.Add(PublicKeyFile.Parse(pem, "cosign.pub"), "registry.test:5000");
        _judge.JudgeOci(Reference, Manifest, [Bundle(sign, SignedStatement.SignPredicate, Manifest)]).Scheme.Should().Be("sigstore-bundle");
        Refusal(Reference, Manifest, Bundle(sign, "https://slsa.dev/provenance/v1", Manifest)).Should().Contain("attestation of the kind");
        Refusal(Reference, Manifest, Bundle(sign, SignedStatement.SignPredicate, Digest.Sha256("x"u8))).Should().Contain("another image");
        var altered = Bundle(sign, SignedStatement.SignPredicate, Manifest, payload => payload.Replace("\"predicate\":{}", "\"predicate\":{ }", StringComparison.Ordinal));
        Refusal(Reference, Manifest, altered).Should().Contain("altered");
    }

    [Fact]
    public void A_bundle_made_by_cosign_is_accepted()
    {
        _store.Add(PublicKeyFile.Parse(Encoding.ASCII.GetBytes(CosignBundle.Key), "cosign.pub"), "127.0.0.1:5556");
        var bundle = new OciSignature("sigstore-bundle", Encoding.UTF8.GetBytes(CosignBundle.Json), default, "bundle");
        var digest = Digest.Parse(CosignBundle.Subject);
        _judge.JudgeOci("docker://127.0.0.1:5556/app:1", digest, [bundle]).Verdict.Should().Be(TrustVerdict.Signed);
        Refusal("docker://127.0.0.1:5556/app:1", Manifest, bundle).Should().Contain("another image");
    }

    [Fact]
    public void Judging_again_heeds_what_changed_since()
    {
        var path = Trust(_gpg.Rsa, "registry.test:5000");
        var image = Stored(_judge.JudgeOci(Reference, Manifest, [Simple(_gpg.Rsa, Manifest, "registry.test:5000/team/app:1.0")]));
        _judge.JudgeAgain(image);
        File.Delete(path);
        Again(image).Should().Contain("no longer trusted").And.Contain("muster trust --prefix registry.test:5000/team/app");
        Trust(_gpg.Rsa, null);
        _judge.JudgeAgain(image);
        Directory.CreateDirectory(Path.Combine(_root.Etc, "trustedkeys/prefix.d/registry.test:5000"));
        File.WriteAllText(Path.Combine(_root.Etc, "trustedkeys/prefix.d/registry.test:5000", _gpg.Rsa), "");
        Again(image).Should().Contain("taken back");
    }

    [Fact]
    public void Judging_again_heeds_a_revocation_in_the_key_file_but_not_an_expiry_since()
    {
        var key = _gpg.Generate("Later <later@test>", "ed25519", "sign", "1y");
        Trust(key, "registry.test:5000");
        var image = Stored(_judge.JudgeOci(Reference, Manifest, [Simple(key, Manifest, "registry.test:5000/team/app:1.0")]));
        Judge(new StandingClock(TimeProvider.System.GetUtcNow().AddYears(2))).JudgeAgain(image);
        _gpg.Revoke(key);
        Trust(key, "registry.test:5000");
        Again(image).Should().Contain("the key was revoked");
    }

    [Fact]
    public void A_banned_digest_never_starts_whatever_it_is_signed_with()
    {
        var layer = Digest.Sha256("layer"u8);
        var image = Stored(_judge.JudgeInsecure(Reference, "app"));
        _judge.JudgeAgain(image);
        _folder.File("etc/policy.d/bans", $"# ours\n{layer} CVE-2014-6271 in bash\n");
        Again(image).Should().Contain("banned by").And.Contain("bans:2").And.Contain("CVE-2014-6271 in bash");
        var early = () => _judge.CheckBeforeFetch(Reference, [layer]);
        early.Should().Throw<MusterException>().WithMessage("*banned*");
        _folder.File("etc/policy.d/bans", "sha256:123 typo\n");
        Again(image).Should().Contain("not a digest");
    }

    [Fact]
    public void Our_policy_refuses_requires_and_names_keys()
    {
        Policy("""{"version":1,"rules":[{"prefix":"registry.test:5000/team","action":"require"},{"prefix":"docker.io","action":"refuse","reason":"use our mirror"}]}""");
        Thrown(() => _judge.JudgeInsecure(Reference, "app")).Should().Contain("requires a signature");
        _judge.JudgeInsecure("docker://registry.test:5000/team2/app:1", "app").Verdict.Should().Be(TrustVerdict.Insecure);
        Thrown(() => _judge.CheckBeforeFetch("docker://docker.io/library/x:1", [])).Should().Contain("use our mirror");
        Policy($$"""{"version":1,"rules":[{"prefix":"","action":"require","keys":["{{_gpg.P256.ToUpperInvariant()}}"]}]}""");
        Trust(_gpg.Rsa, null);
        Trust(_gpg.P256, null);
        Refusal(Reference, Manifest, Simple(_gpg.Rsa, Manifest, "registry.test:5000/team/app:1.0")).Should().Contain("does not list");
        _judge.JudgeOci(Reference, Manifest, [Simple(_gpg.P256, Manifest, "registry.test:5000/team/app:1.0")]).Key.Should().Be(_gpg.P256);
        Policy("""{"version":1,"rules":[{"prefix":"","action":"allow"}]}""");
        Thrown(() => _judge.JudgeInsecure(Reference, "app")).Should().Contain("cannot be read");
    }

    [Theory]
    [InlineData("\"prefix\":\"registry.test:5000/team/\",\"action\":\"refuse\"", "registry.test:5000/team/")]
    [InlineData("\"prefix\":\"https://registry.test/team\",\"action\":\"refuse\"", "scheme")]
    [InlineData("\"prefix\":\"registry.test:5000/team/app:1.0\",\"action\":\"refuse\"", "tag")]
    [InlineData("\"prefix\":\"registry.test/*\",\"action\":\"refuse\"", "wildcards")]
    [InlineData("\"prefix\":\"Registry.test/team\",\"action\":\"refuse\"", "capitals")]
    [InlineData("\"prefix\":\"\",\"action\":\"require\",\"signedAs\":\"registry.test/\"", "signedAs")]
    [InlineData("\"prefix\":\"\",\"action\":\"require\",\"keys\":[\"8f2c1c0a\"]", "8f2c1c0a")]
    [InlineData("\"prefix\":\"other\",\"prefix\":\"\",\"action\":\"refuse\"", "cannot be read")]
    public void A_rule_that_can_never_apply_stops_everything(string rule, string says)
    {
        Policy($$"""{"version":1,"rules":[{{{rule}}}]}""");
        Thrown(() => _judge.JudgeInsecure("docker://elsewhere.test/x:1", "x")).Should().Contain(says);
    }

    [Theory]
    [InlineData("localhost:5000")]
    [InlineData("registry.test:5000/team")]
    [InlineData("my-layout")]
    [InlineData("example.com/team")]
    public void A_rule_for_a_name_of_any_form_counts(string prefix)
    {
        Policy($$"""{"version":1,"rules":[{"prefix":"{{prefix}}","action":"refuse"}]}""");
        Thrown(() => _judge.JudgeInsecure("example.com/any", prefix)).Should().Contain("refuses images below");
    }

    [Fact]
    public void A_foreign_policy_tightens_and_never_loosens()
    {
        var unsigned = () => _judge.JudgeOci(Reference, Manifest, []);
        File.WriteAllText(_foreign, """{"default":[{"type":"insecureAcceptAnything"}]}""");
        unsigned.Should().Throw<MusterException>().WithMessage("*is not signed*");
        File.WriteAllText(_foreign, """{"default":[{"type":"reject"}],"transports":{"docker":{"*.test":[{"type":"insecureAcceptAnything"}],"registry.test:5000/team/app:2":[{"type":"reject"}]}}}""");
        Thrown(() => _judge.JudgeInsecure("docker://other.org/x:1", "x")).Should().Contain("rejects it");
        Thrown(() => _judge.JudgeInsecure("docker://registry.test:5000/team/app:2", "x")).Should().Contain("rejects it");
        _judge.JudgeInsecure("docker://a.b.test/x:1", "x").Verdict.Should().Be(TrustVerdict.Insecure);
        _judge.JudgeInsecure("example.com/aci:1", "x").Verdict.Should().Be(TrustVerdict.Insecure, "App Container images are unknown to that policy");
        _judge.JudgeBuilt("mine").Verdict.Should().Be(TrustVerdict.Built);

        var ring = _folder.File("ring.gpg", _gpg.Gpg(["--export", _gpg.Ed25519, _gpg.P256]));
        File.WriteAllText(_foreign, $$$$"""{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"registry.test:5000/team":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"{{{{ring}}}}"}]}}}""");
        Trust(_gpg.Rsa, null);
        Trust(_gpg.P256, null);
        Thrown(() => _judge.JudgeInsecure(Reference, "x")).Should().Contain("requires a signature");
        Refusal(Reference, Manifest, Simple(_gpg.Rsa, Manifest, "registry.test:5000/team/app:1.0")).Should().Contain("does not list");
        var image = Stored(_judge.JudgeOci(Reference, Manifest, [Simple(_gpg.P256, Manifest, "registry.test:5000/team/app:1.0")]));
        _judge.JudgeAgain(image);
        File.WriteAllText(_foreign, """{"default":[{"type":"signedByMoon"}]}""");
        Again(image).Should().Contain("cannot be checked here");
        File.WriteAllText(_foreign, "{");
        Again(image).Should().Contain("cannot be read");
    }

    [Fact]
    public void Malformed_signatures_are_opinions_and_not_failures()
    {
        Trust(_gpg.Rsa, null);
        foreach (var scheme in (string[])["simple-signing", "cosign", "sigstore-bundle", "other"])
        {
            foreach (var payload in (string[])["", "{}", "[]", "<html>", "{\"critical\":1}", "{\"mediaType\":5}"])
            {
                Refusal(Reference, Manifest, new OciSignature(scheme, Encoding.UTF8.GetBytes(payload), default, "x")).Should().Contain("not accepted");
            }
        }
    }

    [Fact]
    public void No_statement_makes_the_readers_fail_otherwise_than_by_refusing()
    {
        var seeds = new[]
        {
            SimpleJson("atomic container signature", Manifest, "a.test/b:1"),
            CosignBundle.Json,
            """{"_type":"x","predicateType":"https://sigstore.dev/cosign/sign/v1","subject":[{"name":"a/b","digest":{"sha256":"00"}}]}""",
            """{"layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"sha256:00","size":1,"annotations":{"dev.cosignproject.cosign/signature":"AA=="}}]}""",
        };
        foreach (var seed in seeds)
        {
            SignedStatementTarget.Run(Encoding.UTF8.GetBytes(seed.Replace("a", "\\ud800", StringComparison.Ordinal)));
        }

        Gen.Select(Gen.Int[0, seeds.Length - 1], Gen.Int[0, 5000], Gen.Char["{}[]\":,\\u019.ae"], Gen.Int[0, 5000]).Sample((index, at, c, cut) =>
        {
            var text = seeds[index].ToCharArray();
            text[at % text.Length] = c;
            SignedStatementTarget.Run(Encoding.UTF8.GetBytes(text, 0, cut % 4 == 0 ? Math.Min(cut, text.Length) : text.Length));
        }, iter: 5000, threads: 2);
    }

    private TrustJudge Judge(TimeProvider time) => new(_store, new TrustPolicy(_root, _foreign), new BanList(_root), time);

    private string Trust(string key, string? prefix) => _store.Add(PublicKeyFile.Parse(_gpg.Export(key), "key"), prefix);

    private void Policy(string json) => _folder.File("etc/policy.d/10.json", json);

    private OpenPgpSignatureCheck Check(string key)
    {
        var content = "content"u8.ToArray();
        var check = OpenPgpSignatureCheck.Begin(_gpg.Sign(key, content));
        check.Append(content);
        return check;
    }

    private OciSignature Simple(string key, Digest digest, string name) =>
        new("simple-signing", _gpg.Gpg(["-u", key, "--sign"], Encoding.UTF8.GetBytes(SimpleJson("atomic container signature", digest, name))), default, "signature-1");

    private static string SimpleJson(string type, Digest digest, string name) =>
        $$$"""{"critical":{"type":"{{{type}}}","image":{"docker-manifest-digest":"{{{digest}}}"},"identity":{"docker-reference":"{{{name}}}"}},"optional":{}}""";

    private static OciSignature Bundle(Func<byte[], byte[]> sign, string predicate, Digest subject, Func<string, string>? alter = null)
    {
        var statement = $$$"""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"{{{subject.Hex}}}"}}],"predicateType":"{{{predicate}}}","predicate":{}}""";
        var signature = sign(Encoding.ASCII.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {statement.Length} {statement}"));
        var payload = Convert.ToBase64String(Encoding.UTF8.GetBytes(alter?.Invoke(statement) ?? statement));
        var json = $$$"""{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":{"payload":"{{{payload}}}","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"{{{Convert.ToBase64String(signature)}}}"}]}}""";
        return new OciSignature("sigstore-bundle", Encoding.UTF8.GetBytes(json), default, "bundle");
    }

    /// <summary>A key made by openssl and what signs with it in cosign's documented form.</summary>
    private (byte[] Pem, Func<byte[], byte[]> Sign) OpenSslKey(string kind)
    {
        string[] how = kind switch
        {
            "RSA" => ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "ED25519" => ["-algorithm", "ED25519"],
            _ => ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + kind],
        };
        var secret = _folder.File("key.pem", ToolRun.Run("openssl", ["genpkey", .. how]));
        return (ToolRun.Run("openssl", ["pkey", "-in", secret, "-pubout"]), data =>
        {
            var file = _folder.File("data", data);
            return kind == "ED25519"
                ? ToolRun.Run("openssl", ["pkeyutl", "-sign", "-rawin", "-inkey", secret, "-in", file])
                : ToolRun.Run("openssl", ["dgst", "-sha256", "-sign", secret, file]);
        });
    }

    private StoredImage Stored(TrustRecord trust) => new(
        new ImageRecord
        {
            Id = Manifest.FileName,
            Kind = ImageKind.Oci,
            Name = "registry.test:5000/team/app",
            App = new AppTemplate(),
            Trees = [],
            Blobs = [Manifest.ToString(), Digest.Sha256("layer"u8).ToString()],
            ImportedAt = TimeProvider.System.GetUtcNow(),
            Manifest = JsonElement.Parse("{}"),
        },
        new ReferenceRecord { Reference = Reference, Image = Manifest.FileName, Trust = trust, FetchedAt = TimeProvider.System.GetUtcNow() });

    private string Refusal(string reference, Digest manifest, OciSignature signature) => Thrown(() => _judge.JudgeOci(reference, manifest, [signature]));

    private string Again(StoredImage image) => Thrown(() => _judge.JudgeAgain(image));

    private static string Thrown(Action action) => action.Should().Throw<MusterException>().Which.Message;
}
