using System.Net;

namespace Muster.Images.Http;

/// <summary>A request body of known length read from a stream, that tells of its progress so that a stall is noticed.</summary>
internal sealed class UploadContent : HttpContent
{
    private const int BufferBytes = 128 << 10;

    private readonly Stream _source;
    private readonly long _length;
    private readonly long? _start;

    /// <summary>Sends <paramref name="length"/> bytes of <paramref name="source"/>, which stays the caller's.</summary>
    /// <param name="start">Where in the source they begin: sent once more after a new login, they are the same.</param>
    public UploadContent(Stream source, long start, long length)
    {
        _source = source;
        _start = source.CanSeek ? start : null;
        _length = length;
        Headers.ContentType = new("application/octet-stream");
        Headers.ContentLength = length;
    }

    /// <summary>Called after every part, with true after the last.</summary>
    public Action<bool>? Progress { get; set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        var left = _length;
        if (_start is { } start)
        {
            _source.Position = start;
        }

        while (left > 0)
        {
            var read = await _source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken);
            if (read == 0)
            {
                throw new EndOfStreamException("The content to upload ends before its size");
            }

            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            left -= read;
            Progress?.Invoke(false);
        }

        Progress?.Invoke(true);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }
}
