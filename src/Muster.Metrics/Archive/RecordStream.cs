using System.Buffers.Binary;
using Muster.Core;

namespace Muster.Metrics.Archive;

/// <summary>What follows in a file of records.</summary>
internal enum RecordState
{
    Record,
    End,

    /// <summary>The file ends inside of a record, as when its writer was killed, or with zeros, as after a loss of power.</summary>
    Torn,
}

/// <summary>Reads the framed records of a .meta file or volume one after another. Owns its stream.</summary>
internal sealed class RecordStream(Stream stream, string path) : IDisposable
{
    // Most records are smaller; a larger one is read in steps, so that a length that lies costs no memory.
    private const int Step = 1024 * 1024;

    private byte[] _buffer = new byte[16 * 1024];
    private int _length;

    /// <summary>Where the last whole record ends.</summary>
    public long Position { get; private set; }

    /// <summary>The record last read with its length words; valid until the next one.</summary>
    public ReadOnlySpan<byte> Record => _buffer.AsSpan(0, _length);

    public RecordState Next()
    {
        var n = Read(0, 4);
        if (n < 4)
        {
            return n == 0 ? RecordState.End : RecordState.Torn;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(_buffer);
        if (length == 0)
        {
            return RecordState.Torn;
        }

        if (length is < ArchiveFormat.Frame or > ArchiveFormat.MaxRecord)
        {
            throw Damaged($"a record that claims {(uint)length} bytes");
        }

        for (var have = 4; have < length;)
        {
            var step = Math.Min(length - have, Step);
            if (_buffer.Length < have + step)
            {
                Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, have + step));
            }

            if (Read(have, step) < step)
            {
                return RecordState.Torn;
            }

            have += step;
        }

        if (BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(length - 4)) != length)
        {
            throw Damaged("a record whose two lengths differ");
        }

        _length = length;
        Position += length;
        return RecordState.Record;
    }

    /// <summary>Goes to a place where a record begins. Only for a stream that can seek.</summary>
    public void Seek(long position)
    {
        stream.Position = position;
        Position = position;
    }

    public MusterException Damaged(string what) =>
        new(ErrorKind.Corrupt, $"The archive is damaged: {path} has {what} at byte {Position}; restore it, or read what lies before with an earlier end time");

    public void Dispose() => stream.Dispose();

    private int Read(int at, int count)
    {
        try
        {
            return stream.ReadAtLeast(_buffer.AsSpan(at, count), count, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is ZstdSharp.ZstdException or InvalidDataException or IOException)
        {
            throw new MusterException(ErrorKind.Corrupt, $"{path} cannot be read at byte {Position}: {e.Message.TrimEnd('.')}", e);
        }
    }
}
