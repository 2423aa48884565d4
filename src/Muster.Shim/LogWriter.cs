using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Muster.Shim;

/// <summary>
/// An app's log: one JSON object a line, <c>{"time":…,"stream":"stdout","log":…}</c>, with <c>"partial":true</c> where a line
/// was longer than <see cref="MaxLine"/> or had no end yet at the close. Rotated by size: NAME.log, NAME.log.1, …
/// </summary>
internal sealed class LogWriter : IDisposable
{
    /// <summary>Longest piece of a line in one record: a record then stays within what log shippers accept.</summary>
    public const int MaxLine = 16 * 1024;

    /// <summary>What is gathered before it is written: enough to save system calls, little beside the size of a file.</summary>
    private const int MaxBatch = 64 * 1024;

    private readonly string _path;
    private readonly long _maxBytes;
    private readonly int _maxFiles;
    private readonly TimeProvider _time;
    private readonly ArrayBufferWriter<byte> _records = new(8192);
    private readonly Dictionary<string, List<byte>> _open = new(2, StringComparer.Ordinal);
    private FileStream _file;
    private long _size;

    public LogWriter(string path, long maxBytes, int maxFiles, TimeProvider time)
    {
        _path = path;
        _maxBytes = maxBytes;
        _maxFiles = maxFiles;
        _time = time;
        _file = OpenFile();
    }

    /// <summary>Takes output as it comes; whole lines are written at once, the rest waits for its end.</summary>
    public void Append(string stream, ReadOnlySpan<byte> data)
    {
        if (!_open.TryGetValue(stream, out var pending))
        {
            _open[stream] = pending = [];
        }

        while (data.Length > 0)
        {
            var newline = data.IndexOf((byte)'\n');
            var piece = newline < 0 ? data : data[..newline];
            while (pending.Count + piece.Length > MaxLine)
            {
                var take = MaxLine - pending.Count;
                pending.AddRange(piece[..take]);
                piece = piece[take..];
                Record(stream, pending, partial: true);
            }

            pending.AddRange(piece);
            if (newline < 0)
            {
                break;
            }

            Record(stream, pending, partial: false);
            data = data[(newline + 1)..];
        }

        Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (stream, pending) in _open)
        {
            if (pending.Count > 0)
            {
                Record(stream, pending, partial: true);
            }
        }

        Flush();
        _file.Dispose();
    }

    private void Record(string stream, List<byte> line, bool partial)
    {
        Span<byte> time = stackalloc byte[40];
        _time.GetUtcNow().UtcDateTime.TryFormat(time, out var written, "yyyy-MM-ddTHH:mm:ss.ffffffZ", System.Globalization.CultureInfo.InvariantCulture);
        _records.Write("{\"time\":\""u8);
        _records.Write(time[..written]);
        _records.Write("\",\"stream\":\""u8);
        _records.Write(Encoding.ASCII.GetBytes(stream));
        _records.Write("\",\"log\":\""u8);
        Escape(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(line));
        _records.Write(partial ? "\",\"partial\":true}\n"u8 : "\"}\n"u8);
        line.Clear();
        if (_records.WrittenCount >= Math.Min(MaxBatch, _maxBytes / 4))
        {
            Flush();
        }
    }

    private void Escape(ReadOnlySpan<byte> text)
    {
        if (!Utf8.IsValid(text))
        {
            // Not text: each wrong byte becomes U+FFFD, so that the record stays JSON.
            text = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text));
        }

        while (text.Length > 0)
        {
            var special = text.IndexOfAny(Special);
            var plain = special < 0 ? text : text[..special];
            _records.Write(plain);
            if (special < 0)
            {
                return;
            }

            var c = text[special];
            switch (c)
            {
                case (byte)'"':
                    _records.Write("\\\""u8);
                    break;
                case (byte)'\\':
                    _records.Write("\\\\"u8);
                    break;
                case (byte)'\t':
                    _records.Write("\\t"u8);
                    break;
                case (byte)'\r':
                    _records.Write("\\r"u8);
                    break;
                default:
                    _records.Write("\\u00"u8);
                    _records.Write([(byte)"0123456789abcdef"[c >> 4], (byte)"0123456789abcdef"[c & 15]]);
                    break;
            }

            text = text[(special + 1)..];
        }
    }

    private static readonly SearchValues<byte> Special = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, (byte)'"', (byte)'\\', 127]);

    private void Flush()
    {
        if (_records.WrittenCount == 0)
        {
            return;
        }

        if (_size > 0 && _size + _records.WrittenCount > _maxBytes)
        {
            Rotate();
        }

        try
        {
            _file.Write(_records.WrittenSpan);
            _file.Flush();
            _size += _records.WrittenCount;
        }
        catch (IOException)
        {
            // A full disk must not stop the app; what could not be written is lost and the next record tries again.
        }

        _records.ResetWrittenCount();
    }

    private void Rotate()
    {
        _file.Dispose();
        for (var i = _maxFiles; i > 0; i--)
        {
            var from = i == 1 ? _path : $"{_path}.{i - 1}";
            if (File.Exists(from))
            {
                File.Move(from, $"{_path}.{i}", overwrite: true);
            }
        }

        if (_maxFiles == 0)
        {
            File.Delete(_path);
        }

        _file = OpenFile();
    }

    private FileStream OpenFile()
    {
        var file = new FileStream(_path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
        });
        _size = file.Length;
        return file;
    }
}
