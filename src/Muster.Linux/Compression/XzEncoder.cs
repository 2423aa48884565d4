using System.Runtime.InteropServices;
using Muster.Core;

namespace Muster.Linux;

/// <summary>Compresses to xz by the system's liblzma.</summary>
public static unsafe class XzEncoder
{
    private const int BufferSize = 128 * 1024;

    /// <summary>Compresses all of <paramref name="from"/>.</summary>
    /// <param name="from">What is compressed, to its end.</param>
    /// <param name="to">Where the xz file goes; stays open.</param>
    /// <param name="preset">0 (fast, 3 MiB of memory) to 9 (small, 675 MiB), as of the xz program.</param>
    /// <param name="block">Uncompressed bytes of a block: a reader can begin at any block, and has to decompress it from there.</param>
    /// <exception cref="MusterException">The library is not on this host.</exception>
    /// <exception cref="IOException">It failed, or one of the streams did.</exception>
    public static void Compress(Stream from, Stream to, int preset, long block)
    {
        var state = (Lzma.State*)NativeMemory.AllocZeroed((nuint)sizeof(Lzma.State));
        var isStarted = false;
        try
        {
            var result = Lzma.lzma_easy_encoder(state, (uint)preset, Lzma.CheckCrc64);
            if (result != Lzma.Ok)
            {
                throw new IOException($"liblzma refused to start (code {result})");
            }

            isStarted = true;
            var (input, output) = (new byte[BufferSize], new byte[BufferSize]);
            long left = block;
            int n;
            while ((n = from.Read(input, 0, (int)Math.Min(input.Length, left))) > 0)
            {
                left -= n;
                Encode(state, input.AsSpan(0, n), output, to, left == 0 ? Lzma.FullFlush : Lzma.Run);
                left = left == 0 ? block : left;
            }

            Encode(state, [], output, to, Lzma.Finish);
        }
        catch (DllNotFoundException e)
        {
            throw new MusterException(ErrorKind.Unsupported, "This host lacks the library that xz needs: install the Debian package liblzma5", e);
        }
        finally
        {
            if (isStarted)
            {
                Lzma.lzma_end(state);
            }

            NativeMemory.Free(state);
        }
    }

    private static void Encode(Lzma.State* state, ReadOnlySpan<byte> input, byte[] output, Stream to, int action)
    {
        fixed (byte* from = input, made = output)
        {
            state->NextIn = from;
            state->AvailableIn = (nuint)input.Length;
            int result;
            do
            {
                state->NextOut = made;
                state->AvailableOut = (nuint)output.Length;
                result = Lzma.lzma_code(state, action);
                if (result is not (Lzma.Ok or Lzma.StreamEnd))
                {
                    throw new IOException($"liblzma failed to compress (code {result})");
                }

                to.Write(output, 0, output.Length - (int)state->AvailableOut);
            }
            while (action == Lzma.Run ? state->AvailableIn > 0 : result != Lzma.StreamEnd);
        }
    }
}
