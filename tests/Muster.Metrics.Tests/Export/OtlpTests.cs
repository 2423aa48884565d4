using System.Net;
using System.Text.Json;
using CsCheck;
using Muster.Metrics.Door;
using Muster.Metrics.Export;

namespace Muster.Metrics.Tests.Export;

public sealed class OtlpTests
{
    private static OtlpOptions Options(bool isJson, params string[] names) => new() { Endpoint = new Uri("http://127.0.0.1:1/v1/metrics"), IsJson = isJson, Names = names };

    private static DoorState Door() => new([new SampleAgent()], TimeProvider.System, _ => { });

    [Fact]
    public void Encodes_counters_gauges_units_and_attributes_in_JSON()
    {
        var batch = OtlpBatches.Collect(Door(), Options(isJson: true, "network.interface.in.bytes", "sample.long", "kernel.all.load", "kernel.uname", "no.such")).Should().ContainSingle().Subject;
        batch.ContentType.Should().Be("application/json");
        batch.Points.Should().Be(6);
        var resource = JsonDocument.Parse(batch.Body).RootElement.GetProperty("resourceMetrics")[0];
        resource.GetProperty("resource").GetProperty("attributes").EnumerateArray().Select(a => a.GetProperty("key").GetString()).Should().Contain(["service.name", "host.name"]);
        var metrics = resource.GetProperty("scopeMetrics")[0].GetProperty("metrics");
        var bytes = metrics[0];
        bytes.GetProperty("name").GetString().Should().Be("network.interface.in.bytes");
        bytes.GetProperty("unit").GetString().Should().Be("By");
        bytes.GetProperty("sum").GetProperty("isMonotonic").GetBoolean().Should().BeTrue();
        bytes.GetProperty("sum").GetProperty("aggregationTemporality").GetInt32().Should().Be(2);
        bytes.GetProperty("sum").GetProperty("dataPoints")[0].GetProperty("asInt").GetString().Should().Be("5000000000");
        bytes.GetProperty("sum").GetProperty("dataPoints")[0].GetProperty("attributes")[0].GetRawText().Should().Be("""{"key":"instname","value":{"stringValue":"lo"}}""");
        metrics[1].GetProperty("gauge").GetProperty("dataPoints")[0].GetProperty("asDouble").GetDouble().Should().Be(-9_000_000_000d * 1024);
        metrics[2].GetProperty("gauge").GetProperty("dataPoints").GetArrayLength().Should().Be(3);
    }

    [Fact]
    public void Encodes_the_same_in_protobuf()
    {
        var body = OtlpBatches.Collect(Door(), Options(isJson: false, "sample.signed")).Single().Body;
        var metric = Field(Field(Field(body, 1), 2), 2);
        Text(Field(metric, 1)).Should().Be("sample.signed");
        Text(Field(metric, 3)).Should().Be("{count}");
        var point = Field(Field(metric, 5), 1);
        Fields(point).Single(f => f.Number == 6).Value.Should().BeEquivalentTo(BitConverter.GetBytes(-42L));
        Fields(Field(body, 1)).Select(f => f.Number).Should().Equal(1, 2);
    }

    [Fact]
    public void Writes_protobuf_whose_lengths_always_fit() => Gen.Select(Gen.String[0, 300], Gen.String[0, 300].Array[0, 5], Gen.Long, Gen.Int[0, 20]).Sample((name, labels, value, points) =>
    {
        using var message = OtlpMessage.Begin(false, [new("a", name)]);
        message.BeginMetric("m" + name, name, "By", isCounter: true);
        for (var i = 0; i < points; i++)
        {
            message.AddPoint(1, value, [.. labels.Select((l, n) => new KeyValuePair<string, string>("l" + n, l))]);
        }

        message.EndMetric();
        var metric = Field(Field(Field(message.End(), 1), 2), 2);
        Fields(Field(metric, 7)).Count(f => f.Number == 1).Should().Be(points);
    }, iter: 300);

    [Fact]
    public void Cuts_a_push_into_requests_of_bounded_size()
    {
        var batches = OtlpBatches.Collect(Door(), Options(isJson: false, "kernel.all.load", "network.interface.in.bytes", "sample.signed") with { MaxPoints = 3 });
        batches.Select(b => b.Points).Should().Equal(3, 3);
    }

    [Fact]
    public async Task Sends_again_what_a_collector_could_not_take_and_drops_what_it_refuses()
    {
        var ct = TestContext.Current.CancellationToken;
        using var listener = new HttpListener();
        var prefix = Prefix(listener);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var pushing = OtlpPush.RunAsync(Door(), Options(isJson: true, "sample.signed") with { Endpoint = new Uri(prefix + "v1/metrics"), Interval = TimeSpan.FromMilliseconds(50), Headers = [new("X-Token", "t")] }, end.Token);
        var first = await Take(listener, 503);
        var again = await Take(listener, 200);
        again.Should().Be(first, "the same request comes again");
        var next = await Take(listener, 400);
        next.Should().NotBe(first);
        (await Take(listener, 200)).Should().NotBe(next, "a refusal for good is not repeated");
        await end.CancelAsync();
        await FluentActions.Awaiting(() => pushing).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task Drops_the_oldest_when_the_queue_is_full()
    {
        using var queue = new OtlpQueue(25);
        queue.Add(new OtlpBatch(new byte[10], "", 1)).Should().Be(0);
        queue.Add(new OtlpBatch(new byte[10], "", 2)).Should().Be(0);
        queue.Add(new OtlpBatch(new byte[10], "", 4)).Should().Be(1);
        queue.Add(new OtlpBatch(new byte[30], "", 8)).Should().Be(8, "it can never fit");
        (await queue.TakeAsync(TestContext.Current.CancellationToken)).Points.Should().Be(2);
        (await queue.TakeAsync(TestContext.Current.CancellationToken)).Points.Should().Be(4);
    }

    private static string Prefix(HttpListener listener)
    {
        while (true)
        {
            using var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            free.Start();
            var prefix = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
            free.Stop();
            listener.Prefixes.Clear();
            listener.Prefixes.Add(prefix);
            try
            {
                listener.Start();
                return prefix;
            }
            catch (HttpListenerException)
            {
                // Another took the port meanwhile.
            }
        }
    }

    private static async Task<string> Take(HttpListener listener, int status)
    {
        var context = await listener.GetContextAsync();
        context.Request.Headers["X-Token"].Should().Be("t");
        using var reader = new StreamReader(context.Request.InputStream);
        var body = await reader.ReadToEndAsync();
        context.Response.StatusCode = status;
        if (status == 503)
        {
            context.Response.Headers["Retry-After"] = "0";
        }

        context.Response.Close();
        return body;
    }

    private static string Text(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);

    private static byte[] Field(byte[] message, int number) => Fields(message).First(f => f.Number == number).Value;

    // A reader of protobuf's wire form, independent of the writer.
    private static IEnumerable<(int Number, byte[] Value)> Fields(byte[] message)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message, ref at);
            var value = (tag & 7) switch
            {
                0 => BitConverter.GetBytes(Varint(message, ref at)),
                1 => Take(message, ref at, 8),
                2 => Take(message, ref at, (int)Varint(message, ref at)),
                var other => throw new InvalidOperationException($"wire type {other}"),
            };
            yield return ((int)(tag >> 3), value);
        }
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        var number = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var digit = message[at++];
            number |= (ulong)(digit & 0x7f) << shift;
            if (digit < 0x80)
            {
                return number;
            }
        }
    }

    private static byte[] Take(byte[] message, ref int at, int count)
    {
        at += count;
        return message.AsSpan(at - count, count).ToArray();
    }
}
