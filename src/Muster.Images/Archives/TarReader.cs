using System.Buffers;
using Muster.Core;

namespace Muster.Images.Archives;

/// <summary>
/// Reads a tar archive once, from front to end, with bounded memory: v7, ustar, pax (global and per file), GNU long names,
/// GNU sparse in all its forms, base-256 numbers. Whatever it cannot read exactly it refuses.
/// </summary>
public sealed class TarReader : IDisposable
{
    private const int Block = TarHeader.BlockSize;
    private const int BufferSize = 256 * 1024;

    private readonly Stream _input;
    private readonly TarLimits _limits;
    private readonly PaxHeader _global = new();
    private readonly PaxHeader _own = new();
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _start;
    private int _end;
    private long _dataLeft;
    private int _padding;
    private int _entries;
    private long _total;
    private long _read;
    private byte[]? _longName;
    private byte[]? _longLink;
    private bool _finished;

    /// <summary>A reader over uncompressed bytes; the stream stays the caller's.</summary>
    public TarReader(Stream input, TarLimits limits)
    {
        _input = input;
        _limits = limits;
    }

    /// <summary>Where in the archive the data of the current entry begin, counted in bytes.</summary>
    public long DataOffset => _read - (_end - _start);

    /// <summary>The next entry, the rest of the current one being skipped; null at the end of the archive.</summary>
    /// <exception cref="MusterException">Corrupt: damaged or cut off; Exhausted: a limit; Invalid: a kind of entry that is not taken.</exception>
    public TarEntry? Next()
    {
        SkipData();
        _own.Clear();
        _longName = null;
        _longLink = null;
        while (!_finished)
        {
            if (!Fill(Block))
            {
                if (_end != _start || _limits.RequireEndMarker || _longName is not null || !_own.IsEmpty)
                {
                    throw CutOff();
                }

                _finished = true;
                break;
            }

            var block = _buffer.AsSpan(_start, Block);
            if (TarHeader.IsZero(block))
            {
                _finished = true;
                break;
            }

            new TarHeader(block).CheckSum();
            if (++_entries > _limits.MaxEntries)
            {
                throw new MusterException(ErrorKind.Exhausted, $"The archive has more than {_limits.MaxEntries} entries");
            }

            if (Read(block) is { } entry)
            {
                return entry;
            }
        }

        return null;
    }

    /// <summary>The next stored bytes of the current entry, as many as are at hand; empty at its end.</summary>
    public ReadOnlySpan<byte> ReadData()
    {
        if (_dataLeft == 0)
        {
            return [];
        }

        if (_start == _end)
        {
            _start = _end = 0;
            _end = _input.Read(_buffer, 0, BufferSize);
            _read += _end;
            if (_end == 0)
            {
                throw CutOff();
            }
        }

        var piece = _buffer.AsSpan(_start, (int)Math.Min(_dataLeft, _end - _start));
        _start += piece.Length;
        _dataLeft -= piece.Length;
        return piece;
    }

    /// <summary>The whole stored content of the current entry, refused above <paramref name="most"/> bytes.</summary>
    public byte[] ReadWhole(int most, string what)
    {
        if (_dataLeft > most)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The {what} in the archive has {_dataLeft} bytes, more than the {most} that are taken");
        }

        var content = new byte[_dataLeft];
        var done = 0;
        while (ReadData() is { Length: > 0 } piece)
        {
            piece.CopyTo(content.AsSpan(done));
            done += piece.Length;
        }

        return content;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    // One header: an extension is kept for the entry that follows (null is returned), an entry is returned.
    private TarEntry? Read(ReadOnlySpan<byte> block)
    {
        var header = new TarHeader(block);
        var flag = header.TypeFlag;
        switch (flag)
        {
            case (byte)'x' or (byte)'X':
                _own.Add(ReadExtension(header.Size), replace: false);
                return null;
            case (byte)'g':
                _global.Add(ReadExtension(header.Size), replace: true);
                return null;
            case (byte)'L':
                _longName = TrimNul(ReadExtension(header.Size));
                return null;
            case (byte)'K':
                _longLink = TrimNul(ReadExtension(header.Size));
                return null;
            case (byte)'V':
                // A volume label holds no file.
                _start += Block;
                return null;
            default:
                return Entry(header, flag, block.ToArray());
        }
    }

