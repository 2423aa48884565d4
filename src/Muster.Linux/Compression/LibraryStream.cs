using Muster.Core;

namespace Muster.Linux;

/// <summary>A decompressing stream over a native library: the buffers and the loop that xz, bzip2 and zstd have in common.</summary>
public abstract unsafe class LibraryStream(Stream compressed) : ReadOnlyStream
{
    private readonly byte[] _input = new byte[128 * 1024];
    private int _start;
    private int _end;
    private bool _inputEnded;
    private bool _finished;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.Length == 0)
        {
            return 0;
        }

        while (!_finished)
        {
            if (_start == _end && !_inputEnded)
            {
                _start = 0;
                _end = compressed.Read(_input, 0, _input.Length);
                _inputEnded = _end == 0;
            }

            int used;
            int made;
            fixed (byte* input = &_input[_start < _input.Length ? _start : 0], output = buffer)
            {
                (used, made, _finished) = Step(input, _end - _start, _inputEnded, output, buffer.Length);
            }

            _start += used;
            if (made > 0)
            {
                return made;
            }

            if (!_finished && used == 0 && _inputEnded)
            {
                throw new InvalidDataException("the compressed data is cut off");
            }
        }

        return 0;
    }

    /// <summary>Decompresses once: how much was used and made, and whether all streams have ended well.</summary>
    protected abstract (int Used, int Made, bool Finished) Step(byte* input, int available, bool inputEnded, byte* output, int room);

    /// <summary>The sentence for a library that is not on this host.</summary>
    protected internal static MusterException Missing(string format, string package, Exception inner) =>
        new(ErrorKind.Unsupported, $"The archive is compressed with {format} and this host lacks its library: install the Debian package {package}, or compress the archive with gzip or zstd", inner);
}
