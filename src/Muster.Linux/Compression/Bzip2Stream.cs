using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>Decompresses bzip2, concatenated streams too, by the system's libbz2 (bzlib.h).</summary>
public sealed unsafe partial class Bzip2Stream : LibraryStream
{
    private const int Ok = 0;
    private const int StreamEnd = 4;

    private Bz* _state;
    private bool _started;
    private bool _between = true;

    public Bzip2Stream(Stream compressed)
        : base(compressed)
    {
        _state = (Bz*)NativeMemory.AllocZeroed((nuint)sizeof(Bz));
        try
        {
            Start();
        }
        catch (Exception e)
        {
            NativeMemory.Free(_state);
            _state = null;
            throw e is DllNotFoundException ? Missing("bzip2", "libbz2-1.0", e) : e;
        }
    }

    protected override (int Used, int Made, bool Finished) Step(byte* input, int available, bool inputEnded, byte* output, int room)
    {
        if (available == 0 && inputEnded)
        {
            return (0, 0, _between);
        }

        if (!_started)
        {
            Start();
        }

        _between = false;
        _state->NextIn = input;
        _state->AvailableIn = (uint)available;
        _state->NextOut = output;
        _state->AvailableOut = (uint)room;
        var result = BZ2_bzDecompress(_state);
        var used = available - (int)_state->AvailableIn;
        var made = room - (int)_state->AvailableOut;
        switch (result)
        {
            case Ok:
                return (used, made, false);
            case StreamEnd:
                _ = BZ2_bzDecompressEnd(_state);
                _started = false;
                _between = true;
                return (used, made, false);
            default:
                throw new InvalidDataException("the bzip2 data is damaged");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_state is not null)
        {
            if (_started)
            {
                _ = BZ2_bzDecompressEnd(_state);
            }

            NativeMemory.Free(_state);
            _state = null;
        }

        base.Dispose(disposing);
    }

    private void Start()
    {
        new Span<byte>(_state, sizeof(Bz)).Clear();
        var result = BZ2_bzDecompressInit(_state, 0, 0);
        if (result != Ok)
        {
            throw new IOException($"libbz2 refused to start (code {result})");
        }

        _started = true;
    }

    [StructLayout(LayoutKind.Sequential, Size = 80)]
    private struct Bz
    {
        public byte* NextIn;
        public uint AvailableIn;
        public uint TotalInLow;
        public uint TotalInHigh;
        public byte* NextOut;
        public uint AvailableOut;
        public uint TotalOutLow;
        public uint TotalOutHigh;
        public void* State;
    }

    [LibraryImport("libbz2.so.1.0")]
    private static partial int BZ2_bzDecompressInit(Bz* state, int verbosity, int small);

    [LibraryImport("libbz2.so.1.0")]
    private static partial int BZ2_bzDecompress(Bz* state);

    [LibraryImport("libbz2.so.1.0")]
    private static partial int BZ2_bzDecompressEnd(Bz* state);
}
