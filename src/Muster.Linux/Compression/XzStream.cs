using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>Decompresses xz by the system's liblzma (lzma/base.h, lzma/container.h).</summary>
public sealed unsafe class XzStream : LibraryStream
{
    /// <summary>Memory that the decoder may take: xz -9 needs 65 MiB; more is an attack or a mistake.</summary>
    private const ulong MemoryLimit = 256UL << 20;

    private const uint Concatenated = 0x08;

    private Lzma.State* _state;

    public XzStream(Stream compressed)
        : base(compressed)
    {
        _state = (Lzma.State*)NativeMemory.AllocZeroed((nuint)sizeof(Lzma.State));
        try
        {
            var result = Lzma.lzma_stream_decoder(_state, MemoryLimit, Concatenated);
            if (result != Lzma.Ok)
            {
                throw new IOException($"liblzma refused to start (code {result})");
            }
        }
        catch (Exception e)
        {
            NativeMemory.Free(_state);
            _state = null;
            throw e is DllNotFoundException ? Missing("xz", "liblzma5", e) : e;
        }
    }

    protected override (int Used, int Made, bool Finished) Step(byte* input, int available, bool inputEnded, byte* output, int room)
    {
        _state->NextIn = input;
        _state->AvailableIn = (nuint)available;
        _state->NextOut = output;
        _state->AvailableOut = (nuint)room;
        var result = Lzma.lzma_code(_state, inputEnded ? Lzma.Finish : Lzma.Run);
        var used = available - (int)_state->AvailableIn;
        var made = room - (int)_state->AvailableOut;
        return result switch
        {
            Lzma.Ok or Lzma.BufferError => (used, made, false),
            Lzma.StreamEnd => (used, made, true),
            Lzma.MemoryLimitReached => throw new InvalidDataException("the xz data needs more memory than 256 MiB to decompress"),
            _ => throw new InvalidDataException("the xz data is damaged"),
        };
    }

    protected override void Dispose(bool disposing)
    {
        if (_state is not null)
        {
            Lzma.lzma_end(_state);
            NativeMemory.Free(_state);
            _state = null;
        }

        base.Dispose(disposing);
    }
}
