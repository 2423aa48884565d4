using System.Text;
using CsCheck;
using Muster.Core;
using Muster.Fuzz;
using Muster.Images.Discovery;
using Muster.Images.Http;
using Muster.Images.Tests.Registry;
using Muster.Images.Tests.Trust;

namespace Muster.Images.Tests.Discovery;

public sealed class DiscoveryTests : IDisposable
{
    private static readonly Dictionary<string, string> Labels = new() { ["os"] = "linux", ["arch"] = "amd64" };

    private readonly TemporaryFolder _folder = new();
    private readonly TestAuthority _authority = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _folder.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task Walks_up_to_the_page_that_knows_the_image_and_fills_its_template()
    {
        await using var server = new ScriptedServer(asked => asked.Path switch
        {
            "/team" => asked.AnswerAsync(200, $"<html><head><meta name=ac-discovery content='{asked.Header("Host")}/team https://{asked.Header("Host")}/i/{{name}}-{{version}}-{{os}}-{{arch}}.{{ext}}'><meta content='{asked.Header("Host")}/team https://{asked.Header("Host")}/key.asc' name=\"ac-discovery-pubkeys\"/></head>"),
            _ => asked.AnswerAsync(404, "<html>"),
        }, _authority);
        using var web = Web(server);
        var found = (await new ImageDiscovery(web).FindImagesAsync($"{server.Host}/team/app", Labels, Ct)).Should().ContainSingle().Subject;
        found.Image.AbsoluteUri.Should().Be($"https://{server.Host}/i/{server.Host}/team/app-latest-linux-amd64.aci");
        found.Signature.AbsoluteUri.Should().EndWith("amd64.aci.asc");
        (await new ImageDiscovery(web).FindKeysAsync($"{server.Host}/team/app", Ct)).Should().Equal(new Uri($"https://{server.Host}/key.asc"));
        server.Requests.First().Target.Should().Be("/team/app?ac-discovery=1");
        var none = () => new ImageDiscovery(web).FindKeysAsync($"{server.Host}/other", Ct);
        (await none.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.NotFound);
    }

    [Fact]
    public void Templates_with_something_left_over_are_dropped()
    {
        ImageDiscovery.Fill("https://x/{name}-{version}.{ext}", "a/b", new Dictionary<string, string> { ["version"] = "1.0 x" }, "aci").Should().Be("https://x/a/b-1.0%20x.aci");
        ImageDiscovery.Fill("https://x/{name}-{os}.{ext}", "a/b", new Dictionary<string, string>(), "aci").Should().BeNull();
    }

    [Fact]
    public void Tags_in_scripts_comments_and_the_body_do_not_count()
    {
        var page = """
            <!DOCTYPE html><HTML><Head>
            <!-- <meta name="ac-discovery" content="no 1"> -->
            <script>document.write('<meta name="ac-discovery" content="no 2">')</script>
            <title><meta name="ac-discovery" content="no 3"></title>
            <META CONTENT="yes https://x/?a=1&amp;b=2" data-x NAME='ac-discovery' >
            <meta name=ac-discovery content=single>
            </head><body><meta name="ac-discovery" content="no 4"></body>
            """;
        MetaTags.Read(Encoding.UTF8.GetBytes(page)).Should().Equal(new MetaTag("ac-discovery", "yes https://x/?a=1&b=2"), new MetaTag("ac-discovery", "single"));
    }

    [Fact]
    public async Task Only_the_beginning_of_a_long_page_is_read()
    {
        await using var server = new ScriptedServer(asked => asked.AnswerAsync(200, "<meta name=\"a\" content=\"b\">" + new string(' ', 2 * MetaTags.MaxBytes)), _authority);
        using var web = Web(server);
        var page = (await web.GetBeginningAsync(server.Address, MetaTags.MaxBytes, Ct))!;
        page.Bytes.Should().HaveCount(MetaTags.MaxBytes);
        MetaTags.Read(page.Bytes).Should().Equal(new MetaTag("a", "b"));
    }

    [Fact]
    public void No_page_makes_the_reader_fail()
    {
        Gen.Char["<>/metanhdscript-!\"'= &;"].Array[0, 200].Sample(chars => MetaTagsTarget.Run(Encoding.UTF8.GetBytes(new string(chars))), iter: 5000, threads: 2);
        Gen.Byte.Array[0, 300].Sample(bytes => MetaTagsTarget.Run(bytes), iter: 2000, threads: 2);
    }

