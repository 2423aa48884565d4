namespace Muster.Linux;

/// <summary>
/// Writes to an inherited descriptor: nothing is buffered, sought or closed, so that whoever shares the open file, a
/// program put in our place by execve included, goes on where we stopped.
/// </summary>
/// <param name="descriptor">Where to.</param>
/// <param name="isNeeded">
/// True where a reader that has gone is to be told by a <see cref="ReaderGoneException"/>, so that <c>watch | head</c> ends, and a full
/// disk by a <see cref="LinuxException"/>; false where the work goes on without either: what cannot be written there is lost.
/// </param>
public sealed class DescriptorStream(int descriptor, bool isNeeded) : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var written = WriteOnce(buffer);
            if (written < 0)
            {
                if (isNeeded)
                {
                    throw new ReaderGoneException();
                }

                return;
            }

            if (written == 0)
            {
                // Somebody who shares the open file made it non-blocking.
                Span<PollFd> waiting = [new() { Descriptor = descriptor, Events = PollFd.Out }];
                _ = Descriptors.Poll(waiting, -1);
            }

            buffer = buffer[written..];
        }
    }

    private int WriteOnce(ReadOnlySpan<byte> buffer)
    {
        try
        {
            return Descriptors.Write(descriptor, buffer);
        }
        catch (LinuxException) when (!isNeeded)
        {
            // A full disk behind standard error: nobody is left to be told of it.
            return -1;
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
