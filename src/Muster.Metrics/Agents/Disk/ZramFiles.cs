using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Disk;

/// <summary>What the zram driver says of a device of its own (Documentation/admin-guide/blockdev/zram.rst): one line of numbers in each of three files.</summary>
internal static class ZramFiles
{
    // What the metrics give in KiB, and the unit of the file in bytes: 0 for a plain count.
    private static readonly (string File, (string Column, int Bytes)[] Fields)[] Files =
    [
        ("io_stat", [("failed_reads", 0), ("failed_writes", 0), ("invalid_io", 0), ("notify_free", 0)]),
        ("mm_stat", [("orig_data_size", 1), ("compr_data_size", 1), ("mem_used_total", 1), ("mem_limit", 1), ("mem_used_max", 1), ("same_pages", Page), ("pages_compacted", Page), ("huge_pages", Page)]),
        ("bd_stat", [("bd_count", BackingBlock), ("bd_reads", BackingBlock), ("bd_writes", BackingBlock)]),
    ];

    // pmcd counts pages of 4 KiB whatever the machine's are, and so does the driver for its backing device.
    private const int Page = 4096;
    private const int BackingBlock = 4096;

    /// <summary>The columns, in the order of the files.</summary>
    public static IReadOnlyList<string> Columns { get; } = [.. Files.SelectMany(f => f.Fields).Select(f => f.Column)];

    /// <summary>Fills the columns from <paramref name="first"/> on; only files of which something is asked are read.</summary>
    public static void Add(Sheet sheet, int row, int first, string device, DiskDevices devices)
    {
        foreach (var (file, columns) in Files)
        {
            if (sheet.WantsAnyOf(first, first + columns.Length))
            {
                using var text = devices.Read(device, file);
                var fields = new TextFields(text.Bytes.TrimEnd((byte)'\n'));
                for (var i = 0; i < columns.Length && fields.TryNumber(out var value); i++)
                {
                    sheet.Set(row, first + i, columns[i].Bytes switch { 0 => value, 1 => value / 1024, var unit => value * (unit / 1024) });
                }
            }

            first += columns.Length;
        }
    }
}
