using System.Security.Cryptography;
using System.Text;
using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Oci.Registry;
using Muster.Images.Tests.Registry;
using Muster.Images.Trust;

namespace Muster.Images.Tests.Trust;

/// <summary>Signatures stay with an image: in the store, into another root, a layout, an archive, another repository.</summary>
[Collection("gpg")]
public sealed class CarriedSignaturesTests : IDisposable
{
    private readonly GpgHome _gpg;
    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public CarriedSignaturesTests(GpgHome gpg) => _gpg = gpg;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _key.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Signatures_of_every_scheme_are_kept_verified_offline_and_carried_on()
    {
        var warnings = new List<string>();
        var (one, two) = (Root("one"), Root("two"));
        StoredImage image;
        await using (var registry = await DockerRegistry.StartAsync("open", Ct))
        {
            foreach (var root in new[] { one, two })
            {
                _folder.File($"{root.Etc}/certs.d/{registry.Host}/ca.crt", registry.Authority.AuthorityPem);
                _folder.File($"{root.Etc}/registries.d/x.yaml", $"docker:\n  {registry.Host}:\n    lookaside-staging: file://{_folder.Path}/sigs\n    lookaside: file://{_folder.Path}/sigs\n");
            }

            await PublishAsync(registry, one);
            Trust(one, registry.Host + "/team");
            image = await FetchAsync(one, $"docker://{registry.Host}/team/app:1");
            image.Reference.Signatures.Select(s => s.Scheme).Should().Equal("simple-signing", "cosign", "sigstore-bundle");

            // Twice, and beside somebody else's: nothing is lost and nothing doubled.
            Trust(two, registry.Host + "/mirror");
            _folder.File($"{two.Etc}/policy.d/10.json", $$"""{"version":1,"rules":[{"prefix":"{{registry.Host}}/mirror","action":"require","signedAs":"{{registry.Host}}/team"}]}""");
            for (var i = 0; i < 2; i++)
            {
                await new ImageExport(Store(one)).ToAsync(image, ImageReference.Parse($"docker://{registry.Host}/mirror/app:1"), false, false, new FetchOptions(), warnings.Add, Ct);
                warnings.Should().BeEmpty();
                var there = await FetchAsync(two, $"docker://{registry.Host}/mirror/app:1");
                there.Record.Id.Should().Be(image.Record.Id);
                there.Reference.Signatures.Should().HaveCount(3);
                Examine(two, there).Should().OnlyContain(o => o.Accepted);
            }

            File.Delete(one.Etc + "/registries.d/x.yaml");
            _folder.File($"{one.Etc}/registries.d/y.yaml", $"docker:\n  {registry.Host}:\n    lookaside: https://signatures.test/\n");
            await new ImageExport(Store(one)).ToAsync(image, ImageReference.Parse($"docker://{registry.Host}/third/app:1"), false, false, new FetchOptions(), warnings.Add, Ct);
            warnings.Should().ContainSingle().Which.Should().Contain("lookaside-staging");
        }

        // The registry is gone: what follows uses nothing but the store.
        Examine(one, image).Should().HaveCount(3).And.OnlyContain(o => o.Accepted);
        await Store(one).CollectGarbageAsync(new GarbageOptions(TimeSpan.Zero, Unused: false), Ct);
        Examine(one, image).Should().HaveCount(3).And.OnlyContain(o => o.Accepted);
        (await new ImageVerifier(Store(one)).VerifyAsync(image.Record, null, Ct)).Should().BeEmpty();
        await AnotherRootJudgesForItself(one, image);
        await LayoutsKeepCosigns(one, image);
        var payload = Store(one).BlobPath(image.Reference.Signatures[1].Payload);
        File.WriteAllText(payload, "other");
        FluentActions.Invoking(() => Examine(one, image)).Should().Throw<MusterException>().WithMessage("*damaged*");
        (await new ImageVerifier(Store(one)).VerifyAsync(image.Record, null, Ct)).Should().ContainSingle(f => f.Part == image.Reference.Signatures[1].Payload);
        await Store(one).RemoveAsync(image.Reference.Reference, Ct);
        Directory.EnumerateFiles(one.Images + "/blobs/sha256").Should().BeEmpty();
    }

