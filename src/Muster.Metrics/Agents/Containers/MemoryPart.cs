using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Containers;

/// <summary>What a container holds of memory, in bytes.</summary>
internal readonly record struct MemoryUse(long Usage, long InactiveFile, long Anonymous, long File, long Kernel, long Swap, long MajorFaults);

/// <summary>Memory, its limit and what happened at it, from either version of control groups.</summary>
internal sealed class MemoryPart
{
    public static readonly string[] Columns =
    [
        "memory.usage", "memory.working_set", "memory.anon", "memory.file", "memory.kernel", "memory.swap",
        "memory.limit", "memory.limit_hits", "memory.oom_kills", "memory.major_faults",
    ];

    private const int Limit = 6;
    private const int Hits = 7;

    // Version 1 writes limits in pages: no limit is the largest number of whole pages.
    private const ulong NoLimitFrom = 1UL << 62;

    private static readonly string[] Raw =
    [
        "memory.usage_in_bytes", "memory.current", "total_inactive_file", "inactive_file", "total_rss", "anon", "total_cache", "file", "memory.kmem.usage_in_bytes", "kernel", "total_swap", "memory.swap.current",
        "total_pgmajfault", "pgmajfault", "memory.limit_in_bytes", "memory.max", "memory.failcnt", "events.max", "events.oom_kill",
    ];

    private readonly ScratchSheets _scratch = new(Raw.Length);
    private readonly ContainerCgroups _groups;
    private readonly MeasuredHierarchy? _hierarchy;
    private readonly bool _isV2;
    private readonly GroupText[] _use;
    private readonly GroupText _limit;
    private readonly GroupText[] _events;

    public MemoryPart(ContainerCgroups groups)
    {
        _groups = groups;
        var tree = groups.Tree;
        _hierarchy = tree.Version1("memory") ?? tree.Version2;
        _isV2 = tree.Version1("memory") is null;
        _use = _isV2
            ? [Number("memory.current"), Keyed("memory.stat"), Number("memory.swap.current")]
            : [Number("memory.usage_in_bytes"), Keyed("memory.stat"), Number("memory.kmem.usage_in_bytes")];
        _limit = Number(_isV2 ? "memory.max" : "memory.limit_in_bytes");
        _events = _isV2 ? [Keyed("memory.events", "events.")] : [Number("memory.failcnt"), Keyed("memory.oom_control", "events.")];

        GroupText Number(string file) => new(tree.File(file), GroupTextKind.Number, Raw);
        GroupText Keyed(string file, string prefix = "") => new(tree.File(file), GroupTextKind.Keyed, Raw, prefix);
    }

    /// <summary>Fills the columns from <paramref name="first"/> on, as far as they are asked for.</summary>
    public void Read(ContainerDescription container, CounterLedger.Account account, Sheet sheet, int row, int first)
    {
        var group = _groups.Find(container, _hierarchy);
        if (group is not null && (sheet.WantsAnyOf(first, first + Limit) || sheet.Wants(first + 9)))
        {
            var use = Use(group);
            ReadOnlySpan<long> values = [use.Usage, Math.Max(0, use.Usage - use.InactiveFile), use.Anonymous, use.File, use.Kernel, use.Swap];
            for (var i = 0; i < values.Length; i++)
            {
                sheet.Set(row, first + i, values[i]);
            }

            account.Add(Columns[9], group.Path, ContainerCgroups.Epoch(group), use.MajorFaults);
        }

        if (group is not null && sheet.Wants(first + Limit))
        {
            sheet.Set(row, first + Limit, FindLimit(group));
        }

        if (group is not null && sheet.WantsAnyOf(first + Hits, first + Hits + 2))
        {
            ReadEvents(group, account);
        }

        for (var i = Hits; i < Columns.Length; i++)
        {
            if (sheet.Wants(first + i) && account.Total(Columns[i]) is { } total)
            {
                sheet.Set(row, first + i, total);
            }
        }
    }

    /// <summary>Adds what has happened at the limit to the account.</summary>
    public void ReadEvents(CgroupNode top, CounterLedger.Account account)
    {
        using (var loan = _scratch.Rent())
        {
            var scratch = loan.Sheet;
            var row = _groups.Read(top, scratch, _events);
            account.Add(Columns[Hits], top.Path, ContainerCgroups.Epoch(top), scratch.Number(row, _isV2 ? 17 : 16));
            account.Add(Columns[Hits + 1], top.Path, ContainerCgroups.Epoch(top), scratch.Number(row, 18));
        }

        // Version 2 counts those below with a group, version 1 does not.
        if (!_isV2)
        {
            foreach (var child in top.ChildList)
            {
                ReadEvents(child, account);
            }
        }
    }

    /// <inheritdoc cref="ContainerCgroups.Find"/>
    public CgroupNode? Group(ContainerDescription container) => _groups.Find(container, _hierarchy);

    /// <summary>What the group and those below hold.</summary>
    public MemoryUse Use(CgroupNode group)
    {
        using var loan = _scratch.Rent();
        var scratch = loan.Sheet;
        var row = _groups.Read(group, scratch, _use);
        var at = _isV2 ? 1 : 0;
        return new MemoryUse(
            scratch.Number(row, at), scratch.Number(row, 2 + at), scratch.Number(row, 4 + at), scratch.Number(row, 6 + at), scratch.Number(row, 8 + at), scratch.Number(row, 10 + at), scratch.Number(row, 12 + at));
    }

    /// <summary>The bytes that a group may use: its own limit or, where it has none, those of the groups below together; -1 (2^64-1) for no limit.</summary>
    public long FindLimit(CgroupNode group)
    {
        using var loan = _scratch.Rent();
        var scratch = loan.Sheet;
        var row = _groups.Read(group, scratch, _limit);
        var own = scratch.Has(row, _isV2 ? 15 : 14) ? scratch.Number(row, _isV2 ? 15 : 14) : GroupText.NoLimit;
        if ((ulong)own < NoLimitFrom || group.ChildList.Length == 0)
        {
            return (ulong)own < NoLimitFrom ? own : GroupText.NoLimit;
        }

        long sum = 0;
        foreach (var child in group.ChildList)
        {
            var limit = FindLimit(child);
            if (limit == GroupText.NoLimit)
            {
                return limit;
            }

            sum += limit;
        }

        return sum;
    }
}
