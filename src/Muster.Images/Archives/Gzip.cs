using System.IO.Compression;

namespace Muster.Images.Archives;

/// <summary>The only place that makes gzip streams: the platform's one takes cut-off data for whole unless it is told not to.</summary>
internal static class Gzip
{
    /// <summary>Decompresses; throws InvalidDataException for damaged or cut-off data.</summary>
    public static Stream Decompress(Stream compressed)
    {
        BeStrict();
        return new GZipStream(compressed, CompressionMode.Decompress, leaveOpen: true);
    }

    /// <summary>Compresses; the header holds no time, so that the same content gives the same bytes.</summary>
    public static Stream Compress(Stream to)
    {
        BeStrict();
        return new GZipStream(to, CompressionLevel.Optimal, leaveOpen: true);
    }

    // Read once by the platform, when the first deflate stream of the process is made: hence before every one of ours.
    private static void BeStrict() => AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);
}
