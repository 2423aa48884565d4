using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CsCheck;
using Muster.Containers.Metadata;
using Muster.Core;

namespace Muster.Containers.Tests.Metadata;

public sealed class MetadataServiceTests : IAsyncLifetime
{
    // 127.0.0.N stand for pods' addresses; all of 127/8 is ours without any link.
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "mm" + Guid.NewGuid().ToString("n")[..8]);
    private MusterRoot _root = null!;
    private MetadataServer _server = null!;
    private Task _run = Task.CompletedTask;
    private MetadataRegistration _client = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_directory);
        _root = new MusterRoot(_directory);
        _client = new MetadataRegistration(_root, ["/bin/false"], TimeProvider.System);
        return StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _client.SweepAsync(_ => false, CancellationToken.None);
        _server.Stop();
        await _run.WaitAsync(TimeSpan.FromSeconds(5), CancellationToken.None);
        _server.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Tells_a_pod_about_itself_as_the_validator_asks()
    {
        var pod = Pod("127.0.0.21", """{"acKind":"PodManifest","apps":[{"name":"main","annotations":[{"name":"b","value":"pod"}]}]}""");
        var url = await _client.RegisterAsync(pod, Ct);
        url.Should().MatchRegex("^http://127.0.0.1:[0-9]+/[0-9a-f]{32}$");
        async Task<(int, string, string)> Get(string path) => await AskAsync(url, "GET", "/acMetadata/v1/" + path, "127.0.0.21");
        (await Get("pod/uuid")).Should().Be((200, "text/plain; charset=us-ascii", pod.Pod.ToString()));
        (await Get("pod/manifest")).Should().Be((200, "application/json", pod.Manifest.GetRawText()));
        (await Get("pod/annotations")).Should().Be((200, "application/json", "null"));
        (await Get("apps/main/image/id")).Should().Be((200, "text/plain; charset=us-ascii", "sha512-abc"));
        (await Get("apps/main/image/manifest")).Item3.Should().Be(pod.Apps[0].ImageManifest.GetRawText());
        (await Get("apps/main/annotations")).Should().Be((200, "application/json", """[{"name":"a","value":"1"},{"name":"b","value":"pod"}]"""));
        (await Get("apps/main/annotations/b")).Item3.Should().Be("pod");
        (await Get("apps/other/image/id")).Item1.Should().Be(404);
        (await Get("nothing")).Item1.Should().Be(404);
        (await Get("apps")).Item1.Should().Be(404);
        (await AskAsync(url, "DELETE", "/acMetadata/v1/pod/uuid", "127.0.0.21")).Item1.Should().Be(405);
    }

    [Fact]
    public async Task Signs_for_a_pod_and_verifies_for_another()
    {
        var (first, second) = (Pod("127.0.0.22"), Pod("127.0.0.23"));
        var a = await _client.RegisterAsync(first, Ct);
        var b = await _client.RegisterAsync(second, Ct);
        var (status, type, signature) = await AskAsync(a, "POST", "/acMetadata/v1/pod/hmac/sign", "127.0.0.22", "content=Old+MacDonald%20Had%00A+Farm");
        (status, type).Should().Be((200, "text/plain; charset=us-ascii"));
        Convert.FromBase64String(signature).Should().HaveCount(64);
        string Form(string content, Guid pod) => $"content={content}&uuid={pod}&signature={Uri.EscapeDataString(signature)}";
        async Task<int> Verify(string form) => (await AskAsync(b, "POST", "/acMetadata/v1/pod/hmac/verify", "127.0.0.23", form)).Item1;
        (await Verify(Form("Old+MacDonald+Had%00A+Farm", first.Pod))).Should().Be(200);
        (await Verify(Form("Old+MacDonald+Had%00A+Barn", first.Pod))).Should().Be(403);
        (await Verify(Form("Old+MacDonald+Had%00A+Farm", second.Pod))).Should().Be(403);
        (await Verify(Form("Old+MacDonald+Had%00A+Farm", Guid.NewGuid()))).Should().Be(403);
        (await Verify("content=x&signature=%")).Should().Be(400);
    }

    [Fact]
    public async Task Answers_nobody_but_the_pod_itself()
    {
        var url = await _client.RegisterAsync(Pod("127.0.0.24"), Ct);
        await _client.RegisterAsync(Pod("127.0.0.25"), Ct);
        (await AskAsync(url, "GET", "/acMetadata/v1/pod/uuid", "127.0.0.25")).Item1.Should().Be(401, "another pod with a stolen token");
        (await AskAsync(url[..^32] + new string('0', 32), "GET", "/acMetadata/v1/pod/uuid", "127.0.0.24")).Item1.Should().Be(401, "a wrong token");
        (await AskAsync(url, "GET", "/acMetadata/v1/pod/uuid", "127.0.0.24", flavor: "Other")).Item1.Should().Be(403, "no flavour");
        (await AskAsync(url, "GET", "/acMetadata/v1/pod/uuid", "127.0.0.99")).Item1.Should().Be(0, "who is no pod is not even listened to");
    }

    [Fact]
    public async Task Ends_with_the_last_pod_and_lives_through_a_restart()
    {
        var pod = Pod("127.0.0.26");
        var url = await _client.RegisterAsync(pod, Ct);
        _server.Stop();
        await _run;
        _server.Dispose();
        await StartAsync();
        (await AskAsync(url, "GET", "/acMetadata/v1/pod/uuid", "127.0.0.26")).Item3.Should().Be(pod.Pod.ToString(), "the address in the pod's environment is good again");
        await _client.UnregisterAsync(pod.Pod, Ct);
        await _client.UnregisterAsync(pod.Pod, Ct);
        await _run.WaitAsync(TimeSpan.FromSeconds(5), Ct);
        Directory.EnumerateFiles(Path.Combine(_root.Run, "metadata", "pods")).Should().BeEmpty();
    }

    [Fact]
    public async Task Refuses_bad_registrations_and_cuts_off_bad_requests()
    {
        var bad = async () => await _client.RegisterAsync(Pod("127.0.0.27") with { Apps = [] }, Ct);
        (await bad.Should().ThrowAsync<MusterException>()).Which.Message.Should().Contain("apps");
        var elsewhere = async () => await _client.RegisterAsync(Pod("127.0.0.27") with { ServiceAddress = "198.51.100.9" }, Ct);
        (await elsewhere.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Conflict);
        var url = await _client.RegisterAsync(Pod("127.0.0.28"), Ct);
        foreach (var (request, status) in new[]
        {
            ("nonsense\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nA: b\r\nA: c\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
            ("GET /" + new string('a', 20000), 431),
        })
        {
            (await RawAsync(url, request, "127.0.0.28")).Should().StartWith($"HTTP/1.1 {status} ");
        }
    }

    [Fact]
    public void Parses_any_bytes_without_a_fault()
    {
        Gen.Byte.Array[0, 300].Sample(bytes => Muster.Fuzz.HttpTarget.Run(bytes));
        Gen.String[Gen.Char["GET /HTP1.:\r\nContent-Lgh0%&=+a"], 0, 80].Sample(text => Muster.Fuzz.HttpTarget.Run(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void Reads_a_request_however_it_is_cut() => Gen.Select(Gen.Byte.Array[0, 50], Gen.Int[0, 200]).Sample((body, cut) =>
    {
        byte[] whole = [.. Encoding.ASCII.GetBytes($"POST /x HTTP/1.1\r\nContent-Length: {body.Length}\r\n\r\n"), .. body, .. "GET"u8];
        var (early, taken, refusal) = HttpRequest.Parse(whole.AsSpan(0, Math.Min(cut, whole.Length)));
        refusal.Should().Be(0);
        if (early is null)
        {
            taken.Should().Be(0);
            (early, taken, _) = HttpRequest.Parse(whole);
        }

        early!.Body.Should().Equal(body);
        taken.Should().Be(whole.Length - 3);
    });

    private static MetadataPod Pod(string address, string manifest = """{"acKind":"PodManifest"}""") => new()
    {
        Pod = Guid.NewGuid(),
        Addresses = [address],
        Manifest = Json(manifest),
        Apps = [new MetadataApp("main", "sha512-abc", Json("""{"acKind":"ImageManifest","annotations":[{"name":"a","value":"1"},{"name":"b","value":"image"}]}"""))],
        ServiceAddress = "127.0.0.1",
    };

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private async ValueTask StartAsync()
    {
        _server = new MetadataServer(_root, TimeProvider.System);
        _run = Task.Run(() => _server.RunAsync(CancellationToken.None));
        for (var i = 0; i < 500 && !File.Exists(Path.Combine(_root.Run, "metadata", "service.sock")); i++)
        {
            await Task.Delay(5, CancellationToken.None);
        }
    }

    private static async Task<(int, string, string)> AskAsync(string url, string method, string path, string from, string? form = null, string flavor = "AppContainer")
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, ct) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
                await socket.ConnectAsync(context.DnsEndPoint, ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(new HttpMethod(method), url + path);
        request.Headers.Add("Metadata-Flavor", flavor);
        if (form is not null)
        {
            request.Content = new StringContent(form, Encoding.ASCII, "application/x-www-form-urlencoded");
        }

        try
        {
            using var answer = await client.SendAsync(request, Ct);
            return ((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString() ?? "", await answer.Content.ReadAsStringAsync(Ct));
        }
        catch (HttpRequestException)
        {
            return (0, "", "");
        }
    }

    private static async Task<string> RawAsync(string url, string request, string from)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, new Uri(url).Port), Ct);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), Ct);
        var buffer = new byte[256];
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, Ct));
    }
}
