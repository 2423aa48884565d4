using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>What one pass over an archive found.</summary>
/// <param name="Stored">sha256 of the bytes as they came.</param>
/// <param name="StoredSize">Their number.</param>
/// <param name="Content">The hash of the uncompressed bytes by the algorithm asked for.</param>
/// <param name="ContentSize">Their number.</param>
/// <param name="Compression">What they were compressed with.</param>
public sealed record PassResult(Digest Stored, long StoredSize, Digest Content, long ContentSize, CompressionKind Compression);

/// <summary>
/// One pass over an archive: read and hash the stored bytes (and keep them), decompress, hash the content, unpack. Each step
/// has its own thread and they pass bounded buffers, so that the pass takes as long as its slowest step.
/// </summary>
public sealed class ArchivePass : IDisposable
{
    private const int ChunkSize = 256 * 1024;

    private readonly Stream _source;
    private readonly TarLimits _limits;
    private readonly ChunkPipe _stored = new();
    private readonly ChunkPipe _toHash = new();
    private readonly ChunkPipe _toUnpack = new();
    private long _storedSize;
    private long _contentSize;
    private Digest _storedDigest;
    private CompressionKind _kind;

    private ArchivePass(Stream source, TarLimits limits)
    {
        _source = source;
        _limits = limits;
    }

    /// <summary>The most stored bytes that are read; a source that sends more is refused.</summary>
    private long MaxStored { get; init; }

    private int Keep { get; init; }

    private Action<ReadOnlyMemory<byte>>? Tap { get; init; }

    private string Algorithm { get; init; } = "sha256";

