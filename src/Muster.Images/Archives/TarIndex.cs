using System.Text;
using Muster.Core;
using Muster.Images.Oci;
using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>
/// The files of a tar archive by name, for archives that are read out of order (oci-archive, docker-archive). Read once to
/// find the places; a compressed archive is uncompressed into a temporary file first.
/// </summary>
internal sealed class TarIndex : IDisposable
{
    /// <summary>Entries of an archive of images: a few files a layer.</summary>
    private const int MaxEntries = 100_000;

    private readonly Dictionary<string, (long Offset, long Size)> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);
    private readonly string _path;
    private readonly IDisposable? _temporary;

    private TarIndex(string path, IDisposable? temporary)
    {
        _path = path;
        _temporary = temporary;
    }

    /// <summary>Opens an archive; <paramref name="pending"/> gives the place for a temporary file and takes it away.</summary>
    public static TarIndex Open(string path, PendingImage pending, TarLimits? limits = null)
    {
        using var file = LayoutFiles.TryOpenGiven(path) ?? throw new MusterException(ErrorKind.NotFound, $"{path} does not exist");
        var start = new byte[Decompression.MagicLength];
        var n = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var kind = Decompression.Recognise(start.AsSpan(0, n));
        file.Position = 0;
        var plain = path;
        if (kind != CompressionKind.None)
        {
            plain = pending.NewPath("archive");
            Uncompress(file, kind, plain, limits ?? TarLimits.Default);
        }

        var index = new TarIndex(plain, pending);
        try
        {
            index.Read();
        }
        catch (Exception e) when (e is InvalidDataException)
        {
            throw new MusterException(ErrorKind.Corrupt, $"{path} cannot be decompressed: {e.Message}", e);
        }

        return index;
    }

    /// <summary>Whether the archive has a file of that name.</summary>
    public bool Has(string name) => Resolve(name) is not null;

    /// <summary>The size of a file; an error when it is not there.</summary>
    public long Size(string name) => Find(name).Size;

    /// <summary>Opens a file from <paramref name="offset"/> on.</summary>
    public Stream Open(string name, long offset)
    {
        var (start, size) = Find(name);
        var file = LayoutFiles.TryOpenGiven(_path) ?? throw new MusterException(ErrorKind.NotFound, $"{_path} has vanished");
        return new StreamRange(file, start + offset, size - offset);
    }

    /// <summary>Reads a whole small file.</summary>
    public byte[] Read(string name, int most)
    {
        var (_, size) = Find(name);
        if (size > most)
        {
            throw new MusterException(ErrorKind.Exhausted, $"\"{name}\" in the archive has {size} bytes, more than the {most} that are taken");
        }

        var content = new byte[size];
        using var stream = Open(name, 0);
        stream.ReadExactly(content);
        return content;
    }

    public void Dispose() => _temporary?.Dispose();

    private static void Uncompress(FileStream file, CompressionKind kind, string path, TarLimits limits)
    {
        using var content = Decompression.Open(file, kind);
        using var to = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        var buffer = new byte[256 * 1024];
        int n;
        try
        {
            while ((n = content.Read(buffer)) > 0)
            {
                to.Write(buffer, 0, n);
                if (to.Position > limits.MaxTotalBytes)
                {
                    throw new MusterException(ErrorKind.Exhausted, $"The archive is larger than {Quantity.FormatBytes(limits.MaxTotalBytes)} uncompressed");
                }

                // What a decompressor has read ahead only makes the ratio look smaller.
                if (to.Position > limits.RatioGraceBytes && to.Position / limits.MaxRatio > file.Position)
                {
                    throw ArchivePass.Bomb(limits.MaxRatio);
                }
            }
        }
        catch (InvalidDataException e)
        {
            throw new MusterException(ErrorKind.Corrupt, "The archive's compressed data is damaged or cut off: fetch or make it again", e);
        }
    }

    private void Read()
    {
        using var file = LayoutFiles.TryOpenGiven(_path)!;
        using var reader = new TarReader(file, TarLimits.Default with { MaxEntries = MaxEntries });
        var name = new byte[TarLimits.Default.MaxPathBytes + 2];
        while (reader.Next() is { } entry)
        {
            var path = Encoding.UTF8.GetString(name, 0, TarPath.Normalise(entry.Name, name, TarLimits.Default));
            if (entry is { Type: TarEntryType.File, Sparse: null })
            {
                _files[path] = (reader.DataOffset, entry.StoredSize);
            }
            else if (entry.Type is TarEntryType.Symlink or TarEntryType.HardLink)
            {
                // docker save writes a layer that two images share as a link to its first place.
                var target = Encoding.UTF8.GetString(entry.LinkName);
                var folder = path.Contains('/', StringComparison.Ordinal) ? path[..path.LastIndexOf('/')] : "";
                _links[path] = entry.Type == TarEntryType.HardLink ? Path.GetFullPath("/" + target)[1..] : Path.GetFullPath("/" + folder + "/" + target)[1..];
            }
        }
    }

    private string? Resolve(string name)
    {
        var path = Path.GetFullPath("/" + name)[1..];
        for (var hops = 0; hops < 4; hops++)
        {
            if (_files.ContainsKey(path))
            {
                return path;
            }

            if (!_links.TryGetValue(path, out path!))
            {
                return null;
            }
        }

        return null;
    }

    private (long Offset, long Size) Find(string name) => Resolve(name) is { } path
        ? _files[path]
        : throw new MusterException(ErrorKind.Invalid, $"The archive has no file \"{TarEntry.Display(Encoding.UTF8.GetBytes(name))}\"");
}

/// <summary>A part of a file, read from front to end.</summary>
internal sealed class StreamRange : ReadOnlyStream
{
    private readonly FileStream _file;
    private long _left;

    public StreamRange(FileStream file, long offset, long length)
    {
        _file = file;
        _left = length;
        file.Position = offset;
    }

    public override int Read(Span<byte> buffer)
    {
        var n = _file.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
        _left -= n;
        return n;
    }

    protected override void Dispose(bool disposing)
    {
        _file.Dispose();
        base.Dispose(disposing);
    }
}