    private TarEntry Entry(TarHeader header, byte flag, byte[] block)
    {
        var name = Pax("GNU.sparse.name") ?? Pax("path") ?? _longName ?? header.Name();
        var type = TypeOf(flag, name);
        var link = type is TarEntryType.HardLink or TarEntryType.Symlink ? Pax("linkpath") ?? _longLink ?? header.LinkName.ToArray() : [];
        CheckPath(name, "name");
        CheckPath(link, "link target");
        var stored = Pax("size") is { } size ? PaxHeader.ParseNumber(size, "size") : header.Size;
        if (stored < 0)
        {
            throw new MusterException(ErrorKind.Corrupt, $"The archive is damaged: the size of \"{TarEntry.Display(name)}\" is negative");
        }

        // As in every other reader, the size field of what has no content means nothing.
        stored = type == TarEntryType.File ? stored : 0;
        _start += Block;
        SetData(stored);
        var (sparse, logical) = type == TarEntryType.File ? Sparse(flag, block, ref stored) : (null, 0L);
        _total += logical;
        if (_total > _limits.MaxTotalBytes || _total < 0)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The files of the archive are larger than {Quantity.FormatBytes(_limits.MaxTotalBytes)} together");
        }

        var (seconds, nanoseconds) = Pax("mtime") is { } time ? PaxHeader.ParseTime(time) : (new TarHeader(block).ModifiedSeconds, 0u);
        return new TarEntry
        {
            Type = type,
            Name = name,
            LinkName = link,
            Mode = new TarHeader(block).Mode,
            Uid = Id(Pax("uid"), new TarHeader(block).Uid, "uid"),
            Gid = Id(Pax("gid"), new TarHeader(block).Gid, "gid"),
            Size = logical,
            StoredSize = stored,
            ModifiedSeconds = seconds,
            ModifiedNanoseconds = nanoseconds,
            DeviceMajor = type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice ? Device(new TarHeader(block).DeviceMajor) : 0,
            DeviceMinor = type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice ? Device(new TarHeader(block).DeviceMinor) : 0,
            Sparse = sparse,
            Xattrs = _own.IsEmpty ? [] : _own.Xattrs(_limits),
        };
    }

    private (IReadOnlyList<SparseSegment>? Map, long Size) Sparse(byte flag, ReadOnlySpan<byte> block, ref long stored)
    {
        List<SparseSegment> map;
        long size;
        if (flag == (byte)'S')
        {
            map = [];
            SparseMap.AddOld(block, 386, 4, map, _limits);
            size = new TarHeader(block).Number(483, 12, "size of a sparse file");
            for (var more = block[482] != 0; more;)
            {
                var extension = TakeBlock();
                SparseMap.AddOld(extension, 0, 21, map, _limits);
                more = extension[504] != 0;
            }
        }
        else if (Pax("GNU.sparse.major") is { } major && PaxHeader.ParseNumber(major, "GNU.sparse.major") == 1)
        {
            size = PaxHeader.ParseNumber(Pax("GNU.sparse.realsize") ?? throw SparseMap.Damaged(), "GNU.sparse.realsize");
            map = ReadMap(ref stored);
        }
        else if (SparseMap.FromPax(_own, _limits) is { } records)
        {
            map = records;
            size = PaxHeader.ParseNumber(Pax("GNU.sparse.size") ?? Pax("GNU.sparse.realsize") ?? throw SparseMap.Damaged(), "GNU.sparse.size");
        }
        else
        {
            return (null, stored);
        }

        SparseMap.Check(map, size, stored);
        return (map, size);
    }

    // The map of format 1.0 stands before the data: a count, then pairs, a decimal line each, filled up to a block.
    private List<SparseSegment> ReadMap(ref long stored)
    {
        var map = new List<SparseSegment>();
        var line = new byte[24];
        var used = 0;
        var at = Block;
        ReadOnlySpan<byte> block = [];
        long left = stored;
        long? count = null;
        long? offset = null;
        while (count is null || map.Count < count)
        {
            if (at == Block)
            {
                if (left < Block)
                {
                    throw SparseMap.Damaged();
                }

                block = TakeBlock();
                left -= Block;
                at = 0;
            }

            var b = block[at++];
            if (b != '\n')
            {
                if (used == line.Length || b is < (byte)'0' or > (byte)'9')
                {
                    throw SparseMap.Damaged();
                }

                line[used++] = b;
                continue;
            }

            var number = PaxHeader.ParseNumber(line.AsSpan(0, used), "sparse map");
            used = 0;
            if (count is null)
            {
                count = number <= _limits.MaxSparseSegments ? number : throw SparseMap.Damaged();
            }
            else if (offset is { } start)
            {
                SparseMap.Add(map, start, number, _limits);
                offset = null;
            }
            else
            {
                offset = number;
            }
        }

        stored = left;
        SetData(stored);
        return map;
    }

    private static TarEntryType TypeOf(byte flag, ReadOnlySpan<byte> name) => flag switch
    {
        // v7 had no directories but names that end in a slash.
        (byte)'0' or 0 when name.Length > 0 && name[^1] == '/' => TarEntryType.Directory,
        (byte)'0' or 0 or (byte)'7' or (byte)'S' => TarEntryType.File,
        (byte)'1' => TarEntryType.HardLink,
        (byte)'2' => TarEntryType.Symlink,
        (byte)'3' => TarEntryType.CharacterDevice,
        (byte)'4' => TarEntryType.BlockDevice,
        (byte)'5' => TarEntryType.Directory,
        (byte)'6' => TarEntryType.Fifo,
        _ => throw new MusterException(ErrorKind.Invalid, $"The archive has an entry of the unknown kind 0x{flag:x2} (\"{TarEntry.Display(name)}\"); make the archive with a current tar"),
    };

    private byte[]? Pax(string key) => _own.IsEmpty && _global.IsEmpty ? null : PaxHeader.Find(_own, _global, key);

    private static uint Id(byte[]? pax, long header, string what)
    {
        var id = pax is null ? header : PaxHeader.ParseNumber(pax, what);

        // 2^32-1 means "leave as it is" to chown(2).
        return id is >= 0 and < uint.MaxValue ? (uint)id : throw new MusterException(ErrorKind.Invalid, $"The archive has the {what} {id}, which Linux cannot have");
    }

    private static uint Device(long number) => number is >= 0 and <= uint.MaxValue
        ? (uint)number
        : throw new MusterException(ErrorKind.Invalid, $"The archive has the device number {number}, which Linux cannot have");

    private void CheckPath(ReadOnlySpan<byte> path, string what)
    {
        if (path.Length > _limits.MaxPathBytes || path.Contains((byte)0))
        {
            throw new MusterException(ErrorKind.Invalid, $"The {what} \"{TarEntry.Display(path)}\" in the archive is longer than {_limits.MaxPathBytes} bytes or has a NUL in it");
        }
    }

    private void SetData(long size)
    {
        _dataLeft = size;
        _padding = (int)((Block - (size % Block)) % Block);
    }

    private byte[] ReadExtension(long size)
    {
        if (size < 0 || size > _limits.MaxPaxBytes)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The archive has an extended header of {size} bytes, more than the {_limits.MaxPaxBytes} that are taken");
        }

        _start += Block;
        SetData(size);
        var content = ReadWhole(_limits.MaxPaxBytes, "extended header");
        SkipData();
        return content;
    }

    private static byte[] TrimNul(byte[] text)
    {
        var end = Array.IndexOf(text, (byte)0);
        return end < 0 ? text : text[..end];
    }

    private ReadOnlySpan<byte> TakeBlock()
    {
        if (!Fill(Block))
        {
            throw CutOff();
        }

        var block = _buffer.AsSpan(_start, Block);
        _start += Block;
        return block;
    }

    private void SkipData()
    {
        while (ReadData().Length > 0)
        {
        }

        if (_padding > 0)
        {
            // umoci ends a layer right behind the last file's bytes; where a digest proves the whole, that is no damage.
            if (!Fill(_padding) && _limits.RequireEndMarker)
            {
                throw CutOff();
            }

            _start = Math.Min(_start + _padding, _end);
            _padding = 0;
        }
    }

    // Makes at least `need` bytes stand together in the buffer; false when the input ends before.
    private bool Fill(int need)
    {
        if (_end - _start >= need)
        {
            return true;
        }

        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        while (_end < need)
        {
            var n = _input.Read(_buffer, _end, BufferSize - _end);
            if (n == 0)
            {
                return false;
            }

            _end += n;
            _read += n;
        }

        return true;
    }

    private static MusterException CutOff() => new(ErrorKind.Corrupt, "The archive is cut off: its last entry or its end mark is missing; fetch or make it again");
}