    /// <summary>Runs a pass.</summary>
    /// <param name="source">The archive as stored; read to its end.</param>
    /// <param name="keep">A descriptor that the stored bytes are written to, or -1.</param>
    /// <param name="maxStored">The most bytes that the source may have.</param>
    /// <param name="algorithm">The hash of the content: <c>sha256</c> or <c>sha512</c>.</param>
    /// <param name="tap">Sees the stored bytes in order, on one thread: a signature check.</param>
    /// <param name="unpack">Reads the content; what it leaves unread is still hashed.</param>
    /// <param name="limits">The limits on size and ratio.</param>
    /// <param name="ct">Stops the pass.</param>
    public static PassResult Run(Stream source, int keep, long maxStored, string algorithm, Action<ReadOnlyMemory<byte>>? tap, Action<Stream> unpack, TarLimits limits, CancellationToken ct) =>
        Use(new ArchivePass(source, limits) { Keep = keep, MaxStored = maxStored, Algorithm = algorithm, Tap = tap }, unpack, ct);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stored.Dispose();
        _toHash.Dispose();
        _toUnpack.Dispose();
    }

    private static PassResult Use(ArchivePass pass, Action<Stream> unpack, CancellationToken ct)
    {
        using (pass)
        {
            return pass.Run(unpack, ct);
        }
    }

    private PassResult Run(Action<Stream> unpack, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(Algorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
        var failures = new Exception?[4];

        // A read that waits for a peer ends only when its stream is closed.
        using var cancelled = ct.Register(_source.Dispose);
        var threads = new[]
        {
            Start("image-read", () => failures[0] = Guard(() => ReadStored(ct), [_stored])),
            Start("image-inflate", () => failures[1] = Guard(Decompress, [_toHash, _toUnpack], _stored)),
            Start("image-hash", () => failures[2] = Guard(() => HashContent(hash), [], _toHash)),
        };
        failures[3] = Guard(() => Unpack(unpack), [], _toUnpack);
        foreach (var thread in threads)
        {
            thread.Join();
        }

        ct.ThrowIfCancellationRequested();
        Rethrow(failures);
        return new PassResult(_storedDigest, _storedSize, Digest.FromHash(Algorithm, hash.GetHashAndReset()), _contentSize, _kind);
    }

    private static Thread Start(string name, Action run)
    {
        var thread = new Thread(() => run()) { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }

    // The first cause matters: the other steps fail only because it did.
    private static void Rethrow(Exception?[] failures)
    {
        Exception? cause = null;
        foreach (var failure in failures)
        {
            var root = failure;
            while (root is PipeFailure { InnerException: { } inner })
            {
                root = inner;
            }

            if (root is not null && (cause is null or PipeClosed))
            {
                cause = root;
            }
        }

        if (cause is InvalidDataException)
        {
            throw new MusterException(ErrorKind.Corrupt, "The archive's compressed data is damaged or cut off: fetch or make it again", cause);
        }

        if (cause is not null)
        {
            ExceptionDispatchInfo.Throw(cause);
        }
    }

#pragma warning disable CA1031 // The boundary of a thread: every failure travels to the caller through the pipes.
    private static Exception? Guard(Action step, ChunkPipe[] outputs, ChunkPipe? input = null)
    {
        Exception? failure = null;
        try
        {
            step();
        }
        catch (Exception e)
        {
            failure = e;
        }

        foreach (var pipe in outputs)
        {
            pipe.Complete(failure);
        }

        if (failure is not null)
        {
            input?.Abandon();
        }

        return failure;
    }
#pragma warning restore CA1031

    private void ReadStored(CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var chunk = new Chunk(ChunkSize, 1);
            chunk.Length = _source.ReadAtLeast(chunk.Buffer.AsSpan(0, ChunkSize), ChunkSize, throwOnEndOfStream: false);
            if (chunk.Length == 0)
            {
                chunk.Release();
                break;
            }

            _storedSize += chunk.Length;
            if (_storedSize > MaxStored)
            {
                chunk.Release();
                throw new MusterException(ErrorKind.Corrupt, $"The source sends more than the {MaxStored} bytes that were announced or are taken; nothing was kept");
            }

            hash.AppendData(chunk.Buffer, 0, chunk.Length);
            Tap?.Invoke(chunk.Buffer.AsMemory(0, chunk.Length));
            if (Keep >= 0)
            {
                LinuxException.Check(FileCalls.WriteAll(Keep, chunk.Buffer.AsSpan(0, chunk.Length)), "write");
            }

            if (!_stored.Write(chunk))
            {
                throw new PipeClosed();
            }
        }

        _storedDigest = Digest.FromHash("sha256", hash.GetHashAndReset());
    }

    private void Decompress()
    {
        var start = new byte[Decompression.MagicLength];
        using var stored = new ChunkPipeStream(_stored);
        var n = stored.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        _kind = Decompression.Recognise(start.AsSpan(0, n));
        using var content = Decompression.Open(new PrefixedStream(start.AsMemory(0, n), stored), _kind);
        while (true)
        {
            var chunk = new Chunk(ChunkSize, 2);
            chunk.Length = content.ReadAtLeast(chunk.Buffer.AsSpan(0, ChunkSize), ChunkSize, throwOnEndOfStream: false);
            if (chunk.Length == 0)
            {
                chunk.Release();
                chunk.Release();
                break;
            }

            _contentSize += chunk.Length;
            var hashed = _toHash.Write(chunk);
            if (!_toUnpack.Write(chunk) || !hashed)
            {
                throw new PipeClosed();
            }

            CheckRatio();
        }

        // Bytes behind the compressed data belong to the stored digest: read them, so that the reader reaches its end.
        while (stored.Read(start) > 0)
        {
        }
    }

    private void CheckRatio()
    {
        if (_contentSize > _limits.MaxTotalBytes + (1L << 30))
        {
            throw new MusterException(ErrorKind.Exhausted, $"The archive is larger than {Quantity.FormatBytes(_limits.MaxTotalBytes)} uncompressed");
        }

        if (_contentSize > _limits.RatioGraceBytes && _contentSize / _limits.MaxRatio > Interlocked.Read(ref _storedSize))
        {
            throw Bomb(_limits.MaxRatio);
        }
    }

    /// <summary>The refusal of what unpacks to far more than it is.</summary>
    internal static MusterException Bomb(int ratio) =>
        new(ErrorKind.Exhausted, $"The archive unpacks to more than {ratio} times its size, as a decompression bomb does; nothing was kept");

    private void HashContent(IncrementalHash hash)
    {
        while (_toHash.Read() is { } chunk)
        {
            hash.AppendData(chunk.Buffer, 0, chunk.Length);
            chunk.Release();
        }
    }

    private void Unpack(Action<Stream> unpack)
    {
        using var content = new ChunkPipeStream(_toUnpack);
        unpack(content);
        Span<byte> rest = stackalloc byte[4096];
        while (content.Read(rest) > 0)
        {
        }
    }

    /// <summary>The next step has gone; its own failure is the one to report.</summary>
    private sealed class PipeClosed : IOException;
}
