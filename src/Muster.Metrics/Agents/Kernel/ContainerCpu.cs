using Muster.Linux;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>
/// What a container sees of all CPUs: its own time; as idle time what its limit would have let it use besides since it was
/// started; and the CPUs that its limit and its set of CPUs allow. Of each CPU that it may run on it sees its own time, and what
/// it left of it as idle; only version 1 of control groups counts CPUs one by one, and without it there is no value.
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
        const long millisecondsPerTick = 1000 / ProcessControl.TicksPerSecond;
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

    /// <summary>
    /// Replaces times, in milliseconds, of single CPUs and of nodes: rows of CPUs that the container may not run on, and columns
    /// that no control group counts, stay without a value.
    /// </summary>
    public void OverlayEach(ContainerDescription container, Sheet cpus, Sheet nodes, ReadOnlySpan<int> nodeOfCpu, Func<string, int> column)
    {
        var isV2 = false;
        if (_folders.Value.Find(container, "cpuacct", out isV2) is not { } folder || isV2
            || ReadEach(folder + "/cpuacct.usage_percpu_user") is not { Count: > 0 } user || ReadEach(folder + "/cpuacct.usage_percpu_sys") is not { Count: > 0 } system)
        {
            cpus.Fail(PcpError.Value);
            nodes.Fail(PcpError.Value);
            return;
        }

        for (var row = 0; row < nodes.Rows; row++)
        {
            nodes.EmptyRow(row);
        }

        var allowed = AllowedCpus(container);
        var age = (long)Age(container);
        for (var row = 0; row < cpus.Rows; row++)
        {
            cpus.EmptyRow(row);
            var cpu = cpus.Instance(row);
            if (cpu >= user.Count || cpu >= system.Count || (allowed.Count > 0 && !allowed.Contains(cpu)))
            {
                continue;
            }

            Set(cpus, row);
            for (var node = 0; node < nodes.Rows; node++)
            {
                if (cpu < nodeOfCpu.Length && nodes.Instance(node) == nodeOfCpu[cpu])
                {
                    Set(nodes, node);
                }
            }

            void Set(Sheet sheet, int at)
            {
                sheet.Add(at, column("user"), user[cpu]);
                sheet.Add(at, column("vuser"), user[cpu]);
                sheet.Add(at, column("sys"), system[cpu]);
                sheet.Add(at, column("idle"), Math.Max(0, age - user[cpu] - system[cpu]));
            }
        }
    }

    // Nanoseconds of each CPU in one line, as milliseconds; null when the kernel has no such file.
    private static List<long>? ReadEach(string path)
    {
        using var text = KernelText.ReadFile(path);
        if (text.Error != 0)
        {
            return null;
        }

        const long nanosecondsPerMillisecond = 1_000_000;
        var found = new List<long>();
        var fields = new TextFields(text.Bytes.TrimEnd((byte)'\n'));
        while (fields.TryNumber(out var nanoseconds))
        {
            found.Add(nanoseconds / nanosecondsPerMillisecond);
        }

        return found;
    }

    // Empty where no set of CPUs is known.
    private IReadOnlyList<int> AllowedCpus(ContainerDescription container) =>
        _folders.Value.Find(container, "cpuset", out var isV2) is { } set
            ? CpuTopology.Parse(ContainerFolders.ReadText(set + (isV2 ? "/cpuset.cpus.effective" : "/cpuset.effective_cpus")))
            : [];

    private double Cpus(ContainerDescription container, long host)
    {
        double cpus = host;
        var allowed = AllowedCpus(container).Count;
        cpus = allowed > 0 ? Math.Min(cpus, allowed) : cpus;
        if (_folders.Value.Find(container, "cpu", out var isV2) is { } folder)
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
            ? Math.Max(0, (seconds * 1000) - (ProcessControl.StartTime(container.InitPid) * (1000.0 / ProcessControl.TicksPerSecond)))
            : 0;
    }
}
