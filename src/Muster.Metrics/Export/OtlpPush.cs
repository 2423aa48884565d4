using System.Net;
using System.Net.Http.Headers;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;

namespace Muster.Metrics.Export;

/// <summary>
/// Pushes metrics to a collector (OTLP/HTTP). Sampling goes on while a collector is away: what was sampled waits in a bounded
/// queue, is sent again ever more slowly, and the oldest goes first when the queue is full.
/// </summary>
public static class OtlpPush
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    // A collector that takes longer for a megabyte is away.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Samples and sends until it is cancelled.</summary>
    public static async Task RunAsync(DoorState door, OtlpOptions options, CancellationToken ct)
    {
        using var queue = new OtlpQueue(options.MaxQueued);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task[] loops = [SampleAsync(door, options, queue, end.Token), SendAllAsync(door, options, queue, end.Token)];
        await Task.WhenAny(loops);
        await end.CancelAsync();
        await Task.WhenAll(loops);
    }

    private static async Task SampleAsync(DoorState door, OtlpOptions options, OtlpQueue queue, CancellationToken ct)
    {
        // Derived metrics remember the push before.
        var view = MetricView.Host with { Client = new ClientMemory() };
        using var timer = new PeriodicTimer(options.Interval, door.Time);
        do
        {
            foreach (var batch in OtlpBatches.Collect(door, options, view))
            {
                if (queue.Add(batch) is var lost && lost > 0)
                {
                    door.Log($"{lost} data points for {options.Endpoint.Host} were dropped: the collector does not answer and the queue is full");
                }
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    private static async Task SendAllAsync(DoorState door, OtlpOptions options, OtlpQueue queue, CancellationToken ct)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2) };
        using var client = new HttpClient(handler) { Timeout = Patience };
        var pause = FirstPause;
        while (true)
        {
            var batch = await queue.TakeAsync(ct);
            for (var delivered = false; !delivered;)
            {
                (delivered, var wish) = await SendAsync(door, client, options, batch, ct);
                if (delivered)
                {
                    pause = FirstPause;
                    continue;
                }

                await Task.Delay(wish ?? pause, door.Time, ct);
                pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
            }
        }
    }

    /// <summary>Sends one request. True when it is done with: taken, or refused for good; else how long the collector wants to be left alone.</summary>
    private static async Task<(bool Done, TimeSpan? Wish)> SendAsync(DoorState door, HttpClient client, OtlpOptions options, OtlpBatch batch, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, options.Endpoint) { Content = new ByteArrayContent(batch.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(batch.ContentType);
        foreach (var (name, value) in options.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            if (response.IsSuccessStatusCode)
            {
                return (true, null);
            }

            // The statuses that the specification calls retryable; anything else would be refused again.
            if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout)
            {
                var wish = response.Headers.RetryAfter?.Delta;
                return (false, wish > LongestPause ? LongestPause : wish);
            }

            door.Log($"The collector {options.Endpoint.Host} refused {batch.Points} data points with status {(int)response.StatusCode}: they are dropped");
            return (true, null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            door.Log($"The collector {options.Endpoint.Host} does not answer: {e.Message}");
            return (false, null);
        }
    }
}

/// <summary>Requests that wait, bounded by their bytes; the oldest is dropped for the newest.</summary>
internal sealed class OtlpQueue(long maxBytes) : IDisposable
{
    private readonly LinkedList<OtlpBatch> _waiting = new();
    private readonly SemaphoreSlim _count = new(0);
    private long _bytes;

    /// <summary>Adds a request; returns how many data points were dropped for it.</summary>
    public int Add(OtlpBatch batch)
    {
        var lost = 0;
        lock (_waiting)
        {
            if (batch.Body.Length > maxBytes)
            {
                return batch.Points;
            }

            // What is dropped leaves its count in the semaphore: taking finds the list shorter and waits again.
            while (_bytes + batch.Body.Length > maxBytes && _waiting.First is { } oldest)
            {
                _bytes -= oldest.Value.Body.Length;
                lost += oldest.Value.Points;
                _waiting.RemoveFirst();
            }

            _waiting.AddLast(batch);
            _bytes += batch.Body.Length;
        }

        _count.Release();
        return lost;
    }

    /// <inheritdoc/>
    public void Dispose() => _count.Dispose();

    public async Task<OtlpBatch> TakeAsync(CancellationToken ct)
    {
        while (true)
        {
            await _count.WaitAsync(ct);
            lock (_waiting)
            {
                if (_waiting.First is { } oldest)
                {
                    _waiting.RemoveFirst();
                    _bytes -= oldest.Value.Body.Length;
                    return oldest.Value;
                }
            }
        }
    }
}
