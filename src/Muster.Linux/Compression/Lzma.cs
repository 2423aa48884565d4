using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>The calls of the system's liblzma (lzma/base.h, lzma/container.h).</summary>
internal static unsafe partial class Lzma
{
    public const int Run = 0;
    public const int FullFlush = 2;
    public const int Finish = 3;

    public const int Ok = 0;
    public const int StreamEnd = 1;
    public const int MemoryLimitReached = 6;
    public const int BufferError = 10;

    /// <summary>What the xz program writes: damage is seen when it is decompressed.</summary>
    public const int CheckCrc64 = 4;

    private const string Library = "liblzma.so.5";

    [LibraryImport(Library)]
    public static partial int lzma_stream_decoder(State* state, ulong memoryLimit, uint flags);

    [LibraryImport(Library)]
    public static partial int lzma_easy_encoder(State* state, uint preset, int check);

    [LibraryImport(Library)]
    public static partial int lzma_code(State* state, int action);

    [LibraryImport(Library)]
    public static partial void lzma_end(State* state);

    [StructLayout(LayoutKind.Sequential, Size = 136)]
    public struct State
    {
        public byte* NextIn;
        public nuint AvailableIn;
        public ulong TotalIn;
        public byte* NextOut;
        public nuint AvailableOut;
        public ulong TotalOut;
    }
}
