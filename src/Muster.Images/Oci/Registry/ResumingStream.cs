using Muster.Core;
using Muster.Images.Http;

namespace Muster.Images.Oci.Registry;

/// <summary>
/// Content of a known size that takes a broken download up again where it ended (Range), within limits. It gives never more
/// than the size: a server that sends on is refused before anything more is unpacked.
/// </summary>
internal sealed class ResumingStream : ConnectionStream
{
    private readonly Func<long, CancellationToken, Task<Stream>> _open;
    private readonly long _end;
    private readonly string _location;
    private long _at;
    private long _opened;
    private int _fruitless;
    private Stream? _body;

    /// <summary>A stream over <paramref name="body"/>, which begins at <paramref name="offset"/>; <paramref name="open"/> opens it again at another.</summary>
    public ResumingStream(Stream body, long offset, long size, string location, Func<long, CancellationToken, Task<Stream>> open)
    {
        _body = body;
        _at = _opened = offset;
        _end = size;
        _location = location;
        _open = open;
    }

    /// <summary>Whether it was taken up again: what fits no digest then may be put together of two versions, and is worth a second try.</summary>
    public bool WasResumed { get; private set; }

    /// <summary>What a second try may mend when content was <see cref="WasResumed"/>: anything that is wrong with the bytes.</summary>
    public static bool IsWrongContent(MusterException failure) => failure.Kind is ErrorKind.Corrupt or ErrorKind.Invalid or ErrorKind.Exhausted;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            MusterException? failure = null;
            try
            {
                _body ??= await ReopenAsync(cancellationToken);
                var read = await _body.ReadAsync(buffer, cancellationToken);
                if (read > 0)
                {
                    return Count(read);
                }

                if (_at == _end)
                {
                    return 0;
                }
            }
            catch (MusterException e) when (e.Kind is ErrorKind.Upstream or ErrorKind.Timeout)
            {
                failure = e;
            }

            await ForgetAsync();
            if (_at == _end)
            {
                // The connection ended badly, but behind the last byte.
                return 0;
            }

            // What only trickles, or breaks off again and again after a few bytes, would never come to its end.
            _fruitless = _at - _opened < (failure?.Kind == ErrorKind.Timeout ? WebLimits.LeastInWindow : WebLimits.LeastRate) ? _fruitless + 1 : 0;
            if (_fruitless > WebLimits.MaxResumes)
            {
                throw failure ?? new MusterException(ErrorKind.Upstream, $"{_location} ended {WebLimits.MaxResumes} times after {_at} of {_end} bytes: try again later");
            }
        }

        return 0;
    }

    /// <summary>Reads past what is known already, of a server that sends all of it again.</summary>
    internal static async Task SkipAsync(Stream body, long count, CancellationToken ct)
    {
        var buffer = new byte[65536];
        try
        {
            while (count > 0)
            {
                var read = await body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), ct);
                count = read > 0 ? count - read : throw new MusterException(ErrorKind.Upstream, "A download broke off before the place where it was to be taken up again: try again later");
            }
        }
        catch
        {
            await body.DisposeAsync();
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _body?.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task<Stream> ReopenAsync(CancellationToken ct)
    {
        WasResumed = true;
        _opened = _at;
        return await _open(_at, ct);
    }

    private int Count(int read)
    {
        _at += read;
        return _at <= _end
            ? read
            : throw new MusterException(ErrorKind.Corrupt, $"{_location} sends more than the {_end} bytes that were announced: it is damaged or was altered");
    }

    private async Task ForgetAsync()
    {
        if (_body is not null)
        {
            await _body.DisposeAsync();
            _body = null;
        }
    }
}
