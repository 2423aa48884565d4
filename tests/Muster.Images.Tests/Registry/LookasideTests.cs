using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Oci.Registry;
using Muster.Images.Trust;

namespace Muster.Images.Tests.Registry;

/// <summary>Signatures on a web server beside the registry, which answers as storage services do.</summary>
public sealed class LookasideTests : IAsyncLifetime
{
    private readonly ImageRoot _root = new();
    private readonly TestAuthority _authority = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly List<string> _warnings = [];
    private ScriptedServer _registry = null!;
    private ScriptedServer _lookaside = null!;
    private Func<string, byte[]?> _stored = _ => null;
    private int _missing = 403;
    private bool _isSigned;
    private Digest _manifest;

    private string Reference => $"docker://{_registry.Host}/app:1";

    public ValueTask InitializeAsync()
    {
        _root.Layout("image", "echo hello > file");
        var folder = _root.Path1("image");
        _manifest = Digest.Parse(JsonDocument.Parse(File.ReadAllBytes(folder + "/index.json")).RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!);
        _registry = new ScriptedServer(asked =>
        {
            var name = asked.Path[(asked.Path.LastIndexOf('/') + 1)..];
            return asked.Path == "/v2/" ? asked.AnswerAsync(200, "{}")
                : name == "1" ? asked.AnswerAsync(200, Blob(_manifest.ToString())!, "Content-Type: application/vnd.oci.image.manifest.v1+json")
                : name.EndsWith(".sig", StringComparison.Ordinal) && _isSigned ? asked.AnswerAsync(200, Carrier(), "Content-Type: application/vnd.oci.image.manifest.v1+json")
                : Blob(name) is { } blob ? asked.AnswerAsync(200, blob)
                : asked.AnswerAsync(404);
        }, _authority);
        _lookaside = new ScriptedServer(asked => _stored(asked.Path) is { } signature ? asked.AnswerAsync(200, signature) : asked.AnswerAsync(_missing), _authority);
        foreach (var server in new[] { _registry, _lookaside })
        {
            _root.Write($"root/etc/certs.d/{server.Host}/ca.crt", _authority.AuthorityPem);
        }

        _root.Write("root/etc/registries.d/x.yaml", $"docker:\n  {_registry.Host}:\n    lookaside: {_lookaside.Address}store\n");
        new TrustStore(_root.Root).Add(PublicKeyFile.Parse(Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem()), "key"), null);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _lookaside.DisposeAsync();
        _root.Dispose();
        _authority.Dispose();
        _key.Dispose();
    }

    [Fact]
    public async Task A_lookaside_that_forbids_what_is_missing_does_not_stop_an_image_with_another_signature()
    {
        _isSigned = true;
        (await FetchAsync()).Reference.Trust.Scheme.Should().Be("cosign");
        _warnings.Should().ContainSingle().Which.Should().Contain(_lookaside.Host).And.Contain("403");
    }

    [Fact]
    public async Task Without_a_valid_signature_the_sentence_says_that_the_lookaside_refused()
    {
        (await RefusedAsync()).Should().Contain("is not signed").And.Contain(_lookaside.Host).And.Contain("403").And.NotContain("\n");
        _stored = path => path.EndsWith("signature-1", StringComparison.Ordinal) ? "nonsense"u8.ToArray() : null;
        (await RefusedAsync()).Should().Contain("is not accepted").And.Contain("signature-2").And.Contain("403");
    }

    [Fact]
    public async Task A_lookaside_that_says_not_found_is_not_spoken_of_and_one_that_fails_is_a_failure()
    {
        _isSigned = true;
        _missing = 401;
        (await RefusedAsync()).Should().Contain("needs a login");
        _missing = 404;
        (await FetchAsync()).Reference.Trust.Verdict.Should().Be(TrustVerdict.Signed);
        _warnings.Should().BeEmpty();
    }

    [Fact]
    public async Task The_end_of_a_list_is_not_warned_of()
    {
        _isSigned = true;
        _stored = path => path.EndsWith("signature-1", StringComparison.Ordinal) ? "nonsense"u8.ToArray() : null;
        (await FetchAsync()).Reference.Trust.Scheme.Should().Be("cosign");
        _warnings.Should().BeEmpty();
    }

    private Task<StoredImage> FetchAsync() =>
        new ImageFetcher(_root.Store).ResolveAsync(Reference, new FetchOptions { Pull = PullPolicy.Update, Warn = _warnings.Add }, TestContext.Current.CancellationToken);

    private async Task<string> RefusedAsync()
    {
        var refused = (await ((Func<Task>)FetchAsync).Should().ThrowAsync<MusterException>()).Which;
        refused.Kind.Should().Be(ErrorKind.Forbidden, refused.Message);
        return refused.Message;
    }

    private byte[]? Blob(string digest)
    {
        var path = $"{_root.Path1("image")}/blobs/sha256/{digest[(digest.LastIndexOf(':') + 1)..]}";
        return File.Exists(path) ? File.ReadAllBytes(path) : digest == Digest.Sha256(Payload()).ToString() ? Payload() : digest == Digest.Sha256("{}"u8).ToString() ? "{}"u8.ToArray() : null;
    }

    private byte[] Payload() => Encoding.UTF8.GetBytes($$$"""{"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":"{{{_manifest}}}"},"identity":{"docker-reference":"{{{_registry.Host}}}/app"}},"optional":null}""");

    private string Carrier()
    {
        var signature = Convert.ToBase64String(_key.SignData(Payload(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        return $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{{Digest.Sha256("{}"u8)}}}","size":2},"layers":[{"mediaType":"{{{SignatureManifests.SimpleSigningLayer}}}","digest":"{{{Digest.Sha256(Payload())}}}","size":{{{Payload().Length}}},"annotations":{"dev.cosignproject.cosign/signature":"{{{signature}}}"}}]}""";
    }
}