    [Fact]
    public async Task An_App_Container_image_takes_its_signature_along()
    {
        var (one, two) = (Root("one"), Root("two"));
        var place = Directory.CreateDirectory(_folder.Path + "/aci").FullName;
        Directory.CreateDirectory(place + "/rootfs");
        File.WriteAllText(place + "/manifest", """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/app","labels":[{"name":"version","value":"1"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],"app":{"exec":["/x"],"user":"0","group":"0"}}""");
        var aci = ToolRun.Run("tar", ["-C", place, "-cJ", "manifest", "rootfs"]);
        var path = _folder.File("app.aci", aci);
        File.WriteAllBytes(path + ".asc", _gpg.Sign(_gpg.Ed25519, aci));
        Trust(one, "example.com");
        var image = await FetchAsync(one, path);
        Examine(one, image).Should().ContainSingle(o => o.Accepted && o.Key == _gpg.Ed25519);

        var copy = () => new ImageExport(Store(one)).ToRootAsync(image, two, new FetchOptions(), Ct);
        (await copy.Should().ThrowAsync<MusterException>()).Which.Message.Should().Contain("not trusted");
        Trust(two, "example.com/app");
        (await copy()).Reference.Trust.Verdict.Should().Be(TrustVerdict.Signed);
        Examine(two, Store(two).Find("example.com/app:1")!).Should().ContainSingle(o => o.Accepted);

        var warnings = new List<string>();
        await new ImageExport(Store(two)).ToAsync(Store(two).Find("example.com/app:1")!, ImageReference.Parse(_folder.Path + "/out.aci"), false, false, new FetchOptions(), warnings.Add, Ct);
        File.ReadAllBytes(_folder.Path + "/out.aci").Should().Equal(aci);
        _gpg.Gpg(["--verify", _folder.Path + "/out.aci.asc", _folder.Path + "/out.aci"]);
        warnings.Should().BeEmpty();
        await new ImageExport(Store(two)).ToAsync(Store(two).Find("example.com/app:1")!, ImageReference.Parse(_folder.Path + "/gzip.aci"), false, true, new FetchOptions(), warnings.Add, Ct);
        warnings.Should().ContainSingle().Which.Should().Contain("leave out --gzip");
        File.Exists(_folder.Path + "/gzip.aci.asc").Should().BeFalse();
        warnings.Clear();
        var pipe = _folder.Path + "/pipe.aci";
        ToolRun.Run("mkfifo", [pipe]);
        var reading = Task.Run(() => File.ReadAllBytes(pipe), Ct);
        await new ImageExport(Store(two)).ToAsync(Store(two).Find("example.com/app:1")!, ImageReference.Parse(pipe), false, false, new FetchOptions(), warnings.Add, Ct);
        (await reading).Should().Equal(aci);
        warnings.Should().ContainSingle().Which.Should().Contain("which is no file");
        File.Exists(pipe + ".asc").Should().BeFalse();
        await new ImageExport(Store(two)).ToAsync(Store(two).Find("example.com/app:1")!, ImageReference.Parse("oci:" + _folder.Path + "/layout:1"), false, false, new FetchOptions(), warnings.Add, Ct);
        warnings.Should().HaveCount(2).And.Contain(w => w.Contains("App Container", StringComparison.Ordinal));
    }

    private async Task AnotherRootJudgesForItself(MusterRoot one, StoredImage image)
    {
        var other = Root("other");
        var copy = () => new ImageExport(Store(one)).ToRootAsync(image, other, new FetchOptions(), Ct);
        (await copy.Should().ThrowAsync<MusterException>()).Which.Message.Should().Contain("not trusted").And.Contain("muster trust --prefix");
        Directory.Exists(other.Images).Should().BeFalse("it is refused before anything is copied");
        Trust(other, null);
        var copied = await copy();
        copied.Reference.Reference.Should().Be(image.Reference.Reference);
        copied.Reference.Trust.Verdict.Should().Be(TrustVerdict.Signed);
        Examine(other, copied).Should().HaveCount(3).And.OnlyContain(o => o.Accepted);
        new TrustJudge(other, TimeProvider.System).JudgeAgain(copied);
    }

    private async Task LayoutsKeepCosigns(MusterRoot one, StoredImage image)
    {
        var other = Root("layouts");
        Trust(other, null);
        foreach (var place in new[] { $"oci:{_folder.Path}/carried:1", $"oci-archive:{_folder.Path}/carried.tar:1" })
        {
            var warnings = new List<string>();
            await new ImageExport(Store(one)).ToAsync(image, ImageReference.Parse(place), false, false, new FetchOptions(), warnings.Add, Ct);
            warnings.Should().ContainSingle().Which.Should().Contain("has no place");
            var read = await FetchAsync(other, place);
            read.Record.Id.Should().Be(image.Record.Id);
            read.Reference.Signatures.Select(s => s.Scheme).Should().Equal("cosign", "sigstore-bundle");

            // The only image of the layout is found without a name, whatever stands beside it; other tools see it too.
            (await FetchAsync(other, place[..place.LastIndexOf(':')])).Record.Id.Should().Be(image.Record.Id);
            ToolRun.Run("skopeo", ["inspect", place]);
        }

        ToolRun.Run("umoci", ["unpack", "--image", _folder.Path + "/carried:1", _folder.Path + "/bundle"]);
    }

