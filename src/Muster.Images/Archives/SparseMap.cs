using Muster.Core;

namespace Muster.Images.Archives;

/// <summary>The maps of GNU tar's sparse files: old format, pax 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files").</summary>
internal static class SparseMap
{
    /// <summary>Segments must ascend without overlap, lie inside the file and add up to what is stored.</summary>
    public static void Check(IReadOnlyList<SparseSegment> segments, long size, long stored)
    {
        long end = 0;
        long sum = 0;
        foreach (var (offset, length) in segments)
        {
            if (offset < end || length < 0 || offset > size || length > size - offset)
            {
                throw Damaged();
            }

            end = offset + length;
            sum += length;
        }

        if (sum != stored)
        {
            throw Damaged();
        }
    }

    /// <summary>Reads the map of an extended header (0.0 repeats two keys, 0.1 has a list); null when there is none.</summary>
    public static List<SparseSegment>? FromPax(PaxHeader header, TarLimits limits)
    {
        List<SparseSegment>? segments = null;
        long? offset = null;
        foreach (var (key, value) in header.Records)
        {
            switch (key)
            {
                case "GNU.sparse.offset":
                    offset = PaxHeader.ParseNumber(value, key);
                    break;
                case "GNU.sparse.numbytes":
                    Add(segments ??= [], offset ?? throw Damaged(), PaxHeader.ParseNumber(value, key), limits);
                    offset = null;
                    break;
                case "GNU.sparse.map":
                    segments = FromList(value, limits);
                    break;
                case "GNU.sparse.numblocks" when PaxHeader.ParseNumber(value, key) == 0:
                    segments ??= [];
                    break;
            }
        }

        return offset is null ? segments : throw Damaged();
    }

    /// <summary>Adds a pair of the old format's header (four at 386) or its extension blocks (21 at 0); an empty pair ends the list.</summary>
    public static void AddOld(ReadOnlySpan<byte> block, int at, int count, List<SparseSegment> segments, TarLimits limits)
    {
        for (var i = 0; i < count; i++, at += 24)
        {
            if (block[at] == 0)
            {
                return;
            }

            if (!TarHeader.TryNumber(block.Slice(at, 12), out var offset) || !TarHeader.TryNumber(block.Slice(at + 12, 12), out var length))
            {
                throw Damaged();
            }

            Add(segments, offset, length, limits);
        }
    }

    public static void Add(List<SparseSegment> segments, long offset, long length, TarLimits limits)
    {
        if (segments.Count >= limits.MaxSparseSegments)
        {
            throw new MusterException(ErrorKind.Exhausted, $"The archive has a sparse file of more than {limits.MaxSparseSegments} pieces");
        }

        segments.Add(new SparseSegment(offset, length));
    }

    public static MusterException Damaged() => new(ErrorKind.Corrupt, "The archive is damaged: the map of a sparse file does not fit the file; fetch or make the archive again");

    private static List<SparseSegment> FromList(ReadOnlySpan<byte> list, TarLimits limits)
    {
        var segments = new List<SparseSegment>();
        long? offset = null;
        foreach (var range in list.Split((byte)','))
        {
            if (list[range].Length == 0 && list.Length == 0)
            {
                break;
            }

            var number = PaxHeader.ParseNumber(list[range], "GNU.sparse.map");
            if (offset is { } start)
            {
                Add(segments, start, number, limits);
                offset = null;
            }
            else
            {
                offset = number;
            }
        }

        return offset is null ? segments : throw Damaged();
    }
}
