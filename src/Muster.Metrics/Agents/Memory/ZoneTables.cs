namespace Muster.Metrics.Agents.Memory;

/// <summary>The metrics of the zones of memory. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class ZoneTables
{
    public const string Zones = """
        mem.zoneinfo.cma                           68.46 32 u64 instant KiB cma                           | Contiguous memory areas of the zone
        mem.zoneinfo.free                          68.0  32 u64 instant KiB free                          | Free memory of the zone
        mem.zoneinfo.high                          68.3  32 u64 instant KiB high                          | Mark above which kswapd sleeps
        mem.zoneinfo.low                           68.2  32 u64 instant KiB low                           | Mark below which kswapd is woken
        mem.zoneinfo.managed                       68.7  32 u64 instant KiB managed                       | Memory of the zone that the allocator manages
        mem.zoneinfo.min                           68.1  32 u64 instant KiB min                           | Mark below which only urgent allocations get memory
        mem.zoneinfo.nr_active_anon                68.11 32 u64 instant KiB nr_active_anon                | The zone's share, or its node's, of what mem.vmstat.nr_active_anon counts
        mem.zoneinfo.nr_active_file                68.13 32 u64 instant KiB nr_active_file                | The zone's share, or its node's, of what mem.vmstat.nr_active_file counts
        mem.zoneinfo.nr_alloc_batch                68.9  32 u64 instant KiB nr_alloc_batch                | The zone's share, or its node's, of what mem.vmstat.nr_alloc_batch counts
        mem.zoneinfo.nr_anon_pages                 68.16 32 u64 instant KiB nr_anon_pages                 | The zone's share, or its node's, of what mem.vmstat.nr_anon_pages counts
        mem.zoneinfo.nr_anon_transparent_hugepages 68.44 32 u64 instant KiB nr_anon_transparent_hugepages | The zone's share, or its node's, of what mem.vmstat.nr_anon_transparent_hugepages counts
        mem.zoneinfo.nr_bounce                     68.26 32 u64 instant KiB nr_bounce                     | The zone's share, or its node's, of what mem.vmstat.nr_bounce counts
        mem.zoneinfo.nr_dirtied                    68.33 32 u64 instant KiB nr_dirtied                    | The zone's share, or its node's, of what mem.vmstat.nr_dirtied counts
        mem.zoneinfo.nr_dirty                      68.19 32 u64 instant KiB nr_dirty                      | The zone's share, or its node's, of what mem.vmstat.nr_dirty counts
        mem.zoneinfo.nr_file_hugepages             68.50 32 u64 instant KiB nr_file_hugepages             | The zone's share, or its node's, of what mem.vmstat.nr_file_hugepages counts
        mem.zoneinfo.nr_file_pages                 68.18 32 u64 instant KiB nr_file_pages                 | The zone's share, or its node's, of what mem.vmstat.nr_file_pages counts
        mem.zoneinfo.nr_file_pmdmapped             68.51 32 u64 instant KiB nr_file_pmdmapped             | The zone's share, or its node's, of what mem.vmstat.nr_file_pmdmapped counts
        mem.zoneinfo.nr_foll_pin_acquired          68.53 32 u64 instant KiB nr_foll_pin_acquired          | The zone's share, or its node's, of what mem.vmstat.nr_foll_pin_acquired counts
        mem.zoneinfo.nr_foll_pin_released          68.54 32 u64 instant KiB nr_foll_pin_released          | The zone's share, or its node's, of what mem.vmstat.nr_foll_pin_released counts
        mem.zoneinfo.nr_free_cma                   68.45 32 u64 instant KiB nr_free_cma                   | The zone's share, or its node's, of what mem.vmstat.nr_free_cma counts
        mem.zoneinfo.nr_free_pages                 68.8  32 u64 instant KiB nr_free_pages                 | The zone's share, or its node's, of what mem.vmstat.nr_free_pages counts
        mem.zoneinfo.nr_inactive_anon              68.10 32 u64 instant KiB nr_inactive_anon              | The zone's share, or its node's, of what mem.vmstat.nr_inactive_anon counts
        mem.zoneinfo.nr_inactive_file              68.12 32 u64 instant KiB nr_inactive_file              | The zone's share, or its node's, of what mem.vmstat.nr_inactive_file counts
        mem.zoneinfo.nr_isolated_anon              68.30 32 u64 instant KiB nr_isolated_anon              | The zone's share, or its node's, of what mem.vmstat.nr_isolated_anon counts
        mem.zoneinfo.nr_isolated_file              68.31 32 u64 instant KiB nr_isolated_file              | The zone's share, or its node's, of what mem.vmstat.nr_isolated_file counts
        mem.zoneinfo.nr_kernel_misc_reclaimable    68.52 32 u64 instant KiB nr_kernel_misc_reclaimable    | The zone's share, or its node's, of what mem.vmstat.nr_kernel_misc_reclaimable counts
        mem.zoneinfo.nr_kernel_stack               68.24 32 u64 instant KiB nr_kernel_stack               | The zone's share, or its node's, of what mem.vmstat.nr_kernel_stack counts
        mem.zoneinfo.nr_mapped                     68.17 32 u64 instant KiB nr_mapped                     | The zone's share, or its node's, of what mem.vmstat.nr_mapped counts
        mem.zoneinfo.nr_mlock                      68.15 32 u64 instant KiB nr_mlock                      | The zone's share, or its node's, of what mem.vmstat.nr_mlock counts
        mem.zoneinfo.nr_page_table_pages           68.23 32 u64 instant KiB nr_page_table_pages           | The zone's share, or its node's, of what mem.vmstat.nr_page_table_pages counts
        mem.zoneinfo.nr_shmem                      68.32 32 u64 instant KiB nr_shmem                      | The zone's share, or its node's, of what mem.vmstat.nr_shmem counts
        mem.zoneinfo.nr_shmem_hugepages            68.48 32 u64 instant KiB nr_shmem_hugepages            | The zone's share, or its node's, of what mem.vmstat.nr_shmem_hugepages counts
        mem.zoneinfo.nr_shmem_pmdmapped            68.49 32 u64 instant KiB nr_shmem_pmdmapped            | The zone's share, or its node's, of what mem.vmstat.nr_shmem_pmdmapped counts
        mem.zoneinfo.nr_slab_reclaimable           68.21 32 u64 instant KiB nr_slab_reclaimable           | The zone's share, or its node's, of what mem.vmstat.nr_slab_reclaimable counts
        mem.zoneinfo.nr_slab_unreclaimable         68.22 32 u64 instant KiB nr_slab_unreclaimable         | The zone's share, or its node's, of what mem.vmstat.nr_slab_unreclaimable counts
        mem.zoneinfo.nr_swapcached                 68.47 32 u64 instant KiB nr_swapcached                 | The zone's share, or its node's, of what mem.vmstat.nr_swapcached counts
        mem.zoneinfo.nr_unevictable                68.14 32 u64 instant KiB nr_unevictable                | The zone's share, or its node's, of what mem.vmstat.nr_unevictable counts
        mem.zoneinfo.nr_unstable                   68.25 32 u64 instant KiB nr_unstable                   | The zone's share, or its node's, of what mem.vmstat.nr_unstable counts
        mem.zoneinfo.nr_vmscan_immediate_reclaim   68.28 32 u64 instant KiB nr_vmscan_immediate_reclaim   | The zone's share, or its node's, of what mem.vmstat.nr_vmscan_immediate_reclaim counts
        mem.zoneinfo.nr_vmscan_write               68.27 32 u64 instant KiB nr_vmscan_write               | The zone's share, or its node's, of what mem.vmstat.nr_vmscan_write counts
        mem.zoneinfo.nr_writeback                  68.20 32 u64 instant KiB nr_writeback                  | The zone's share, or its node's, of what mem.vmstat.nr_writeback counts
        mem.zoneinfo.nr_writeback_temp             68.29 32 u64 instant KiB nr_writeback_temp             | The zone's share, or its node's, of what mem.vmstat.nr_writeback_temp counts
        mem.zoneinfo.nr_written                    68.34 32 u64 instant KiB nr_written                    | The zone's share, or its node's, of what mem.vmstat.nr_written counts
        mem.zoneinfo.nr_zone_active_anon           68.65 32 u64 instant KiB nr_zone_active_anon           | The zone's share, or its node's, of what mem.vmstat.nr_zone_active_anon counts
        mem.zoneinfo.nr_zone_active_file           68.63 32 u64 instant KiB nr_zone_active_file           | The zone's share, or its node's, of what mem.vmstat.nr_zone_active_file counts
        mem.zoneinfo.nr_zone_inactive_anon         68.64 32 u64 instant KiB nr_zone_inactive_anon         | The zone's share, or its node's, of what mem.vmstat.nr_zone_inactive_anon counts
        mem.zoneinfo.nr_zone_inactive_file         68.62 32 u64 instant KiB nr_zone_inactive_file         | The zone's share, or its node's, of what mem.vmstat.nr_zone_inactive_file counts
        mem.zoneinfo.nr_zone_unevictable           68.66 32 u64 instant KiB nr_zone_unevictable           | The zone's share, or its node's, of what mem.vmstat.nr_zone_unevictable counts
        mem.zoneinfo.nr_zone_write_pending         68.67 32 u64 instant KiB nr_zone_write_pending         | The zone's share, or its node's, of what mem.vmstat.nr_zone_write_pending counts
        mem.zoneinfo.nr_zspages                    68.61 32 u64 instant KiB nr_zspages                    | The zone's share, or its node's, of what mem.vmstat.nr_zspages counts
        mem.zoneinfo.numa_foreign                  68.37 32 u64 instant KiB numa_foreign                  | The zone's share, or its node's, of what mem.vmstat.numa_foreign counts
        mem.zoneinfo.numa_hit                      68.35 32 u64 instant KiB numa_hit                      | The zone's share, or its node's, of what mem.vmstat.numa_hit counts
        mem.zoneinfo.numa_interleave               68.38 32 u64 instant KiB numa_interleave               | The zone's share, or its node's, of what mem.vmstat.numa_interleave counts
        mem.zoneinfo.numa_local                    68.39 32 u64 instant KiB numa_local                    | The zone's share, or its node's, of what mem.vmstat.numa_local counts
        mem.zoneinfo.numa_miss                     68.36 32 u64 instant KiB numa_miss                     | The zone's share, or its node's, of what mem.vmstat.numa_miss counts
        mem.zoneinfo.numa_other                    68.40 32 u64 instant KiB numa_other                    | The zone's share, or its node's, of what mem.vmstat.numa_other counts
        mem.zoneinfo.present                       68.6  32 u64 instant KiB present                       | Memory of the zone without holes
        mem.zoneinfo.scanned                       68.4  32 u64 instant KiB scanned                       | Memory looked at since the last was freed
        mem.zoneinfo.spanned                       68.5  32 u64 instant KiB spanned                       | Extent of the zone, holes included
        mem.zoneinfo.workingset_activate           68.42 32 u64 instant KiB workingset_activate           | The zone's share, or its node's, of what mem.vmstat.workingset_activate counts
        mem.zoneinfo.workingset_active_anon        68.57 32 u64 instant KiB workingset_activate_anon      | Returned anonymous pages that went to the active list
        mem.zoneinfo.workingset_active_file        68.58 32 u64 instant KiB workingset_activate_file      | Returned file pages that went to the active list
        mem.zoneinfo.workingset_nodereclaim        68.43 32 u64 instant KiB workingset_nodereclaim        | The zone's share, or its node's, of what mem.vmstat.workingset_nodereclaim counts
        mem.zoneinfo.workingset_refault            68.41 32 u64 instant KiB workingset_refault            | The zone's share, or its node's, of what mem.vmstat.workingset_refault counts
        mem.zoneinfo.workingset_refault_anon       68.55 32 u64 instant KiB workingset_refault_anon       | The zone's share, or its node's, of what mem.vmstat.workingset_refault_anon counts
        mem.zoneinfo.workingset_refault_file       68.56 32 u64 instant KiB workingset_refault_file       | The zone's share, or its node's, of what mem.vmstat.workingset_refault_file counts
        mem.zoneinfo.workingset_restore_anon       68.59 32 u64 instant KiB workingset_restore_anon       | The zone's share, or its node's, of what mem.vmstat.workingset_restore_anon counts
        mem.zoneinfo.workingset_restore_file       68.60 32 u64 instant KiB workingset_restore_file       | The zone's share, or its node's, of what mem.vmstat.workingset_restore_file counts
        """;

    public const string Protection = """
        mem.zoneinfo.protection 70.0 33 u64 instant KiB = | Memory of the zone kept from allocations that a higher zone could serve
        """;
}