    /// <summary>An image in the registry, signed by gpg (skopeo), in cosign's form under its tag, and by a bundle under the referrers tag.</summary>
    private async Task PublishAsync(DockerRegistry registry, MusterRoot root)
    {
        var layout = _folder.Path + "/from";
        ToolRun.Run("umoci", ["init", "--layout", layout]);
        ToolRun.Run("umoci", ["new", "--image", layout + ":1"]);
        _folder.File("files/etc/hello", "hello");
        ToolRun.Run("umoci", ["insert", "--image", layout + ":1", _folder.Path + "/files/etc", "/etc"]);
        ToolRun.Run("skopeo", ["--registries.d", root.Etc + "/registries.d", "copy", "-q", "--sign-by", _gpg.Rsa.ToUpperInvariant(), .. registry.SkopeoOptions("dest-", false), $"oci:{layout}:1", $"docker://{registry.Host}/team/app:1"],
            environment: new Dictionary<string, string> { ["GNUPGHOME"] = _gpg.Path });
        using var session = registry.Session();
        var reference = RegistryReference.Parse($"{registry.Host}/team/app:1");
        var image = await new RegistrySource(session, reference).ReadRootAsync(Ct);
        var payload = Encoding.UTF8.GetBytes($$$"""{"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":"{{{image.Digest}}}"},"identity":{"docker-reference":"{{{reference.Name}}}"}},"optional":null}""");
        var cosign = Carrier("", (SignatureManifests.SimpleSigningLayer, payload, $$""","annotations":{"dev.cosignproject.cosign/signature":"{{Convert.ToBase64String(Sign(payload))}}"}"""));
        var statement = Encoding.UTF8.GetBytes($$$"""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"{{{image.Digest.Hex}}}"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}""");
        var signature = Sign([.. Encoding.ASCII.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {statement.Length} "), .. statement]);
        var bundle = Encoding.UTF8.GetBytes($$$"""{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":{"payload":"{{{Convert.ToBase64String(statement)}}}","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"{{{Convert.ToBase64String(signature)}}}"}]}}""");
        var referrer = Carrier($$""","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","subject":{"mediaType":"{{image.MediaType}}","digest":"{{image.Digest}}","size":{{image.Bytes.Length}}}""", ("application/vnd.dev.sigstore.bundle.v0.3+json", bundle, ""));
        await new RegistryTarget(session, reference).PutSignaturesAsync(
            new OciDescriptor(image.MediaType, image.Digest, image.Bytes.Length),
            [new("cosign", payload, Sign(payload), "x") { Carrier = cosign }, new("sigstore-bundle", bundle, default, "x") { Carrier = referrer }],
            warning => throw new InvalidOperationException(warning),
            Ct);
    }

    private byte[] Sign(byte[] data) => _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    private static OciCarrier Carrier(string more, params (string Type, byte[] Content, string More)[] layers)
    {
        var config = "{}"u8.ToArray();
        var configDescriptor = new OciDescriptor("application/vnd.oci.image.config.v1+json", Digest.Sha256(config), config.Length);
        var parts = layers.Select(l => (Descriptor: new OciDescriptor(l.Type, Digest.Sha256(l.Content), l.Content.Length), l.Content, l.More)).ToList();
        var json = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.Manifest}}"{{more}},"config":{{Json(configDescriptor, "")}},"layers":[{{string.Join(',', parts.Select(p => Json(p.Descriptor, p.More)))}}]}""");
        return new OciCarrier(new OciDocument(Digest.Sha256(json), MediaTypes.Manifest, json), [(configDescriptor, config), .. parts.Select(p => (p.Descriptor, (ReadOnlyMemory<byte>)p.Content))]);
    }

    private static string Json(OciDescriptor d, string more) => $$"""{"mediaType":"{{d.MediaType}}","digest":"{{d.Digest}}","size":{{d.Size}}{{more}}}""";

    private MusterRoot Root(string name) => new(Directory.CreateDirectory($"{_folder.Path}/{name}").FullName);

    private static ImageStore Store(MusterRoot root) => new(root, TimeProvider.System);

    private static IReadOnlyList<SignatureOpinion> Examine(MusterRoot root, StoredImage image) => new StoredSignatures(Store(root)).Examine(image, Ct);

    private void Trust(MusterRoot root, string? prefix)
    {
        var store = new TrustStore(root);
        store.Add(PublicKeyFile.Parse(Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem()), "key"), prefix);
        store.Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Rsa), "key"), prefix);
        store.Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Ed25519), "key"), prefix);
    }

    private static Task<StoredImage> FetchAsync(MusterRoot root, string reference) =>
        new ImageFetcher(Store(root)).ResolveAsync(reference, new FetchOptions { Pull = PullPolicy.Update }, Ct);
}
