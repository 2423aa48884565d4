using System.Diagnostics;
using System.Text;
using Muster.Core;
using Muster.Images.Http;
using Muster.Images.Oci;
using Muster.Images.Oci.Registry;
using Muster.Images.Tests.Trust;

namespace Muster.Images.Tests.Registry;

/// <summary>Registries and web servers that stall, lie, redirect and break off.</summary>
public sealed class HostileServerTests : IDisposable
{
    private static readonly byte[] Content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(i => (char)('a' + (i % 26)))));
    private static readonly OciDescriptor Blob = RegistryTests.Descriptor("application/octet-stream", Content);
    // Generous where nothing stalls, for machines under load; short where a stall is what is tested.
    private static readonly WebOptions Impatient = new() { Stall = TimeSpan.FromMilliseconds(300), FirstRetryDelay = TimeSpan.FromMilliseconds(10), AllowHttp = true };
    private static readonly WebOptions Quick = new() { Stall = TimeSpan.FromSeconds(20), FirstRetryDelay = TimeSpan.FromMilliseconds(10), AllowHttp = true };

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_download_that_breaks_off_is_taken_up_where_it_ended()
    {
        var times = 0;
        await using var server = Registry(async asked =>
        {
            times++;
            var from = asked.Header("Range") is { } range ? int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture) : 0;
            var to = Math.Min(from + 7000, Content.Length);
            await asked.RawAsync(from == 0 ? $"HTTP/1.1 200 OK\r\nContent-Length: {Content.Length}\r\n\r\n" : $"HTTP/1.1 206 P\r\nContent-Length: {Content.Length - from}\r\nContent-Range: bytes {from}-{Content.Length - 1}/{Content.Length}\r\n\r\n");
            await asked.Connection.WriteAsync(Content.AsMemory(from, to - from));
            throw new IOException();
        });
        (await ReadAsync(server)).Should().Equal(Content);
        times.Should().Be(3);
    }

    [Fact]
    public async Task A_server_without_ranges_is_read_again_from_the_start()
    {
        var times = 0;
        await using var server = Registry(async asked =>
        {
            await asked.RawAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Content.Length}\r\n\r\n");
            await asked.Connection.WriteAsync(Content.AsMemory(0, ++times == 1 ? 9000 : Content.Length));
            throw new IOException();
        });
        (await ReadAsync(server)).Should().Equal(Content);
    }

    [Fact]
    public async Task A_server_that_stalls_is_given_up()
    {
        await using var server = Registry(async asked =>
        {
            await asked.RawAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Content.Length}\r\n\r\nabc");
            await Task.Delay(Timeout.Infinite);
        });
        var clock = Stopwatch.StartNew();
        var read = () => ReadAsync(server, Impatient);
        (await read.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Timeout);
        clock.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(60));

        await using var silent = new ScriptedServer(_ => Task.Delay(Timeout.Infinite));
        using var web = new HttpFetcher(new MusterRoot(_folder.Path), Impatient, TimeProvider.System);
        var get = () => web.GetAsync(silent.Address, 100, null, Ct);
        (await get.Should().ThrowAsync<MusterException>()).WithMessage("*did not answer in time*");
    }

    [Fact]
    public async Task A_wrong_length_is_refused_before_and_while_reading()
    {
        await using var longer = Registry(asked => asked.AnswerAsync(200, [.. Content, 1]));
        (await FailureAsync(() => ReadAsync(longer))).Should().Contain("announces 20001 bytes");
        await using var chunked = Registry(async asked =>
        {
            await asked.RawAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (var i = 0; i < 10; i++)
            {
                await asked.RawAsync("1388\r\n" + new string('x', 5000) + "\r\n");
            }

            await asked.RawAsync("0\r\n\r\n");
        });
        (await FailureAsync(() => ReadAsync(chunked))).Should().Contain("more than the 20000 bytes");
        await using var shorter = Registry(async asked =>
        {
            await asked.RawAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n");
        });
        (await FailureAsync(() => ReadAsync(shorter))).Should().Contain("ended 5 times after 5 of 20000 bytes");
    }

    [Fact]
    public async Task A_wrong_digest_html_and_an_endless_manifest_are_refused()
    {
        await using var other = Registry(asked => asked.AnswerAsync(200, "{\"other\":1}", "Content-Type: application/vnd.oci.image.manifest.v1+json"));
        (await FailureAsync(() => Source(other, "app@" + Blob.Digest).ReadRootAsync(Ct))).Should().Contain("damaged or was altered");
        await using var html = Registry(asked => asked.AnswerAsync(200, "<html>hello</html>", "Content-Type: text/html"));
        (await FailureAsync(() => Source(html, "app:1").ReadRootAsync(Ct))).Should().Contain("sends a web page where a manifest is expected");
        await using var endless = Registry(async asked =>
        {
            await asked.RawAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while (true)
            {
                await asked.RawAsync("10000\r\n" + new string('{', 65536) + "\r\n");
            }
        });
        (await FailureAsync(() => Source(endless, "app:1").ReadRootAsync(Ct))).Should().Contain("more than 4194304 bytes");
        await using var headers = Registry(async asked => await asked.RawAsync("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => $"X-{i}: {new string('y', 60)}\r\n")) + "\r\n"));
        (await FailureAsync(() => Source(headers, "app:1").ReadRootAsync(Ct))).Should().Contain("headers");
    }

    [Fact]
    public async Task Redirects_in_a_circle_and_from_https_to_http_are_refused()
    {
        await using var circle = Registry(asked => asked.AnswerAsync(307, "", "Location: " + asked.Target));
        (await FailureAsync(() => ReadAsync(circle))).Should().Contain("redirects more than 5 times");
        using var authority = new TestAuthority();
        await using var secure = new ScriptedServer(asked => asked.AnswerAsync(302, "", "Location: http://127.0.0.1:1/x"), authority);
        using var web = new HttpFetcher(new MusterRoot(_folder.Path), Quick with { SkipCertificateCheck = true }, TimeProvider.System);
        (await FailureAsync(() => web.GetAsync(secure.Address, 100, null, Ct))).Should().Contain("from https to http");
        using var strict = new HttpFetcher(new MusterRoot(_folder.Path), Quick with { AllowHttp = false }, TimeProvider.System);
        (await FailureAsync(() => strict.GetAsync(circle.Address, 100, null, Ct))).Should().Contain("plain http").And.Contain("--insecure-options=http");
    }

    [Fact]
    public async Task A_login_never_follows_a_redirect_to_another_host()
    {
        await using var storage = new ScriptedServer(asked => asked.AnswerAsync(200, Content));
        await using var server = new ScriptedServer(asked => asked.Path == "/v2/"
            ? asked.AnswerAsync(asked.Header("Authorization") is null ? 401 : 200, "", "WWW-Authenticate: Basic realm=\"x\"")
            : asked.AnswerAsync(307, "", $"Location: {storage.Address}blob"));
        using var session = Session();
        session.Logins.Store(server.Host, new RegistryLogin("u", "p"));
        await using var stream = await new RegistrySource(session, RegistryReference.Parse(server.Host + "/app:1")).OpenBlobAsync(Blob, 0, Ct);
        using var whole = new MemoryStream();
        await stream.CopyToAsync(whole, Ct);
        whole.ToArray().Should().Equal(Content);
        server.Requests.Last().Header("Authorization").Should().StartWith("Basic ");
        storage.Requests.Single().Header("Authorization").Should().BeNull();
    }

    [Fact]
    public async Task A_busy_server_is_asked_again_when_it_says_and_not_for_ever()
    {
        var times = 0;
        await using var busy = Registry(asked => ++times < 3 ? asked.AnswerAsync(times == 1 ? 429 : 503, "", "Retry-After: 0") : asked.AnswerAsync(200, Content));
        (await ReadAsync(busy)).Should().Equal(Content);
        times.Should().Be(3);
        var tries = 0;
        await using var closed = Registry(asked =>
        {
            tries++;
            return asked.AnswerAsync(500);
        });
        (await FailureAsync(() => Source(closed, "app:1").ReadRootAsync(Ct))).Should().Contain("answered 500");
        tries.Should().Be(WebLimits.MaxTries);
        await using var later = Registry(asked => asked.AnswerAsync(429, "", "Retry-After: 3600"));
        (await FailureAsync(() => Source(later, "app:1").ReadRootAsync(Ct))).Should().Contain("429, for 3600 s");
    }

    [Fact]
    public async Task A_token_that_ended_is_asked_for_again_and_a_realm_without_https_is_refused()
    {
        var given = 0;
        ScriptedServer? server = null;
        server = new ScriptedServer(asked => asked.Path switch
        {
            "/token" => asked.AnswerAsync(200, $$"""{"access_token":"t{{++given}}","expires_in":3000}"""),
            "/v2/" => asked.AnswerAsync(401, "", $"WWW-Authenticate: Bearer realm=\"{server!.Address}token\",service=\"s\""),
            _ => asked.Header("Authorization") == "Bearer t2" ? asked.AnswerAsync(200, Content) : asked.AnswerAsync(401, "", $"WWW-Authenticate: Bearer realm=\"{server!.Address}token\",service=\"s\",scope=\"repository:app:pull\",error=\"invalid_token\""),
        });
        await using var _ = server;
        (await ReadAsync(server)).Should().Equal(Content);
        given.Should().Be(2);
        using var authority = new TestAuthority();
        await using var lowered = new ScriptedServer(asked => asked.AnswerAsync(401, "", "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:1/token\""), authority);
        using var session = Session(Quick with { SkipCertificateCheck = true });
        (await FailureAsync(() => new RegistrySource(session, RegistryReference.Parse(lowered.Host + "/app:1")).ReadRootAsync(Ct))).Should().Contain("not an https address");
    }

    [Fact]
    public async Task A_mirror_is_asked_first_and_the_registry_when_it_fails()
    {
        await using var mirror = Registry(asked => asked.Path.Contains("/copies/app/") ? asked.AnswerAsync(200, Content) : asked.AnswerAsync(404));
        await using var server = Registry(asked => asked.AnswerAsync(200, "{}", "Content-Type: application/vnd.oci.image.manifest.v1+json"));
        _folder.File("etc/registries.conf", $"[[registry]]\nprefix = \"{server.Host}\"\nlocation = \"{server.Host}\"\n[[registry.mirror]]\nlocation = \"{mirror.Host}/copies\"\n");
        (await ReadAsync(server)).Should().Equal(Content);
        mirror.Requests.Should().Contain(r => r.Path == $"/v2/copies/app/blobs/{Blob.Digest}");
        (await Source(server, "other:1").ReadRootAsync(Ct)).Bytes.Length.Should().Be(2);
        _folder.File("etc/registries.conf", $"[[registry]]\nlocation = \"{server.Host}\"\nblocked = true\n");
        (await FailureAsync(() => ReadAsync(server))).Should().Contain("blocked");
    }

    [Fact]
    public async Task A_mirror_that_breaks_off_at_one_byte_again_and_again_is_passed_by_there()
    {
        await using var mirror = Registry(async asked =>
        {
            var from = asked.Header("Range") is { } range ? int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture) : 0;
            await asked.RawAsync(from == 0 ? $"HTTP/1.1 200 OK\r\nContent-Length: {Content.Length}\r\n\r\n" : $"HTTP/1.1 206 P\r\nContent-Length: {Content.Length - from}\r\nContent-Range: bytes {from}-{Content.Length - 1}/{Content.Length}\r\n\r\n");
            await asked.Connection.WriteAsync(Content.AsMemory(from, Math.Max(0, 5000 - from)));
            throw new IOException();
        });
        await using var server = Registry(asked => asked.AnswerAsync(206, Content[5000..], $"Content-Range: bytes 5000-{Content.Length - 1}/{Content.Length}"));
        Mirror(server, mirror);
        (await ReadAsync(server)).Should().Equal(Content);
        server.Requests.Should().ContainSingle(r => r.Path.Contains("/blobs/")).Which.Header("Range").Should().Be("bytes=5000-");
    }

    [Fact]
    public async Task What_a_mirror_has_no_signature_of_is_asked_of_the_registry()
    {
        var manifest = Digest.Sha256("manifest"u8);
        var payload = "{}"u8.ToArray();
        var layer = RegistryTests.Descriptor("application/vnd.dev.cosign.simplesigning.v1+json", payload);
        var carrier = $$$"""{"schemaVersion":2,"layers":[{"mediaType":"{{{layer.MediaType}}}","digest":"{{{layer.Digest}}}","size":{{{layer.Size}}},"annotations":{"dev.cosignproject.cosign/signature":"AAAA"}}]}""";
        await using var mirror = Registry(asked => asked.AnswerAsync(404));
        await using var server = Registry(asked => asked.Path.EndsWith(".sig", StringComparison.Ordinal) ? asked.AnswerAsync(200, carrier, "Content-Type: application/vnd.oci.image.manifest.v1+json")
            : asked.Path.EndsWith(layer.Digest.ToString(), StringComparison.Ordinal) ? asked.AnswerAsync(200, payload) : asked.AnswerAsync(404));
        Mirror(server, mirror);
        (await Source(server, "app:1").ReadSignaturesAsync(manifest, Ct)).Should().ContainSingle().Which.Payload.ToArray().Should().Equal(payload);
        mirror.Requests.Should().Contain(r => r.Path.EndsWith(".sig", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_mirror_has_damaged_is_fetched_from_the_registry()
    {
        using var root = new ImageRoot();
        root.Layout("image", "echo hello > file");
        var folder = root.Path1("image");
        var manifest = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(folder + "/index.json")).RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!;
        byte[] Stored(string path) => File.ReadAllBytes($"{folder}/blobs/sha256/{path[(path.LastIndexOf(':') + 1)..]}");
        Task Answer(Asked asked, bool damages)
        {
            var bytes = Stored(asked.Path.EndsWith("/manifests/1", StringComparison.Ordinal) ? manifest : asked.Path);
            if (damages && bytes[0] == 0x1f)
            {
                bytes[^20] ^= 1;
            }

            return asked.AnswerAsync(200, bytes, "Content-Type: " + (asked.Path.Contains("/manifests/") ? "application/vnd.oci.image.manifest.v1+json" : "application/octet-stream"));
        }

        await using var mirror = Registry(asked => Answer(asked, damages: true));
        await using var server = Registry(asked => Answer(asked, damages: false));
        root.Write("root/etc/registries.conf", $"[[registry]]\nlocation = \"{server.Host}\"\n[[registry.mirror]]\nlocation = \"{mirror.Host}\"\n");
        var warnings = new List<string>();
        var options = ImageRoot.Unverified with { Insecure = InsecureOptions.Image | InsecureOptions.Http, Warn = warnings.Add };
        (await new ImageFetcher(root.Store).ResolveAsync($"docker://{server.Host}/app:1", options, Ct)).Record.Id.Should().Be(manifest.Replace(':', '-'));
        warnings.Should().ContainSingle().Which.Should().Contain("is passed by");
        root.ShouldBeClean();
    }

    [Fact]
    public async Task A_servers_words_do_not_steer_the_terminal()
    {
        await using var evil = new ScriptedServer(asked => asked.RawAsync("HTTP/1.1 418 red\x1b[31m\r\nContent-Length: 0\r\n\r\n"));
        using var web = new HttpFetcher(new MusterRoot(_folder.Path), Quick, TimeProvider.System);
        (await FailureAsync(() => web.GetAsync(evil.Address, 100, null, Ct))).Should().Contain("418 red?[31m");
    }

    [Fact]
    public async Task A_part_of_an_upload_that_needs_a_new_token_is_sent_again_from_its_own_start()
    {
        var received = new Dictionary<string, byte[]>();
        var tokens = 0;
        await using var server = new ScriptedServer(asked =>
        {
            if (asked.Path == "/token")
            {
                return asked.AnswerAsync(200, $$"""{"token":"t{{++tokens}}","expires_in":300}""");
            }

            // The second part finds the first token ended, which the token server had promised for longer.
            var needed = received.Count == 0 ? "Bearer t1" : "Bearer t2";
            if (asked.Header("Authorization") != needed)
            {
                return asked.AnswerAsync(401, "", $"WWW-Authenticate: Bearer realm=\"http://{asked.Header("Host")}/token\",service=\"s\"");
            }

            if (asked.Method == "PATCH")
            {
                received[asked.Header("Content-Range")!] = asked.Body;
            }

            return asked.Method switch
            {
                "POST" or "PATCH" => asked.AnswerAsync(202, "", "Location: /v2/app/blobs/uploads/1"),
                "PUT" => asked.AnswerAsync(201),
                _ => asked.AnswerAsync(200, "{}"),
            };
        });
        using var session = Session();
        var target = new RegistryTarget(session, RegistryReference.Parse(server.Host + "/app:1"), chunkBytes: 8000);
        await target.PutBlobAsync(Blob, _ => Task.FromResult<Stream>(new MemoryStream(Content)), Ct);
        received.Should().HaveCount(3);
        received["0-7999"].Concat(received["8000-15999"]).Concat(received["16000-19999"]).Should().Equal(Content);
        server.Requests.Count(r => r.Method == "POST").Should().Be(1, "the upload goes on and does not begin anew");
    }

    [Fact]
    public async Task Referrers_come_from_the_registrys_own_listing_where_it_has_one()
    {
        var manifest = Digest.Sha256("manifest"u8);
        var bundle = """{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"""u8.ToArray();
        var layer = RegistryTests.Descriptor("application/vnd.dev.sigstore.bundle.v0.3+json", bundle);
        var referrer = Encoding.UTF8.GetBytes($$$"""{"layers":[{"mediaType":"{{{layer.MediaType}}}","digest":"{{{layer.Digest}}}","size":{{{layer.Size}}}}]}""");
        var listed = RegistryTests.Descriptor("application/vnd.oci.image.manifest.v1+json", referrer);
        await using var server = Registry(asked => asked.Path == $"/v2/app/referrers/{manifest}"
            ? asked.AnswerAsync(200, $$"""{"manifests":[{"mediaType":"x","artifactType":"application/vnd.example.sbom","digest":"{{Digest.Sha256("sbom"u8)}}","size":1},{"mediaType":"{{listed.MediaType}}","artifactType":"{{layer.MediaType}}","digest":"{{listed.Digest}}","size":{{listed.Size}}}]}""", "Content-Type: application/vnd.oci.image.index.v1+json")
            : asked.Path.EndsWith(listed.Digest.ToString(), StringComparison.Ordinal) ? asked.AnswerAsync(200, referrer)
            : asked.Path.EndsWith(layer.Digest.ToString(), StringComparison.Ordinal) ? asked.AnswerAsync(200, bundle)
            : asked.AnswerAsync(404));
        var found = await Source(server, "app:1").ReadSignaturesAsync(manifest, Ct);
        found.Should().ContainSingle().Which.Payload.ToArray().Should().Equal(bundle);
    }

    [Fact]
    public async Task Tags_are_listed_page_by_page_and_never_from_another_host()
    {
        await using var server = Registry(asked => asked.Target switch
        {
            "/v2/app/tags/list?n=1000" => asked.AnswerAsync(200, """{"tags":["a","b","-no"]}""", "Link: </v2/app/tags/list?last=b>; rel=\"next\""),
            "/v2/app/tags/list?last=b" => asked.AnswerAsync(200, """{"tags":["c"]}""", "Link: <http://127.0.0.1:1/v2/app/tags/list>; rel=\"next\""),
            _ => asked.AnswerAsync(404),
        });
        (await Source(server, "app:1").ListTagsAsync(Ct)).Should().Equal("a", "b", "c");
    }

    private void Mirror(ScriptedServer server, ScriptedServer mirror) =>
        _folder.File("etc/registries.conf", $"[[registry]]\nlocation = \"{server.Host}\"\n[[registry.mirror]]\nlocation = \"{mirror.Host}\"\n");

    private static ScriptedServer Registry(Func<Asked, Task> answer) => new(asked => asked.Path == "/v2/" ? asked.AnswerAsync(200, "{}") : answer(asked));

    private RegistrySession Session(WebOptions? options = null) => new(new MusterRoot(_folder.Path), options ?? Quick, TimeProvider.System, _folder.Path + "/auth.json");

    // Sessions are left to the collector here: their connections end with the servers.
    private RegistrySource Source(ScriptedServer server, string name, WebOptions? options = null) => new(Session(options), RegistryReference.Parse(server.Host + "/" + name));

    private async Task<byte[]> ReadAsync(ScriptedServer server, WebOptions? options = null)
    {
        await using var stream = await Source(server, "app:1", options).OpenBlobAsync(Blob, 0, Ct);
        using var whole = new MemoryStream();
        await stream.CopyToAsync(whole, Ct);
        return whole.ToArray();
    }

    private static async Task<string> FailureAsync(Func<Task> action) => (await action.Should().ThrowAsync<MusterException>()).Which.Message;
}
