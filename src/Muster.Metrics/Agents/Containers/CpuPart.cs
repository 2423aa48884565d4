using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Containers;

/// <summary>CPU time, throttling and limit of a container, from either version of control groups, in microseconds.</summary>
internal sealed class CpuPart
{
    public static readonly string[] Columns = ["cpu.usage", "cpu.user", "cpu.system", "cpu.periods", "cpu.throttled", "cpu.throttled_time", "cpu.limit"];

    private const int Limit = 6;
    private const long NanosecondsPerMicrosecond = 1000;
    private const long MicrosecondsPerTick = 1_000_000 / ProcessControl.TicksPerSecond;

    private static readonly string[] Raw = ["cpuacct.usage", "user", "system", "nr_periods", "nr_throttled", "throttled_time", "throttled_usec", "usage_usec", "user_usec", "system_usec", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.max"];

    private readonly ScratchSheets _scratch = new(Raw.Length);
    private readonly ContainerCgroups _groups;
    private readonly MeasuredHierarchy? _accounting;
    private readonly MeasuredHierarchy? _scheduling;
    private readonly MeasuredHierarchy? _unified;
    private readonly GroupText _usage;
    private readonly GroupText _times;
    private readonly GroupText _statistics;
    private readonly GroupText _quota;
    private readonly GroupText _period;
    private readonly GroupText _max;

    public CpuPart(ContainerCgroups groups)
    {
        _groups = groups;
        var tree = groups.Tree;
        _accounting = tree.Version1("cpuacct");
        _scheduling = tree.Version1("cpu");
        _unified = _scheduling is null ? tree.Version2 : null;
        _usage = new GroupText(tree.File("cpuacct.usage"), GroupTextKind.Number, Raw);
        _times = new GroupText(tree.File("cpuacct.stat"), GroupTextKind.Keyed, Raw);
        _statistics = new GroupText(tree.File("cpu.stat"), GroupTextKind.Keyed, Raw);
        _quota = new GroupText(tree.File("cpu.cfs_quota_us"), GroupTextKind.Number, Raw);
        _period = new GroupText(tree.File("cpu.cfs_period_us"), GroupTextKind.Number, Raw);
        _max = new GroupText(tree.File("cpu.max"), GroupTextKind.Line, Raw);
    }

    /// <summary>Fills the columns from <paramref name="first"/> on, as far as they are asked for.</summary>
    public void Read(ContainerDescription container, CounterLedger.Account account, Sheet sheet, int row, int first)
    {
        if (sheet.WantsAnyOf(first, first + 3))
        {
            ReadTimes(container, account);
        }

        if (sheet.WantsAnyOf(first + 3, first + Limit))
        {
            ReadThrottling(container, account);
        }

        for (var i = 0; i < Limit; i++)
        {
            if (sheet.Wants(first + i) && account.Total(Columns[i]) is { } total)
            {
                sheet.Set(row, first + i, total);
            }
        }

        if (sheet.Wants(first + Limit) && _groups.Find(container, _scheduling ?? _unified) is { } group)
        {
            sheet.Set(row, first + Limit, FindLimit(group));
        }
    }

    /// <summary>The CPUs that a group may use, its own limit or, where it has none, those of the groups below together; 0 for no limit.</summary>
    public double FindLimit(CgroupNode group)
    {
        using var loan = _scratch.Rent();
        var scratch = loan.Sheet;
        double own;
        if (_unified is null)
        {
            var row = _groups.Read(group, scratch, _quota, _period);
            var (quota, period) = (scratch.Number(row, 10), scratch.Number(row, 11));
            own = quota > 0 && period > 0 ? (double)quota / period : 0;
        }
        else
        {
            var row = _groups.Read(group, scratch, _max);
            own = ParseMax(scratch.Value(row, 12).Text);
        }

        if (own > 0 || group.ChildList.Length == 0)
        {
            return own;
        }

        var sum = 0.0;
        foreach (var child in group.ChildList)
        {
            var limit = FindLimit(child);
            if (limit <= 0)
            {
                return 0;
            }

            sum += limit;
        }

        return sum;
    }

    /// <summary><c>50000 100000</c> is half a CPU; <c>max 100000</c> is no limit.</summary>
    internal static double ParseMax(string text)
    {
        var fields = text.Split(' ');
        return fields.Length == 2 && long.TryParse(fields[0], out var quota) && long.TryParse(fields[1], out var period) && quota > 0 && period > 0 ? (double)quota / period : 0;
    }

    private void ReadTimes(ContainerDescription container, CounterLedger.Account account)
    {
        using var loan = _scratch.Rent();
        var scratch = loan.Sheet;
        if (_unified is not null)
        {
            if (_groups.Find(container, _unified) is { } group)
            {
                var row = _groups.Read(group, scratch, _statistics);
                for (var i = 0; i < 3; i++)
                {
                    Count(account, i, group, scratch, row, 7 + i, 1, 1);
                }
            }
        }
        else if (_groups.Find(container, _accounting) is { } group)
        {
            var row = _groups.Read(group, scratch, _usage, _times);
            Count(account, 0, group, scratch, row, 0, 1, NanosecondsPerMicrosecond);
            Count(account, 1, group, scratch, row, 1, MicrosecondsPerTick, 1);
            Count(account, 2, group, scratch, row, 2, MicrosecondsPerTick, 1);
        }
    }

    // A group counts its own limit's periods only, so those below are added.
    private void ReadThrottling(ContainerDescription container, CounterLedger.Account account)
    {
        if (_groups.Find(container, _scheduling ?? _unified) is not { } top)
        {
            return;
        }

        CountThrottling(top, account);
    }

    private void CountThrottling(CgroupNode group, CounterLedger.Account account)
    {
        using (var loan = _scratch.Rent())
        {
            var scratch = loan.Sheet;
            var row = _groups.Read(group, scratch, _statistics);
            Count(account, 3, group, scratch, row, 3, 1, 1);
            Count(account, 4, group, scratch, row, 4, 1, 1);
            Count(account, 5, group, scratch, row, scratch.Has(row, 6) ? 6 : 5, 1, scratch.Has(row, 6) ? 1 : NanosecondsPerMicrosecond);
        }

        foreach (var child in group.ChildList)
        {
            CountThrottling(child, account);
        }
    }

    private static void Count(CounterLedger.Account account, int counter, CgroupNode group, Sheet scratch, int row, int column, long factor, long divisor)
    {
        if (scratch.Has(row, column))
        {
            account.Add(Columns[counter], group.Path, ContainerCgroups.Epoch(group), (long)((ulong)scratch.Number(row, column) / (ulong)divisor) * factor);
        }
    }
}
