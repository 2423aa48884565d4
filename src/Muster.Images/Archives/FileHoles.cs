using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>
/// Where files have data and where only holes (lseek(2)). A few hundred bytes of an archive may stand for a file of hundreds
/// of gigabytes: whoever reads or copies it takes the holes as holes.
/// </summary>
internal static class FileHoles
{
    /// <summary>The pieces of an open file that have data, ascending; all of it where the file system tells of no holes or of too many.</summary>
    public static List<SparseSegment> DataOf(int descriptor, long size)
    {
        var pieces = new List<SparseSegment>();
        for (long at = 0; at < size && pieces.Count < TarLimits.Default.MaxSparseSegments;)
        {
            var data = FileCalls.SeekData(descriptor, at);
            if (data < 0)
            {
                // Only a hole follows, or the file system knows none.
                return FileCalls.Error == Errno.ENXIO ? pieces : [new SparseSegment(0, size)];
            }

            var hole = FileCalls.SeekHole(descriptor, data);
            if (hole < 0)
            {
                return [new SparseSegment(0, size)];
            }

            hole = Math.Min(hole, size);
            pieces.Add(new SparseSegment(data, hole - data));
            at = hole;
            if (at == size)
            {
                return pieces;
            }
        }

        return size == 0 ? pieces : [new SparseSegment(0, size)];
    }

    /// <summary>Moves two open files of one size on to where the first of them has data again; returns where that is, at the latest their end.</summary>
    public static long SkipBoth(int left, int right, long at, long size)
    {
        var next = Math.Min(NextData(left, at, size), NextData(right, at, size));
        _ = FileCalls.Seek(left, next);
        _ = FileCalls.Seek(right, next);
        return next;
    }

    private static long NextData(int descriptor, long at, long size)
    {
        var next = FileCalls.SeekData(descriptor, at);
        return next >= 0 ? next : FileCalls.Error == Errno.ENXIO ? size : at;
    }
}
