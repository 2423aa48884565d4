using System.Runtime.InteropServices;

namespace Muster.Images.Archives;

/// <summary>Decompresses xz by the system's liblzma (lzma/base.h, lzma/container.h).</summary>
internal sealed unsafe partial class XzStream : LibraryStream
{
    /// <summary>Memory that the decoder may take: xz -9 needs 65 MiB; more is an attack or a mistake.</summary>
    private const ulong MemoryLimit = 256UL << 20;

    private const uint Concatenated = 0x08;
    private const int Run = 0;
    private const int Finish = 3;
    private const int Ok = 0;
    private const int StreamEnd = 1;
    private const int MemoryLimitReached = 6;
    private const int BufferError = 10;

    private Lzma* _state;

    public XzStream(Stream compressed)
        : base(compressed)
    {
        _state = (Lzma*)NativeMemory.AllocZeroed((nuint)sizeof(Lzma));
        try
        {
            var result = lzma_stream_decoder(_state, MemoryLimit, Concatenated);
            if (result != Ok)
            {
                throw new IOException($"liblzma refused to start (code {result})");
            }
        }
        catch (Exception e)
        {
            NativeMemory.Free(_state);
            _state = null;
            throw e is DllNotFoundException ? Decompression.Missing("xz", "liblzma5", e) : e;
        }
    }

    protected override (int Used, int Made, bool Finished) Step(byte* input, int available, bool inputEnded, byte* output, int room)
    {
        _state->NextIn = input;
        _state->AvailableIn = (nuint)available;
        _state->NextOut = output;
        _state->AvailableOut = (nuint)room;
        var result = lzma_code(_state, inputEnded ? Finish : Run);
        var used = available - (int)_state->AvailableIn;
        var made = room - (int)_state->AvailableOut;
        return result switch
        {
            Ok or BufferError => (used, made, false),
            StreamEnd => (used, made, true),
            MemoryLimitReached => throw new InvalidDataException("the xz data needs more memory than 256 MiB to decompress"),
            _ => throw new InvalidDataException("the xz data is damaged"),
        };
    }

    protected override void Dispose(bool disposing)
    {
        if (_state is not null)
        {
            lzma_end(_state);
            NativeMemory.Free(_state);
            _state = null;
        }

        base.Dispose(disposing);
    }

    [StructLayout(LayoutKind.Sequential, Size = 136)]
    private struct Lzma
    {
        public byte* NextIn;
        public nuint AvailableIn;
        public ulong TotalIn;
        public byte* NextOut;
        public nuint AvailableOut;
        public ulong TotalOut;
    }

    [LibraryImport("liblzma.so.5")]
    private static partial int lzma_stream_decoder(Lzma* state, ulong memoryLimit, uint flags);

    [LibraryImport("liblzma.so.5")]
    private static partial int lzma_code(Lzma* state, int action);

    [LibraryImport("liblzma.so.5")]
    private static partial void lzma_end(Lzma* state);
}
