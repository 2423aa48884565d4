using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Memory;

/// <summary>/proc/meminfo (proc_meminfo(5)) and what follows from it; in a container, what its limit and its own use make of it.</summary>
internal sealed class MemInfoSource : KeyedSource
{
    private const int BytesPerKibibyte = 1024;

    private readonly int _total;
    private readonly int _free;
    private readonly int _buffers;
    private readonly int _cached;
    private readonly int _dirty;
    private readonly int _writeback;
    private readonly int _used;
    private readonly int _other;
    private readonly int _clean;
    private readonly int _swapTotal;
    private readonly int _swapFree;
    private readonly int _swapBytes;
    private readonly int _swapUsed;
    private readonly int _swapFreeBytes;
    private readonly int _physmemMiB;
    private readonly int _hugepageBytes;
    private readonly (int Count, int Bytes)[] _hugepages;
    private readonly int _hugepageSize = HugePageSize();
    private readonly ContainerMemory _container = new();

    public MemInfoSource(IReadOnlyList<MetricLine> lines)
        : base(ContainerScope.RunningContainer, new KernelFile("/proc/meminfo"), lines)
    {
        (_total, _free, _buffers, _cached) = (Column("MemTotal"), Column("MemFree"), Column("Buffers"), Column("Cached"));
        (_dirty, _writeback, _used, _other) = (Column("Dirty"), Column("Writeback"), Column("used"), Column("other"));
        (_clean, _swapTotal, _swapFree) = (Column("cache_clean"), Column("SwapTotal"), Column("SwapFree"));
        (_swapBytes, _swapUsed, _swapFreeBytes) = (Column("swapLength"), Column("swapUsed"), Column("swapFreeBytes"));
        (_physmemMiB, _hugepageBytes) = (Column("physmemMiB"), Column("hugepageBytes"));
        _hugepages = [.. new[] { "Total", "Free", "Rsvd", "Surp" }.Select(n => (Column("HugePages_" + n), Column($"hugepages{n}Bytes")))];
    }

    /// <summary>The size of a huge page; 0 when the kernel has none.</summary>
    public int HugePageBytes => _hugepageSize;

    /// <summary>PCP's tools ask for high and low memory by name, though no 64-bit kernel has any: these are known, and have no value.</summary>
    public override bool Supports(Sheet probe, int column) => column == Column("HighTotal") || column == Column("HighFree") || column == Column("LowTotal") || column == Column("LowFree") || base.Supports(probe, column);

    /// <inheritdoc/>
    protected override void Complete(ReadContext context, Sheet sheet)
    {
        if (context.Container is { } container)
        {
            _container.Overlay(container, sheet, Column);
        }

        var (total, free, cached) = (sheet.Number(0, _total), sheet.Number(0, _free), sheet.Number(0, _cached));
        Put(sheet, _used, total - free);
        Put(sheet, _other, total - free - cached - sheet.Number(0, _buffers));
        Put(sheet, _clean, cached - sheet.Number(0, _dirty) - sheet.Number(0, _writeback));
        Put(sheet, _physmemMiB, total / BytesPerKibibyte);
        Put(sheet, _swapBytes, sheet.Number(0, _swapTotal) * BytesPerKibibyte);
        Put(sheet, _swapFreeBytes, sheet.Number(0, _swapFree) * BytesPerKibibyte);
        Put(sheet, _swapUsed, (sheet.Number(0, _swapTotal) - sheet.Number(0, _swapFree)) * BytesPerKibibyte);
        Put(sheet, _hugepageBytes, _hugepageSize);
        foreach (var (count, bytes) in _hugepages)
        {
            Put(sheet, bytes, sheet.Number(0, count) * _hugepageSize);
        }
    }

    // It is fixed for a boot, and its key is no metric's column.
    private static int HugePageSize()
    {
        using var text = KernelText.ReadFile("/proc/meminfo");
        var lines = new TextLines(text.Bytes);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (fields.TryNext(out var key) && key.SequenceEqual("Hugepagesize:"u8) && fields.TryNumber(out var size))
            {
                return (int)size * BytesPerKibibyte;
            }
        }

        return 0;
    }
}
