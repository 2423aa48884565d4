using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>The compressions that archives come in.</summary>
public enum CompressionKind
{
    None,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// <summary>Chooses a decompressor by the first bytes, never by a name (appc spec/aci.md; RFC 1952, RFC 8878, the xz file format).</summary>
public static class Decompression
{
    /// <summary>Bytes that <see cref="Recognise"/> wants to see.</summary>
    public const int MagicLength = 6;

    /// <summary>What the first bytes of a file say.</summary>
    public static CompressionKind Recognise(ReadOnlySpan<byte> start) => start switch
    {
        [0x1f, 0x8b, ..] => CompressionKind.Gzip,
        [0x42, 0x5a, 0x68, ..] => CompressionKind.Bzip2,
        [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, ..] => CompressionKind.Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => CompressionKind.Zstd,

        // Skippable frames may come first in a zstd file (zstd:chunked puts its table in one).
        [>= 0x50 and <= 0x5f, 0x2a, 0x4d, 0x18, ..] => CompressionKind.Zstd,
        _ => CompressionKind.None,
    };

    /// <summary>A stream of the uncompressed bytes. Its reads throw IOException or InvalidDataException for damaged or cut-off input.</summary>
    public static Stream Open(Stream compressed, CompressionKind kind) => kind switch
    {
        CompressionKind.None => compressed,
        CompressionKind.Gzip => Gzip.Decompress(compressed),
        CompressionKind.Zstd => ZstdStream.Open(compressed),
        CompressionKind.Xz => new XzStream(compressed),
        CompressionKind.Bzip2 => new Bzip2Stream(compressed),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Looks at the first bytes of <paramref name="file"/> and opens it uncompressed.</summary>
    public static Stream Open(Stream file)
    {
        var start = new byte[MagicLength];
        var n = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return Open(new PrefixedStream(start.AsMemory(0, n), file), Recognise(start.AsSpan(0, n)));
    }
}

/// <summary>Bytes already read, then the rest of the stream they came from.</summary>
internal sealed class PrefixedStream(ReadOnlyMemory<byte> start, Stream rest) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _start = start;

    public override int Read(Span<byte> buffer)
    {
        if (_start.Length == 0)
        {
            return rest.Read(buffer);
        }

        var n = Math.Min(buffer.Length, _start.Length);
        _start.Span[..n].CopyTo(buffer);
        _start = _start[n..];
        return n;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            rest.Dispose();
        }

        base.Dispose(disposing);
    }
}
