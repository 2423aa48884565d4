using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Trust;

namespace Muster.Images.Tests.Trust;

/// <summary>Bundles that only look like a signature of the image (sigstore_bundle.proto, DSSE, in-toto statement v1).</summary>
public sealed class SigstoreBundleTests : IDisposable
{
    private const string Repository = "registry.test:5000/team/app";
    private const string Type = "application/vnd.dev.sigstore.bundle.v0.3+json";
    private static readonly Digest Manifest = Digest.Sha256("manifest"u8);
    private static readonly Digest Other = Digest.Sha256("other"u8);

    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly TrustJudge _judge;

    public SigstoreBundleTests()
    {
        var root = new MusterRoot(_folder.Path);
        new TrustStore(root).Add(PublicKeyFile.Parse(Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem()), "cosign.pub"), "registry.test:5000");
        _judge = new TrustJudge(root, TimeProvider.System);
    }

    public void Dispose()
    {
        _key.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(Type)]
    [InlineData("application/vnd.dev.sigstore.bundle+json;version=0.1")]
    [InlineData("application/vnd.dev.sigstore.bundle+json;version=0.2")]
    [InlineData("application/vnd.dev.sigstore.bundle+json;version=0.3")]
    public void The_types_of_the_specification_are_taken(string type) => Judge(Bundle(b => b["mediaType"] = type)).Should().BeNull();

    [Theory]
    [InlineData("application/vnd.dev.sigstore.bundle.v0.4+json")]
    [InlineData("application/vnd.dev.sigstore.bundle.v1+json")]
    [InlineData("application/vnd.dev.sigstore.bundle+json;version=0.9")]
    [InlineData("application/vnd.dev.sigstore.bundles")]
    [InlineData("application/vnd.dev.sigstore.bundle")]
    [InlineData("application/json")]
    public void Other_types_are_refused(string type) => Judge(Bundle(b => b["mediaType"] = type)).Should().Contain("kind");

    [Fact]
    public void An_envelope_has_exactly_one_signature()
    {
        Judge(Bundle(b => Signatures(b).Insert(0, new JsonObject { ["sig"] = "AAAA" }))).Should().Contain("2 signatures");
        Judge(Bundle(b => Signatures(b).Add(Signatures(b)[0]!.DeepClone()))).Should().Contain("2 signatures");
        Judge(Bundle(b => Signatures(b).Clear())).Should().Contain("0 signatures");
    }

    [Fact]
    public void Only_a_key_counts_and_not_a_certificate()
    {
        var certificate = new JsonObject { ["rawBytes"] = "AAAA" };
        Judge(Bundle(b => b["verificationMaterial"] = new JsonObject { ["certificate"] = certificate.DeepClone() })).Should().Contain("certificate");
        Judge(Bundle(b => b["verificationMaterial"] = new JsonObject { ["x509CertificateChain"] = new JsonObject { ["certificates"] = new JsonArray(certificate.DeepClone()) } })).Should().Contain("certificate");
        Judge(Bundle(b => b["verificationMaterial"]!["certificate"] = certificate.DeepClone())).Should().Contain("certificate");
        Judge(Bundle(b => b["verificationMaterial"] = new JsonObject())).Should().Contain("publicKey");
        Judge(Bundle(b => b.Remove("verificationMaterial"))).Should().Contain("verificationMaterial");
    }

    [Fact]
    public void A_bundle_holds_an_envelope_and_nothing_else()
    {
        var message = new JsonObject { ["messageDigest"] = new JsonObject { ["algorithm"] = "SHA2_256", ["digest"] = Convert.ToBase64String(Convert.FromHexString(Manifest.Hex)) }, ["signature"] = "AAAA" };
        Judge(Bundle(b => b["messageSignature"] = message.DeepClone())).Should().Contain("messageSignature");
        Judge(Bundle(b =>
        {
            b.Remove("dsseEnvelope");
            b["messageSignature"] = message.DeepClone();
        })).Should().Contain("no DSSE envelope");
        Judge(Bundle(b => b["dsseEnvelope"]!["payloadType"] = "application/json")).Should().Contain("not an in-toto statement");
    }

    [Fact]
    public void A_hint_is_no_proof_but_may_not_contradict_the_signature()
    {
        Judge(Bundle(b => b["verificationMaterial"]!["publicKey"] = new JsonObject())).Should().BeNull();
        Judge(Bundle(b => b["verificationMaterial"]!["publicKey"]!["hint"] = "whatever")).Should().BeNull();
        Judge(Bundle(b => Signatures(b)[0]!["keyid"] = "hint")).Should().BeNull();
        Judge(Bundle(b => Signatures(b)[0]!["keyid"] = "other")).Should().Contain("another key");
        Judge(Bundle(b => b["verificationMaterial"]!["publicKey"]!["hint"] = 5)).Should().Contain("hint");
    }

    [Fact]
    public void A_statement_is_of_in_totos_type()
    {
        Judge(Bundle(statement: Statement("https://in-toto.io/Statement/v0.1", (Repository, Manifest)))).Should().BeNull();
        Judge(Bundle(statement: Statement("https://example.com/Statement/v1", (Repository, Manifest)))).Should().Contain("https://example.com/Statement/v1");
        Judge(Bundle(statement: """{"subject":[],"predicateType":"https://sigstore.dev/cosign/sign/v1"}""")).Should().Contain("_type");
    }

    [Fact]
    public void Each_name_counts_for_its_own_digest()
    {
        const string Second = "registry.test:5000/team/other";
        var both = Bundle(statement: Statement("https://in-toto.io/Statement/v1", (Repository, Other), (Second, Manifest)));
        Judge(both).Should().Contain("for the name").And.Contain(Second);
        Judge(both, Second).Should().BeNull();
        Judge(both, Repository, Other).Should().BeNull();
        var twice = Bundle(statement: Statement("https://in-toto.io/Statement/v1", (Second, Manifest), (Repository, Manifest)));
        Judge(twice).Should().BeNull();
        Judge(twice, Second).Should().BeNull();
    }

    [Fact]
    public void Of_a_layout_the_name_beside_the_images_digest_decides_which_keys_are_asked()
    {
        var statement = Statement("https://in-toto.io/Statement/v1", ("registry.test:5000/team/app", Other), ("elsewhere.test/app", Manifest));
        Refusal("oci:/some/layout:1", Manifest, Bundle(statement: statement)).Should().Contain("no cosign key is trusted for \"elsewhere.test/app\"");
    }

    [Fact]
    public void Digests_of_other_algorithms_make_it_a_signature_of_another_image()
    {
        var statement = $$$"""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha1":"00","gitCommit":"00"}},{"digest":{"sha256":"{{{Other.Hex}}}"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1"}""";
        Judge(Bundle(statement: statement)).Should().Contain("another image").And.Contain(Other.Hex);
        Judge(Bundle(statement: statement.Replace("sha1", "sha256", StringComparison.Ordinal))).Should().Contain("another image");
    }

    [Fact]
    public void Base64_of_both_alphabets_is_read()
    {
        static string Safe(JsonNode text) => text.GetValue<string>().Replace('+', '-').Replace('/', '_').TrimEnd('=');
        Judge(Bundle(b =>
        {
            b["dsseEnvelope"]!["payload"] = Safe(b["dsseEnvelope"]!["payload"]!);
            Signatures(b)[0]!["sig"] = Safe(Signatures(b)[0]!["sig"]!);
        })).Should().BeNull();
        Judge(Bundle(b => Signatures(b)[0]!["sig"] = "!!!!")).Should().Contain("base64");
    }

    private static JsonArray Signatures(JsonObject bundle) => bundle["dsseEnvelope"]!["signatures"]!.AsArray();

    private static string Statement(string type, params (string Name, Digest Digest)[] subjects) =>
        $$$"""{"_type":"{{{type}}}","subject":[{{{string.Join(',', subjects.Select(Subject))}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}""";

    private static string Subject((string Name, Digest Digest) subject) => $$$"""{"name":"{{{subject.Name}}}","digest":{"sha256":"{{{subject.Digest.Hex}}}"}}""";

    /// <summary>A bundle as cosign makes it, truly signed, then changed by who carries it.</summary>
    private OciSignature Bundle(Action<JsonObject>? change = null, string? statement = null)
    {
        var payload = Encoding.UTF8.GetBytes(statement ?? Statement("https://in-toto.io/Statement/v1", (Repository, Manifest)));
        var signature = _key.SignData([.. Encoding.ASCII.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {payload.Length} "), .. payload], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var bundle = new JsonObject
        {
            ["mediaType"] = Type,
            ["verificationMaterial"] = new JsonObject { ["publicKey"] = new JsonObject { ["hint"] = "hint" } },
            ["dsseEnvelope"] = new JsonObject
            {
                ["payload"] = Convert.ToBase64String(payload),
                ["payloadType"] = "application/vnd.in-toto+json",
                ["signatures"] = new JsonArray(new JsonObject { ["sig"] = Convert.ToBase64String(signature) }),
            },
        };
        change?.Invoke(bundle);
        return new OciSignature("sigstore-bundle", Encoding.UTF8.GetBytes(bundle.ToJsonString()), default, "bundle");
    }

    /// <summary>Why it is refused; null where it is accepted.</summary>
    private string? Judge(OciSignature bundle, string repository = Repository, Digest? manifest = null)
    {
        var opinion = _judge.ExamineOci($"docker://{repository}:1.0", manifest ?? Manifest, [bundle]).Should().ContainSingle().Subject;
        return opinion.Accepted ? null : opinion.Reason;
    }

    private string Refusal(string reference, Digest manifest, OciSignature bundle) =>
        ((Action)(() => _judge.JudgeOci(reference, manifest, [bundle]))).Should().Throw<MusterException>().Which.Message;
}
