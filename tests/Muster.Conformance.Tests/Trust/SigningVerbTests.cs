using Muster.Images.Tests.Registry;
using Muster.Images.Tests.Trust;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Trust;

/// <summary>Signatures that muster makes and carries, as cosign, skopeo and a policy.json of containers judge them.</summary>
public sealed class SigningVerbTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly GpgHome _gpg = new();
    private readonly string? _cosign = ToolRun.Find("cosign");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _gpg.Dispose();
        _root.Dispose();
    }

    [Fact]
    public async Task What_is_signed_with_gpg_at_the_push_is_accepted_by_skopeo()
    {
        await using var registry = await DockerRegistry.StartAsync("open", Ct);
        Trust(registry);
        var image = _root.Image();
        var signed = $"docker://{registry.Host}/team/app:1";
        var push = Muster("push", "--sign-by=" + _gpg.Ed25519, image, signed);
        push.Status.Should().Be(254);
        push.Error.Should().Contain("lookaside-staging");
        Skopeo(registry, "inspect", signed).Status.Should().NotBe(0, "nothing is pushed when it cannot be signed");

        Lookaside(registry);
        Muster("push", "--sign-by=" + new string('0', 40), image, signed).Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("No secret key"));
        Muster("push", "--sign-by=Ed", image, signed).Should().Match<ProgramRun>(r => r.Status == 2 && r.Error.Contains("fingerprint"));
        Muster("push", "--sign-by=" + _gpg.Ed25519, image, "oci:" + _root.Work + "/layout:1").Should().Match<ProgramRun>(r => r.Status == 2 && r.Error.Contains("docker://"));
        Skopeo(registry, "inspect", signed).Status.Should().NotBe(0);
        Muster("push", "--sign-by=" + _gpg.Ed25519, image, signed).Succeeded();
        Muster("push", image, $"docker://{registry.Host}/team/unsigned:1").Succeeded();

        File.WriteAllBytes(_root.Work + "/ed.asc", _gpg.Export(_gpg.Ed25519));
        File.WriteAllBytes(_root.Work + "/rsa.asc", _gpg.Export(_gpg.Rsa));
        var policy = """{"type":"signedBy","keyType":"GPGKeys","keyPath":"KEY"}""";
        Copy(registry, policy.Replace("KEY", _root.Work + "/ed.asc"), signed).Succeeded();
        Copy(registry, policy.Replace("KEY", _root.Work + "/rsa.asc"), signed).Status.Should().NotBe(0);
        Copy(registry, policy.Replace("KEY", _root.Work + "/ed.asc"), $"docker://{registry.Host}/team/unsigned:1").Error.Should().Contain("signature was required");

        // And by muster: in a root that trusts the key, by the name that was signed.
        Muster("trust", "--prefix", registry.Host + "/team", "--skip-fingerprint-review", _root.Work + "/ed.asc").Succeeded();
        Muster("fetch", signed).Succeeded();
        Muster("image", "verify", "--signature", "--format=json", signed).Succeeded().Out.Should().Contain("\"accepted\": true");
    }

    [Theory]
    [InlineData("cosign")]
    [InlineData("openssl ecparam -name prime256v1 -genkey -out KEY")]
    [InlineData("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes256 -pass pass:geheim -out KEY")]
    public async Task What_is_signed_with_a_private_key_at_the_push_is_accepted_by_cosign(string generation)
    {
        Assert.SkipWhen(_cosign is null, "cosign is not installed (Debian trixie has it): see tests/get-cosign.sh");
        await using var registry = await DockerRegistry.StartAsync("open", Ct);
        Trust(registry);
        Lookaside(registry);
        var (key, pub) = Generate(generation, "k");
        var image = _root.Image();
        var signed = $"docker://{registry.Host}/team/app:1";
        if (generation.Contains("geheim") || generation == "cosign")
        {
            Muster("push", "--sign-by-sigstore-private-key=" + key, image, signed).Should().Match<ProgramRun>(r => r.Status == 2 && r.Error.Contains("--sign-passphrase-file"));
            File.WriteAllText(_root.Work + "/wrong", "wrong\n");
            Muster("push", "--sign-by-sigstore-private-key=" + key, "--sign-passphrase-file=" + _root.Work + "/wrong", image, signed).Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("passphrase is wrong"));
        }

        File.WriteAllText(_root.Work + "/right", "geheim\n");
        Muster("push", "--sign-by-sigstore-private-key=" + key, "--sign-passphrase-file=" + _root.Work + "/right", image, signed).Succeeded();
        Cosign("verify", "--key", pub, "--insecure-ignore-tlog", "--allow-insecure-registry", signed["docker://".Length..]).Succeeded().Out.Should().Contain("cosign container image signature");
        var (_, other) = Generate("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY", "other");
        Cosign("verify", "--key", other, "--insecure-ignore-tlog", "--allow-insecure-registry", signed["docker://".Length..]).Status.Should().NotBe(0);
        Muster("trust", "--prefix", registry.Host + "/team", "--skip-fingerprint-review", pub).Succeeded();
        Muster("fetch", signed).Succeeded();
    }

    [Fact]
    public async Task What_cosign_signed_is_accepted_by_cosign_where_muster_took_it()
    {
        Assert.SkipWhen(_cosign is null, "cosign is not installed (Debian trixie has it): see tests/get-cosign.sh");
        await using var from = await DockerRegistry.StartAsync("open", Ct);
        await using var to = await DockerRegistry.StartAsync("open", Ct);
        Trust(from);
        Trust(to);
        var (key, pub) = Generate("cosign", "k");
        var (one, two) = ($"{from.Host}/team/app:1", $"{to.Host}/mirror/app:1");
        Muster("push", _root.Image(), "docker://" + one).Succeeded();
        Cosign("sign", "-y", "--key", key, "--tlog-upload=false", "--allow-insecure-registry", one).Succeeded();
        File.WriteAllText(_root.Work + "/predicate.json", "{}");
        // Without it cosign asks the public authorities, which a key pair has nothing to do with.
        File.WriteAllText(_root.Work + "/trusted.json", """{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}""");
        Cosign("attest", "-y", "--key", key, "--tlog-upload=false", "--allow-insecure-registry", "--new-bundle-format", "--type", "https://sigstore.dev/cosign/sign/v1", "--predicate", _root.Work + "/predicate.json", one).Succeeded();

        Muster("trust", "--prefix", from.Host + "/team", "--skip-fingerprint-review", pub).Succeeded();
        Muster("fetch", "docker://" + one).Succeeded();
        Cosign("verify", "--key", pub, "--insecure-ignore-tlog", "--allow-insecure-registry", two).Status.Should().NotBe(0);
        Muster("image", "copy", "docker://" + one, "docker://" + two).Succeeded().Error.Should().BeEmpty();
        Cosign("verify", "--key", pub, "--insecure-ignore-tlog", "--allow-insecure-registry", two).Succeeded();
        Cosign("verify-attestation", "--key", pub, "--insecure-ignore-tlog", "--allow-insecure-registry", "--new-bundle-format", "--trusted-root", _root.Work + "/trusted.json", "--type", "https://sigstore.dev/cosign/sign/v1", two).Succeeded();

        // Signed once more on the way: both signatures are there.
        var (second, secondPub) = Generate("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY", "second");
        Muster("push", "--sign-by-sigstore-private-key=" + second, "docker://" + one, "docker://" + two).Succeeded();
        Cosign("verify", "--key", pub, "--insecure-ignore-tlog", "--allow-insecure-registry", two).Succeeded();
        Cosign("verify", "--key", secondPub, "--insecure-ignore-tlog", "--allow-insecure-registry", two).Succeeded();
    }

    private (string Private, string Public) Generate(string generation, string name)
    {
        var path = $"{_root.Work}/{name}";
        if (generation == "cosign")
        {
            Cosign("generate-key-pair", "--output-key-prefix", path).Succeeded();
            return (path + ".key", path + ".pub");
        }

        var words = generation.Replace("KEY", path + ".key").Split(' ');
        ToolRun.Run(words[0], words[1..]);
        ToolRun.Run("openssl", ["pkey", "-in", path + ".key", "-passin", "pass:geheim", "-pubout", "-out", path + ".pub"]);
        return (path + ".key", path + ".pub");
    }

    private ProgramRun Muster(params string[] words) => ProgramRun.Of(Repository.Program("muster"), ["--root", _root.Folder, .. words], environment: new Dictionary<string, string> { ["GNUPGHOME"] = _gpg.Path });

    private ProgramRun Cosign(params string[] words) => ProgramRun.Of(_cosign!, words, environment: new Dictionary<string, string> { ["COSIGN_PASSWORD"] = "geheim", ["HOME"] = _root.Work });

    private ProgramRun Skopeo(DockerRegistry registry, string verb, string image) => ProgramRun.Of("skopeo", [verb, .. registry.SkopeoOptions("", login: false), image]);

    /// <summary>A copy that happens only if the policy lets the image in.</summary>
    private ProgramRun Copy(DockerRegistry registry, string requirement, string image)
    {
        File.WriteAllText(_root.Work + "/policy.json", """{"default":[{"type":"reject"}],"transports":{"docker":{"HOST":[WHAT]}}}""".Replace("HOST", registry.Host).Replace("WHAT", requirement));
        var target = $"{_root.Work}/copy-{Guid.NewGuid():N}";
        return ProgramRun.Of("skopeo", ["--policy", _root.Work + "/policy.json", "--registries.d", _root.Folder + "/etc/registries.d", "copy", "-q", .. registry.SkopeoOptions("src-", login: false), image, "dir:" + target]);
    }

    private void Trust(DockerRegistry registry)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_root.Folder, "etc/certs.d", registry.Host)).FullName;
        File.WriteAllText(Path.Combine(folder, "ca.crt"), registry.Authority.AuthorityPem);
    }

    private void Lookaside(DockerRegistry registry)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_root.Folder, "etc/registries.d")).FullName;
        File.WriteAllText(Path.Combine(folder, "x.yaml"), $"docker:\n  {registry.Host}:\n    lookaside: file://{_root.Work}/signatures\n    lookaside-staging: file://{_root.Work}/signatures\n");
    }
}
