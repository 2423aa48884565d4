using Muster.Linux;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>
/// What a container sees of all CPUs: its own time; as idle time what its limit would have let it use besides since it was
/// started; and the CPUs that its limit and its set of CPUs allow. Single CPUs and nodes stay the host's.
/// </summary>
internal sealed class ContainerCpu
{
    // Columns of StatSource that no control group counts, and that are 0 for a container.
    private static readonly string[] Zero = ["nice", "wait", "hard", "soft", "steal", "guest", "guest_nice", "intr", "vnice"];

    private readonly Lazy<ContainerFolders> _folders = new(() => new ContainerFolders(CgroupHierarchies.Load()));

    /// <summary>Replaces times, in milliseconds, and the number of CPUs.</summary>
    public void Overlay(ContainerDescription container, Sheet sheet, Func<string, int> column)
    {
        if (_folders.Value.Find(container, "cpuacct", out var isV2) is not { } folder)
        {
            return;
        }

        var times = ContainerFolders.ReadKeyed(folder + (isV2 ? "/cpu.stat" : "/cpuacct.stat"));
        const long millisecondsPerTick = 1000 / StatSource.TicksPerSecond;
        var user = isV2 ? times.GetValueOrDefault("user_usec") / 1000 : times.GetValueOrDefault("user") * millisecondsPerTick;
        var system = isV2 ? times.GetValueOrDefault("system_usec") / 1000 : times.GetValueOrDefault("system") * millisecondsPerTick;
        var cpus = Cpus(container, sheet.Number(0, column("ncpu")));
        foreach (var name in Zero)
        {
            sheet.Set(0, column(name), 0L);
        }

        sheet.Set(0, column("user"), user);
        sheet.Set(0, column("vuser"), user);
        sheet.Set(0, column("sys"), system);
        sheet.Set(0, column("idle"), Math.Max(0, (long)(cpus * Age(container)) - user - system));
        sheet.Set(0, column("ncpu"), (long)Math.Max(1, Math.Ceiling(cpus)));
    }

    private double Cpus(ContainerDescription container, long host)
    {
        double cpus = host;
        if (_folders.Value.Find(container, "cpuset", out var isV2) is { } set)
        {
            var allowed = CpuTopology.Parse(ContainerFolders.ReadText(set + (isV2 ? "/cpuset.cpus.effective" : "/cpuset.effective_cpus"))).Count;
            cpus = allowed > 0 ? Math.Min(cpus, allowed) : cpus;
        }

        if (_folders.Value.Find(container, "cpu", out isV2) is { } folder)
        {
            var limit = ContainerFolders.Limit(folder, f => OwnLimit(f, isV2));
            cpus = limit is { } some ? Math.Min(cpus, some) : cpus;
        }

        return cpus;
    }

    private static double? OwnLimit(string folder, bool isV2)
    {
        var limit = isV2
            ? CpuPart.ParseMax(ContainerFolders.ReadText(folder + "/cpu.max"))
            : ContainerFolders.ReadNumber(folder + "/cpu.cfs_quota_us") is > 0 and var quota && ContainerFolders.ReadNumber(folder + "/cpu.cfs_period_us") is > 0 and var period ? (double)quota / period : 0;
        return limit > 0 ? limit : null;
    }

    // Milliseconds since the container's first process was started.
    private static double Age(ContainerDescription container)
    {
        using var uptime = KernelText.ReadFile("/proc/uptime");
        var fields = new TextFields(uptime.Bytes);
        return container.InitPid > 0 && fields.TryNext(out var field) && TextNumbers.TryParseFraction(field, out var seconds)
            ? Math.Max(0, (seconds * 1000) - (ProcessControl.StartTime(container.InitPid) * (1000.0 / StatSource.TicksPerSecond)))
            : 0;
    }
}
