using Muster.Core;
using Muster.Images.Archives;

namespace Muster.Fuzz;

/// <summary>Any bytes as a tar archive: read to the end or refused, within the limits, never another exception.</summary>
public static class TarReaderTarget
{
    private static readonly TarLimits Limits = new() { MaxEntries = 1000, MaxTotalBytes = 1 << 20, MaxPaxBytes = 1 << 16, MaxSparseSegments = 1000 };

    public static void Run(ReadOnlySpan<byte> data)
    {
        using var input = new MemoryStream(data.ToArray());
        using var reader = new TarReader(input, Limits);
        try
        {
            while (reader.Next() is { } entry)
            {
                long stored = 0;
                while (reader.ReadData() is { Length: > 0 } piece)
                {
                    stored += piece.Length;
                }

                if (stored != entry.StoredSize || entry.Size < 0 || entry.StoredSize > data.Length)
                {
                    throw new InvalidOperationException("An entry's size is not what was read");
                }
            }
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Corrupt or ErrorKind.Invalid or ErrorKind.Exhausted)
        {
            // Refused, as it should be.
        }
    }
}
