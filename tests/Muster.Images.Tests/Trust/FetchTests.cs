using System.Text;
using Muster.Core;
using Muster.Images.Trust;
using Muster.Images.Tests.Registry;

namespace Muster.Images.Tests.Trust;

/// <summary>The whole way: a reference, a server, a signature, a key, an image in the store.</summary>
[Collection("gpg")]
public sealed class FetchTests : IDisposable
{
    private readonly GpgHome _gpg;
    private readonly TemporaryFolder _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly MusterRoot _root;
    private readonly ImageStore _store;

    public FetchTests(GpgHome gpg)
    {
        _gpg = gpg;
        _root = new MusterRoot(_folder.Path + "/root");
        _store = new ImageStore(_root, TimeProvider.System);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _folder.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task An_image_by_name_is_discovered_verified_and_kept_with_its_verdict()
    {
        byte[] aci = [];
        byte[]? signature = null;
        await using var server = new ScriptedServer(asked => asked.Path switch
        {
            "/app.aci" when asked.Header("If-None-Match") == "\"1\"" => asked.RawAsync("HTTP/1.1 304 x\r\n\r\n"),
            "/app.aci" => asked.AnswerAsync(200, aci, "ETag: \"1\""),
            "/app.aci.asc" when signature is not null => asked.AnswerAsync(200, signature),
            _ => asked.AnswerAsync(404),
        }, _authority);
        _folder.File($"root/etc/certs.d/{server.Host}/ca.crt", _authority.AuthorityPem);
        var url = server.Address + "app.aci";
        aci = Aci("example.com/app", "hello");
        (await RefusedAsync(url)).Should().Contain("is not signed");
        signature = _gpg.Sign(_gpg.Rsa, aci);
        (await RefusedAsync(url)).Should().Contain("not trusted").And.Contain("muster trust --prefix example.com/app KEY");
        Directory.EnumerateFiles(_root.Images, "*", SearchOption.AllDirectories).Where(f => f.Contains("/blobs/")).Should().BeEmpty();
        new TrustStore(_root).Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Rsa), "key"), "example.com");

        var fetched = await FetchAsync(url);
        fetched.Reference.Trust.Should().Match<TrustRecord>(t => t.Verdict == TrustVerdict.Signed && t.Key == _gpg.Rsa && t.Identity == "example.com/app");
        _store.Find("example.com/app:1.0")!.Reference.Trust.Key.Should().Be(_gpg.Rsa);
        new TrustJudge(_root, TimeProvider.System).JudgeAgain(_store.Find("example.com/app:1.0")!);
        var before = server.Requests.Count(r => r.Path == "/app.aci");
        (await FetchAsync(url)).Record.Id.Should().Be(fetched.Record.Id);
        server.Requests.Count(r => r.Path == "/app.aci").Should().Be(before + 1);
        server.Requests.Last().Header("If-None-Match").Should().Be("\"1\"");

        aci = Aci("example.com/app", "other");
        (await RefusedAsync(url + "?other")).Should().Contain("does not match");
        _folder.File("root/etc/policy.d/bans", fetched.Record.Id + " bad\n");
        var again = () => new TrustJudge(_root, TimeProvider.System).JudgeAgain(_store.Find("example.com/app:1.0")!);
        again.Should().Throw<MusterException>().WithMessage("*banned*");
    }

    [Fact]
    public async Task A_web_image_that_several_fetch_at_once_is_downloaded_once()
    {
        var aci = Aci("example.com/app", "hello");
        var begun = new SemaphoreSlim(0);
        var released = new TaskCompletionSource();
        await using var server = new ScriptedServer(async asked =>
        {
            // This server knows no versions: whoever asks gets the whole file.
            if (asked.Path == "/app.aci")
            {
                begun.Release();
                await released.Task;
                await asked.AnswerAsync(200, aci);
                return;
            }

            await asked.AnswerAsync(404);
        }, _authority);
        _folder.File($"root/etc/certs.d/{server.Host}/ca.crt", _authority.AuthorityPem);
        var url = server.Address + "app.aci";
        var first = FetchAsync(url, InsecureOptions.Image);
        await begun.WaitAsync(Ct);
        var others = Enumerable.Range(0, 3).Select(_ => FetchAsync(url, InsecureOptions.Image)).ToArray();
        released.SetResult();
        var ids = (await Task.WhenAll([first, .. others])).Select(i => i.Record.Id).Distinct();
        ids.Should().ContainSingle();
        server.Requests.Count(r => r.Path == "/app.aci").Should().Be(1);
        _ = await FetchAsync(url, InsecureOptions.Image);
        server.Requests.Count(r => r.Path == "/app.aci").Should().Be(2, "who comes later asks again");
    }

    [Fact]
    public async Task A_web_site_that_asks_for_a_login_gets_the_one_kept_for_it_and_no_other_site_does()
    {
        var aci = Aci("example.com/app", "hello");
        await using var other = new ScriptedServer(asked => asked.AnswerAsync(401, "", "WWW-Authenticate: Basic realm=\"x\""), _authority);
        await using var server = new ScriptedServer(asked => asked.Path == "/moved.aci" ? asked.AnswerAsync(302, "", $"Location: {other.Address}app.aci")
            : asked.Header("Authorization") == "Basic dTpw" ? asked.AnswerAsync(200, aci)
            : asked.AnswerAsync(401, "", "WWW-Authenticate: Basic realm=\"x\""), _authority);
        _folder.File($"root/etc/certs.d/{server.Host}/ca.crt", _authority.AuthorityPem);
        _folder.File($"root/etc/certs.d/{other.Host}/ca.crt", _authority.AuthorityPem);
        (await RefusedAsync(server.Address + "app.aci")).Should().Contain("needs a login");
        new Images.Oci.Registry.AuthFiles(_root).Store(server.Host, new Images.Oci.Registry.RegistryLogin("u", "p"));
        (await FetchAsync(server.Address + "app.aci", InsecureOptions.Image)).Record.Name.Should().Be("example.com/app");
        (await RefusedAsync(server.Address + "moved.aci")).Should().Contain("needs a login");
        other.Requests.Should().OnlyContain(r => r.Header("Authorization") == null);
    }

    [Fact]
    public async Task A_local_file_needs_a_signature_too()
    {
        var aci = Aci("example.com/app", "hello");
        var path = _folder.File("app.aci", aci);
        (await RefusedAsync(path)).Should().Contain("is not signed");
        File.WriteAllBytes(path + ".asc", _gpg.Sign(_gpg.Ed25519, aci));
        new TrustStore(_root).Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Ed25519), "key"), null);
        (await FetchAsync(path)).Reference.Trust.Key.Should().Be(_gpg.Ed25519);
        File.WriteAllText(path + ".asc", "<html>");
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        (await RefusedAsync(path)).Should().Contain("cannot be used");
        (await FetchAsync(path, InsecureOptions.Image)).Reference.Trust.Verdict.Should().Be(TrustVerdict.Insecure);
    }

    [Fact]
    public async Task What_the_store_has_is_judged_again_when_it_is_fetched_and_may_be_signed_again()
    {
        var aci = Aci("example.com/app", "hello");
        var path = _folder.File("app.aci", aci);
        File.WriteAllBytes(path + ".asc", _gpg.Sign(_gpg.Ed25519, aci));
        var store = new TrustStore(_root);
        var key = store.Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Ed25519), "key"), "example.com");
        var fetched = await FetchAsync(path);

        File.Delete(key);
        (await RefusedAsync(path)).Should().Contain("not trusted");
        store.Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Rsa), "key"), "example.com");
        (await RefusedAsync(path)).Should().Contain("not trusted");
        File.WriteAllBytes(path + ".asc", _gpg.Sign(_gpg.Rsa, aci));
        (await FetchAsync(path)).Reference.Trust.Key.Should().Be(_gpg.Rsa, "its maker has signed it again");
        new TrustJudge(_root, TimeProvider.System).JudgeAgain(_store.Find("example.com/app:1.0")!);

        _folder.File("root/etc/policy.d/bans", fetched.Record.Id + " bad\n");
        (await RefusedAsync(path)).Should().Contain("banned");
        (await RefusedAsync(fetched.Record.Id)).Should().Contain("banned");
        File.Delete(_root.Etc + "/policy.d/bans");
        _folder.File("root/etc/policy.d/10.json", """{"version":1,"rules":[{"prefix":"example.com","action":"refuse","reason":"closed"}]}""");
        (await RefusedAsync(path)).Should().Contain("closed");
    }

    [Fact]
    public async Task A_file_that_nobody_vouches_for_takes_no_name_away_from_a_verified_image()
    {
        var aci = Aci("example.com/app", "hello");
        var path = _folder.File("app.aci", aci);
        File.WriteAllBytes(path + ".asc", _gpg.Sign(_gpg.Ed25519, aci));
        new TrustStore(_root).Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Ed25519), "key"), "example.com");
        var signed = await FetchAsync(path);
        var fake = _folder.File("fake.aci", Aci("example.com/app", "fake"));
        var warnings = new List<string>();
        var taken = await new ImageFetcher(_store).ResolveAsync(fake, new FetchOptions { Insecure = InsecureOptions.Image, Warn = warnings.Add }, Ct);
        taken.Reference.Trust.Verdict.Should().Be(TrustVerdict.Insecure);
        warnings.Should().ContainSingle().Which.Should().Contain("example.com/app:1.0").And.Contain("verified image");
        _store.Find("example.com/app:1.0")!.Record.Id.Should().Be(signed.Record.Id);
        _store.Find(fake)!.Record.Id.Should().Be(taken.Record.Id);

        // A name that only an unverified image has is told as that, not as a name that no server knows.
        await FetchAsync(_folder.File("alone.aci", Aci("nowhere.invalid/app", "x")), InsecureOptions.Image);
        (await RefusedAsync("nowhere.invalid/app:1.0")).Should().Contain("is in the store, but was let in unverified").And.Contain("--insecure-options=image");
    }

    [Fact]
    public async Task What_was_let_in_unverified_is_asked_for_by_its_id_no_easier_than_by_its_name()
    {
        var aci = Aci("nowhere.invalid/app", "hello");
        var image = await FetchAsync(_folder.File("app.aci", aci), InsecureOptions.Image);
        foreach (var text in new[] { image.Record.Id, image.Record.Id[..20] })
        {
            (await RefusedAsync(text)).Should().Contain("was let in unverified").And.Contain("--insecure-options=image");
            (await FetchAsync(text, InsecureOptions.Image)).Record.Id.Should().Be(image.Record.Id);
        }

        var never = () => new ImageFetcher(_store).ResolveAsync("nowhere.invalid/app:1.0", new FetchOptions { Pull = PullPolicy.Never }, Ct);
        await never.Should().ThrowAsync<MusterException>().WithMessage("*was let in unverified*");

        // Under another name somebody vouches for the same content.
        var signed = _folder.File("signed.aci", aci);
        File.WriteAllBytes(signed + ".asc", _gpg.Sign(_gpg.Ed25519, aci));
        new TrustStore(_root).Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Ed25519), "key"), "nowhere.invalid");
        await FetchAsync(signed);
        await FetchAsync(_folder.File("again.aci", aci), InsecureOptions.Image);
        (await FetchAsync(image.Record.Id)).Reference.Trust.Verdict.Should().Be(TrustVerdict.Signed);
    }

    [Fact]
    public async Task An_image_is_refused_when_one_that_it_stands_on_is()
    {
        var keys = new TrustStore(_root);
        var basis = keys.Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Rsa), "key"), "example.com/below");
        keys.Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Ed25519), "key"), "example.com/above");
        foreach (var (name, key, more) in new[] { ("below", _gpg.Rsa, ""), ("above", _gpg.Ed25519, """, "dependencies":[{"imageName":"example.com/below"}]""") })
        {
            var aci = Aci("example.com/" + name, name, more);
            File.WriteAllBytes(_folder.File(name + ".aci", aci) + ".asc", _gpg.Sign(key, aci));
            await FetchAsync($"{_folder.Path}/{name}.aci");
        }

        var above = _store.Find("example.com/above:1.0")!;
        var judge = new TrustJudge(_root, TimeProvider.System);
        judge.JudgeAgain(above);
        File.Delete(basis);
        ((Action)(() => judge.JudgeAgain(above))).Should().Throw<MusterException>().WithMessage("*example.com/above*depends on*example.com/below*no longer trusted*");
        (await RefusedAsync($"{_folder.Path}/above.aci")).Should().Contain("depends on what is refused today").And.Contain("example.com/below");
    }

    [Fact]
    public async Task A_registrys_image_is_fetched_when_skopeo_signed_it_and_its_index_counts_for_its_manifests()
    {
        await using var registry = await DockerRegistry.StartAsync("open", Ct);
        _folder.File($"root/etc/certs.d/{registry.Host}/ca.crt", registry.Authority.AuthorityPem);
        _folder.File("root/etc/registries.d/x.yaml", $"docker:\n  {registry.Host}:\n    sigstore: file://{_folder.Path}/sigs\n");
        var layout = _folder.Path + "/layout";
        ToolRun.Run("umoci", ["init", "--layout", layout]);
        ToolRun.Run("umoci", ["new", "--image", layout + ":1"]);
        _folder.File("files/etc/hello", "hello");
        ToolRun.Run("umoci", ["insert", "--image", layout + ":1", _folder.Path + "/files/etc", "/etc"]);
        var environment = new Dictionary<string, string> { ["GNUPGHOME"] = _gpg.Path };
        ToolRun.Run("skopeo", ["copy", "-q", .. registry.SkopeoOptions("dest-", false), $"oci:{layout}:1", $"docker://{registry.Host}/team/app:plain"]);
        (await RefusedAsync($"docker://{registry.Host}/team/app:plain")).Should().Contain("is not signed");
        (await FetchAsync($"docker://{registry.Host}/team/app:plain", InsecureOptions.Image)).Reference.Trust.Verdict.Should().Be(TrustVerdict.Insecure);

        ToolRun.Run("skopeo", ["--registries.d", _root.Etc + "/registries.d", "copy", "-q", "--sign-by", _gpg.Rsa.ToUpperInvariant(), .. registry.SkopeoOptions("dest-", false), $"oci:{layout}:1", $"docker://{registry.Host}/team/app:signed"], environment: environment);
        (await RefusedAsync($"docker://{registry.Host}/team/app:signed")).Should().Contain("not trusted").And.Contain($"muster trust --prefix {registry.Host}/team/app KEY");
        new TrustStore(_root).Add(PublicKeyFile.Parse(_gpg.Export(_gpg.Rsa), "key"), registry.Host + "/team");
        var fetched = await FetchAsync($"docker://{registry.Host}/team/app:signed");
        fetched.Reference.Trust.Key.Should().Be(_gpg.Rsa);
        fetched.Reference.Trust.Identity.Should().Be($"{registry.Host}/team/app");
        new TrustJudge(_root, TimeProvider.System).JudgeAgain(fetched);
        // The same manifest under a tag that nobody signed.
        (await RefusedAsync($"docker://{registry.Host}/team/app:plain")).Should().Contain("for the name");
        _folder.File("root/etc/policy.d/10.json", $$"""{"version":1,"rules":[{"prefix":"{{registry.Host}}","action":"refuse","reason":"closed"}]}""");
        (await RefusedAsync($"docker://{registry.Host}/team/app:other", ErrorKind.NotFound)).Should().Contain("There is no image");
        var again = () => new TrustJudge(_root, TimeProvider.System).JudgeAgain(fetched);
        again.Should().Throw<MusterException>().WithMessage("*closed*");
    }

    [Fact]
    public async Task What_is_pushed_from_the_store_is_the_same_image_for_skopeo()
    {
        await using var registry = await DockerRegistry.StartAsync("basic", Ct);
        _folder.File($"root/etc/certs.d/{registry.Host}/ca.crt", registry.Authority.AuthorityPem);
        new Muster.Images.Oci.Registry.AuthFiles(_root, _root.Run + "/auth.json").Store(registry.Host, new(DockerRegistry.User, DockerRegistry.Password));
        var layout = _folder.Path + "/layout";
        ToolRun.Run("umoci", ["init", "--layout", layout]);
        ToolRun.Run("umoci", ["new", "--image", layout + ":1"]);
        _folder.File("files/etc/hello", "hello");
        ToolRun.Run("umoci", ["insert", "--image", layout + ":1", _folder.Path + "/files/etc", "/etc"]);
        var image = await FetchAsync($"oci:{layout}:1", InsecureOptions.Image);
        await new ImageExport(_store).ToAsync(image, ImageReference.Parse($"docker://{registry.Host}/pushed/app:2"), false, false, new FetchOptions(), _ => { }, Ct);
        var back = await FetchAsync($"docker://{registry.Host}/pushed/app:2", InsecureOptions.Image);
        back.Record.Id.Should().Be(image.Record.Id);
        foreach (var pull in new[] { PullPolicy.New, PullPolicy.Update })
        {
            var foreign = () => new ImageFetcher(_store).ResolveAsync($"docker://{registry.Host}/pushed/app:2", new FetchOptions { Insecure = InsecureOptions.Image, Pull = pull, Platform = new Muster.Images.Oci.OciPlatform("linux", "riscv64") }, Ct);
            await foreign.Should().ThrowAsync<MusterException>().WithMessage("*not for linux/riscv64*");
        }

        await new ImageExport(_store).ToAsync(back, ImageReference.Parse($"docker://{registry.Host}/moved/app:3"), false, false, new FetchOptions(), _ => { }, Ct);
        Encoding.UTF8.GetString(ToolRun.Run("skopeo", ["inspect", .. registry.SkopeoOptions("", true), $"docker://{registry.Host}/moved/app:3"])).Should().Contain(image.Record.Id.Replace("sha256-", "sha256:"));
    }

    private byte[] Aci(string name, string content, string more = "")
    {
        var place = Path.Combine(_folder.Path, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(place + "/rootfs");
        File.WriteAllText(place + "/rootfs/file", content);
        File.WriteAllText(place + "/manifest", $$$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{{name}}}","labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],"app":{"exec":["/file"],"user":"0","group":"0"}{{{more}}}}""");
        return ToolRun.Run("tar", ["-C", place, "-cz", "manifest", "rootfs"]);
    }

    private Task<StoredImage> FetchAsync(string reference, InsecureOptions insecure = InsecureOptions.None) =>
        new ImageFetcher(_store).ResolveAsync(reference, new FetchOptions { Pull = PullPolicy.Update, Insecure = insecure }, Ct);

    private async Task<string> RefusedAsync(string reference, ErrorKind kind = ErrorKind.Forbidden)
    {
        var fetch = () => FetchAsync(reference);
        var refused = (await fetch.Should().ThrowAsync<MusterException>()).Which;
        refused.Kind.Should().Be(kind, refused.Message);
        return refused.Message;
    }
}
