using System.Security.Cryptography;
using System.Text;
using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Oci.Registry;
using Muster.Images.Tests.Trust;

namespace Muster.Images.Tests.Registry;

/// <summary>Against Debian's docker-registry, with skopeo as the second client.</summary>
public sealed class RegistryTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("open")]
    [InlineData("basic")]
    [InlineData("bearer")]
    public async Task What_is_pushed_is_pulled_by_us_and_by_skopeo(string auth)
    {
        await using var registry = await DockerRegistry.StartAsync(auth, Ct);
        using var session = auth == "open" ? registry.Session() : registry.Session(DockerRegistry.User, DockerRegistry.Password);
        var layer = RandomNumberGenerator.GetBytes(300_000);
        var (manifest, blobs) = Image(layer);
        var reference = RegistryReference.Parse($"{registry.Host}/team/app:1.0");
        await PushAsync(new RegistryTarget(session, reference, chunkBytes: 100_000), manifest, blobs);

        await using var source = new RegistrySource(session, reference);
        var root = await source.ReadRootAsync(Ct);
        root.Digest.Should().Be(manifest.Digest);
        root.MediaType.Should().Be(manifest.MediaType);
        (await ReadAsync(source, blobs[0].Descriptor, 0)).Should().Equal(layer);
        (await ReadAsync(source, blobs[0].Descriptor, 250_000)).Should().Equal(layer[250_000..]);
        (await source.ReadDocumentAsync(blobs[1].Descriptor, Ct)).Bytes.ToArray().Should().Equal(blobs[1].Bytes);
        (await source.ListTagsAsync(Ct)).Should().Equal("1.0");
        (await source.ReadSignaturesAsync(manifest.Digest, Ct)).Should().BeEmpty();
        if (auth != "bearer")
        {
            using var folder = new TemporaryFolder();
            ToolRun.Run("skopeo", ["copy", "-q", "--dest-oci-accept-uncompressed-layers", .. registry.SkopeoOptions("src-", auth == "basic"), $"docker://{registry.Host}/team/app:1.0", $"oci:{folder.Path}/out:1"]);
            File.ReadAllBytes(Path.Combine(folder.Path, "out/blobs/sha256", blobs[0].Descriptor.Digest.Hex)).Should().Equal(layer);
        }
        else
        {
            registry.TokenRequests.Should().Contain(t => t.Contains("scope=repository%3Ateam%2Fapp%3Apull%2Cpush") && t.Contains("service=test-registry"));
            using var anonymous = registry.Session();
            (await new RegistrySource(anonymous, reference).ReadRootAsync(Ct)).Digest.Should().Be(manifest.Digest);
            var push = () => PushAsync(new RegistryTarget(anonymous, reference), manifest, blobs);
            (await push.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Forbidden);
        }
    }

    [Fact]
    public async Task A_blob_is_mounted_from_another_repository_instead_of_sent()
    {
        await using var registry = await DockerRegistry.StartAsync("basic", Ct);
        using var session = registry.Session(DockerRegistry.User, DockerRegistry.Password);
        var (manifest, blobs) = Image("layer"u8.ToArray());
        await PushAsync(new RegistryTarget(session, RegistryReference.Parse($"{registry.Host}/one:1")), manifest, blobs);
        var second = new RegistryTarget(session, RegistryReference.Parse($"{registry.Host}/two:1"), mountFrom: "one");
        foreach (var (descriptor, _) in blobs)
        {
            await second.PutBlobAsync(descriptor, _ => throw new InvalidOperationException("nothing is to be sent"), Ct);
            (await second.HasBlobAsync(descriptor, Ct)).Should().BeTrue();
        }

        await second.PutManifestAsync(manifest, Ct);
        (await new RegistrySource(session, RegistryReference.Parse($"{registry.Host}/two:1")).ReadRootAsync(Ct)).Digest.Should().Be(manifest.Digest);
    }

    [Fact]
    public async Task A_wrong_login_a_missing_image_and_an_unknown_authority_are_told_apart()
    {
        await using var registry = await DockerRegistry.StartAsync("basic", Ct);
        var reference = RegistryReference.Parse($"{registry.Host}/none:1");
        using var wrong = registry.Session(DockerRegistry.User, "wrong");
        (await FailureAsync(new RegistrySource(wrong, reference))).Message.Should().Contain("muster login");
        using var anonymous = registry.Session();
        (await FailureAsync(new RegistrySource(anonymous, reference))).Kind.Should().Be(ErrorKind.Forbidden);
        using var right = registry.Session(DockerRegistry.User, DockerRegistry.Password);
        (await FailureAsync(new RegistrySource(right, reference))).Kind.Should().Be(ErrorKind.NotFound);
        var login = () => anonymous.CheckAsync(registry.Host, new RegistryLogin(DockerRegistry.User, "wrong"), Ct);
        await login.Should().ThrowAsync<MusterException>();
        await anonymous.CheckAsync(registry.Host, new RegistryLogin(DockerRegistry.User, DockerRegistry.Password), Ct);

        using var folder = new TemporaryFolder();
        using var strange = new RegistrySession(new MusterRoot(folder.Path), new(), TimeProvider.System, folder.Path + "/auth.json");
        var failure = await FailureAsync(new RegistrySource(strange, reference));
        failure.Message.Should().Contain("certificate").And.Contain($"etc/certs.d/{registry.Host}/ca.crt");
        using var careless = new RegistrySession(new MusterRoot(folder.Path), new() { SkipCertificateCheck = true }, TimeProvider.System, folder.Path + "/auth.json");
        (await FailureAsync(new RegistrySource(careless, reference))).Kind.Should().Be(ErrorKind.Forbidden);
    }

    [Fact]
    public async Task Signatures_of_cosign_bundles_by_tag_and_lookaside_are_found()
    {
        await using var registry = await DockerRegistry.StartAsync("open", Ct);
        using var session = registry.Session();
        var (manifest, blobs) = Image("layer"u8.ToArray());
        var reference = RegistryReference.Parse($"{registry.Host}/app:1");
        await PushAsync(new RegistryTarget(session, reference), manifest, blobs);

        var payload = "payload"u8.ToArray();
        var signature = Descriptor(SignatureManifests.SimpleSigningLayer, payload);
        var config = Descriptor("application/vnd.oci.image.config.v1+json", "{}"u8.ToArray());
        await PushAsync(new RegistryTarget(session, reference.ToTag(SignatureManifests.CosignTag(manifest.Digest))), Manifest($$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{Json(config)}},"layers":[{{Json(signature, ",\"annotations\":{\"dev.cosignproject.cosign/signature\":\"c2ln\"}")}}]}"""), [(signature, payload), (config, "{}"u8.ToArray())]);
        var bundleBytes = """{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"""u8.ToArray();
        var bundle = Descriptor("application/vnd.dev.sigstore.bundle.v0.3+json", bundleBytes);
        var referrer = Manifest($$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","config":{{Json(config)}},"layers":[{{Json(bundle)}}],"subject":{{Json(new OciDescriptor(manifest.MediaType, manifest.Digest, manifest.Bytes.Length))}}}""");
        await PushAsync(new RegistryTarget(session, RegistryReference.Parse($"{registry.Host}/app@{referrer.Digest}")), referrer, [(bundle, bundleBytes), (config, "{}"u8.ToArray())]);
        var index = $$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{Json(new OciDescriptor(referrer.MediaType, referrer.Digest, referrer.Bytes.Length), ",\"artifactType\":\"application/vnd.oci.empty.v1+json\"")}}]}""";
        await new RegistryTarget(session, reference.ToTag(SignatureManifests.ReferrersTag(manifest.Digest))).PutManifestAsync(new OciDocument(Digest.Sha256(Encoding.UTF8.GetBytes(index)), "application/vnd.oci.image.index.v1+json", Encoding.UTF8.GetBytes(index)), Ct);

        using var lookaside = new TemporaryFolder();
        lookaside.File($"app@sha256={manifest.Digest.Hex}/signature-1", "one");
        lookaside.File($"app@sha256={manifest.Digest.Hex}/signature-2", "two");
        Directory.CreateDirectory(Path.Combine(registry.Root.Etc, "registries.d"));
        File.WriteAllText(Path.Combine(registry.Root.Etc, "registries.d/x.yaml"), $"docker:\n  {registry.Host}:\n    lookaside: file://{lookaside.Path}\n");

        var found = await new RegistrySource(session, reference).ReadSignaturesAsync(manifest.Digest, Ct);
        found.Select(s => s.Scheme).Should().Equal("simple-signing", "simple-signing", "cosign", "sigstore-bundle");
        found[1].Payload.ToArray().Should().Equal("two"u8.ToArray());
        found[2].Signature.ToArray().Should().Equal("sig"u8.ToArray());
        found[3].Payload.ToArray().Should().Equal(bundleBytes);
    }

    [Fact]
    public async Task Cosign_itself_signs_and_its_signature_is_accepted()
    {
        var cosign = ToolRun.Find("cosign");
        Assert.SkipWhen(cosign is null, "cosign is not installed (Debian trixie has it): see tests/get-from-suite.sh");
        await using var registry = await DockerRegistry.StartAsync("open", Ct);
        using var session = registry.Session();
        var (manifest, blobs) = Image("layer"u8.ToArray());
        var reference = RegistryReference.Parse($"{registry.Host}/team/app:1");
        await PushAsync(new RegistryTarget(session, reference), manifest, blobs);
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string> { ["COSIGN_PASSWORD"] = "", ["HOME"] = folder.Path, ["TUF_ROOT"] = folder.Path };
        ToolRun.Run(cosign!, ["generate-key-pair", "--output-key-prefix", folder.Path + "/k"], environment: environment);
        ToolRun.Run(cosign!, ["sign", "-y", "--key", folder.Path + "/k.key", "--tlog-upload=false", "--allow-insecure-registry", $"{registry.Host}/team/app@{manifest.Digest}"], environment: environment);
        ToolRun.Run(cosign!, ["attest", "-y", "--key", folder.Path + "/k.key", "--tlog-upload=false", "--allow-insecure-registry", "--new-bundle-format", "--type", "https://sigstore.dev/cosign/sign/v1", "--predicate", folder.File("p.json", "{}"), $"{registry.Host}/team/app@{manifest.Digest}"], environment: environment);
        var root = new MusterRoot(folder.Path);
        var found = await new RegistrySource(session, reference).ReadSignaturesAsync(manifest.Digest, Ct);
        found.Select(s => s.Scheme).Should().Equal("cosign", "sigstore-bundle");
        new Muster.Images.Trust.TrustStore(root).Add(Muster.Images.Trust.PublicKeyFile.Parse(File.ReadAllBytes(folder.Path + "/k.pub"), "k.pub"), registry.Host + "/team");
        var judge = new Muster.Images.Trust.TrustJudge(root, TimeProvider.System);
        foreach (var signature in found)
        {
            judge.JudgeOci("docker://" + reference, manifest.Digest, [signature]).Verdict.Should().Be(TrustVerdict.Signed);
            var other = () => judge.JudgeOci("docker://" + reference, Digest.Sha256("other"u8), [signature]);
            other.Should().Throw<MusterException>().WithMessage("*another image*");
        }
    }

    [Fact]
    public async Task What_skopeo_signs_while_copying_is_found_and_accepted()
    {
        using var gpg = new GpgHome();
        await using var registry = await DockerRegistry.StartAsync("open", Ct);
        using var session = registry.Session();
        var (manifest, blobs) = Image("layer"u8.ToArray());
        await PushAsync(new RegistryTarget(session, RegistryReference.Parse($"{registry.Host}/from:1")), manifest, blobs);
        using var folder = new TemporaryFolder();
        folder.File("rd/x.yaml", $"docker:\n  {registry.Host}:\n    sigstore: file://{folder.Path}/sigs\n");
        ToolRun.Run("skopeo", ["--registries.d", folder.Path + "/rd", "copy", "-q", "--sign-by", gpg.Rsa.ToUpperInvariant(), .. registry.SkopeoOptions("src-", false), .. registry.SkopeoOptions("dest-", false), $"docker://{registry.Host}/from:1", $"docker://{registry.Host}/team/signed:2"],
            environment: new Dictionary<string, string> { ["GNUPGHOME"] = gpg.Path });
        Directory.CreateDirectory(Path.Combine(registry.Root.Etc, "registries.d"));
        File.Copy(folder.Path + "/rd/x.yaml", Path.Combine(registry.Root.Etc, "registries.d/x.yaml"));
        var reference = RegistryReference.Parse($"{registry.Host}/team/signed:2");
        await using var source = new RegistrySource(session, reference);
        var root = await source.ReadRootAsync(Ct);
        new Muster.Images.Trust.TrustStore(registry.Root).Add(Muster.Images.Trust.PublicKeyFile.Parse(gpg.Export(gpg.Rsa), "key"), registry.Host);
        var record = new Muster.Images.Trust.TrustJudge(registry.Root, TimeProvider.System).JudgeOci(source.Location, root.Digest, await source.ReadSignaturesAsync(root.Digest, Ct));
        record.Key.Should().Be(gpg.Rsa);
        record.Identity.Should().Be($"{registry.Host}/team/signed");
    }

    internal static (OciDocument Manifest, List<(OciDescriptor Descriptor, byte[] Bytes)> Blobs) Image(byte[] layer)
    {
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{Digest.Sha256(layer)}}}"]}}""");
        var layerDescriptor = Descriptor("application/vnd.oci.image.layer.v1.tar", layer);
        var configDescriptor = Descriptor("application/vnd.oci.image.config.v1+json", config);
        return (Manifest($$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{Json(configDescriptor)}},"layers":[{{Json(layerDescriptor)}}]}"""), [(layerDescriptor, layer), (configDescriptor, config)]);
    }

    internal static OciDescriptor Descriptor(string type, byte[] bytes) => new(type, Digest.Sha256(bytes), bytes.Length);

    private static OciDocument Manifest(string json) => new(Digest.Sha256(Encoding.UTF8.GetBytes(json)), "application/vnd.oci.image.manifest.v1+json", Encoding.UTF8.GetBytes(json));

    private static string Json(OciDescriptor d, string more = "") => $$"""{"mediaType":"{{d.MediaType}}","digest":"{{d.Digest}}","size":{{d.Size}}{{more}}}""";

    private static async Task PushAsync(RegistryTarget target, OciDocument manifest, List<(OciDescriptor Descriptor, byte[] Bytes)> blobs)
    {
        foreach (var (descriptor, bytes) in blobs)
        {
            if (!await target.HasBlobAsync(descriptor, Ct))
            {
                await target.PutBlobAsync(descriptor, _ => Task.FromResult<Stream>(new MemoryStream(bytes)), Ct);
            }
        }

        await target.PutManifestAsync(manifest, Ct);
    }

    private static async Task<byte[]> ReadAsync(RegistrySource source, OciDescriptor descriptor, long offset)
    {
        await using var stream = await source.OpenBlobAsync(descriptor, offset, Ct);
        using var whole = new MemoryStream();
        await stream.CopyToAsync(whole, Ct);
        return whole.ToArray();
    }

    private static async Task<MusterException> FailureAsync(RegistrySource source)
    {
        var read = () => source.ReadRootAsync(Ct);
        return (await read.Should().ThrowAsync<MusterException>()).Which;
    }
}

internal static class ReferenceExtensions
{
    /// <summary>Another tag of the same repository.</summary>
    public static RegistryReference ToTag(this RegistryReference reference, string tag) => RegistryReference.Parse($"{reference.Name}:{tag}");
}
