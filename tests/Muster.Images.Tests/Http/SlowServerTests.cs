using System.Globalization;
using System.Net;
using Muster.Core;
using Muster.Images.Http;
using Muster.Images.Oci.Registry;
using Muster.Images.Tests.Registry;
using Muster.Images.Tests.Trust;

namespace Muster.Images.Tests.Http;

/// <summary>Servers that keep a download going without ever bringing it to its end.</summary>
public sealed class SlowServerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_server_that_breaks_off_after_a_few_bytes_again_and_again_is_given_up()
    {
        var content = new byte[50_000];
        await using var server = new ScriptedServer(async asked =>
        {
            if (asked.Path == "/v2/")
            {
                await asked.AnswerAsync(200, "{}");
                return;
            }

            var from = asked.Header("Range") is { } range ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : 0;
            await asked.RawAsync($"HTTP/1.1 {(from > 0 ? 206 : 200)} x\r\nContent-Length: {content.Length - from}\r\nContent-Range: bytes {from}-{content.Length - 1}/{content.Length}\r\n\r\n");
            await asked.Connection.WriteAsync(content.AsMemory(from, 100));
            throw new IOException();
        });
        using var session = new RegistrySession(new MusterRoot(_folder.Path), new WebOptions { FirstRetryDelay = TimeSpan.FromMilliseconds(10), AllowHttp = true }, TimeProvider.System, _folder.Path + "/auth.json");
        await using var stream = await new RegistrySource(session, RegistryReference.Parse(server.Host + "/app:1")).OpenBlobAsync(RegistryTests.Descriptor("application/octet-stream", content), 0, Ct);
        var read = () => stream.CopyToAsync(Stream.Null, Ct);
        (await read.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Upstream);
        server.Requests.Count(r => r.Path.Contains("/blobs/")).Should().Be(WebLimits.MaxResumes + 1);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(5_000, false)]
    [InlineData(20_000, true)]
    public async Task A_server_that_trickles_is_given_up_and_a_slow_one_is_not(int bytesEachTenSeconds, bool comes)
    {
        var time = new MovedTime();
        var read = () => ReadAsync(new Trickle(time, bytesEachTenSeconds, pieces: 20), time, () => { });
        if (comes)
        {
            (await read()).Should().Be(20 * bytesEachTenSeconds);
        }
        else
        {
            var failure = (await read.Should().ThrowAsync<MusterException>()).Which;
            failure.Kind.Should().Be(ErrorKind.Timeout);
            failure.Message.Should().Contain("slow.test/blob").And.Contain("fewer than").And.NotContain("\n");
        }
    }

    [Fact]
    public async Task Who_unpacks_slowly_does_not_blame_the_server()
    {
        var time = new MovedTime();
        (await ReadAsync(new Trickle(time, 1, pieces: 20, TimeSpan.FromMilliseconds(1)), time, () => time.Pass(TimeSpan.FromMinutes(1)))).Should().Be(20);
    }

    [Fact]
    public async Task A_trickle_is_taken_up_again_and_given_up_when_it_goes_on()
    {
        var time = new MovedTime();
        var opened = new List<long>();
        Stream Open() => new Trickle(time, 30, pieces: 1000);
        using var web = new HttpFetcher(new MusterRoot(_folder.Path), new WebOptions(), time);
        await using var stream = new ResumingStream(await web.OpenAsync(Answer(Open()), Ct), 0, 1_000_000, "the blob", async (at, token) =>
        {
            opened.Add(at);
            return await web.OpenAsync(Answer(Open()), token);
        });
        var copy = () => stream.CopyToAsync(Stream.Null, Ct);
        (await copy.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Timeout);
        opened.Should().HaveCount(WebLimits.MaxResumes).And.BeInAscendingOrder().And.OnlyHaveUniqueItems();
    }

    private static HttpResponseMessage Answer(Stream body) =>
        new(HttpStatusCode.OK) { Content = new StreamContent(body), RequestMessage = new HttpRequestMessage(HttpMethod.Get, "https://slow.test/blob") };

    private async Task<long> ReadAsync(Stream body, TimeProvider time, Action afterEach)
    {
        using var web = new HttpFetcher(new MusterRoot(_folder.Path), new WebOptions(), time);
        await using var stream = await web.OpenAsync(Answer(body), Ct);
        var buffer = new byte[100_000];
        long all = 0;
        for (int read; (read = await stream.ReadAsync(buffer, Ct)) > 0; all += read)
        {
            afterEach();
        }

        return all;
    }

    /// <summary>A clock that goes only when it is moved.</summary>
    private sealed class MovedTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _ticks);

        public void Pass(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
    }

    /// <summary>A body of which a piece comes each ten seconds.</summary>
    private sealed class Trickle(MovedTime time, int bytes, int pieces, TimeSpan? each = null) : ConnectionStream
    {
        private int _left = pieces;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            time.Pass(each ?? TimeSpan.FromSeconds(10));
            return _left-- > 0 ? bytes : 0;
        }
    }
}
