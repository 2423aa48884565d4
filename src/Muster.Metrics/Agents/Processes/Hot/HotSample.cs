namespace Muster.Metrics.Agents.Processes.Hot;

/// <summary>The words of the predicate language that stand for what a process is or does (pmdaproc(1), reserved variables).</summary>
internal enum HotVariable
{
    UserId,
    GroupId,
    CpuBurn,
    IoDemand,
    ContextSwitches,
    VirtualSize,
    ResidentSize,
    IoWait,
    SchedulerWait,
    UserName,
    GroupName,
    FileName,
    Arguments,
}

/// <summary>What a process was and did over one interval; rates are a second.</summary>
internal sealed record HotSample
{
    public required int ProcessId { get; init; }

    public uint UserId { get; init; }

    public uint GroupId { get; init; }

    public string UserName { get; init; } = "";

    public string GroupName { get; init; } = "";

    /// <summary>The program's name.</summary>
    public string FileName { get; init; } = "";

    public string Arguments { get; init; } = "";

    /// <summary>CPUs that it used.</summary>
    public double CpuBurn { get; init; }

    /// <summary>KiB that it read from and wrote to disk.</summary>
    public double IoDemand { get; init; }

    public double ContextSwitches { get; init; }

    /// <summary>KiB.</summary>
    public long VirtualSize { get; init; }

    /// <summary>KiB.</summary>
    public long ResidentSize { get; init; }

    /// <summary>Share of the time that it waited for block I/O.</summary>
    public double IoWait { get; init; }

    /// <summary>Share of the time that it waited for a CPU.</summary>
    public double SchedulerWait { get; init; }

    public double Number(HotVariable variable) => variable switch
    {
        HotVariable.UserId => UserId,
        HotVariable.GroupId => GroupId,
        HotVariable.CpuBurn => CpuBurn,
        HotVariable.IoDemand => IoDemand,
        HotVariable.ContextSwitches => ContextSwitches,
        HotVariable.VirtualSize => VirtualSize,
        HotVariable.ResidentSize => ResidentSize,
        HotVariable.IoWait => IoWait,
        HotVariable.SchedulerWait => SchedulerWait,
        _ => double.NaN,
    };

    public string Text(HotVariable variable) => variable switch
    {
        HotVariable.UserName => UserName,
        HotVariable.GroupName => GroupName,
        HotVariable.FileName => FileName,
        HotVariable.Arguments => Arguments,
        _ => "",
    };
}
