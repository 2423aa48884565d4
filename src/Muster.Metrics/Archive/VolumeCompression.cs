using System.IO.Compression;
using Muster.Core;
using Muster.Linux;

namespace Muster.Metrics.Archive;

/// <summary>How a logger compresses volumes that are ended.</summary>
public enum ArchiveCompression
{
    None,

    /// <summary>What PCP's own tools compress with and read as it is.</summary>
    Xz,

    /// <summary>A sixth of the time and a third more bytes; PCP 6.0 does not read it.</summary>
    Zstd,
}

/// <summary>Volumes that are compressed, told by the ends of their names.</summary>
internal static class VolumeCompression
{
    /// <summary>Ends of names that are read.</summary>
    public static readonly string[] Endings = [".xz", ".zst", ".gz", ".bz2"];

    /// <summary>What one file may hold. A volume of ours ends at 100 MiB, one of pmlogger's at 2 GiB; more is made to keep its reader busy.</summary>
    public const long MaxBytes = 16L * 1024 * 1024 * 1024;

    // Of records that repeat themselves every higher one gains nothing, and takes up to ten times as long.
    private const int XzPreset = 1;

    // As pmlogger_daily asks of xz: PCP's tools read a block whole to find a record in it, and refuse larger ones.
    private const long XzBlock = 10 * 1024 * 1024;

    private const int ZstdLevel = 3;

    // The zstd program itself takes no larger window unless it is told to.
    private const int ZstdWindowLog = 27;

    public static bool IsCompressed(string path) => Endings.Any(e => path.EndsWith(e, StringComparison.Ordinal));

    /// <summary>The end of the name of a volume that is compressed so.</summary>
    public static string Ending(ArchiveCompression compression) => compression == ArchiveCompression.Zstd ? ".zst" : ".xz";

    /// <summary>Compresses a volume; both streams stay open.</summary>
    public static void Compress(Stream from, Stream to, ArchiveCompression compression)
    {
        if (compression == ArchiveCompression.Xz)
        {
            XzEncoder.Compress(from, to, XzPreset, XzBlock);
            return;
        }

        using var zstd = new ZstdSharp.CompressionStream(to, ZstdLevel, leaveOpen: true);
        zstd.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        from.CopyTo(zstd);
    }

    /// <summary>The decompressed bytes of a file by the end of its name; the file itself when it has none. Takes the file over.</summary>
    public static Stream Open(FileStream file, string path)
    {
        try
        {
            return Path.GetExtension(path) switch
            {
                ".xz" => new DecompressedFile(new XzStream(file), file),
                ".bz2" => new DecompressedFile(new Bzip2Stream(file), file),
                ".gz" => new DecompressedFile(new GZipStream(file, CompressionMode.Decompress, leaveOpen: true), file),
                ".zst" => new DecompressedFile(Zstd(file), file),
                _ => file,
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static ZstdSharp.DecompressionStream Zstd(Stream file)
    {
        var stream = new ZstdSharp.DecompressionStream(file, checkEndOfStream: true, leaveOpen: true);
        stream.SetParameter(ZstdSharp.Unsafe.ZSTD_dParameter.ZSTD_d_windowLogMax, ZstdWindowLog);
        return stream;
    }

    /// <summary>At most <see cref="MaxBytes"/> of a decompressing stream, with the file below it.</summary>
    private sealed class DecompressedFile(Stream stream, FileStream file) : ReadOnlyStream
    {
        private long _read;

        public override int Read(Span<byte> buffer)
        {
            var n = stream.Read(buffer);
            _read += n;
            return _read <= MaxBytes ? n : throw new InvalidDataException($"it holds more than {Quantity.FormatBytes(MaxBytes)} when it is decompressed");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                stream.Dispose();
                file.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
