using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Memory;

/// <summary>/proc/vmstat, with the sums over zones that newer kernels keep and older ones do not.</summary>
internal sealed class VmStatSource : KeyedSource
{
    // Each sum, and what it is the sum of where the kernel does not give it.
    private readonly (int Sum, int[] Parts)[] _sums;

    public VmStatSource(IReadOnlyList<MetricLine> lines)
        : base(ContainerScope.Host, new KernelFile("/proc/vmstat"), lines)
    {
        _sums =
        [
            Sum("nr_slab", "nr_slab_reclaimable", "nr_slab_unreclaimable"),
            Sum("pgscan_direct_total", "pgscan_direct", "pgscan_direct_dma", "pgscan_direct_dma32", "pgscan_direct_high", "pgscan_direct_movable", "pgscan_direct_normal"),
            Sum("pgscan_kswapd_total", "pgscan_kswapd", "pgscan_kswapd_dma", "pgscan_kswapd_dma32", "pgscan_kswapd_high", "pgscan_kswapd_movable", "pgscan_kswapd_normal"),
            Sum("pgsteal_total", "pgsteal_direct", "pgsteal_kswapd", "pgsteal_dma", "pgsteal_dma32", "pgsteal_high", "pgsteal_movable", "pgsteal_normal"),
            Sum("thp_split", "thp_split_page"),
        ];
    }

    /// <inheritdoc/>
    protected override void Complete(ReadContext context, Sheet sheet)
    {
        foreach (var (sum, parts) in _sums)
        {
            if (sum < 0 || sheet.Has(0, sum))
            {
                continue;
            }

            long total = 0;
            foreach (var part in parts)
            {
                total += part < 0 ? 0 : sheet.Number(0, part);
            }

            sheet.Set(0, sum, total);
        }
    }

    private (int Sum, int[] Parts) Sum(string sum, params string[] parts) => (Column(sum), [.. parts.Select(Column)]);
}
