using Muster.Core;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Images.Http;

/// <summary>
/// A response's body that gives up when the server sends nothing for too long, or keeps the reader waiting for less than the
/// least rate; disposes the response with it.
/// </summary>
internal sealed class StallingStream : ConnectionStream
{
    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly TimeSpan _stall;
    private readonly TimeProvider _time;
    private TimeSpan _waited;
    private long _came;

    public StallingStream(HttpResponseMessage response, Stream body, TimeSpan stall, TimeProvider time)
    {
        _response = response;
        _body = body;
        _stall = stall;
        _time = time;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var reading = _body.ReadAsync(buffer, cancellationToken);
        if (reading.IsCompletedSuccessfully)
        {
            var ready = reading.Result;
            _came += ready;
            return ready;
        }

        var task = reading.AsTask();
        var address = HttpFetcher.Shown(_response.RequestMessage!.RequestUri!);
        var began = _time.GetTimestamp();
        try
        {
            return Judge(await task.WaitAsync(_stall, _time, cancellationToken), began, address);
        }
        catch (TimeoutException e)
        {
            // Ends the read that is still under way; its failure is of no more interest.
            _ = task.ContinueWith(t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            _response.Dispose();
            throw new MusterException(ErrorKind.Timeout, $"{address} sent nothing for {_stall.TotalSeconds:0.#} s: check the network, or try again later", e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new MusterException(ErrorKind.Upstream, $"{address} broke off in the middle ({e.Message}): try again later", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _body.Dispose();
            _response.Dispose();
        }

        base.Dispose(disposing);
    }

    // Only waiting for the server counts: who unpacks slowly leaves it waiting.
    private int Judge(int read, long began, string address)
    {
        _came += read;
        _waited += _time.GetElapsedTime(began);
        if (read == 0 || _waited < WebLimits.RateWindow)
        {
            return read;
        }

        if (_came < WebLimits.LeastInWindow)
        {
            _response.Dispose();
            throw new MusterException(ErrorKind.Timeout, $"{address} sent {Quantity.Counted(_came, "byte")} in {_waited.TotalSeconds:0} s, fewer than {WebLimits.LeastRate} a second: check the network, or try again later");
        }

        (_came, _waited) = (0, TimeSpan.Zero);
        return read;
    }
}

/// <summary>What the streams of connections have in common: they are read asynchronously.</summary>
internal abstract class ConnectionStream : ReadOnlyStream
{
    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // A decompressor that reads synchronously waits on its own thread, where nothing else runs.
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override int Read(Span<byte> buffer)
    {
        var rented = new byte[buffer.Length];
        var read = Read(rented, 0, rented.Length);
        rented.AsSpan(0, read).CopyTo(buffer);
        return read;
    }
}
