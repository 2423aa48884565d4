using Muster.Linux;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Memory;

/// <summary>What a container sees of memory: its limit as the machine's size, its own use as what is used. What no control group counts stays the host's.</summary>
internal sealed class ContainerMemory
{
    // Version 1 writes limits in pages: no limit is the largest number of whole pages.
    private const double NoLimitFrom = 1L << 62;

    // A key of meminfo, and the key of memory.stat in version 1 and 2.
    private static readonly (string Key, string Version1, string Version2)[] Own =
    [
        ("Cached", "total_cache", "file"), ("AnonPages", "total_rss", "anon"), ("Mapped", "total_mapped_file", "file_mapped"), ("Dirty", "total_dirty", "file_dirty"),
        ("Writeback", "total_writeback", "file_writeback"), ("Shmem", "total_shmem", "shmem"), ("Active(anon)", "total_active_anon", "active_anon"), ("Inactive(anon)", "total_inactive_anon", "inactive_anon"),
        ("Active(file)", "total_active_file", "active_file"), ("Inactive(file)", "total_inactive_file", "inactive_file"), ("Unevictable", "total_unevictable", "unevictable"),
        ("Slab", "", "slab"), ("SReclaimable", "", "slab_reclaimable"), ("SUnreclaim", "", "slab_unreclaimable"), ("KernelStack", "", "kernel_stack"), ("PageTables", "", "pagetables"),
    ];

    private readonly Lazy<ContainerFolders> _folders = new(() => new ContainerFolders(CgroupHierarchies.Load()));

    /// <summary>Replaces what the container has values of its own for, in KiB.</summary>
    public void Overlay(ContainerDescription container, Sheet sheet, Func<string, int> column)
    {
        if (_folders.Value.Find(container, "memory", out var isV2) is not { } folder
            || ContainerFolders.ReadNumber(folder + (isV2 ? "/memory.current" : "/memory.usage_in_bytes")) is not { } usage)
        {
            return;
        }

        var statistics = ContainerFolders.ReadKeyed(folder + "/memory.stat");
        foreach (var (key, version1, version2) in Own)
        {
            if (column(key) >= 0 && statistics.TryGetValue(isV2 ? version2 : version1, out var bytes))
            {
                sheet.Set(0, column(key), bytes / 1024);
            }
        }

        var host = sheet.Number(0, column("MemTotal")) * 1024.0;
        var limit = ContainerFolders.Limit(folder, f => ContainerFolders.ReadNumber(f + (isV2 ? "/memory.max" : "/memory.limit_in_bytes")) is { } own && own >= 0 && own < NoLimitFrom ? own : null);
        var total = (long)Math.Min(limit ?? host, host);
        var inactive = statistics.GetValueOrDefault(isV2 ? "inactive_file" : "total_inactive_file");
        Put("MemTotal", total);
        Put("MemFree", Math.Max(0, total - usage));
        Put("MemAvailable", Math.Max(0, total - usage + inactive));
        Put("Buffers", 0);
        Put("Active", (sheet.Number(0, column("Active(anon)")) + sheet.Number(0, column("Active(file)"))) * 1024);
        Put("Inactive", (sheet.Number(0, column("Inactive(anon)")) + sheet.Number(0, column("Inactive(file)"))) * 1024);

        void Put(string key, long bytes) => sheet.Set(0, column(key), bytes / 1024);
    }
}
