using Muster.Linux;
using Muster.Metrics.Collecting;

namespace Muster.Metrics.Agents.Text;

/// <summary>What a file of the kernel held at one moment, in a rented buffer; or the error number that its reading gave.</summary>
internal struct KernelText : IDisposable
{
    /// <summary>No file of /proc or /sys that is read here comes near this: a machine with 100,000 sockets writes 15 MB.</summary>
    public const int MaxLength = 64 * 1024 * 1024;

    private const int FirstBuffer = 16 * 1024;

    private byte[]? _buffer;
    private int _length;

    /// <summary>0, or an error number of the kernel, negated.</summary>
    public int Error { get; private set; }

    public readonly ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    public static KernelText Failed(int error) => new() { Error = error };

    /// <summary>Reads an open file from its beginning.</summary>
    /// <param name="descriptor">Open for reading.</param>
    /// <param name="whole">True when the kernel gives the whole file at once if the buffer takes it (a single_open file), which saves the read that would only find the end.</param>
    public static KernelText Read(int descriptor, bool whole = false)
    {
        var text = new KernelText { _buffer = LentBytes.Rent(FirstBuffer) };
        while (true)
        {
            var n = FileCalls.ReadAt(descriptor, text._buffer.AsSpan(text._length), text._length);
            if (n < 0)
            {
                var error = -FileCalls.Error;
                text.Dispose();
                return Failed(error);
            }

            text._length += n;
            if (n == 0 || (whole && text._length < text._buffer!.Length))
            {
                return text;
            }

            if (text._length == text._buffer!.Length)
            {
                if (text._length >= MaxLength)
                {
                    text.Dispose();
                    return Failed(-Errno.EFBIG);
                }

                var larger = LentBytes.Rent(text._length * 2);
                text.Bytes.CopyTo(larger);
                LentBytes.Return(text._buffer);
                text._buffer = larger;
            }
        }
    }

    /// <summary>Opens, reads and closes.</summary>
    public static KernelText ReadFile(int directory, ReadOnlySpan<byte> terminatedPath, bool whole = false)
    {
        var descriptor = FileCalls.Open(directory, terminatedPath, FileCalls.ReadOnly);
        if (descriptor < 0)
        {
            return Failed(-FileCalls.Error);
        }

        var text = Read(descriptor, whole);
        _ = FileCalls.Close(descriptor);
        return text;
    }

    /// <inheritdoc cref="ReadFile(int, ReadOnlySpan{byte}, bool)"/>
    public static KernelText ReadFile(string path) => ReadFile(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_buffer is not null)
        {
            LentBytes.Return(_buffer);
            _buffer = null;
            _length = 0;
        }
    }
}