    [Fact]
    public async Task An_image_comes_with_its_signature_and_is_asked_for_by_version_later()
    {
        var content = Encoding.ASCII.GetBytes(new string('x', 50_000));
        var breaks = true;
        await using var server = new ScriptedServer(async asked =>
        {
            switch (asked.Path)
            {
                case "/app.aci.asc":
                    await asked.AnswerAsync(200, "signature");
                    break;
                case "/app.aci" when asked.Header("If-None-Match") == "\"v1\"":
                    await asked.RawAsync("HTTP/1.1 304 x\r\n\r\n");
                    break;
                case "/app.aci" when asked.Header("Range") is { } range:
                    asked.Header("If-Range").Should().Be("\"v1\"");
                    var from = int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture);
                    await asked.AnswerAsync(206, content[from..], $"Content-Range: bytes {from}-{content.Length - 1}/{content.Length}");
                    break;
                case "/app.aci" when breaks:
                    breaks = false;
                    await asked.RawAsync($"HTTP/1.1 200 x\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Length: {content.Length}\r\n\r\n");
                    await asked.Connection.WriteAsync(content.AsMemory(0, 20_000));
                    throw new IOException();
                default:
                    await asked.AnswerAsync(404);
                    break;
            }
        }, _authority);
        using var web = Web(server);
        var source = new HttpAciSource(web, new Uri(server.Address, "app.aci"));
        (await source.ReadSignatureAsync(Ct)).Should().Equal("signature"u8.ToArray());
        await using var image = (await source.OpenAsync(null, Ct))!;
        using var whole = new MemoryStream();
        await image.Content.CopyToAsync(whole, Ct);
        whole.ToArray().Should().Equal(content);
        image.Version.ETag.Should().Be("\"v1\"");
        image.Version.FreshUntil.Should().BeCloseTo(TimeProvider.System.GetUtcNow().AddSeconds(60), TimeSpan.FromSeconds(20));
        var requests = server.Requests.Count;
        (await source.OpenAsync(image.Version, Ct)).Should().BeNull("it is fresh");
        server.Requests.Count.Should().Be(requests);
        (await source.OpenAsync(image.Version with { FreshUntil = null }, Ct)).Should().BeNull("the server says it has not changed");
        (await new HttpAciSource(web, new Uri(server.Address, "none.aci")).ReadSignatureAsync(Ct)).Should().BeNull();
        var missing = () => new HttpAciSource(web, new Uri(server.Address, "none.aci")).OpenAsync(null, Ct);
        (await missing.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.NotFound);
    }

    [Theory]
    [InlineData(200, "v1", true)]
    [InlineData(200, "v2", false)]
    [InlineData(206, "v2", false)]
    public async Task A_download_goes_on_only_with_the_same_file(int status, string mark, bool goesOn)
    {
        var content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 50_000).Select(i => (char)('a' + (i % 26)))));
        await using var server = new ScriptedServer(async asked =>
        {
            if (asked.Header("Range") is null)
            {
                await asked.RawAsync($"HTTP/1.1 200 x\r\nETag: \"v1\"\r\nContent-Length: {content.Length}\r\n\r\n");
                await asked.Connection.WriteAsync(content.AsMemory(0, 20_000));
                throw new IOException();
            }

            var from = status == 206 ? int.Parse(asked.Header("Range")!["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture) : 0;
            await asked.AnswerAsync(status, content[from..], $"ETag: \"{mark}\"", $"Content-Range: bytes {from}-{content.Length - 1}/{content.Length}");
        }, _authority);
        using var web = Web(server);
        await using var image = (await new HttpAciSource(web, new Uri(server.Address, "app.aci")).OpenAsync(null, Ct))!;
        using var whole = new MemoryStream();
        var copy = () => image.Content.CopyToAsync(whole, Ct);
        if (goesOn)
        {
            await copy();
            whole.ToArray().Should().Equal(content);
        }
        else
        {
            (await copy.Should().ThrowAsync<MusterException>()).WithMessage("*changed while it was downloaded*");
        }
    }

    private HttpFetcher Web(ScriptedServer server)
    {
        _folder.File($"etc/certs.d/{server.Host}/ca.crt", _authority.AuthorityPem);
        return new HttpFetcher(new MusterRoot(_folder.Path), new WebOptions { FirstRetryDelay = TimeSpan.FromMilliseconds(10) }, TimeProvider.System);
    }
}
