using System.Runtime.InteropServices;
using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>
/// Decompresses zstd by the system's libzstd where it is installed, which takes about four fifths of the managed port's time
/// (170 MB of programs and libraries: 184 and 226 ms), and by the managed port where it is not.
/// </summary>
internal sealed unsafe partial class ZstdStream : LibraryStream
{
    /// <summary>The largest window taken, 2^27 = 128 MiB: what the zstd program itself takes unless told otherwise.</summary>
    private const int WindowLog = 27;

    private const int WindowLogParameter = 100;

    private nint _context;
    private bool _between = true;

    private ZstdStream(Stream compressed, nint context)
        : base(compressed) => _context = context;

    public static Stream Open(Stream compressed)
    {
        nint context;
        try
        {
            context = ZSTD_createDCtx();
        }
        catch (DllNotFoundException)
        {
            return Managed(compressed);
        }

        _ = ZSTD_DCtx_setParameter(context, WindowLogParameter, WindowLog);
        return new ZstdStream(compressed, context);
    }

    /// <summary>The managed port: the same result without a library.</summary>
    internal static Stream Managed(Stream compressed)
    {
        var stream = new ZstdSharp.DecompressionStream(compressed, checkEndOfStream: true, leaveOpen: true);
        stream.SetParameter(ZstdSharp.Unsafe.ZSTD_dParameter.ZSTD_d_windowLogMax, WindowLog);
        return stream;
    }

    protected override (int Used, int Made, bool Finished) Step(byte* input, int available, bool inputEnded, byte* output, int room)
    {
        if (available == 0 && inputEnded && _between)
        {
            return (0, 0, true);
        }

        Buffer to = new() { Start = output, Size = (nuint)room };
        Buffer from = new() { Start = input, Size = (nuint)available };
        var result = ZSTD_decompressStream(_context, &to, &from);
        if (ZSTD_isError(result) != 0)
        {
            throw new InvalidDataException("the zstd data is damaged (" + Marshal.PtrToStringUTF8(ZSTD_getErrorName(result)) + ")");
        }

        // Zero means that a frame has ended and all of it was handed out; another frame may follow.
        _between = result == 0;
        return ((int)from.Position, (int)to.Position, false);
    }

    protected override void Dispose(bool disposing)
    {
        if (_context != 0)
        {
            _ = ZSTD_freeDCtx(_context);
            _context = 0;
        }

        base.Dispose(disposing);
    }

    private struct Buffer
    {
        public void* Start;
        public nuint Size;
        public nuint Position;
    }

    [LibraryImport("libzstd.so.1")]
    private static partial nint ZSTD_createDCtx();

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_freeDCtx(nint context);

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_DCtx_setParameter(nint context, int parameter, int value);

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_decompressStream(nint context, Buffer* output, Buffer* input);

    [LibraryImport("libzstd.so.1")]
    private static partial uint ZSTD_isError(nuint code);

    [LibraryImport("libzstd.so.1")]
    private static partial nint ZSTD_getErrorName(nuint code);
}
