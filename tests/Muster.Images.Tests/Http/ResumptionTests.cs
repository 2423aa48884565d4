using System.Globalization;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Discovery;
using Muster.Images.Http;
using Muster.Images.Oci;
using Muster.Images.Oci.Registry;
using Muster.Images.Tests.Registry;

namespace Muster.Images.Tests.Http;

/// <summary>Downloads that break off, and begin anew.</summary>
public sealed class ResumptionTests : IDisposable
{
    private const string Old = "Mon, 02 Nov 2026 10:00:00 GMT";
    private const string Later = "Tue, 03 Nov 2026 10:00:00 GMT";
    private const string Manifest = """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/app","labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}]}""";
    private static readonly byte[] Content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 50_000).Select(i => (char)('a' + (i % 26)))));

    private readonly ImageRoot _root = new();
    private readonly TestAuthority _authority = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _root.Dispose();
        _authority.Dispose();
    }

    [Theory]
    [InlineData(206, Old)]
    [InlineData(200, Old)]
    [InlineData(200, Later)]
    public async Task Without_an_etag_the_time_of_the_last_change_tells_whether_it_is_the_same_file(int status, string now)
    {
        await using var server = new ScriptedServer(async asked =>
        {
            if (asked.Header("Range") is not { } range)
            {
                await BeginAsync(asked, Content, 20_000, "Last-Modified: " + Old, "Date: " + Later);
                return;
            }

            asked.Header("If-Range").Should().Be(Old);
            var from = status == 206 ? From(range) : 0;
            await asked.AnswerAsync(status, Content[from..], "Last-Modified: " + now, $"Content-Range: bytes {from}-{Content.Length - 1}/{Content.Length}");
        }, _authority);
        var read = () => ReadAciAsync(server);
        if (now == Old)
        {
            (await read()).Should().Equal(Content);
        }
        else
        {
            (await read.Should().ThrowAsync<MusterException>()).WithMessage("*changed while it was downloaded*");
        }
    }

    [Theory]
    [InlineData(Old, Old)]
    [InlineData(Old, null)]
    [InlineData(null, Later)]
    public async Task A_file_that_may_have_changed_in_the_second_of_the_answer_is_not_gone_on_with(string? changed, string? date)
    {
        await using var server = new ScriptedServer(asked => BeginAsync(asked, Content, 20_000, [.. changed is null ? [] : new[] { "Last-Modified: " + changed }, .. date is null ? [] : new[] { "Date: " + date }]), _authority);
        var read = () => ReadAciAsync(server);
        (await read.Should().ThrowAsync<MusterException>()).WithMessage("*broke off in the middle*");
        server.Requests.Should().ContainSingle();
    }

    [Fact]
    public async Task A_web_image_that_changed_while_it_came_begins_anew()
    {
        var first = File.ReadAllBytes(_root.Aci("one.aci", Manifest, ("file", new string('1', 40_000))));
        var second = File.ReadAllBytes(_root.Aci("two.aci", Manifest, ("file", new string('2', 40_000))));
        var breaks = true;
        await using var server = new ScriptedServer(async asked =>
        {
            if (breaks)
            {
                breaks = false;
                await BeginAsync(asked, first, 20_000, "ETag: \"1\"");
            }

            await asked.AnswerAsync(200, second, "ETag: \"2\"");
        }, _authority);
        var image = await FetchAsync(server, server.Address + "app.aci");
        File.ReadAllText(_root.Store.TreePath(image.Record.Id) + "/file").Should().Be(new string('2', 40_000));
        server.Requests.Select(r => r.Header("Range")).Should().Equal(null, "bytes=20000-", null);
        _root.ShouldBeClean();
    }

    [Fact]
    public async Task A_web_image_put_together_of_two_that_do_not_fit_begins_anew_once()
    {
        var whole = File.ReadAllBytes(_root.Aci("app.aci", Manifest, ("file", new string('1', 40_000))));
        var damaged = whole.ToArray();
        damaged.AsSpan(0, 20_000).Fill(0x55);
        var times = 0;
        await using var server = new ScriptedServer(async asked =>
        {
            if (++times == 1)
            {
                await BeginAsync(asked, damaged, 20_000, "ETag: \"1\"");
            }

            var from = asked.Header("Range") is { } range ? From(range) : 0;
            await asked.AnswerAsync(from > 0 ? 206 : 200, whole[from..], "ETag: \"1\"", $"Content-Range: bytes {from}-{whole.Length - 1}/{whole.Length}");
        }, _authority);
        (await FetchAsync(server, server.Address + "app.aci")).Record.Name.Should().Be("example.com/app");
        times.Should().Be(3);
        _root.ShouldBeClean();
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(int.MaxValue, false)]
    public async Task Blobs_whose_parts_do_not_fit_together_begin_anew_once(int damagedTimes, bool comes)
    {
        _root.Layout("image", "head -c 100000 /dev/urandom > file");
        var folder = _root.Path1("image");
        var manifest = JsonDocument.Parse(File.ReadAllBytes(folder + "/index.json")).RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!;
        var begun = new Dictionary<string, int>();
        await using var server = new ScriptedServer(async asked =>
        {
            if (asked.Path == "/v2/")
            {
                await asked.AnswerAsync(200, "{}");
            }
            else if (asked.Path.Contains("/manifests/"))
            {
                await asked.AnswerAsync(200, File.ReadAllBytes($"{folder}/blobs/sha256/{manifest["sha256:".Length..]}"), "Content-Type: application/vnd.oci.image.manifest.v1+json");
            }
            else
            {
                // The beginning is another file's, of the same size.
                var bytes = File.ReadAllBytes($"{folder}/blobs/sha256/{asked.Path[(asked.Path.LastIndexOf(':') + 1)..]}");
                var from = asked.Header("Range") is { } range ? From(range) : 0;
                if (from == 0 && (begun[asked.Path] = begun.GetValueOrDefault(asked.Path) + 1) <= damagedTimes)
                {
                    bytes[50] ^= 1;
                    await BeginAsync(asked, bytes, 100);
                }

                await asked.AnswerAsync(from > 0 ? 206 : 200, bytes[from..], $"Content-Range: bytes {from}-{bytes.Length - 1}/{bytes.Length}");
            }
        });
        var fetch = () => FetchAsync(server, $"docker://{server.Host}/app:1");
        if (comes)
        {
            (await fetch()).Record.Id.Should().Be(manifest.Replace(':', '-'));
            begun.Values.Should().HaveCount(2).And.OnlyContain(n => n == 2);
        }
        else
        {
            (await fetch.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Corrupt);
            begun.Values.Max().Should().Be(2);
        }

        _root.ShouldBeClean();
    }

    [Fact]
    public async Task A_registry_that_refuses_ranges_is_asked_for_all_of_it_again()
    {
        var times = 0;
        await using var server = Registry(asked => asked.Header("Range") is not null ? asked.AnswerAsync(416) : BeginAsync(asked, Content, ++times == 1 ? 20_000 : Content.Length));
        (await ReadBlobAsync(server)).Should().Equal(Content);
    }

    [Fact]
    public async Task What_is_there_whole_is_not_asked_for_again()
    {
        await using var server = Registry(async asked =>
        {
            // The end of the chunks is missing.
            await asked.RawAsync($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{Content.Length:x}\r\n");
            await asked.Connection.WriteAsync(Content);
            await asked.RawAsync("\r\n");
            throw new IOException();
        });
        (await ReadBlobAsync(server)).Should().Equal(Content);
        server.Requests.Should().ContainSingle(r => r.Path.Contains("/blobs/"));
    }

    private static int From(string range) => int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);

    // Breaks off unless it is all of it.
    private static async Task BeginAsync(Asked asked, byte[] content, int count, params string[] headers)
    {
        await asked.RawAsync($"HTTP/1.1 200 x\r\n{string.Concat(headers.Select(h => h + "\r\n"))}Content-Length: {content.Length}\r\n\r\n");
        await asked.Connection.WriteAsync(content.AsMemory(0, count));
        await asked.Connection.FlushAsync();
        _ = count == content.Length ? 0 : throw new IOException();
    }

    private static ScriptedServer Registry(Func<Asked, Task> answer) => new(asked => asked.Path == "/v2/" ? asked.AnswerAsync(200, "{}") : answer(asked));

    private async Task<byte[]> ReadBlobAsync(ScriptedServer server)
    {
        using var session = new RegistrySession(_root.Root, new WebOptions { FirstRetryDelay = TimeSpan.FromMilliseconds(10), AllowHttp = true }, TimeProvider.System, _root.Folder + "/auth.json");
        await using var stream = await new RegistrySource(session, RegistryReference.Parse(server.Host + "/app:1")).OpenBlobAsync(RegistryTests.Descriptor("application/octet-stream", Content), 0, Ct);
        return await AllAsync(stream);
    }

    private async Task<byte[]> ReadAciAsync(ScriptedServer server)
    {
        Accept(server);
        using var web = new HttpFetcher(_root.Root, new WebOptions { FirstRetryDelay = TimeSpan.FromMilliseconds(10) }, TimeProvider.System);
        await using var image = (await new HttpAciSource(web, new Uri(server.Address, "app.aci")).OpenAsync(null, Ct))!;
        return await AllAsync(image.Content);
    }

    private Task<StoredImage> FetchAsync(ScriptedServer server, string reference)
    {
        Accept(server);
        return new ImageFetcher(_root.Store).ResolveAsync(reference, ImageRoot.Unverified with { Insecure = InsecureOptions.Image | InsecureOptions.Http }, Ct);
    }

    private void Accept(ScriptedServer server) => _root.Write($"root/etc/certs.d/{server.Host}/ca.crt", _authority.AuthorityPem);

    private static async Task<byte[]> AllAsync(Stream stream)
    {
        using var whole = new MemoryStream();
        await stream.CopyToAsync(whole, Ct);
        return whole.ToArray();
    }
}
