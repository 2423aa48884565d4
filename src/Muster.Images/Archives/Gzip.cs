using System.IO.Compression;

namespace Muster.Images.Archives;

/// <summary>
/// The only place that makes gzip streams. The platform's own take cut-off data for whole unless the run-time option
/// <c>System.IO.Compression.UseStrictValidation</c> is on: Directory.Build.props sets it for every program.
/// </summary>
internal static class Gzip
{
    /// <summary>Decompresses; throws InvalidDataException for damaged or cut-off data.</summary>
    public static Stream Decompress(Stream compressed) => new GZipStream(compressed, CompressionMode.Decompress, leaveOpen: true);

    /// <summary>Compresses; the header holds no time, so that the same content gives the same bytes.</summary>
    public static Stream Compress(Stream to) => new GZipStream(to, CompressionLevel.Optimal, leaveOpen: true);
}
