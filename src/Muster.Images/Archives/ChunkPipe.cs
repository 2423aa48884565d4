using System.Buffers;
using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>A buffer that several readers share; it goes back to the pool after the last of them.</summary>
internal sealed class Chunk
{
    private int _readers;

    public Chunk(int size, int readers)
    {
        Buffer = ArrayPool<byte>.Shared.Rent(size);
        _readers = readers;
    }

    public byte[] Buffer { get; }

    public int Length { get; set; }

    public void Release()
    {
        if (Interlocked.Decrement(ref _readers) == 0)
        {
            ArrayPool<byte>.Shared.Return(Buffer);
        }
    }
}

/// <summary>
/// A bounded queue of chunks between two threads. A writer that fails passes its exception to the reader; a reader that
/// leaves makes the writer stop, so that no thread of a pipeline waits for one that has gone.
/// </summary>
internal sealed class ChunkPipe : IDisposable
{
    /// <summary>Chunks on their way: enough to ride out a slow write, 2 MiB at 256 KiB each.</summary>
    private const int Depth = 8;

    private readonly Queue<Chunk> _chunks = new(Depth);
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _free = new(Depth);
    private readonly SemaphoreSlim _filled = new(0);
    private Exception? _failure;
    private bool _completed;
    private bool _abandoned;

    /// <summary>Hands a chunk over; false when the reader has gone (the chunk is released then).</summary>
    public bool Write(Chunk chunk)
    {
        _free.Wait();
        lock (_gate)
        {
            if (!_abandoned)
            {
                _chunks.Enqueue(chunk);
                _filled.Release();
                return true;
            }
        }

        _free.Release();
        chunk.Release();
        return false;
    }

    /// <summary>Marks the end, or a failure that the reader gets after the chunks before it.</summary>
    public void Complete(Exception? failure = null)
    {
        lock (_gate)
        {
            if (!_completed)
            {
                _completed = true;
                _failure = failure;
                _filled.Release();
            }
        }
    }

    /// <summary>The next chunk, or null at the end.</summary>
    public Chunk? Read()
    {
        _filled.Wait();
        lock (_gate)
        {
            if (_chunks.TryDequeue(out var chunk))
            {
                _free.Release();
                return chunk;
            }

            // The end is seen by every later call as well.
            _filled.Release();
            return _failure is null ? null : throw new PipeFailure(_failure);
        }
    }

    /// <summary>The reader leaves: what waits is released and the writer's next write says so.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _abandoned = true;
            while (_chunks.TryDequeue(out var chunk))
            {
                chunk.Release();
                _free.Release();
            }

            _free.Release();
        }
    }

    public void Dispose()
    {
        _free.Dispose();
        _filled.Dispose();
    }
}

/// <summary>The reading end of a pipe as a stream.</summary>
internal sealed class ChunkPipeStream(ChunkPipe pipe) : ReadOnlyStream
{
    private Chunk? _current;
    private int _at;
    private bool _ended;

    public override int Read(Span<byte> buffer)
    {
        while (_current is null || _at == _current.Length)
        {
            _current?.Release();
            _current = null;
            if (_ended || (_current = pipe.Read()) is null)
            {
                _ended = true;
                return 0;
            }

            _at = 0;
        }

        var n = Math.Min(buffer.Length, _current.Length - _at);
        _current.Buffer.AsSpan(_at, n).CopyTo(buffer);
        _at += n;
        return n;
    }

    protected override void Dispose(bool disposing)
    {
        _current?.Release();
        _current = null;
        base.Dispose(disposing);
    }
}

/// <summary>A failure of an earlier step, handed on through a pipe.</summary>
internal sealed class PipeFailure(Exception cause) : IOException(cause.Message, cause);

/// <summary>The writing end of a pipe as a stream.</summary>
internal sealed class ChunkPipeWriter(ChunkPipe pipe) : WriteOnlyStream
{
    private const int ChunkSize = 256 * 1024;

    private Chunk? _current;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            _current ??= new Chunk(ChunkSize, 1);
            var n = Math.Min(buffer.Length, ChunkSize - _current.Length);
            buffer[..n].CopyTo(_current.Buffer.AsSpan(_current.Length));
            _current.Length += n;
            buffer = buffer[n..];
            if (_current.Length == ChunkSize)
            {
                Flush();
            }
        }
    }

    public override void Flush()
    {
        var chunk = _current;
        _current = null;
        if (chunk is not null && !pipe.Write(chunk))
        {
            throw new ReaderGone();
        }
    }

    protected override void Dispose(bool disposing)
    {
        _current?.Release();
        _current = null;
        base.Dispose(disposing);
    }

    /// <summary>The reader has left; its own failure says why.</summary>
    internal sealed class ReaderGone : IOException;
}
